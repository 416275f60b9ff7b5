"""Inbound API connectors and their entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail

SAMPLE = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}]}


def add_entity(integration: Integration, **body: Any) -> Any:
    return integration.control("POST", "/connectors/1/entities", {"type": "orders", "name": "web orders", **body})


def test_connector_is_added_with_its_token_endpoint(integration: Integration) -> None:
    response = integration.control("POST", "/connectors", {"company": "acme", "name": "Till", "environment": "live"})

    connector = response.get_json()
    assert response.status_code == 201
    assert connector == {
        "id": 2,
        "company": "acme",
        "name": "Till",
        "environment": "live",
        "token_endpoint": "http://localhost/oauth/token",
        "created_at": connector["created_at"],
    }
    assert integration.control("GET", "/connectors/2").get_json() == connector
    assert integration.control("GET", "/connectors").get_json()[1] == connector


def test_connector_is_for_tests_unless_said_otherwise(integration: Integration) -> None:
    response = integration.control("POST", "/connectors", {"company": "acme", "name": "Till"})

    assert response.get_json()["environment"] == "test"


def test_deleted_connector_is_gone_with_all_that_belongs_to_it(integration: Integration) -> None:
    connector = integration.control("POST", "/connectors", {"company": "acme", "name": "Till"}).get_json()["id"]
    integration.control("POST", f"/connectors/{connector}/entities", {"type": "orders", "name": "orders"})
    client = integration.control("POST", f"/connectors/{connector}/oauth-clients", {"name": "Till"}).get_json()
    credentials = {name: client[name] for name in ("client_id", "client_secret")}
    token = integration.token(**credentials)

    response = integration.control("DELETE", f"/connectors/{connector}")

    assert (response.status_code, response.data) == (204, b"")
    assert detail(integration.control("GET", f"/connectors/{connector}"), 404) == "there is no connector 2; known: 1"
    assert detail(integration.control("GET", f"/connectors/{connector}/entities"), 404)
    assert detail(integration.control("GET", f"/connectors/{connector}/oauth-clients"), 404)
    assert integration.request_token(**credentials).status_code == 401
    assert integration.post(token=token).status_code == 401


def test_connector_that_a_service_uses_is_not_deleted(integration: Integration) -> None:
    response = integration.control("DELETE", "/connectors/1")

    assert detail(response, 409) == (
        "connector 1 is the source of service orders, products, anything; delete the service first"
    )


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"company": "nope", "name": "x"}, 404, "there is no company 'nope'; known: acme"),
        ({"company": "acme"}, 422, "body.name: missing; give text"),
        ({"company": 1, "name": "x"}, 422, "body.company: 1 is not allowed; use text"),
        (
            {"company": "acme", "name": "x", "environment": "prod"},
            422,
            "body.environment: 'prod' is not allowed; use one of test, live",
        ),
        (
            {"company": "acme", "name": "x", "environment": None},
            422,
            "body.environment: null is not allowed; use one of test, live",
        ),
    ],
    ids=["unknown company", "no name", "company is a number", "environment", "environment is null"],
)
def test_bad_connector_is_refused(integration: Integration, body: object, status: int, told: str) -> None:
    assert detail(integration.control("POST", "/connectors", body), status) == told


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("connector", [0, 99, 2**63, 10**30])
def test_unknown_connector_is_not_found(integration: Integration, method: str, connector: int) -> None:
    response = integration.control(method, f"/connectors/{connector}")

    assert detail(response, 404) == f"there is no connector {connector}; known: 1"


def test_entity_is_added_with_the_schema_its_sample_became(integration: Integration) -> None:
    response = add_entity(integration, sample=SAMPLE)

    entity = response.get_json()
    assert response.status_code == 201
    assert (entity["sample"], entity["inferred"]) == (SAMPLE, True)
    assert sorted(entity["json_schema"]["required"]) == ["lines", "order"]
    assert integration.control("GET", f"/connectors/1/entities/{entity['id']}").get_json() == entity
    assert integration.control("GET", "/connectors/1/entities").get_json()[-1] == entity


def test_entity_without_sample_is_free_form(integration: Integration) -> None:
    entity = add_entity(integration).get_json()

    assert (entity["sample"], entity["json_schema"], entity["inferred"]) == (None, None, False)


def test_hand_written_schema_decides_which_payloads_pass(integration: Integration) -> None:
    url = "/connectors/1/entities/3"  # the demo's free-form entity
    schema = {"type": "object", "required": ["id"]}

    changed = integration.control("PATCH", url, {"json_schema": schema})

    assert (changed.status_code, changed.get_json()["json_schema"]) == (200, schema)
    assert integration.post({"id": 1}).status_code == 200
    assert integration.post({"no": 1}).status_code == 422
    assert integration.control("PATCH", url, {"json_schema": None}).get_json()["json_schema"] is None
    assert integration.post({"no": 1}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"name": "orders"}, 409, "connector 1 has an entity 'orders' already; choose another name"),
        ({"name": ""}, 422, "body.name: '' is not allowed; use text of 1 to 255 characters, not only spaces"),
        ({"json_schema": []}, 422, "body.json_schema: [] is not allowed; use a JSON object"),
        ({"json_schema": {"type": "nope"}}, 422, '{"type": "nope"} is not allowed; use a valid JSON Schema'),
        ({"json_schema": {"$ref": "http://127.0.0.1/"}}, 422, "put the referenced schema into $defs"),
        ({"jsonschema": {}}, 422, "body.jsonschema: unknown; did you mean 'json_schema'? known: "),
    ],
    ids=["taken", "blank name", "schema is a list", "schema is none", "schema elsewhere", "unknown field"],
)
def test_bad_entity_is_refused(integration: Integration, body: dict[str, Any], status: int, told: str) -> None:
    assert told in detail(add_entity(integration, **body), status)
    assert len(integration.sandbox.store.entities(1)) == 3


@pytest.mark.parametrize(
    "sample", ['{"comment": 1, "comment": 1}', '[{"a": {"comment": 1, "comment": 2}}]'], ids=["object", "nested"]
)
def test_sample_with_a_key_that_is_there_twice_is_refused_as_in_a_seed(integration: Integration, sample: str) -> None:
    body = f'{{"type": "custom", "name": "twice", "sample": {sample}}}'

    response = integration.http.post("/_sandbox/connectors/1/entities", data=body, content_type="application/json")

    assert response.status_code == 400
    told = "the key 'comment' is there more than once in one object; leave one of them"
    assert response.json["errors"] == [{"field": "body", "message": told}]
    assert len(integration.sandbox.store.entities(1)) == 3


def test_any_body_with_a_key_that_is_there_twice_is_refused(integration: Integration) -> None:
    body = '{"token_lifetime": 60, "token_lifetime": 90}'

    response = integration.http.patch("/_sandbox/settings", data=body, content_type="application/json")

    assert (response.status_code, integration.sandbox.settings.token_lifetime) == (400, 86_400)


@pytest.mark.parametrize(("setting", "status"), [("integers", 422), ("numbers", 200)])
def test_whole_number_of_a_sample_asks_for_what_is_set(
    make_integration: Callable[..., Integration], setting: str, status: int
) -> None:
    integration = make_integration(whole_numbers=setting)
    entity = add_entity(integration, type="custom", name="prices", sample={"itemPrice": 30})
    integration.sandbox.store.add_service("acme", 1, "prices", "prices")

    statuses = [
        integration.post({"itemPrice": price}, path="/v1/acme/prices").status_code for price in (29.99, 30, "30")
    ]

    assert statuses == [status, 200, 422]
    assert entity.json["json_schema"]["properties"]["itemPrice"]["type"] == setting.removesuffix("s")


def test_whole_numbers_ask_for_the_same_after_a_state_was_loaded(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(whole_numbers="numbers")
    add_entity(integration, type="custom", name="prices", sample={"itemPrice": 30})
    integration.sandbox.store.add_service("acme", 1, "prices", "prices")

    integration.sandbox.load_state(integration.sandbox.state(secrets=True))

    assert integration.post({"itemPrice": 29.99}, path="/v1/acme/prices").status_code == 200


@pytest.mark.parametrize("url", ["/connectors/1/entities/99", "/connectors/99/entities/1"], ids=["entity", "connector"])
def test_unknown_entity_is_not_found(integration: Integration, url: str) -> None:
    assert "there is no " in detail(integration.control("GET", url), 404)
    assert "there is no " in detail(integration.control("PATCH", url, {"json_schema": None}), 404)


def test_entity_of_an_unknown_connector_is_not_found(integration: Integration) -> None:
    response = integration.control("POST", "/connectors/99/entities", {"type": "orders", "name": "x"})

    assert detail(response, 404) == "there is no connector 99; known: 1"


def test_demo_has_entities_for_orders_and_products_with_samples(integration: Integration) -> None:
    entities = integration.control("GET", "/connectors/1/entities").get_json()

    assert [(entity["type"], entity["sample"] is not None) for entity in entities] == [
        ("orders", True),
        ("products", True),
        ("custom", False),
    ]


def test_connector_made_by_hand_starts_without_entities(integration: Integration) -> None:
    connector = integration.control("POST", "/connectors", {"company": "acme", "name": "Till"}).get_json()

    assert integration.control("GET", f"/connectors/{connector['id']}/entities").get_json() == []
