"""Schemathesis holds both specs against the running code, with every check it has, and finds nothing.

Each operation is tried with examples, boundary cases and generated data, good and bad; then operations are strung
together along the links of the documents: a new OAuth client gets a token, the token sends a payload. The same cases
every time: the seed is fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.stateful.state_machine import StepOutput
from schemathesis.specs.openapi.stateful.links import OpenApiLink

from sandbox.state.sandbox import Sandbox
from sandbox.web.app import SandboxApp
from tests import ROOT
from tests.conftest import Integration

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What counts as a finding changes with the release; CI's own Python has the newest.
RELEASE = tuple(map(int, schemathesis.__version__.split(".")[:2]))
pytestmark = pytest.mark.skipif(RELEASE < (4, 32), reason="schemathesis before 4.32 finds other things")
EFFORT = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "429"]
BEYOND_OPENAPI = {
    "POST /_sandbox/connectors/{connector_id}/entities": "a JSON Schema that makes sense",
    "PATCH /_sandbox/connectors/{connector_id}/entities/{entity_id}": "a JSON Schema that makes sense",
    "DELETE /_sandbox/connectors/{connector_id}/oauth-clients/{client_id}": "the name of that very client",
    "POST /_sandbox/clock/advance": "not beyond the last moment of the clock, counted from now",
    "POST /_sandbox/requests/verify": "in_order alone, or a pattern with a count",
    "POST /_sandbox/faults": "an end that comes after the beginning",
    "PUT /_sandbox/faults/{fault_id}": "an end that comes after the beginning",
    "POST /_sandbox/companies/{company}/flows": "a deployed version that is one of the versions, printable names",
    "POST /_sandbox/companies/{company}/api-keys": "a printable name",
    "POST /_sandbox/companies/{company}/users": "a printable email address",
    "PUT /_sandbox/seed": "names that are known, an end of a fault that comes after the beginning",
    "POST /_sandbox/seed": "names that are known, an end of a fault that comes after the beginning",
    "PUT /_sandbox/state": "numbers and moments that go together",
    "GET /_sandbox/requests/wait": "requests that come in time",
    "GET /_sandbox/requests/duplicates": "a JSONPath exactly with by=json_path",
    "GET /_sandbox/requests/attempts": "a JSONPath exactly with by=json_path",
    "POST /_sandbox/services": "a schedule that comes, a time zone that is known",
    "PATCH /_sandbox/services/{service_id}": "a schedule that comes, a time zone that is known",
    "GET /_sandbox/sync-report": "either days or instants, and a cursor that is a row of the report",
    "GET /_sandbox/sync-report.csv": "either days or instants",
}
"""What an operation asks for beyond what the document can say; what is left wanting is answered 422, a wait 408."""

JOURNEY = ("listConnectors", "createClient", "deleteClient", "postAccessToken", "storePayload")
"""Operations that lead to each other."""

ROADS = (
    ("listConnectors", "createClient"),
    ("createClient", "postAccessToken"),
    ("postAccessToken", "storePayload"),
    ("createClient", "deleteClient"),
)
"""The links from operation to operation, in the order in which they are followed."""

schemathesis.openapi.format("json-path", st.sampled_from(["$", "$.order", "$..sku", "$.lines[?@.qty > 1].sku"]))
schemathesis.openapi.format("cron", st.sampled_from(["every 2 hours", "*/15 8-18 * * MON-FRI", "0 0 29 2 *"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", "Europe/London", "America/Argentina/Ushuaia"]))
schemathesis.openapi.format(
    "date-time",  # within the clock's range
    st.integers(1, 2**37).map(lambda seconds: datetime.fromtimestamp(seconds + 86_400, timezone.utc).isoformat()),
)


class Trial:
    """What the running test tries: Schemathesis binds its schemas to an application and to credentials before that."""

    app: WSGIApplication
    token: str | None = None

    @classmethod
    def begin(cls, sandbox: Sandbox, token: str | None = None) -> None:
        cls.app, cls.token = SandboxApp(sandbox), token

    @classmethod
    def serve(cls, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return cls.app(environ, start_response)

    def get(self, case: Any, context: Any) -> str | None:
        return self.token

    def set(self, case: Any, data: str | None, context: Any) -> None:
        if data is not None and case.operation.path.startswith("/v1/"):
            case.headers["Authorization"] = f"Bearer {data}"


def _document(name: str) -> Any:
    """Return a checked-in document without the responses ``default``, which make any status a documented one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=loader)
    for item in document["paths"].values():
        for key, operation in item.items():
            if key != "parameters":
                operation["responses"].pop("default", None)
    return document


