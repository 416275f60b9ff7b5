"""The OpenAPI documents: they are those of the code, complete, valid, and their examples are true."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, TypeAlias

import pytest
import yaml
from flask import Flask
from openapi_schema_validator import OAS30Validator, OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from werkzeug.test import Client

from sandbox import Sandbox
from sandbox.platform.endpoints import ENDPOINTS
from sandbox.platform.flows.model import CustomAnswer, FlowSeed, Webhook
from sandbox.platform.flows.routes import ENDPOINTS as FLOW_ENDPOINTS
from sandbox.web.app import SandboxApp
from sandbox.web.control.base import Blueprint
from sandbox.web.spec import CONTROL_FILE, EMULATED_3_0_FILE, EMULATED_FILE, FLOWS_FILE, as_yaml, documents
from tests import ROOT
from tests.contract import ContractClient

FILES = [EMULATED_FILE, EMULATED_3_0_FILE, FLOWS_FILE, CONTROL_FILE]
MakeSandbox: TypeAlias = Callable[..., Sandbox]
METHODS = ("get", "put", "post", "delete", "patch")


@cache
def checked_in(file: str) -> Any:
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


@pytest.fixture
def app(sandbox: Sandbox) -> SandboxApp:
    return SandboxApp(sandbox)


@pytest.mark.parametrize("file", FILES)
def test_checked_in_document_is_the_one_of_the_code(app: SandboxApp, file: str) -> None:
    generated = as_yaml(documents(app.control)[file])

    assert (ROOT / file).read_text(encoding="utf-8") == generated, "run `make specs`"


@pytest.mark.parametrize("file", FILES)
def test_document_is_valid(file: str) -> None:
    (OpenAPIV30SpecValidator if file == EMULATED_3_0_FILE else OpenAPIV31SpecValidator)(checked_in(file)).validate()


def _routes(app: Flask) -> set[tuple[str, str]]:
    """Return path and method of every operation; pages for people are none."""
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if (name := rule.endpoint.rpartition(".")[0]) and name != "pages"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_of_the_control_api_is_documented_and_no_other(app: SandboxApp) -> None:
    documented = {tuple(reversed(name.split(" "))) for name, _ in _operations(CONTROL_FILE)}

    assert documented == _routes(app.control)


def test_every_operation_of_the_control_api_has_a_name_that_begins_with_a_verb() -> None:
    verbs = (
        *("add", "advance", "change", "clear", "copy", "create", "delete", "download", "export", "get", "list"),
        *("post", "preview", "put", "remove", "replace", "reset", "resync", "revoke", "rotate", "run", "set", "show"),
        *("stream", "use", "verify", "wait"),
    )
    known = re.compile(f"(?:{'|'.join(verbs)})(?:[A-Z][a-z]*)*")

    names = [operation["operationId"] for _, operation in _operations(CONTROL_FILE)]
    assert [name for name in names if not known.fullmatch(name)] == []


def test_every_endpoint_is_documented_with_its_operations_and_no_other() -> None:
    documented = {name for name, _ in _operations(EMULATED_FILE)}

    assert documented == {f"{method} {endpoint.path}" for endpoint in ENDPOINTS for method in endpoint.operations}


def test_every_endpoint_of_process_flows_is_documented_with_its_operations_and_no_other() -> None:
    def shape(name: str) -> str:
        """Leave out the names in a path: a webhook and a callback have the same path on two hosts."""
        return re.sub(r"\{\w+\}", "{}", name)

    documented = {shape(name) for name, _ in _operations(FLOWS_FILE)}

    assert documented == {
        shape(f"{method} {endpoint.path}") for endpoint in FLOW_ENDPOINTS for method in endpoint.operations
    }


def test_served_document_of_process_flows_has_the_answers_of_the_settings_in_force(make_sandbox: MakeSandbox) -> None:
    usual = yaml.safe_load(Client(SandboxApp(make_sandbox())).get(f"/_sandbox/{FLOWS_FILE}").text)
    limited = yaml.safe_load(Client(SandboxApp(make_sandbox(flow_limits=True))).get(f"/_sandbox/{FLOWS_FILE}").text)

    assert usual["servers"][0]["url"] == "http://localhost"
    assert "429" not in usual["paths"]["/api/v1/flows"]["get"]["responses"]
    assert "429" in limited["paths"]["/api/v1/flows"]["get"]["responses"]


def test_everything_in_the_control_application_is_documented_or_a_page(app: SandboxApp) -> None:
    others = {name for name, part in app.control.blueprints.items() if not isinstance(part, Blueprint)}
    bare = {rule.endpoint for rule in app.control.url_map.iter_rules() if "." not in rule.endpoint}

    assert others == {"pages"}
    assert bare == {
        "emulated_document",
        "emulated_document_3_0",
        "flows_document",
        "control_document",
        "collection",
    }


def _operations(file: str) -> Iterator[tuple[str, Any]]:
    for path, item in checked_in(file)["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


@pytest.mark.parametrize("file", FILES)
def test_operations_are_described_and_their_ids_are_unique(file: str) -> None:
    operations = dict(_operations(file))
    ids = [operation.get("operationId") for operation in operations.values() if "operationId" in operation]

    assert [name for name, operation in operations.items() if not operation.get("summary")] == []
    assert len(ids) == len(set(ids))
    assert [name for name, operation in operations.items() if not operation["responses"]] == []


def _schemas_with_examples(node: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield place, schema and value of every example: of bodies, of parameters and inside schemas."""
    if isinstance(node, dict):
        if "schema" in node:
            for name, example in node.get("examples", {}).items():
                yield f"{where}/examples/{name}", node["schema"], example["value"]
            if "example" in node:
                yield f"{where}/example", node["schema"], node["example"]
        elif "example" in node and not where.endswith("/properties"):
            yield f"{where}/example", {key: value for key, value in node.items() if key != "example"}, node["example"]
        for key, value in node.items():
            if key not in ("example", "examples", "default", "enum", "const"):
                yield from _schemas_with_examples(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _schemas_with_examples(value, f"{where}/{index}")


@pytest.mark.parametrize("file", FILES)
def test_every_example_is_valid_against_its_schema(file: str) -> None:
    document = checked_in(file)
    examples = list(_schemas_with_examples(document))

    assert len(examples) > 15
    wrong = {}
    for where, schema, value in examples:
        whole = {**schema, "components": document["components"]}
        validator = (OAS30Validator if file == EMULATED_3_0_FILE else OAS31Validator)(whole)
        if errors := [error.message for error in validator.iter_errors(value)]:
            wrong[where] = errors
    assert wrong == {}


def test_every_answer_of_the_emulated_api_has_an_example_or_says_when_it_comes() -> None:
    without = [
        f"{name} {status}"
        for name, operation in _operations(EMULATED_FILE)
        for status, response in operation["responses"].items()
        if not (response.get("content", {}).get("application/json", {}).get("examples") or response["description"])
    ]

    assert without == []


@pytest.mark.parametrize("file", FILES)
def test_no_schema_is_left_over(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")

    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert set(checked_in(file)["components"]["schemas"]) == used


def test_served_control_document_names_the_address_it_was_asked_at(app: SandboxApp) -> None:
    response = Client(app).get(f"/_sandbox/{CONTROL_FILE}", base_url="http://localhost:9000")

    assert response.content_type == "application/yaml; charset=utf-8"
    served = yaml.safe_load(response.text)
    assert [server["url"] for server in served["servers"]] == ["http://localhost:9000"]
    assert {**served, "servers": None} == {**checked_in(CONTROL_FILE), "servers": None}


def _secrets_and_ids(document: Any) -> tuple[set[str], set[str]]:
    examples = document["paths"]["/oauth/token"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    good = examples["token"]["value"]
    return {good["client_secret"]}, {good["client_id"]}


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3"])
@pytest.mark.parametrize("file", [EMULATED_FILE, EMULATED_3_0_FILE])
def test_served_document_can_be_used_untouched_by_an_asker_who_may_know_the_secret(
    app: SandboxApp, sandbox: Sandbox, address: str, file: str
) -> None:
    Client(app).put("/_sandbox/seed", json=sandbox.seed.data())
    (new,) = sandbox.credentials.values()

    served = Client(app).get(f"/_sandbox/{file}", environ_overrides={"REMOTE_ADDR": address}).text

    secrets, ids = _secrets_and_ids(yaml.safe_load(served))
    assert ids == {new.client.id}
    assert (secrets == {new.secret}) == (new.secret in served) == (address == "127.0.0.1")


def test_served_document_of_a_sandbox_without_clients_keeps_its_examples(app: SandboxApp) -> None:
    Client(app).put("/_sandbox/seed", json={})

    served = yaml.safe_load(Client(app).get(f"/_sandbox/{EMULATED_FILE}").text)

    assert _secrets_and_ids(served) == _secrets_and_ids(checked_in(EMULATED_FILE))


@pytest.mark.parametrize("file", FILES)
def test_every_array_says_what_its_items_are(file: str) -> None:
    found = [place for place, node in _nodes(checked_in(file)) if "array" in _types(node) and "items" not in node]

    assert found == []


def _types(node: Any) -> list[Any]:
    kind = node.get("type")
    return kind if isinstance(kind, list) else [kind]


def test_no_schema_has_the_name_of_another_as_its_title() -> None:
    """A generator that makes names of titles drops the second, and every operation that needs it."""
    schemas = checked_in(CONTROL_FILE)["components"]["schemas"]

    assert {name: schema["title"] for name, schema in schemas.items() if schema.get("title", name) != name} == {}


@pytest.mark.parametrize("file", FILES)
def test_values_of_an_enum_differ_in_more_than_their_case(file: str) -> None:
    enums = [node["enum"] for _, node in _nodes(checked_in(file)) if isinstance(node.get("enum"), list)]

    assert [values for values in enums if len({str(value).lower() for value in values}) < len(values)] == []


def test_body_of_a_link_is_text() -> None:
    links = [link for place, link in _nodes(checked_in(CONTROL_FILE)) if "/links/" in place and "operationId" in link]

    assert len(links) > 3
    assert [link for link in links if not isinstance(link.get("requestBody", ""), str)] == []


def _nodes(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            yield from _nodes(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nodes(value, f"{place}/{index}")


def test_token_endpoint_of_the_security_scheme_is_an_absolute_url_of_the_document() -> None:
    document = checked_in(EMULATED_FILE)
    token_url = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"]
    server = document["servers"][0]

    base_url = server["url"].format(**{name: each["default"] for name, each in server["variables"].items()})
    assert token_url.startswith(base_url)
    assert token_url.removeprefix(base_url) in document["paths"]


def test_rendition_in_3_0_loses_nothing() -> None:
    """Undone, the mechanical changes give the published document again."""

    def undone(node: Any) -> Any:
        if isinstance(node, list):
            return [undone(each) for each in node]
        if not isinstance(node, dict):
            return node
        if node.get("enum") == ["client_credentials"]:
            node = {**{key: value for key, value in node.items() if key != "enum"}, "const": "client_credentials"}
        return {key: undone(value) for key, value in node.items()}

    published = checked_in(EMULATED_FILE)
    license_ = {"name": "MIT", "url": "https://spdx.org/licenses/MIT.html"}
    assert undone(checked_in(EMULATED_3_0_FILE)) == {
        **published,
        "openapi": "3.0.3",
        "info": {**published["info"], "license": license_},
    }


def test_requests_and_answers_have_examples_of_the_same_names() -> None:
    """Specmatic and Microcks pair them by name."""
    for name, operation in _operations(EMULATED_FILE):
        sources = [*operation.get("parameters", ()), *operation.get("requestBody", {"content": {}})["content"].values()]
        asked = {example for source in sources for example in source.get("examples", ())}
        answered = {
            example
            for response in operation["responses"].values()
            for content in response.get("content", {}).values()
            for example in content.get("examples", ())
        }
        assert asked <= answered, name
        assert {"token", "stored"} & asked, name


@pytest.mark.parametrize(
    ("status", "body", "form"), [(202, {"accepted": True}, "json"), (200, "<ok/>", "xml"), (418, "no", "txt")]
)
def test_custom_answer_of_a_webhook_is_documented(
    make_sandbox: MakeSandbox, status: int, body: object, form: Literal["json", "xml", "txt"]
) -> None:
    sandbox = make_sandbox()
    own = Webhook(answer=CustomAnswer(status, body, form))
    (webhook,) = sandbox.store.flows.add_flow("acme", FlowSeed("Own answer", webhooks=(own,))).webhooks

    url = f"/api/v1/acme/{webhook.id}?patchworks_signature={webhook.signature}"
    assert ContractClient(SandboxApp(sandbox)).post(url, data=b"{}").status_code == status
