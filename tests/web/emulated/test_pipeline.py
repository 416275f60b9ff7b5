"""The way of a request: its body is read within limits, and its entry is closed before its answer leaves."""

from __future__ import annotations

import gc
import io
import json
import weakref

import pytest
from werkzeug.test import EnvironBuilder, create_environ

from sandbox import Sandbox
from sandbox.platform.endpoints.bearer import BearerEndpoint
from sandbox.platform.endpoints.inbound import InboundEndpoint
from sandbox.platform.endpoints.token import TokenEndpoint
from sandbox.web.app import SandboxApp
from tests.web.emulated.sending import bearer, last_entry, send

URL = "/v1/acme/anything"
BAD_REQUEST = b'{\n    "message": "Bad request."\n}'
SERVER_ERROR = b'{\n    "message": "Server Error"\n}'
LIMIT = 100_000


class Broken(io.RawIOBase):
    """A stream that gives some bytes and then raises."""

    def __init__(self, first, error):
        self.first, self.error = first, error

    def read(self, size=-1):
        first, self.first = self.first, b""
        if not first:
            raise self.error
        return first


def call(integration, stream, length=None, path=URL, headers=()):
    """Send a body as a server would: with its announced length, or in chunks."""
    environ = {"wsgi.input": stream}
    if length is None:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    else:
        environ["CONTENT_LENGTH"] = str(length)
    authorization = dict([bearer(integration.token())])
    return integration.http.open(
        path, method="POST", headers={**authorization, **dict(headers)}, environ_overrides=environ
    )


@pytest.fixture
def limited(make_integration):
    """An integration with a limit of some chunks."""
    return make_integration(body_limit=LIMIT)


@pytest.mark.parametrize("length", [LIMIT, None], ids=["announced", "chunked"])
def test_body_of_exactly_the_limit_is_accepted(limited, length):
    response = call(limited, io.BytesIO(b"x" * LIMIT), length)

    assert response.status_code == 200
    assert last_entry(limited).body == b"x" * LIMIT


@pytest.mark.parametrize(
    ("length", "reason"),
    [
        (LIMIT + 1, f"payload_too_large: {LIMIT + 1} bytes, the limit is {LIMIT}"),
        (None, f"payload_too_large: a body of unknown length, the limit is {LIMIT}"),
    ],
    ids=["announced", "chunked"],
)
def test_body_of_one_byte_more_is_too_large(limited, length, reason):
    stream = io.BytesIO(b"x" * (LIMIT + 1))

    response = call(limited, stream, length)

    assert (response.status_code, response.data) == (413, b'{\n    "message": "The POST data is too large."\n}')
    assert response.headers["Connection"] == "close"
    entry = last_entry(limited)
    assert (entry.reason, entry.outcome, entry.body, entry.body_size) == (reason, "rejected", b"", LIMIT + 1)
    assert entry.vanity_url == "anything"
    assert stream.read() == b"", "the client gets to send all of it, and so to read the answer"


@pytest.mark.parametrize("error", [ConnectionResetError(), TimeoutError(), ValueError()], ids=repr)
def test_too_large_stays_too_large_when_its_sender_gives_up(limited, error):
    assert call(limited, Broken(b"x", error), LIMIT + 1).status_code == 413
    assert call(limited, Broken(b"x" * (LIMIT + 1), error)).status_code == 413


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError("reset by peer"), "incomplete_body: reset by peer"),
        (ConnectionResetError(), "incomplete_body: ConnectionResetError"),
        (ValueError("bad chunk"), "incomplete_body: bad chunk"),
        (TimeoutError("timed out"), "body_too_slow: 4 bytes came in time"),
    ],
    ids=["reset", "reset-without-words", "bad-chunk", "too-slow"],
)
@pytest.mark.parametrize("length", [9, None], ids=["announced", "chunked"])
def test_body_that_breaks_off_is_a_bad_request_and_what_came_is_kept(both, length, error, reason):
    response = call(both, Broken(b"half", error), length)

    assert (response.status_code, response.data) == (400, BAD_REQUEST)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Connection"] == "close"
    entry = last_entry(both)
    assert (entry.reason, entry.body, entry.outcome) == (reason, b"half", "rejected")


def test_body_that_ends_early_is_a_bad_request(both):
    response = call(both, io.BytesIO(b"half"), 9)

    assert (response.status_code, response.data) == (400, BAD_REQUEST)
    entry = last_entry(both)
    assert (entry.reason, entry.body, entry.body_size) == ("incomplete_body: 4 of 9 bytes came", b"half", 9)


def test_body_in_chunks_is_put_together(both):
    pieces = iter([b"a", b"b" * 70_000, b"c", b""])

    class Dribble(io.RawIOBase):
        def read(self, size=-1):
            return next(pieces)

    assert call(both, Dribble()).status_code == 200
    assert last_entry(both).body == b"a" + b"b" * 70_000 + b"c"


