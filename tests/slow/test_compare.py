"""A recording replayed: nothing differs where nothing should, and a setting explains what does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from sandbox.foundation.settings import setting_specs
from sandbox.platform.fidelity import Row, load_ledger
from sandbox.state.seed import Seed, demo_seed, extended_seed, parse_seed
from sandbox.testing.compare.explain import READ, enumerated
from sandbox.testing.compare.har import har_of
from sandbox.testing.compare.ledger import ROWS
from sandbox.testing.compare.recording import recording_of
from sandbox.testing.compare.redact import Redactor
from sandbox.testing.compare.report import Comparison, as_json, as_text, compare
from tests.conftest import ORDER, Integration
from tests.testing.compare.conftest import ORIGIN, Har, exported, make_story

__all__ = ["make_story"]  # a fixture

EMPTY = parse_seed({"companies": []})


def seed(**settings: Any) -> Seed:
    return extended_seed(demo_seed(), {"settings": {"body_limit": 10_000, **settings}})[0]


def compared(har: Har, with_seed: Seed | None = None, **how: Any) -> Comparison:
    content = json.dumps(har).encode()
    return compare(recording_of(har_of("real.har", content), "/oauth/token", **how), with_seed or seed())


def of_the_platform(har: Har) -> Har:
    """Return a HAR as a proxy would have recorded it: without the fields of this project, the clock as it was moved."""
    entries = [
        {key: value for key, value in entry.items() if key[0] != "_" or key == "_clientId"}
        | {"comment": "", "startedDateTime": entry["_receivedAt"]}
        for entry in har["log"]["entries"]
    ]
    return {"log": {"version": "1.2", "creator": {"name": "mitmproxy", "version": "11"}, "entries": entries}}


def settings_of(comparison: Comparison) -> list[dict[str, Any]]:
    return [dict(each.settings) for each in comparison.proposals]


@pytest.mark.parametrize("profile", ["modern", "legacy"])
def test_own_export_against_its_own_profile_shows_no_difference(make_story: Callable[..., Har], profile: str) -> None:
    comparison = compared(make_story(wire_profile=profile), seed(wire_profile=profile))

    assert len(comparison.found) == 26
    assert comparison.different == []
    assert not comparison.notes
    assert "answered all 26 as recorded" in as_text(comparison)


KNOWN = {
    6: {"$.message"},
    7: {"$.message"},
    8: {"status", "$.error", "$.error_description", "$.hint", "$.message"},
    9: {"$.message"},
    10: {"$.message"},
    11: {"$.error", "$.error_description", "$.hint", "$.message"},
    15: {"$.message"},
    16: {"$.message"},
    17: {"$.message"},
    19: {"$.message"},
    21: {"$.message"},
    22: {"$.message"},
    23: {"$.message"},
}
"""The differences of the two generations by the number of the request in the story."""


@pytest.mark.parametrize(("recorded", "here"), [("legacy", "modern"), ("modern", "legacy")])
def test_own_export_against_the_other_profile_shows_the_known_differences_and_their_setting(
    make_story: Callable[..., Har], recorded: str, here: str
) -> None:
    comparison = compared(make_story(wire_profile=recorded), seed(wire_profile=here))

    found = {each.exchange.number: {one.path for one in each.differences} for each in comparison.different}
    assert found == KNOWN
    assert str(comparison.proposals[0]) == f"wire_profile {recorded} explains 13 of 13"
    assert f"serve --wire-profile {recorded}" in as_text(comparison)


@pytest.mark.parametrize(
    "settings",
    [
        {"success_status": 201},
        {"rate_limit_requests": 120},
        {"blank_payload": "accept"},
        {"entity_check": "off"},
        {"check_order": "framework"},
        {"accept": "laravel"},
        {"token_methods": ["POST"]},
        {"body_limit": 9_000, "success_status": 201},
        {"wire_profile": "legacy", "success_status": 201},
        {"success_message": "Stored.", "token_lifetime": 600},
    ],
    ids=str,
)
def test_settings_of_the_recording_are_proposed(make_story: Callable[..., Har], settings: dict[str, Any]) -> None:
    comparison = compared(make_story(**settings))

    best = next(each for each in comparison.proposals if each.settings == settings)
    assert (best.explained, best.broken) == (len(comparison.different), 0)


def test_no_setting_is_proposed_for_what_none_explains(make_story: Callable[..., Har]) -> None:
    har = make_story()
    har["log"]["entries"][11]["response"]["content"]["text"] = '{"message":"Thanks","id":7}'
    har["log"]["entries"][12]["response"]["status"] = 202

    comparison = compared(har)

    found = {each.exchange.number: [one.path for one in each.differences] for each in comparison.different}
    assert found == {12: ["$.message", "$.id"], 13: ["status"]}
    assert comparison.proposals == ()
    assert "No setting explains a difference" in as_text(comparison)


def test_a_proposal_says_how_many_others_differ_with_it(make_story: Callable[..., Har]) -> None:
    har = make_story(wire_profile="legacy")
    har["log"]["entries"] = har["log"]["entries"][:7] + make_story()["log"]["entries"][16:17]

    comparison = compared(har)

    assert str(comparison.proposals[0]) == "wire_profile legacy explains 2 of 2, and 1 others differ then"


# --- what the sandbox is given --------------------------------------------------------------------------------------


def entry(
    path: str,
    status: int,
    answer: str,
    *,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    at: str = "2026-11-27T10:03:00.000Z",
    **more: Any,
) -> dict[str, Any]:
    """Return an entry as a proxy records it."""
    request: dict[str, Any] = {
        "method": "POST",
        "url": f"{ORIGIN}{path}",
        "headers": [{"name": name, "value": value} for name, value in (headers or {}).items()],
        "bodySize": len(body or ""),
    }
    if body is not None:
        request["postData"] = {"mimeType": (headers or {}).get("Content-Type", ""), "text": body}
    response = {"status": status, "headers": [], "content": {"size": len(answer), "text": answer}}
    return {"startedDateTime": at, "request": request, "response": response, **more}


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = "grant_type=client_credentials&client_id={}&client_secret=sha256:00000000000a&scope=access-inbound"
STORED = '{"message":"Payload stored successfully."}'


def issued(token: str) -> str:
    return json.dumps({"token_type": "Bearer", "expires_in": 86400, "access_token": token})


def recorded(*entries: dict[str, Any]) -> Har:
    return {"log": {"creator": {"name": "Charles Proxy"}, "entries": list(entries)}}


def with_token(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}


TOKEN = "sha256:111111111111"
OTHER = "sha256:222222222222"


@pytest.mark.parametrize("client", ["3", "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d", "Shop-7"])
def test_clients_and_services_that_the_seed_lacks_are_created(client: str) -> None:
    har = recorded(
        entry("/oauth/token", 200, issued(TOKEN), body=GRANT.format(client), headers=FORM),
        entry("/v1/real-shop/orders", 200, STORED, body=json.dumps(ORDER), headers=with_token(TOKEN)),
    )

    comparison = compared(har, EMPTY)

    assert comparison.different == []
    assert comparison.notes == (
        "created company real-shop",
        "created service real-shop/orders, without an entity: any payload matches",
        f"created OAuth client {client}",
    )


def test_service_of_the_seed_keeps_its_entity(make_story: Callable[..., Har]) -> None:
    comparison = compared(of_the_platform(make_story()), seed())

    assert comparison.different == []
    assert comparison.notes == ()


def test_wrong_secret_stays_wrong() -> None:
    good = GRANT.format("3")
    har = recorded(
        entry("/oauth/token", 200, issued(TOKEN), body=good, headers=FORM),
        entry(
            "/oauth/token",
            401,
            '{"error":"invalid_client","error_description":"Client authentication failed"}',
            body=good.replace("00000000000a", "00000000000b"),
            headers=FORM,
        ),
    )

    assert compared(har, EMPTY).different == []


def test_client_of_another_connector_stays_forbidden() -> None:
    har = recorded(
        entry("/oauth/token", 200, issued(TOKEN), body=GRANT.format("3"), headers=FORM),
        entry("/oauth/token", 200, issued(OTHER), body=GRANT.format("4"), headers=FORM),
        entry("/v1/shop/orders", 200, STORED, body="{}", headers=with_token(TOKEN)),
        entry(
            "/v1/shop/orders", 403, '{"message":"This action is unauthorized."}', headers=with_token(OTHER), body="x"
        ),
    )

    assert compared(har, EMPTY).different == []


def test_token_from_before_the_recording_is_stood_in_for() -> None:
    har = recorded(
        entry("/v1/shop/orders", 200, STORED, body="{}", headers=with_token(TOKEN)),
        entry("/v1/shop/orders", 403, '{"message":"Invalid scope(s) provided."}', body="{}", headers=with_token(OTHER)),
        entry(
            "/v1/shop/orders",
            401,
            '{"message":"Unauthenticated."}',
            body="{}",
            headers=with_token("sha256:333333333333"),
        ),
    )

    comparison = compared(har, EMPTY, hosts=("inbound.pwks.co",))

    assert comparison.different == []
    assert "2 requests came with a token from before the recording" in comparison.notes[-1]


def test_basic_authentication_is_replayed_and_explained(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(inbound_auth="basic")
    pair = base64.b64encode(f"{integration.client_id}:{integration.client_secret}".encode()).decode()
    integration.http.post("/v1/acme/anything", data=b"x", headers={"Authorization": f"Basic {pair}"})
    har = of_the_platform(exported(integration))

    comparison = compared(har)

    assert {"inbound_auth": "basic"} in settings_of(comparison)
    assert compared(har, seed(inbound_auth="basic")).different == []


def test_clock_shows_the_time_of_each_exchange() -> None:
    late = "2026-11-28T10:03:00.000Z"
    har = recorded(
        entry("/oauth/token", 200, issued(TOKEN), body=GRANT.format("3"), headers=FORM),
        entry("/v1/shop/orders", 401, '{"message":"Unauthenticated."}', body="{}", headers=with_token(TOKEN), at=late),
        entry("/v1/shop/orders", 200, STORED, body="{}", headers=with_token(TOKEN)),
    )

    comparison = compared(har, EMPTY)

    assert comparison.different == []
    assert [each.reason for each in comparison.found][-1].startswith("token_expired")  # type: ignore[union-attr]


def test_faults_of_the_seed_do_not_act() -> None:
    failing = extended_seed(demo_seed(), {"faults": [{"fault": {"kind": "status", "code": 503}}]})[0]
    har = recorded(
        entry("/oauth/token", 200, issued(TOKEN), body=GRANT.format("3"), headers=FORM),
        entry("/v1/shop/orders", 200, STORED, body="{}", headers=with_token(TOKEN)),
    )

    assert compared(har, failing).different == []


# --- the report -----------------------------------------------------------------------------------------------------


def test_fragment_has_the_form_of_the_ledger_and_names_the_recording(make_story: Callable[..., Har]) -> None:
    comparison = compared(of_the_platform(make_story(wire_profile="legacy")))

    document = yaml.safe_load(comparison.fragment)
    rows = {row["id"]: Row(**row) for row in document["rows"]}
    day = comparison.recording.dates[0]  # type: ignore[index]
    assert document["sources"] == {"recording": f"confirmed by a recording of {day:%Y-%m-%d}, inbound.pwks.co"}
    known = {row.id: row for row in load_ledger().rows}
    assert {"1.9", "1.12", "1.14", "W1", "W3", "W10"} <= rows.keys()
    for name, row in rows.items():
        assert row.behaviour == known[name].behaviour
        assert tuple(row.sources) == (*known[name].sources, "recording")
    assert "with wire_profile = legacy" in comparison.fragment


def test_recording_of_a_sandbox_confirms_nothing(make_story: Callable[..., Har]) -> None:
    comparison = compared(make_story())

    assert comparison.fragment == ""
    assert "and says nothing about the platform" in as_text(comparison)


def test_rows_that_answers_confirm_are_in_the_ledger() -> None:
    known = {row.id for row in load_ledger().rows}

    assert {row for rows in ROWS.values() for row in rows} <= known


def test_every_setting_of_few_values_that_changes_an_answer_is_tried() -> None:
    tried = enumerated()

    assert tried["wire_profile"] == ["modern", "legacy"]
    assert tried["rate_limit"] == (False, True)
    assert {"accept", "check_order", "inbound_auth", "whole_numbers", "success_status"} <= tried.keys()
    assert not {"processing", "resync", "tls", "log_level"} & tried.keys()
    assert not tried.keys() & READ.keys()
    assert READ.keys() <= {spec.name for spec in setting_specs() if spec.runtime}


def test_json_has_what_the_text_has(make_story: Callable[..., Har]) -> None:
    comparison = compared(make_story(wire_profile="legacy"))

    document = json.loads(json.dumps(as_json(comparison)))
    assert (document["exchanges"], document["different"], len(document["differences"])) == (26, 13, 13)
    assert document["proposals"][0] == {
        "settings": {"wire_profile": "legacy"},
        "explained": 13,
        "of": 13,
        "broken": 0,
        "text": "wire_profile legacy explains 13 of 13",
    }
    assert document["differences"][0]["status"] == {"recorded": 401, "sandbox": 401}


def test_report_is_bounded(make_story: Callable[..., Har]) -> None:
    har = make_story()
    one = har["log"]["entries"][11]
    one["response"]["content"]["text"] = json.dumps({f"field {number}": number for number in range(50)})
    har["log"]["entries"] = [*har["log"]["entries"][:11], *[one] * 30]

    text = as_text(compared(har), 10)

    assert text.count("  POST /v1/acme/anything  200") == 10
    assert "… and 20 more; --report FILE" in text
    assert text.count("… and 31 more") == 10


def test_redactor_of_the_caller_counts(make_story: Callable[..., Har]) -> None:
    har = make_story()
    har["log"]["entries"][11]["request"]["headers"].append({"name": "Cookie", "value": "session=abcdefgh"})
    redactor = Redactor()

    comparison = compared(har, redactor=redactor)

    assert redactor.places == ["request 12: request.headers.Cookie"]
    assert comparison.different == []
