"""Every kind of fault through the test client: answers as answers, failures of the connection as exceptions."""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from werkzeug.test import Client, TestResponse

from sandbox import Sandbox, faults
from sandbox.faults import Fault, make_rule
from sandbox.faults.fault import Act, Rate, Spoiled, Trait
from sandbox.foundation.answer import Answer
from sandbox.foundation.refusals import UnauthorizedActionError
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.journeys.faults.conftest import Outcome, eventually

STORED = b'{"message":"Payload stored successfully."}'
UNAUTHENTICATED = b'{"message":"Unauthenticated."}'


class Faulty:
    """An integration whose answers need not conform to the contract: they are made to fail."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.good = Integration(sandbox)
        self.http = Client(SandboxApp(sandbox))
        self.token = self.good.token()

    def add(self, fault: Fault, **fields: Any) -> str:
        return self.sandbox.platform.faults.add(make_rule(fault, **fields)).id

    def post(
        self,
        path: str = "/v1/acme/anything",
        token: str | None = None,
        data: bytes = b"payload",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        authorization = {"Authorization": f"Bearer {token or self.token}"}
        return self.http.post(path, data=data, headers=authorization | (headers or {}))

    def request_token(self) -> TestResponse:
        return self.http.post("/oauth/token", data=self.good.credentials())

    @property
    def last(self) -> Any:
        return list(self.sandbox.journal.snapshot())[-1]


@pytest.fixture
def faulty(sandbox: Sandbox) -> Faulty:
    return Faulty(sandbox)


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        pytest.param(faults.status(500), 500, b'{\n    "message": "Server Error"\n}', id="500"),
        pytest.param(faults.status(503), 503, b'{\n    "message": "Service Unavailable"\n}', id="503"),
        pytest.param(faults.status(401), 401, UNAUTHENTICATED, id="401"),
        pytest.param(faults.status(403), 403, b'{\n    "message": "This action is unauthorized."\n}', id="403"),
        pytest.param(
            faults.status(404), 404, b'{\n    "message": "The route v1/acme/anything could not be found."\n}', id="404"
        ),
        pytest.param(faults.status(413), 413, b'{\n    "message": "The POST data is too large."\n}', id="413"),
        pytest.param(faults.status(429), 429, b'{\n    "message": "Too Many Attempts."\n}', id="429"),
        pytest.param(faults.status(502), 502, b'{\n    "message": "Bad Gateway"\n}', id="502"),
        pytest.param(faults.status(599), 599, b'{\n    "message": ""\n}', id="no known status"),
        pytest.param(faults.status(204), 204, b"", id="no body allowed"),
        pytest.param(faults.status(418, {"tea": [1]}), 418, b'{"tea":[1]}', id="JSON"),
        pytest.param(faults.status(502, "<h1>"), 502, b"<h1>", id="text"),
        pytest.param(faults.malformed_json(), 200, STORED[:-1], id="malformed JSON"),
        pytest.param(faults.malformed_json("{,"), 200, b"{,", id="malformed JSON of one's own"),
        pytest.param(faults.relayed(), 200, STORED, id="relayed"),
        pytest.param(faults.latency(0), 200, STORED, id="latency"),
        pytest.param(faults.slow_body(0, 7), 200, STORED, id="slow body"),
    ],
)
def test_answer_is_what_the_fault_says(faulty: Faulty, fault: Fault, status: int, body: bytes) -> None:
    rule_id = faulty.add(fault, endpoint="inbound")

    response = faulty.post()

    assert (response.status_code, response.data) == (status, body)
    entry = faulty.last
    assert (entry.outcome, entry.fault, entry.status, entry.response_body) == ("faulted", rule_id, status, body)
    assert entry.effect.startswith(f"{fault.kind}: answered {status}")
    assert entry.accepted is (fault.handling == "done")


@pytest.mark.parametrize(
    ("fault", "delay_ms"),
    [
        (faults.latency(0.002), 2.0),
        (faults.slow_body(0.003), 3.0),
        (faults.truncated_body(1_000), 0.0),
        (faults.status(503), 0.0),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_entry_has_the_delay_of_its_fault_beside_its_own_duration(
    faulty: Faulty, fault: Fault, delay_ms: float
) -> None:
    faulty.add(fault)

    with contextlib.suppress(http.client.IncompleteRead):
        faulty.post()

    assert faulty.last.delay_ms == delay_ms
    assert faulty.last.answered_ms == round(faulty.last.duration_ms + delay_ms, 3)


@pytest.mark.parametrize(
    ("fault", "error", "said", "effect"),
    [
        (faults.connection_reset(), ConnectionResetError, "reset by peer", "no answer: the connection was reset"),
        (faults.empty_response(), http.client.RemoteDisconnected, "closed", "no answer: the connection was closed"),
        (
            faults.garbage_response("tea\r\ncoffee"),
            http.client.BadStatusLine,
            "^tea$",
            "no answer: 11 bytes that are not HTTP, then the end of the connection",
        ),
        (
            faults.truncated_body(),
            http.client.IncompleteRead,
            "21 bytes read, 21 more",
            "answered 200, the connection ended after 21 of 42 bytes",
        ),
        (
            faults.truncated_body(1_000),
            http.client.IncompleteRead,
            "41 bytes read, 1 more",
            "answered 200, the connection ended after 41 of 42 bytes",
        ),
        (faults.hang(), TimeoutError, "timed out", "no answer: the connection was left open"),
        (faults.hang(2), TimeoutError, "timed out", "no answer: the connection was left open for up to 2.000 s"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_failure_of_the_connection_is_the_exception_of_http_client(
    faulty: Faulty, fault: Fault, error: type[Exception], said: str, effect: str
) -> None:
    faulty.add(fault, name="story")

    with pytest.raises(error, match=said):
        faulty.post()

    entry = faulty.last
    assert (entry.outcome, entry.fault, entry.effect) == ("faulted", "story", f"{fault.kind}: {effect}")
    assert entry.accepted is False
    assert entry.status == (200 if fault.kind == "truncated_body" else 0)


def test_rule_that_is_removed_ends_its_late_answer(faulty: Faulty) -> None:
    rule_id = faulty.add(faults.latency(60))
    waiting = Outcome(faulty.post)
    eventually(lambda: faulty.last.fault == rule_id)

    faulty.sandbox.platform.faults.clear()

    assert isinstance(waiting.get(), http.client.RemoteDisconnected)


def test_custom_body_comes_with_a_content_type_and_given_headers_win(faulty: Faulty) -> None:
    faulty.add(faults.status(502, "<h1>", {"content-type": "text/html", "X-Proxy": "a"}), times=1)
    faulty.add(faults.status(500, {}), times=1)
    faulty.add(faults.status(503, headers={"Retry-After": "9", "Cache-Control": "no-store"}), times=1)

    page, problem, busy = faulty.post(), faulty.post(), faulty.post()

    assert (page.content_type, page.headers["X-Proxy"]) == ("text/html", "a")
    assert problem.content_type == "application/json"
    assert busy.headers["Retry-After"] == "9"
    assert busy.headers.getlist("Cache-Control") == ["no-store"]


def test_rate_limit_looks_like_the_platforms(faulty: Faulty) -> None:
    faulty.sandbox.clock.freeze()
    faulty.sandbox.clock.travel_to("2026-11-23T18:00:00Z")
    faulty.token = faulty.good.token()
    faulty.add(faults.rate_limit(), lasts=60)
    faulty.sandbox.clock.advance(18)

    response = faulty.post()

    assert response.status_code == 429
    headers = {name: response.headers[name] for name in ("Retry-After", "X-RateLimit-Reset", "X-RateLimit-Remaining")}
    assert headers == {"Retry-After": "42", "X-RateLimit-Reset": "1795456860", "X-RateLimit-Remaining": "0"}
    faulty.sandbox.clock.advance(42)
    assert faulty.post().status_code == 200


def test_rate_limit_at_an_unknown_path_tells_no_rest(faulty: Faulty) -> None:
    faulty.add(faults.rate_limit(30), endpoint="any")

    response = faulty.http.get("/nowhere")

    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")
    assert "X-RateLimit-Remaining" not in response.headers


def test_maintenance_has_a_retry_after_and_no_rate_limit(faulty: Faulty) -> None:
    faulty.add(faults.maintenance(120), times=1)
    faulty.add(faults.maintenance())

    told, default = faulty.post(), faulty.post()

    assert (told.status_code, told.headers["Retry-After"]) == (503, "120")
    assert default.headers["Retry-After"] == "60"
    assert "X-RateLimit-Limit" not in told.headers


def test_accepted_payload_is_stored_although_its_answer_is_lost(faulty: Faulty) -> None:
    faulty.add(faults.connection_reset(), times=1, accept=True)

    with pytest.raises(ConnectionResetError):
        faulty.post()
    faulty.post()

    lost, stored = list(faulty.sandbox.journal.snapshot())[-2:]
    assert (lost.outcome, lost.accepted, lost.status) == ("faulted", True, 0)
    assert (stored.outcome, stored.accepted) == ("accepted", True)


def test_payload_that_is_refused_is_not_accepted_before_the_fault(faulty: Faulty) -> None:
    faulty.add(faults.connection_reset(), accept=True)

    with pytest.raises(ConnectionResetError):
        faulty.post(data=b"")

    assert faulty.last.accepted is False
    assert faulty.last.reason.startswith("blank_payload")


def test_fault_acts_after_authentication(faulty: Faulty) -> None:
    faulty.add(faults.status(503))

    assert faulty.post(token="nonsense").status_code == 401
    assert faulty.last.fault is None


def test_request_to_an_unknown_path_can_be_faulted(faulty: Faulty) -> None:
    faulty.add(faults.status(503), endpoint="any", times=1)
    faulty.add(faults.truncated_body(), endpoint="any", times=1)

    assert faulty.http.get("/nowhere").status_code == 503
    with pytest.raises(http.client.IncompleteRead):
        faulty.http.get("/nowhere")
    assert faulty.http.get("/nowhere").status_code == 404


def test_control_api_is_never_faulted(faulty: Faulty) -> None:
    faulty.add(faults.connection_reset())

    assert faulty.good.control("GET", "/health").status_code == 200


def test_date_is_told_by_the_sandbox_clock(faulty: Faulty) -> None:
    faulty.sandbox.clock.freeze()
    faulty.sandbox.clock.travel_to("2031-01-01T10:00:00Z")

    first = faulty.http.get("/nowhere").headers["Date"]
    faulty.sandbox.clock.advance(hours=1)

    assert first == "Wed, 01 Jan 2031 10:00:00 GMT"
    assert faulty.http.get("/nowhere").headers["Date"] == "Wed, 01 Jan 2031 11:00:00 GMT"


def test_laravel_page_keeps_the_status_the_framework_gives_it(make_sandbox: Any) -> None:
    faulty = Faulty(make_sandbox(accept="laravel"))
    faulty.add(faults.status(503), endpoint="inbound")

    response = faulty.post()

    assert (response.status_code, response.mimetype) == (503, "text/html")


# --- faults of tokens -----------------------------------------------------------------------------------------------


def test_expired_token_is_issued_looking_like_any_other(faulty: Faulty) -> None:
    faulty.add(faults.expired_token(), endpoint="token")

    response = faulty.request_token()

    assert (response.status_code, response.json["expires_in"]) == (200, 86400)  # type: ignore[index]
    refused = faulty.post(token=response.json["access_token"])  # type: ignore[index]
    assert (refused.status_code, refused.data) == (401, UNAUTHENTICATED)
    assert faulty.last.reason.startswith("token_expired")


def test_token_in_use_expires_at_the_request_and_stays_so(faulty: Faulty) -> None:
    faulty.add(faults.expired_token(), endpoint="inbound", times=1)

    assert [faulty.post().status_code, faulty.post().status_code] == [401, 401]
    assert faulty.last.reason.startswith("token_expired: before its time")
    assert faulty.post(token=faulty.good.token()).status_code == 200


def test_bad_signature_token_is_refused(faulty: Faulty) -> None:
    faulty.add(faults.bad_signature_token())

    token = faulty.request_token().json["access_token"]  # type: ignore[index]

    assert faulty.post(token=token).status_code == 401
    assert faulty.last.reason.startswith("bad_signature")


@pytest.mark.parametrize(("announced", "expires_in"), [(True, 5), (False, 86400)])
def test_short_lived_token_expires_on_the_sandbox_clock(faulty: Faulty, announced: bool, expires_in: int) -> None:
    faulty.add(faults.short_lived_token(5, announced=announced))

    answer = faulty.request_token().json

    assert answer is not None
    assert answer["expires_in"] == expires_in
    assert faulty.post(token=answer["access_token"]).status_code == 200
    faulty.sandbox.clock.advance(5)
    assert faulty.post(token=answer["access_token"]).status_code == 401


def test_token_response_lacks_fields_and_has_wrong_ones_but_a_good_token(faulty: Faulty) -> None:
    faulty.add(faults.token_response(remove=["token_type"], set={"expires_in": "soon"}))

    answer = json.loads(faulty.request_token().data)

    assert set(answer) == {"expires_in", "access_token"}
    assert answer["expires_in"] == "soon"
    assert faulty.post(token=answer["access_token"]).status_code == 200


@pytest.mark.parametrize(("whose", "other_is_good"), [("request", True), ("client", False), ("all", False)])
def test_revoked_token_is_refused_from_this_request_on(faulty: Faulty, whose: str, other_is_good: bool) -> None:
    other = faulty.good.token()
    faulty.add(faults.revoked_token(whose), times=1)

    assert [faulty.post().status_code, faulty.post().status_code] == [401, 401]
    assert (faulty.post(token=other).status_code == 200) is other_is_good
    assert faulty.post(token=faulty.good.token()).status_code == 200


def test_rotated_key_makes_old_tokens_bad_and_new_ones_good(make_sandbox: Any) -> None:
    faulty = Faulty(make_sandbox())
    faulty.add(faults.rotated_key(), times=1)

    assert [faulty.post().status_code, faulty.post().status_code] == [401, 401]
    assert faulty.last.reason.startswith("bad_signature")
    assert faulty.post(token=faulty.good.token()).status_code == 200


@pytest.mark.parametrize("accept", [False, True])
def test_token_whose_answer_is_lost_is_issued_only_where_accepted(faulty: Faulty, accept: bool) -> None:
    faulty.add(faults.connection_reset(), endpoint="token", accept=accept)
    issued = len(faulty.sandbox.platform.tokens._issued)

    with pytest.raises(ConnectionResetError):
        faulty.request_token()

    assert len(faulty.sandbox.platform.tokens._issued) - issued == int(accept)


def test_token_is_issued_but_the_answer_is_another_where_accepted(faulty: Faulty) -> None:
    faulty.add(faults.status(503), endpoint="token", accept=True, times=1)
    faulty.add(faults.malformed_json(), endpoint="token", times=1)

    assert faulty.request_token().status_code == 503
    assert faulty.last.accepted is True
    assert faulty.request_token().status_code == 200
    assert faulty.last.accepted is False


def test_token_endpoint_says_invalid_client_for_401(faulty: Faulty) -> None:
    faulty.add(faults.status(401), endpoint="token")

    assert faulty.request_token().json == {
        "error": "invalid_client",
        "error_description": "Client authentication failed",
    }


def test_journal_keeps_no_token_of_a_truncated_answer(faulty: Faulty) -> None:
    faulty.add(faults.truncated_body(100), endpoint="token")

    with pytest.raises(http.client.IncompleteRead) as caught:
        faulty.request_token()

    token = caught.value.partial.partition(b'"access_token":"')[2]
    assert len(token) > 20
    assert token not in faulty.last.response_body


@dataclass(frozen=True, slots=True)
class Unlisted(Fault):
    """A kind that only this module knows."""

    kind: ClassVar[str] = "unlisted"
    needs: ClassVar[tuple[Trait, ...]] = ("takes_bearer",)


class Answering(Unlisted):
    handling = "done"

    def effect(self, act: Act, answer: Answer) -> Answer:
        return Answer(418, answer.headers, answer.body)


class Refusing(Unlisted):
    def refusal(self, act: Act, now: float) -> UnauthorizedActionError:
        return UnauthorizedActionError(act.reason)

    def refused_rate(self, rate: Rate | None) -> Rate:
        return (7, 3)


class Spoiling(Unlisted):
    def spoiled(self, act: Act) -> Spoiled:
        return Spoiled("request", f"moody: {act.label}")


@pytest.mark.parametrize(
    ("fault", "status", "left", "reason"),
    [
        (Answering(), 418, "59", None),
        (Refusing(), 403, "3", "fault: fault-1"),
        (Spoiling(), 401, "59", "moody: fault-1"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Fault) else None,
)
def test_kind_does_its_own_work(faulty: Faulty, fault: Fault, status: int, left: str, reason: str | None) -> None:
    faulty.add(fault)

    response = faulty.post()

    assert (response.status_code, response.headers["X-RateLimit-Remaining"]) == (status, left)
    assert faulty.last.reason == reason
    assert faulty.request_token().status_code == 200
