"""A recorded request is sent again: as it came or changed, with a token that is valid now."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.foundation.errors import ConflictError, InvalidValueError
from sandbox.journal.entry import Entry
from sandbox.platform.resend import HEADER, resend, why_not_resent
from tests.conftest import Integration

URL = "http://sandbox.example"


def last(integration: Integration) -> Entry:
    return list(integration.sandbox.journal.snapshot())[-1]


def again(integration: Integration, entry: Entry, **changes: Any) -> Entry:
    return resend(integration.sandbox.platform, entry, URL, **changes)


def test_request_is_sent_again_byte_for_byte_and_names_the_first(integration: Integration) -> None:
    headers = {"X-Own": "1", "Authorization": f"Bearer {integration.token()}"}
    integration.http.post("/v1/acme/anything", data=b'{"order":  "1001"}', headers=headers)
    first = last(integration)

    second = again(integration, first)

    assert (second.seq, second.status, second.outcome) == (first.seq + 1, 200, "accepted")
    assert (second.body, second.path, second.method, second.client_id) == (
        first.body,
        first.path,
        first.method,
        first.client_id,
    )
    assert (second.header("X-Own"), second.header(HEADER)) == ("1", first.id)
    third = again(integration, second)
    assert [value for name, value in third.headers if name == HEADER] == [second.id]


def test_body_and_path_of_a_refused_request_are_corrected(integration: Integration) -> None:
    integration.post(b"", "/v1/acme/nope")
    first = last(integration)

    second = again(integration, first, target="/v1/acme/%61nything?x=%20", body=b'{"a": 1}')

    assert (first.status, second.status) == (404, 200)
    assert (second.path, second.query, second.json) == ("/v1/acme/anything", "x=%20", {"a": 1})
    assert second.header("Content-Length") == "8"


@pytest.mark.parametrize("break_token", ["expired", "revoked", "unknown"])
def test_request_with_a_bad_token_gets_a_good_one(integration: Integration, break_token: str) -> None:
    token = integration.token()
    if break_token == "expired":
        integration.sandbox.clock.advance(hours=25)
    elif break_token == "revoked":
        integration.sandbox.revoke_tokens()
    integration.post(token=token if break_token != "unknown" else "nonsense")
    first = last(integration)

    second = again(integration, first)

    assert (first.status, second.status) == (401, 200)
    assert integration.sandbox.tokens[-1].client_id == integration.client_id


def test_request_without_credentials_is_sent_again_without(integration: Integration) -> None:
    integration.http.post("/v1/acme/anything", json={"a": 1})

    assert again(integration, last(integration)).status == 401


def test_fault_acts_on_a_request_that_is_sent_again(integration: Integration) -> None:
    integration.post()
    integration.control("POST", "/faults", {"fault": {"kind": "latency", "seconds": 60}, "times": 1})

    second = again(integration, last(integration))

    assert (second.outcome, second.delay_ms) == ("faulted", 60_000)


def test_body_beyond_the_limit_is_refused_as_any_other(integration: Integration) -> None:
    integration.post()
    limit = integration.sandbox.settings.body_limit

    second = again(integration, last(integration), body=b"x" * (limit + 1))

    assert second.status == 413


def test_request_whose_credentials_are_not_kept_is_not_sent_again(integration: Integration) -> None:
    integration.token()
    entry = last(integration)

    assert "no secret" in (why_not_resent(entry) or "")
    with pytest.raises(ConflictError, match="request 1 cannot be sent again"):
        again(integration, entry)


def test_request_to_a_sandbox_without_clients_says_what_is_missing(integration: Integration) -> None:
    integration.post()
    entry = last(integration)
    store = integration.sandbox.store
    for client in store.clients():
        integration.sandbox.delete_client(1, client.id, client.name)

    with pytest.raises(ConflictError, match="there is no OAuth client"):
        again(integration, entry)


@pytest.mark.parametrize("target", ["", "v1", "http://elsewhere.example/", "/a b\n", "/ü", "/" + "x" * 5_000])
def test_target_that_is_none_is_refused(integration: Integration, target: str) -> None:
    integration.post()

    with pytest.raises(InvalidValueError, match="target"):
        again(integration, last(integration), target=target)
