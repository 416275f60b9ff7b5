"""Whatever is sent to the control API, it answers with problem details and never with 500."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from http import HTTPStatus

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from sandbox import Sandbox, SandboxServer
from sandbox.web.app import SandboxApp
from sandbox.web.control.base import READS, Blueprint
from sandbox.web.http.limits import Limits
from sandbox.web.paths import MAX_CONTROL_BODY
from tests.conftest import Integration
from tests.web.control.problem import detail

JSON = "application/json"


def post(integration: Integration, body: bytes, content_type: str | None = JSON) -> TestResponse:
    return integration.http.post("/_sandbox/companies", data=body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"name":', "body: the body is not JSON: Expecting value: line 1 column 9 (char 8)"),
        (b"\xff\xfe", "body: the body is not JSON: 'utf-8' codec can't decode byte 0xff"),
        (b"\xef\xbb\xbf{}", "body: the body is not JSON: "),
        (b'{"name": NaN}', "body: the body is not JSON: NaN is not JSON"),
        (b'{"name": -Infinity}', "body: the body is not JSON: -Infinity is not JSON"),
        (b"[" * 100_000, "body: the body is not JSON: nested deeper than 100 levels"),
        (b'{"name": ' * 600 + b"1" + b"}" * 600, "body: the body is not JSON: nested deeper than 100 levels"),
        (b'{"name": "a\\ud800"}', "body: the body is not JSON: "),
    ],
    ids=["cut off", "not UTF-8", "BOM", "NaN", "infinity", "100,000 deep", "600 deep", "half a surrogate pair"],
)
def test_body_that_is_not_json_is_refused(integration: Integration, body: bytes, told: str) -> None:
    assert detail(post(integration, body), 400).startswith(told)


def test_digits_without_end_are_refused(integration: Integration) -> None:
    assert post(integration, b'{"name": ' + b"1" * 5000 + b"}").status_code in (400, 422)  # Python 3.10.0 has no limit


@pytest.mark.parametrize("body", ["null", "[]", "'x'", "1", "true", '[null, "it\'s", {"a": false}]'])
def test_body_that_is_no_object_is_refused_in_the_words_of_json(integration: Integration, body: str) -> None:
    sent = body.replace("'x'", '"x"').encode()
    assert detail(post(integration, sent), 422) == f"body: {body} is not allowed; use a JSON object"


@pytest.mark.parametrize(("method", "path"), [("POST", "/companies"), ("GET", "/requests")])
def test_wrong_fields_are_told_in_the_order_of_the_request(integration: Integration, *, method: str, path: str) -> None:
    given = ["zeta", "slug", "alpha", "mid", "name", "beta", "omega", "limit", "kind", "gamma"]
    options = {"json": dict.fromkeys(given)} if method == "POST" else {"query_string": dict.fromkeys(given, "x")}

    response = integration.http.open(f"/_sandbox{path}", method=method, **options)
    told = [error["field"].partition(".")[2] for error in response.get_json()["errors"]]
    assert len(told) >= 9
    assert told == [name for name in given if name in told]


@pytest.mark.parametrize(("method", "path"), [("POST", "/faults"), ("PATCH", "/settings")])
@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "body: the body is not JSON: Expecting property name enclosed in double quotes"),
        (b"[" * 600 + b"]" * 600, 400, "body: the body is not JSON: nested deeper than 100 levels"),
        (b"[1]", 422, "body: [1] is not allowed; use a JSON object"),
    ],
    ids=["cut off", "600 deep", "a list"],
)
def test_body_that_the_core_checks_is_refused_in_the_same_words(
    integration: Integration, *, method: str, path: str, body: bytes, status: int, told: str
) -> None:
    response = integration.http.open(f"/_sandbox{path}", method=method, data=body, content_type=JSON)

    assert detail(response, status).startswith(told)
    assert [error["field"] for error in response.get_json()["errors"]] == ["body"]


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("application/x-www-form-urlencoded", "not 'application/x-www-form-urlencoded'"),
        ("text/plain", "not 'text/plain'"),
        ("multipart/form-data; boundary=x", "not 'multipart/form-data; boundary=x'"),
        (None, "there is none"),
    ],
)
def test_body_that_is_not_sent_as_json_is_refused(
    integration: Integration, content_type: str | None, told: str
) -> None:
    assert detail(post(integration, b'{"name": "x"}', content_type), 415) == (
        f"the body must be JSON: send it with Content-Type: application/json; {told}"
    )


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.api+json"])
def test_types_of_json_are_accepted(integration: Integration, content_type: str) -> None:
    assert post(integration, b'{"name": "x"}', content_type).status_code == 201


def test_body_beyond_the_limit_is_refused(integration: Integration) -> None:
    response = post(integration, b" " * (MAX_CONTROL_BODY + 1))

    assert detail(response, 413) == "the body is larger than the control API takes, 16777216 bytes"


CANNOT_BE_READ = {
    "too slow": (b"Content-Length: 9\r\n\r\n{", False, "The request body was not complete after 0.1 seconds."),
    "cut off": (b"Content-Length: 9\r\n\r\n{", True, "The client went away after 1 of 9 bytes of the request body."),
    "no chunk": (
        b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
        False,
        "A chunk of the request body does not begin with its size in hexadecimal digits.",
    ),
}


@pytest.mark.parametrize(("sent", "ends", "told"), CANNOT_BE_READ.values(), ids=CANNOT_BE_READ)
def test_body_that_cannot_be_read_is_told_why(
    make_sandbox: Callable[..., Sandbox], sent: bytes, ends: bool, told: str
) -> None:
    head = b"POST /_sandbox/companies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with (
        SandboxServer(make_sandbox(), limits=Limits(body_timeout_s=0.1)) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as client,
    ):
        client.sendall(head + sent)
        if ends:
            client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"] == f"the body could not be read: {told}"


def test_several_mistakes_are_told_at_once(integration: Integration) -> None:
    response = integration.control("POST", "/connectors", {"company": 1, "nme": "x"})

    assert detail(response, 422)
    allowed = "did you mean 'name'? known: company, environment, name"
    assert response.get_json()["errors"] == [
        {"field": "body.name", "code": "missing", "allowed": "text", "message": "missing; give text"},
        {"field": "body.company", "code": "not_allowed", "given": "1", "allowed": "text", "message": "use text"},
        {"field": "body.nme", "code": "unknown", "allowed": allowed, "message": f"unknown; {allowed}"},
    ]


def test_given_value_is_shortened(integration: Integration) -> None:
    response = integration.control("POST", "/companies", {"name": "x" * 10_000})

    assert len(detail(response, 422)) < 250


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/health/",
        "//health",
        "/../health",
        "/%2e%2e/health",
        "/%2fetc/passwd",
        "/connectors/-1",
        "/connectors/1.0",
        "/connectors/True",
        "/connectors/%31%00",
        "/connectors/٣٣x",
        "/static/../../../state.py",
        "/static/%2e%2e/%2e%2e/state.py",
        "/docs/../state.py",
        "/openapi.yaml/",
        "/🦊",
    ],
)
def test_unknown_address_is_not_found_and_where_to_look_is_told(integration: Integration, path: str) -> None:
    told = detail(integration.http.get(f"/_sandbox{path}"), 404)

    assert told.endswith("; the control API is described at /_sandbox/docs")


def test_range_beyond_a_file_is_a_problem_like_any_other(integration: Integration) -> None:
    answer = integration.http.get("/_sandbox/static/style.css", headers={"Range": "bytes=99999999-"})

    assert detail(answer, 416) == "The server cannot provide the requested range."


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_refused_with_those_allowed(integration: Integration, method: str) -> None:
    response = integration.http.open("/_sandbox/companies", method=method)

    assert detail(response, 405) == (
        f"{method} is not allowed at /_sandbox/companies; allowed: GET, HEAD, OPTIONS, POST"
    )
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("path", ["/health", "/companies", "/clock", "/openapi.yaml"])
def test_head_answers_like_get_without_a_body(integration: Integration, path: str) -> None:
    response = integration.http.head(f"/_sandbox{path}")

    assert (response.status_code, response.data) == (200, b"")


def _operations(app: Flask) -> list[tuple[str, str, str]]:
    """Return method, path and endpoint of every operation of the control API, with made-up values in the path."""
    operations = []
    for rule in app.url_map.iter_rules():
        if isinstance(app.blueprints.get(rule.endpoint.rpartition(".")[0]), Blueprint):
            values = {name: 1 if name.endswith("_id") and name != "client_id" else "x" for name in rule.arguments}
            built = rule.build(values)
            assert built is not None
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            operations += [(method, built[1], rule.endpoint) for method in methods]
    return operations


def test_no_operation_ignores_a_query_that_it_does_not_read(integration: Integration) -> None:
    app = SandboxApp(integration.sandbox)
    client = Client(app)

    for method, path, _ in _operations(app.control):
        response = client.open(path, method=method, query_string={"bogus_parameter": "1"})
        assert "bogus_parameter: unknown" in detail(response, 422), f"{method} {path}"


def test_no_operation_ignores_a_body_that_it_does_not_read(integration: Integration) -> None:
    app = SandboxApp(integration.sandbox)
    client = Client(app)
    without_body = [
        (method, path)
        for method, path, endpoint in _operations(app.control)
        if "json" not in getattr(app.control.view_functions[endpoint], READS, ())
    ]

    assert len(without_body) > 15
    for method, path in without_body:
        response = client.open(path, method=method, json={"kind": "token"})
        assert detail(response, 422) == f"body: {method} {path} takes no body; leave it out", f"{method} {path}"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 5000, b"null", b"[]", b'"x"', b"1e999", b"{}", b'{"x": 1}', b'{"name": {"a": [null]}}',
     b'{"seconds": 1e308}', b'{"id": 1, "match": 1, "fault": []}'],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_no_operation_fails_on_any_body(integration: Integration, body: bytes) -> None:
    app = SandboxApp(integration.sandbox)
    client = Client(app)

    for method, path, _ in _operations(app.control):
        if method != "GET":
            response = client.open(path, method=method, data=body, content_type=JSON)
            assert response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, f"{method} {path}: {response.text}"


def test_failure_of_the_sandbox_itself_is_told_as_one(
    integration: Integration, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(integration.sandbox, "reset", fail)

    response = Client(SandboxApp(integration.sandbox)).post("/_sandbox/reset")

    assert detail(response, 500) == "the sandbox itself failed; its log has the traceback, please report it"
    assert "a defect" in caplog.text
    assert "a defect" not in response.text


def test_many_wrong_fields_are_listed_up_to_a_bound(integration: Integration) -> None:
    response = integration.control("POST", "/companies", json={f"field_{number}": 1 for number in range(500)})

    assert len(response.json["errors"]) == 100
    assert detail(response, 422).endswith("; 401 more are not listed")
