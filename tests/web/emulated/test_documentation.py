"""The document of the emulated API: every status that can be answered is in it, and its examples are real answers."""

from __future__ import annotations

import pytest

from tests.contract import published_document
from tests.web.emulated.sending import FORM, JSON, bearer, send

DOCUMENT = published_document("openapi.yaml").spec.read_value()
INBOUND = DOCUMENT["paths"]["/v1/{company}/{vanity_url}"]["post"]["responses"]
TOKEN = DOCUMENT["paths"]["/oauth/token"]["post"]["responses"]
ORDERS = "/v1/acme/orders"


def examples(responses, status):
    return {
        name: example["value"] for name, example in responses[status]["content"]["application/json"]["examples"].items()
    }


@pytest.fixture
def integration(make_integration):
    """An integration with a sandbox that can give every answer, and a service as the examples have it."""
    integration = make_integration(scopes=["read"], body_limit=2000)
    store = integration.sandbox.store
    connector = store.connectors()[0]
    store.delete_service(store.find_service("acme", "orders").id)
    store.add_entity(connector.id, "custom", "example", {"lines": [{"sku": "TEA-01", "qty": 2}]})
    store.add_service("acme", connector.id, "example", "orders")
    return integration


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("unsupported_grant_type", {"grant_type": "password"}),
        ("missing_client_id", {"client_id": None}),
        ("unknown_scope", {"scope": "bogus"}),
    ],
)
def test_examples_of_token_errors_are_answered(integration, name, changes):
    response = integration.request_token(**changes)

    assert (response.status_code, response.json) == (400, examples(TOKEN, "400")[name])


def test_examples_of_other_token_refusals_are_answered(integration):
    assert send(integration, "POST", "/oauth/token", [JSON], b"{").json == examples(TOKEN, "400")["malformed_json"]
    assert integration.request_token(client_secret="x").json == examples(TOKEN, "401")["invalid_client"]
    assert send(integration, "PUT", "/oauth/token").json == examples(TOKEN, "405")["method_not_allowed"]
    assert (
        send(integration, "POST", "/oauth/token", [FORM], b"x" * 2001).json
        == examples(TOKEN, "413")["payload_too_large"]
    )


def test_examples_of_inbound_answers_are_answered(integration):
    store = integration.sandbox.store
    new = store.add_client(store.add_connector("acme", "Other").id, "Stranger")
    stranger = integration.token(client_id=new.client.id, client_secret=new.secret)
    access_token = integration.token()
    good = {"lines": [{"sku": "a", "qty": 1}]}
    answers = [
        ("200", "stored", integration.post(good, path=ORDERS, token=access_token)),
        ("401", "unauthenticated", send(integration, "POST", ORDERS)),
        ("403", "missing_scope", integration.post(good, path=ORDERS, token=integration.token(scope="read"))),
        ("403", "other_connector", integration.post(good, path=ORDERS, token=stranger)),
        ("413", "payload_too_large", send(integration, "POST", ORDERS, [], b"x" * 2001)),
        ("422", "blank_payload", integration.post(b"", path=ORDERS, token=access_token)),
        (
            "422",
            "entity_mismatch",
            integration.post({"lines": [good["lines"][0], {"qty": "1"}]}, path=ORDERS, token=access_token),
        ),
    ]

    for status, name, response in answers:
        assert str(response.status_code) == status
        documented = examples(INBOUND, status)[name]
        if name == "entity_mismatch":
            assert {path: set(texts) for path, texts in response.json["errors"].items()} == {
                path: set(texts) for path, texts in documented["errors"].items()
            }
        else:
            assert response.json == documented


def test_example_of_an_unknown_service_is_answered(integration):
    response = send(integration, "POST", "/v1/acme/nothing-here", [bearer(integration.token())], b"x")

    assert (response.status_code, response.json) == (404, examples(INBOUND, "404")["unknown_service"])


def test_example_of_the_rate_limit_is_answered(make_integration):
    integration = make_integration(rate_limit=True, rate_limit_requests=1)
    integration.request_token()

    response = integration.request_token()

    assert (response.status_code, response.json) == (429, examples(TOKEN, "429")["rate_limited"])
    assert set(TOKEN["429"]["headers"]) <= set(response.headers.keys())


def test_every_documented_status_has_an_example_or_is_a_page():
    for responses in (INBOUND, TOKEN):
        for status, response in responses.items():
            content = response["content"]
            assert status == "302" or content["application/json"]["examples"], status


def test_statuses_are_all_there():
    assert set(TOKEN) == {"200", "400", "401", "404", "405", "413", "429", "500", "503"}
    assert set(INBOUND) == {"200", "201", "302", "400", "401", "403", "404", "405", "413", "422", "429", "500", "503"}
