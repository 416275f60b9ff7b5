"""The served documents say what the running sandbox does: its settings, its services, and its entities' schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from sandbox.web.emulated.rendition import schema_3_0
from sandbox.web.spec import EMULATED_3_0_FILE, EMULATED_FILE
from tests.conftest import Integration

FILES = [EMULATED_FILE, EMULATED_3_0_FILE]
BASE = "http://localhost"


def served(integration: Integration, file: str = EMULATED_FILE, **query: str) -> Any:
    response = integration.control("GET", f"/{file}", **query)
    assert response.content_type == "application/yaml; charset=utf-8", response.text
    return yaml.safe_load(response.text)


def statuses(document: Any, path: str, method: str = "post") -> set[str]:
    return set(document["paths"][path][method]["responses"])


def refused(document: Any, path: str, body: Any, **headers: str) -> str | None:
    """Return the error that openapi-core finds in a request, if it finds one."""
    sent = {"Authorization": "Bearer x", "Accept": "application/json", **headers}
    request = MockRequest(BASE, "post", path, headers=sent, data=json.dumps(body).encode())
    try:
        OpenAPI.from_dict(document).validate_request(request)
    except OpenAPIError as error:
        return str(error.__cause__ or error)
    return None


INBOUND = "/v1/{company}/{vanity_url}"
ORDER = {"order": "1001", "lines": [{"sku": "TEA-01", "qty": 2}]}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("resolve", ["true", "false"])
def test_served_document_is_valid_and_names_the_address_it_was_asked_at(
    integration: Integration, file: str, resolve: str
) -> None:
    document = served(integration, file, resolve=resolve)

    (OpenAPIV30SpecValidator if "3.0" in file else OpenAPIV31SpecValidator)(document).validate()
    assert [server["url"] for server in document["servers"]] == [BASE, "https://inbound.pwks.co"]
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == f"{BASE}/oauth/token"


def test_document_has_the_statuses_that_the_settings_allow(make_integration: Callable[..., Integration]) -> None:
    common = {"400", "401", "403", "404", "405", "413", "500", "503", "default"}
    assert statuses(served(make_integration()), INBOUND) == common | {"200", "422"}
    lenient = make_integration(success_status=201, rate_limit=True, entity_check="flag", blank_payload="accept")
    assert statuses(served(lenient), INBOUND) == common | {"201", "429"}
    assert statuses(served(make_integration(accept="laravel")), INBOUND) == common | {"200", "302", "422"}


def test_document_has_pages_only_where_a_setting_gives_them(make_integration: Callable[..., Integration]) -> None:
    def has_pages(document: Any) -> bool:
        return "text/html" in json.dumps(document)

    assert not has_pages(served(make_integration()))
    assert has_pages(served(make_integration(accept="laravel13_without_login")))


def test_document_has_the_methods_path_and_scope_of_the_settings(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(token_methods=["POST"], token_path="/auth/token", required_scope="send")

    document = served(integration)

    assert list(document["paths"]["/auth/token"]) == ["post"]
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert (flow["tokenUrl"], list(flow["scopes"])) == (f"{BASE}/auth/token", ["send"])


@pytest.mark.parametrize(
    ("inbound_auth", "schemes"),
    [("bearer", ["bearer"]), ("basic", ["clientBasic"]), ("both", ["bearer", "clientBasic"])],
)
@pytest.mark.parametrize(("resolve", "path"), [("true", "/v1/acme/orders"), ("false", INBOUND)])
def test_document_has_the_authentication_of_the_settings(
    make_integration: Callable[..., Integration], inbound_auth: str, schemes: list[str], resolve: str, path: str
) -> None:
    operation = served(make_integration(inbound_auth=inbound_auth), resolve=resolve)["paths"][path]["post"]

    assert operation["security"] == [{name: []} for name in schemes]
    assert ("HTTP Basic" in operation["description"]) == (inbound_auth != "bearer")


def test_document_follows_settings_that_change_and_examples_the_wire_profile(integration: Integration) -> None:
    integration.control("PATCH", "/settings", {"success_message": "Got it.", "wire_profile": "legacy"})

    document = served(integration)

    answered = document["paths"][INBOUND]["post"]["responses"]["200"]["content"]["application/json"]
    assert answered["examples"] == {"stored": {"value": {"message": "Got it."}}}
    refused_client = document["paths"]["/oauth/token"]["post"]["responses"]["401"]["content"]["application/json"]
    assert "message" in refused_client["examples"]["invalid_client"]["value"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"success_status": 201, "rate_limit": True, "rate_limit_requests": 4},
        {"accept": "laravel", "token_methods": ["POST"]},
        {"wire_profile": "legacy", "accept": "laravel_without_login"},
    ],
    ids=str,
)
def test_answers_are_those_of_the_document_in_force(
    make_integration: Callable[..., Integration], settings: dict[str, Any]
) -> None:
    integration = make_integration(**settings)
    contract = OpenAPI.from_dict(served(integration, resolve="true"))
    answers = [
        ("post", "/oauth/token", integration.request_token()),
        ("post", "/v1/acme/orders", integration.post({"id": 1}, path="/v1/acme/orders")),
        ("post", "/v1/acme/anything", integration.post(b"x", Accept="text/html", Content_Type="text/plain")),
        ("post", "/v1/acme/anything", integration.post(b"x", token="stale", Accept="text/html")),
        ("post", "/v1/acme/anything", integration.post(b"x", token="stale", Accept="application/json")),
    ]

    for method, path, response in answers:
        answer = MockResponse(
            response.data, response.status_code, dict(response.headers), content_type=response.content_type or ""
        )
        request = MockRequest(BASE, method, path)
        contract.validate_response(request, answer)
        documented = contract.spec.read_value()["paths"][path][method]["responses"]
        assert str(response.status_code) in documented


@pytest.mark.parametrize(
    ("query", "field"), [({"resolve": "yes"}, "query.resolve"), ({"resolved": "true"}, "query.resolved")]
)
def test_query_that_makes_no_sense_is_refused(integration: Integration, query: dict[str, str], field: str) -> None:
    response = integration.control("GET", f"/{EMULATED_FILE}", **query)

    assert response.status_code == 422
    assert response.json["errors"][0]["field"] == field  # type: ignore[index]


# --- resolved -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_order_with_a_wrong_field_is_refused_by_the_document_and_by_the_sandbox(
    integration: Integration, file: str
) -> None:
    document = served(integration, file, resolve="true")
    path = "/v1/acme/orders"
    content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    sample = content["examples"]["stored"]["value"]
    wrong = {**sample, "id": "5001001"}

    verdicts = {
        name: (refused(document, path, body, **{"Content-Type": "application/json"}) is None)
        for name, body in (("good", sample), ("batch", [sample]), ("wrong", wrong), ("empty", []), ("blank", {}))
    }
    answers = {
        name: integration.post(body, path=path).status_code
        for name, body in (("good", sample), ("batch", [sample]), ("wrong", wrong), ("empty", []), ("blank", {}))
    }

    assert verdicts == {"good": True, "batch": True, "wrong": False, "empty": False, "blank": False}
    assert {name: status == 200 for name, status in answers.items()} == verdicts


@pytest.mark.parametrize("file", FILES)
def test_payload_without_a_token_is_refused_by_the_document(integration: Integration, file: str) -> None:
    document = served(integration, file, resolve="true")

    assert refused(document, "/v1/acme/anything", ORDER, Authorization="", **{"Content-Type": "application/json"})
    assert not refused(document, "/v1/acme/anything", ORDER, **{"Content-Type": "application/json"})


def test_structured_service_takes_json_only_and_a_free_form_one_anything(integration: Integration) -> None:
    paths = served(integration, resolve="true")["paths"]

    contents = {path: list(item["post"]["requestBody"]["content"]) for path, item in paths.items() if "v1" in path}
    assert contents == {
        "/v1/acme/orders": ["application/json"],
        "/v1/acme/products": ["application/json"],
        "/v1/acme/anything": ["application/json", "*/*"],
    }
    assert [item["post"]["operationId"] for path, item in paths.items() if "v1" in path] == [
        "storeOrders",
        "storeProducts",
        "storeAnything",
    ]
    assert set(paths["/v1/acme/anything"]["post"]["responses"]["422"]["content"]["application/json"]["examples"]) == {
        "blank_payload"
    }


def test_names_are_unique_where_companies_and_entities_share_them(integration: Integration) -> None:
    store = integration.sandbox.store
    beta = store.add_company("Beta", "beta")
    connector = store.add_connector(beta.slug, "Shop")
    store.add_entity(connector.id, "custom", "orders", {"a": 1})
    for vanity_url in ("orders", "my-orders", "my_orders"):
        store.add_service("beta", connector.id, "orders", vanity_url)

    document = served(integration, resolve="true")

    OpenAPIV31SpecValidator(document).validate()
    ids = [item["post"]["operationId"] for path, item in document["paths"].items() if path.startswith("/v1/")]
    assert len(set(ids)) == len(ids) == 6
    assert {"storeAcmeOrders", "storeBetaOrders", "storeProducts"} <= set(ids)
    payloads = [name for name in document["components"]["schemas"] if name.startswith("OrdersPayload")]
    assert len(payloads) == 2


def test_names_of_schemas_leave_those_of_the_contract_alone(integration: Integration) -> None:
    store = integration.sandbox.store
    connector = store.connectors()[0]
    definitions = {name: {"type": kind} for name, kind in (("a-b", "string"), ("a_b", "number"), ("payload", "null"))}
    references = {name: {"$ref": f"#/$defs/{name}"} for name in definitions}
    by_hand = {"type": "object", "properties": references, "$defs": definitions}
    for number, name in enumerate(("invalid", "x", "x payload")):
        store.add_entity(connector.id, "custom", name, None, by_hand)
        store.add_service("acme", connector.id, name, f"odd-{number}")
    error = served(integration)["components"]["schemas"]["InvalidPayload"]

    document = served(integration, resolve="true")

    OpenAPIV31SpecValidator(document).validate()
    schemas = document["components"]["schemas"]
    assert schemas["InvalidPayload"] == error
    for number in range(3):
        content = document["paths"][f"/v1/acme/odd-{number}"]["post"]["requestBody"]["content"]["application/json"]
        name = content["schema"]["anyOf"][1]["items"]["$ref"].rpartition("/")[2]
        parts = [part["$ref"].rpartition("/")[2] for part in schemas[name]["properties"].values()]
        assert [schemas[part] for part in parts] == list(definitions.values())


def test_inactive_services_and_a_sandbox_without_services_resolve(integration: Integration) -> None:
    store = integration.sandbox.store
    for service in store.services():
        store.change_service(service.id, active=False)
    assert list(served(integration, resolve="true")["paths"]) == ["/oauth/token"]

    integration.control("PATCH", "/settings", {"inactive_service": "accept"})
    assert "/v1/acme/orders" in served(integration, resolve="true")["paths"]


SCHEMAS = {
    "references": {
        "$id": "https://schemas.test/order",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["to", "lines"],
        "properties": {
            "to": {"$ref": "#/$defs/address"},
            "from": {"$ref": "https://schemas.test/order#/$defs/address/properties/street"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/a~1b"}},
            "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
            "$ref": {"type": "string"},
        },
        "$defs": {
            "address": {"type": "object", "required": ["street"], "properties": {"street": {"type": "string"}}},
            "a/b": {"type": "object", "properties": {"qty": {"type": ["integer", "null"], "exclusiveMinimum": 0}}},
        },
    },
    "optional": {"type": "object", "properties": {"a": {"const": 1}}},
    "any type": {"properties": {"a": {"type": ["string", "integer"]}}},
    "boolean parts": {"type": "object", "required": ["a"], "properties": {"a": True, "b": False}},
    "anchors": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"$ref": "#number"}, "b": {"$dynamicRef": "#text"}},
        "$defs": {"n": {"$anchor": "number", "type": "number"}, "t": {"$dynamicAnchor": "text", "type": "string"}},
    },
    "relative addresses": {
        "$id": "https://schemas.test/order.json",
        "type": "object",
        "properties": {"a": {"$ref": "number.json"}, "b": {"$ref": "order.json#/$defs/%C3%A9t%20e~1"}},
        "required": ["a"],
        "$defs": {"n": {"$id": "number.json", "type": "number"}, "ét e/": {"type": "string"}},
    },
    "references to any place": {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": ["number", "string"], "if": {"type": "string"}, "then": {"maxLength": 2}},
            "b": {"$ref": "#/properties/a/then"},
            "c": {"$ref": "#/properties/%62"},
        },
    },
    "words beside a reference and several types": {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/n", "allOf": [{"maximum": 1}]},
            "b": {"type": ["number", "string"], "allOf": [{"not": {"const": "y"}}], "minLength": 1.0},
        },
        "$defs": {"n": {"type": "number"}},
    },
    "conditions": {
        "type": "object",
        "dependentRequired": {"b": ["a"]},
        "dependentSchemas": {"a": {"properties": {"a": {"type": "number"}}}},
        "if": {"required": ["a"]},
        "then": {"properties": {"b": {"enum": []}}},
        "else": {"required": ["lines"]},
    },
    "draft 4": {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "id": "https://schemas.test/old.json",
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "number", "minimum": 1, "exclusiveMinimum": True},
            "b": {"$ref": "#/definitions/n", "maximum": 0},
        },
        "definitions": {"n": {"type": "number"}},
        "dependencies": {"b": ["a"], "lines": {"required": ["to"]}},
    },
}
PAYLOADS = [
    {"to": {"street": "x"}, "lines": [{"qty": 1}]},
    {"to": {"street": "x"}, "lines": [{"qty": None}], "from": "y", "parent": {"to": {"street": "z"}, "lines": []}},
    {"to": {"street": "x"}, "lines": [{"qty": 0}]},
    {"to": {"street": "x"}, "lines": [{"qty": 1}], "from": 1},
    {"to": {}, "lines": []},
    {},
    [],
    [{}],
    {"a": 1},
    {"a": 2},
    {"a": "text"},
    {"a": None},
    {"b": 1},
    {"a": 1, "b": 1},
    {"a": 2, "b": 1},
    {"a": 1, "b": "text"},
    {"b": "y"},
    {"b": ""},
    {"a": 1, "c": "text"},
    {"a": 2, "lines": []},
    [{"a": 1}],
    [[{"a": 1}]],
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_by_hand_says_in_the_document_what_the_sandbox_checks(
    integration: Integration, file: str, name: str
) -> None:
    store = integration.sandbox.store
    connector = store.connectors()[0]
    store.add_entity(connector.id, "custom", name, {"sample": "that does not match"}, SCHEMAS[name])
    store.add_service("acme", connector.id, name, "by-hand")
    document, token = served(integration, file, resolve="true"), integration.token()
    content = document["paths"]["/v1/acme/by-hand"]["post"]["requestBody"]["content"]["application/json"]
    validator = (OAS30Validator if "3.0" in file else OAS31Validator)(
        {**content["schema"], "components": document["components"]}
    )

    documented = [validator.is_valid(payload) for payload in PAYLOADS]
    answered = [
        integration.post(payload, path="/v1/acme/by-hand", token=token).status_code == 200 for payload in PAYLOADS
    ]

    assert documented == answered
    assert True in answered
    assert False in answered


@pytest.mark.parametrize("schema", [{"enum": [None, "", {}]}, {"const": None}, {"type": "null"}], ids=str)
def test_null_without_a_type_needs_no_nullable_in_the_older_rendition(schema: dict[str, Any]) -> None:
    older = schema_3_0(schema)

    assert "nullable" not in older  # Prism takes every payload for a schema that has it without a type
    assert OAS30Validator(older).is_valid(None)
    assert not OAS30Validator(older).is_valid("x")