def _schema(document: Any, **config: Any) -> Any:
    lenient = {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "408", "422"]}}
    config |= {
        "seed": 1,
        "parameters": {"path.company": "acme", "path.vanity_url": "anything", "query.timeout": 0.01},
        "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
        "operations": [
            *({"include-name": operation, "checks": lenient} for operation in BEYOND_OPENAPI),
            # GET leads to the request called "verify", which there never is.
            {"include-path": "/_sandbox/requests/verify", "checks": {"allow_header_conformance": {"enabled": False}}},
        ],
    }
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(config))
    schema.auth(refresh_interval=None)(Trial)
    schema.app = Trial.serve
    return schema


emulated = _schema(_document("openapi.yaml"))
control = _schema(_document("openapi-control.yaml"))


@pytest.fixture
def trial(integration: Integration) -> None:
    Trial.begin(integration.sandbox, integration.token())


@emulated.parametrize()
@EFFORT
def test_emulated_api_does_what_its_document_says(case: Any, trial: None) -> None:
    case.call_and_validate()


@control.exclude(path="/_sandbox/requests/stream").parametrize()  # it never ends
@EFFORT
def test_control_api_does_what_its_document_says(case: Any, trial: None) -> None:
    case.call_and_validate()


# --- one after the other ---------------------------------------------------------------------------------------------


def _journey() -> Any:
    """The operations of a journey, of both documents, with the links that lead from one document to the other."""
    document, emulated_document = _document("openapi-control.yaml"), _document("openapi.yaml")
    components = document["components"] | {
        "schemas": document["components"]["schemas"] | emulated_document["components"]["schemas"],
        "securitySchemes": emulated_document["components"]["securitySchemes"],
    }
    paths = _only_of_the_journey(document["paths"] | emulated_document["paths"])
    _link(paths, "listConnectors", "createClient", parameters={"connector_id": "$response.body#/0/id"})
    credentials = {name: f"$response.body#/{name}" for name in ("client_id", "client_secret")}
    token_request = {"grant_type": "client_credentials", "scope": "access-inbound", **credentials}
    _link(paths, "createClient", "postAccessToken", requestBody=token_request)
    _link(paths, "postAccessToken", "storePayload", parameters={"company": "acme", "vanity_url": "anything"})
    return _schema({**document, "paths": paths, "components": components}, generation={"mode": "positive"})


def _only_of_the_journey(paths: Any) -> Any:
    kept = {
        path: {key: value for key, value in item.items() if key == "parameters" or value["operationId"] in JOURNEY}
        for path, item in paths.items()
    }
    return {path: item for path, item in kept.items() if set(item) - {"parameters"}}


def _link(paths: Any, source: str, target: str, **link: Any) -> None:
    operations = [operation for item in paths.values() for key, operation in item.items() if key != "parameters"]
    [operation] = [operation for operation in operations if operation["operationId"] == source]
    [response] = [response for status, response in operation["responses"].items() if status.startswith("2")]
    response.setdefault("links", {})[target] = {"operationId": target, **link}


@given(data=st.data())
@settings(EFFORT, max_examples=4)
def test_operations_lead_to_each_other_as_the_documents_say(
    make_sandbox: Callable[..., Sandbox], data: st.DataObject
) -> None:
    """Follow every link of the journey. Schemathesis's own state machine leaves links out by true chance."""
    Trial.begin(make_sandbox())
    journey = {operation.ok().label: operation.ok() for operation in _journey().get_all_operations()}
    links = [
        OpenApiLink(name, status, link, operation)
        for operation in journey.values()
        for status, response in operation.responses.items()
        for name, link in response.iter_links()
    ]

    def call(operation: Any, **given: Any) -> None:
        case = data.draw(operation.as_strategy(**given))
        response = case.call_and_validate()
        answers[operation.label] = StepOutput(response, case)
        if operation.definition.raw["operationId"] == "postAccessToken":
            Trial.token = response.json()["access_token"]

    answers: dict[str, Any] = {}
    call(journey["GET /_sandbox/connectors"])
    for source, target in ROADS:
        [link] = [each for each in links if (_name(each.source), _name(each.target)) == (source, target)]
        found = link.extract(answers[link.source.label])
        given: dict[str, Any] = {
            container: {name: each.value.ok() for name, each in values.items()}
            for container, values in found.parameters.items()
        }
        if found.request_body is not None:
            given |= {"body": found.request_body.value.ok(), "media_type": "application/json"}
        elif target == "createClient":
            given["body"] = {"name": "Journey"}
        call(link.target, **given)

    statuses = {label: answer.response.status_code for label, answer in answers.items()}
    assert statuses["POST /v1/{company}/{vanity_url}"] == 200, statuses
    assert len(statuses) == len(JOURNEY)


def _name(operation: Any) -> str:
    name: str = operation.definition.raw["operationId"]
    return name