def test_body_without_length_is_not_read(both):
    response = both.http.post(
        URL, headers=dict([bearer(both.token())]), environ_overrides={"wsgi.input": Broken(b"x", ValueError())}
    )

    assert response.status_code == 422


def test_answer_leaves_after_its_entry_is_closed(both):
    entries = []
    environ = create_environ(URL, method="POST", data=b"x", headers=dict([bearer(both.token())]))

    def start_response(status, headers, exc_info=None):
        entries.append(last_entry(both))
        return lambda data: None

    body = b"".join(both.http.application(environ, start_response))

    assert [(entry.path, entry.status, entry.response_body, entry.body) for entry in entries] == [
        (URL, 200, body, b"x")
    ]


@pytest.mark.parametrize("path", [URL, "/oauth/token"])
def test_failure_in_a_view_is_the_platforms_500_and_is_logged(both, monkeypatch, caplog, path):
    def fail(*_):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(BearerEndpoint, "admit", fail)
    monkeypatch.setattr(TokenEndpoint, "admit", fail)

    response = send(both, "POST", path, [], b"x")

    assert (response.status_code, response.data) == (500, SERVER_ERROR)
    assert response.headers["Content-Type"] == "application/json"
    entry = last_entry(both)
    assert (entry.status, entry.outcome) == (500, "rejected")
    assert entry.reason == "internal_error: the sandbox itself failed, see its log"
    assert "on purpose" in caplog.text


def test_failure_after_the_payload_was_accepted_is_no_acceptance(both, monkeypatch, caplog):
    access_token = both.token()

    def fail(*arguments):
        handle(*arguments)
        raise ZeroDivisionError("on purpose")

    handle = InboundEndpoint.handle
    monkeypatch.setattr(InboundEndpoint, "handle", fail)

    response = both.post(token=access_token)

    assert response.status_code == 500
    assert last_entry(both).outcome == "rejected"
    assert response.headers["X-RateLimit-Remaining"] == "59"


def test_failure_outside_the_endpoints_is_answered_and_recorded_too(both, monkeypatch, caplog):
    monkeypatch.setattr("sandbox.platform.wire.WireProfile.options", lambda *_: 1 / 0)

    response = send(both, "OPTIONS", "/v1/acme/orders/", [], b"x")

    assert (response.status_code, response.data) == (500, SERVER_ERROR)
    assert last_entry(both).reason.startswith("internal_error: ")
    assert "ZeroDivisionError" in caplog.text


def test_every_request_has_its_entry_in_order(both):
    send(both, "GET", "/")
    send(both, "PUT", "/oauth/token")
    send(both, "POST", URL, [], b"{")
    both.post(json.dumps({"a": 1}))

    entries = list(both.sandbox.journal.snapshot())
    assert [(entry.seq, entry.kind, entry.status, entry.outcome) for entry in entries] == [
        (1, "other", 404, "rejected"),
        (2, "token", 405, "rejected"),
        (3, "inbound", 401, "rejected"),
        (4, "token", 200, "accepted"),
        (5, "inbound", 200, "accepted"),
    ]


def test_control_requests_are_not_in_the_journal(both):
    both.control("GET", "/health")

    assert len(both.sandbox.journal) == 0


@pytest.mark.parametrize(
    ("replace", "kept"),
    [(Sandbox.reset, []), (lambda sandbox: sandbox.load_state(sandbox.state(secrets=True)), ["token"])],
    ids=["reset", "load"],
)
def test_request_in_flight_stays_out_of_the_new_journal(both, replace, kept):
    access_token = both.token()
    sandbox = both.sandbox

    class Replacing(io.BytesIO):
        def read1(self, size=-1):
            replace(sandbox)
            return super().read1(size)

    response = both.http.post(
        URL,
        headers=dict([bearer(access_token)]),
        environ_overrides={"wsgi.input": Replacing(b"late"), "CONTENT_LENGTH": "4"},
    )

    assert response.status_code == 200
    assert [entry.kind for entry in sandbox.journal.snapshot()] == kept


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/acme/anything"), ("POST", "/oauth/token"), ("POST", "/nowhere"), ("GET", "/v1/acme/anything")],
)
def test_request_leaves_nothing_for_the_collector_that_holds_its_platform(
    sandbox: Sandbox, method: str, path: str
) -> None:
    app = SandboxApp(sandbox)
    serve(app, path, method)
    gc.collect()
    gc.disable()
    try:
        serve(app, path, method)
        platform = weakref.ref(sandbox.platform)
        sandbox.reset()

        assert platform() is None
    finally:
        gc.enable()


def serve(app: SandboxApp, path: str, method: str) -> None:
    """Call the application as a server does, which keeps nothing of the request."""
    b"".join(app(EnvironBuilder(path, method=method, data=b"x").get_environ(), lambda *_: lambda _: None))
