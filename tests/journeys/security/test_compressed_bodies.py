"""Nothing is inflated: a few bytes that would become gigabytes stay a few bytes."""

from __future__ import annotations

import gzip

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail

BOMB = gzip.compress(b'{"name": "' + bytes(10_000_000) + b'"}')
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "GZIP", "anything"])
def test_control_api_refuses_a_body_in_a_coding(integration: Integration, coding: str) -> None:
    headers = {**JSON, "Content-Encoding": coding}

    answer = integration.http.post("/_sandbox/companies", data=BOMB, headers=headers)

    assert "without Content-Encoding" in detail(answer, 415)
    assert answer.headers["Accept-Encoding"] == "identity"
    assert len(integration.sandbox.store.companies()) == 1


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_body_as_it_is_may_say_so(integration: Integration, coding: str) -> None:
    headers = {**JSON, "Content-Encoding": coding}

    assert integration.http.post("/_sandbox/companies", data='{"name": "B"}', headers=headers).status_code == 201


def test_payload_in_a_coding_is_kept_as_it_came(integration: Integration) -> None:
    answer = integration.post(BOMB, **JSON, **{"Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert integration.control("GET", "/requests/2/body").data == BOMB
    assert integration.sandbox.journal.bytes < 100_000


def test_payload_in_a_coding_is_not_inflated_to_be_checked(integration: Integration) -> None:
    assert integration.post(BOMB, "/v1/acme/orders", **JSON, **{"Content-Encoding": "gzip"}).status_code == 422


def test_token_request_in_a_coding_is_not_inflated(integration: Integration) -> None:
    answer = integration.http.post("/oauth/token", data=BOMB, headers={**JSON, "Content-Encoding": "gzip"})

    assert answer.status_code == 400
