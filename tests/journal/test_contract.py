"""Requests that do not conform to the published contract are answered as ever, and reported."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sandbox.journal.contract import MAX_VIOLATIONS
from sandbox.journal.contract_rules import RULES, rules_of
from sandbox.journal.request import Request
from sandbox.platform.endpoints import ENDPOINTS, violations_of
from sandbox.platform.serve import serve
from sandbox.state.sandbox import Sandbox
from tests.conftest import Integration, handle_at
from tests.contract import published_document
from tests.journal.journals import exchange as made

ACCEPT = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
AS_JSON = {"Content-Type": "application/json"}
GOOD_FORM = "grant_type=client_credentials&client_id=a&client_secret=b"
GOOD_QUERY = f"GET /oauth/token?{GOOD_FORM}"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"user:password").decode()}
BEARER = {"Authorization": "Bearer x"}
PARTS = {"Content-Type": "multipart/form-data; boundary=cut"}
GRANT = "grant_type=client_credentials"
GOOD_PARTS = "".join(
    f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    for name, value in (("grant_type", "client_credentials"), ("client_id", "a"), ("client_secret", "b"))
)


def send(integration: Integration, target: str, headers: dict[str, str], body: str | bytes) -> None:
    method, _, path = target.partition(" ")
    integration.http.open(path, method=method, headers=headers, data=body)


def codes(integration: Integration) -> list[str]:
    """The codes of all violations so far."""
    return [violation.code for violation in found(integration)]


def found(integration: Integration) -> list[Any]:
    return [one for entry in integration.sandbox.journal.snapshot() for one in violations_of(entry)]


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        pytest.param("POST /oauth/token", FORM, GOOD_FORM, id="form"),
        pytest.param(
            "POST /oauth/token", AS_JSON, json.dumps(dict(p.split("=") for p in GOOD_FORM.split("&"))), id="json"
        ),
        pytest.param(
            "POST /oauth/token",
            PARTS,
            f"{GOOD_PARTS}--cut--",
            id="multipart",
        ),
        pytest.param("POST /oauth/token", FORM | BASIC, "grant_type=client_credentials", id="basic"),
        pytest.param("POST /oauth/token", FORM, f"{GOOD_FORM}&scope=", id="empty scope, RFC 6749 §3.2"),
        pytest.param("POST /oauth/token", FORM | BASIC, "grant_type=client_credentials&client_id=a", id="basic and id"),
        pytest.param("HEAD /v1/acme/anything", {}, "", id="probe of a monitor"),
        pytest.param("GET /favicon.ico", {}, "", id="favicon of a browser"),
        pytest.param("GET /robots.txt", {}, "", id="robots.txt"),
        pytest.param("GET /apple-touch-icon-120x120-precomposed.png", {}, "", id="icon for a phone"),
        pytest.param(
            "OPTIONS /v1/acme/anything",
            {"Origin": "http://shop.test", "Access-Control-Request-Method": "POST"},
            "",
            id="preflight of a browser",
        ),
        pytest.param(GOOD_QUERY, {}, "", id="GET, which the vendor documents"),
        pytest.param("POST /v1/acme/orders", BEARER | AS_JSON, "[]", id="payload"),
        pytest.param(
            "POST /v1/acme/orders", {"Authorization": "bearer x"} | AS_JSON, "[]", id="bearer, RFC 9110 §11.1"
        ),
        pytest.param("POST /v1/acme/anything", BEARER | {"Content-Type": "text/csv"}, "a;b", id="free-form payload"),
    ],
)
def test_request_of_the_contract_is_not_reported(
    integration: Integration, target: str, headers: dict[str, str], body: str
) -> None:
    send(integration, target, ACCEPT | headers, body)

    assert found(integration) == []


@pytest.mark.parametrize(
    ("target", "headers", "body", "expected"),
    [
        ("POST /nope", ACCEPT, "x", ["undocumented_path"]),
        ("POST /oauth/token/", ACCEPT | FORM, GOOD_FORM, ["undocumented_path"]),
        ("PUT /oauth/token", ACCEPT | FORM, GOOD_FORM, ["undocumented_method"]),
        ("GET /v1/acme/orders", ACCEPT | BEARER, "", ["undocumented_method"]),
        (GOOD_QUERY, {}, "", ["no_accept_json"]),
        (GOOD_QUERY, {"Accept": "*/*"}, "", ["no_accept_json"]),
        (GOOD_QUERY, {"Accept": "text/html, application/json;q=0.0"}, "", ["no_accept_json"]),
        (f"{GOOD_QUERY}&audience=x", ACCEPT, "", ["unknown_query_parameter"]),
        (f"{GOOD_QUERY}&client_id=c", ACCEPT, "", ["repeated_field"]),
        (GOOD_QUERY, ACCEPT, "x", ["unexpected_body"]),
        ("GET /oauth/token", ACCEPT | BASIC, "", ["missing_field"]),
        ("GET /oauth/token?grant_type=password", ACCEPT | BASIC, "", ["wrong_field"]),
        ("POST /oauth/token?client_id=a", ACCEPT | FORM, GOOD_FORM, ["credentials_in_query"]),
        ("POST /oauth/token?tenant=a", ACCEPT | FORM, GOOD_FORM, ["unknown_query_parameter"]),
        ("POST /oauth/token", ACCEPT | FORM, "", ["missing_body"]),
        ("POST /oauth/token", ACCEPT, GOOD_FORM, ["missing_content_type"]),
        ("POST /oauth/token", ACCEPT | {"Content-Type": "text/plain"}, GOOD_FORM, ["wrong_content_type"]),
        ("POST /oauth/token", ACCEPT | FORM, b"grant_type=\xff", ["malformed_body"]),
        ("POST /oauth/token", ACCEPT | AS_JSON, GOOD_FORM, ["malformed_body"]),
        ("POST /oauth/token", ACCEPT | {"Content-Type": "multipart/form-data"}, GOOD_PARTS, ["malformed_body"]),
        ("POST /oauth/token", ACCEPT | AS_JSON, "[]", ["wrong_field"]),
        ("POST /oauth/token", ACCEPT | BASIC | FORM, "a=b", ["missing_field", "unknown_field"]),
        ("POST /oauth/token", ACCEPT | FORM, f"{GOOD_FORM}&audience=x", ["unknown_field"]),
        ("POST /oauth/token", ACCEPT | BASIC | FORM, GOOD_FORM, ["credentials_twice"]),
        (GOOD_QUERY, ACCEPT | BASIC, "", ["credentials_twice"]),
        (
            "POST /oauth/token",
            ACCEPT | AS_JSON,
            '{"grant_type": "client_credentials", "client_id": "a", "client_id": "a", "client_secret": "b"}',
            ["repeated_field"],
        ),
        ("POST /oauth/token", ACCEPT | {"Authorization": "Basic %%%"} | FORM, GRANT, ["missing_credentials"]),
        ("POST /oauth/token", ACCEPT | {"Authorization": "Basic ="} | FORM, GRANT, ["missing_credentials"]),
        ("POST /oauth/token", ACCEPT | FORM, f"{GRANT}&client_id=%00&client_secret=%20", ["missing_credentials"]),
        ("POST /oauth/token", ACCEPT | FORM, f"{GOOD_FORM}&scope=%22", ["wrong_field"]),
        ("POST /oauth/token", ACCEPT | FORM, f"{'a=b&' * 1000}{GOOD_FORM}", ["malformed_body"]),
        ("POST /oauth/token", ACCEPT | PARTS, GOOD_PARTS, ["malformed_body"]),
        (
            "POST /oauth/token",
            ACCEPT | PARTS,
            GOOD_PARTS.replace('"client_id"', '"client_id"; filename="id.txt"') + "--cut--",
            ["missing_credentials"],
        ),
        (
            "POST /oauth/token",
            ACCEPT | FORM | {"Content-Encoding": "gzip"},
            gzip.compress(GOOD_FORM.encode(), mtime=0),
            ["content_encoding"],
        ),
        ("OPTIONS /v1/acme/anything", ACCEPT, "", ["undocumented_method"]),
        ("POST /favicon.ico", ACCEPT, "", ["undocumented_path"]),
        ("GET /v1/acme/favicon.ico", ACCEPT, "", ["undocumented_method"]),
        (
            "POST /oauth/token",
            ACCEPT | FORM,
            "grant_type=client_credentials&client_id=&scope=x",
            ["missing_credentials"],
        ),
        ("POST /oauth/token", ACCEPT | FORM, f"{GOOD_FORM}&scope=a&scope=b", ["repeated_field"]),
        (
            "POST /oauth/token",
            ACCEPT | AS_JSON,
            '{"grant_type": ["client_credentials"], "client_id": 1, "client_secret": "b", "scope": ["c"]}',
            ["wrong_field", "wrong_field", "wrong_field"],
        ),
        ("POST /oauth/token", ACCEPT | {"Content-Type": "Application/JSON"}, "{}", ["wrong_content_type"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | AS_JSON, '{"_method":"put"}', ["undocumented_method"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | AS_JSON, '{"_method":"order-1"}', ["undocumented_method"]),
        ("POST /v1/acme/orders", ACCEPT | AS_JSON, "{}", ["no_bearer_token"]),
        ("POST /v1/acme/orders", ACCEPT | BASIC | AS_JSON, "{}", ["no_bearer_token"]),
        ("POST /v1/acme/orders?access_token=x", ACCEPT | BEARER | AS_JSON, "{}", ["credentials_in_query"]),
        ("POST /v1/acme/orders", ACCEPT | BEARER | AS_JSON, "", ["missing_body"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": "text/plain"}, " \n", ["missing_body"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER, "x", ["missing_content_type"]),
        ("POST /v1/acme/orders", ACCEPT | BEARER | {"Content-Type": "text/xml"}, "<a/>", ["wrong_content_type"]),
        ("POST /v1/acme/orders", ACCEPT | BEARER | AS_JSON, "<a/>", ["malformed_body"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | AS_JSON, "{'a': 1}", ["malformed_body"]),
        ("POST /v1/acme/orders", {}, "", ["no_accept_json", "no_bearer_token", "missing_body"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": ""}, "x", ["missing_content_type"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": "json"}, "{}", ["wrong_content_type"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": "*/*"}, "{}", ["wrong_content_type"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": "; a=b"}, "{}", ["wrong_content_type"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | AS_JSON, '{"a": {"b": 1, "b": 2}}', ["repeated_field"]),
        ("POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": "application/a+json"}, "<", ["malformed_body"]),
        (
            "POST /v1/acme/anything",
            ACCEPT | BEARER | AS_JSON | {"Content-Encoding": "gzip"},
            gzip.compress(b"{}", mtime=0),
            ["content_encoding"],
        ),
        ("POST /v1/acme/anything?a=1&b=2", ACCEPT | BEARER | AS_JSON, "{}", ["unknown_query_parameter"] * 2),
    ],
)
def test_violation_is_reported_by_its_code(
    integration: Integration, target: str, headers: dict[str, str], body: str | bytes, expected: list[str]
) -> None:
    send(integration, target, headers, body)

    assert codes(integration) == expected


@pytest.mark.parametrize("name", ["Authorization", "Content-Type"])
def test_header_that_may_be_there_once_is_reported_where_it_is_there_twice(integration: Integration, name: str) -> None:
    headers = [*(ACCEPT | BEARER | AS_JSON).items(), (name, (BEARER | AS_JSON)[name])]
    request = Request("POST", "/v1/acme/orders", headers=tuple(headers), body=b"[]")
    serve(integration.sandbox.platform, request)

    assert codes(integration) == ["repeated_header"]
    assert f"{name} is there 2 times" in str(found(integration)[0])


def test_violation_tells_what_was_found_and_what_to_do(integration: Integration) -> None:
    integration.request_token(grant_type=None)

    entry = next(integration.sandbox.journal.snapshot())
    [_, violation] = violations_of(entry)
    assert str(violation) == "POST /oauth/token: grant_type is missing (missing_field). Send it."


def messages(integration: Integration) -> list[str]:
    return [violation.message for violation in found(integration)]


def test_misspelt_credentials_are_one_violation_that_names_them(integration: Integration) -> None:
    secret = integration.client_secret
    body = f"{GRANT}&clientId=x&client-secret={secret}&tenant=y"
    integration.http.post("/oauth/token", headers=ACCEPT | FORM, data=body)

    assert codes(integration) == ["missing_credentials", "unknown_field"]
    assert messages(integration) == [
        (
            "client_id and client_secret are missing; there are 'clientId' and 'client-secret': "
            "are client_id and client_secret meant?"
        ),
        "the contract has no field 'tenant' here",
    ]


def test_misspelt_grant_type_is_named(integration: Integration) -> None:
    integration.http.get("/oauth/token?grantType=client_credentials", headers=ACCEPT | BASIC)

    assert messages(integration) == ["grant_type is missing; there is 'grantType': is grant_type meant?"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("Accept", "application/json"), ("accept", "text/html")], []),
        ([("Accept", "text/html"), ("Accept", "*/*, application/json;q=0.5")], []),
        ([("Accept", "text/html"), ("Accept", "*/*")], ["no_accept_json"]),
        ([("Accept", "application/json"), ("Authorization", "Bearer x")], ["repeated_header"]),
        ([("Accept", "application/json"), ("Content-Type", "application/json")], ["repeated_header"]),
        ([("Accept", "application/json"), ("Content-Encoding", ""), ("Content-Encoding", "br")], ["content_encoding"]),
    ],
)
def test_field_lines_of_a_list_are_one_list_and_no_other_header_is_repeated(
    sandbox: Sandbox, lines: list[tuple[str, str]], expected: list[str]
) -> None:
    headers = (("Authorization", "Bearer x"), ("Content-Type", "application/json"), *lines)
    exchange = made(path="/v1/acme/anything", headers=headers, body=b"{}", kind="inbound")
    entry = sandbox.journal.close(exchange, 200, (), b"")

    assert [violation.code for violation in violations_of(entry)] == expected


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; charset=iso-8859-1", '{"a": "ü"}'.encode("latin-1")),
        ("application/json", '{"a": "ü"}'.encode("latin-1")),
        ("application/json", '{"a": 1}'.encode("utf-16")),
        ("application/json", '{"a": 1}'.encode("utf-16-le")),
        ("application/json", '{"a": 1}'.encode("utf-8-sig")),
    ],
)
def test_body_in_another_encoding_is_said_to_be_in_one(
    integration: Integration, content_type: str, body: bytes
) -> None:
    send(integration, "POST /v1/acme/anything", ACCEPT | BEARER | {"Content-Type": content_type}, body)

    [message] = messages(integration)
    assert "UTF-8" in message
    assert "RFC 8259 §8.1" in message


@pytest.mark.parametrize("token", [True, False], ids=["accepted or refused by the entity", "refused without a token"])
def test_later_changes_of_the_platform_change_no_verdict(integration: Integration, token: bool) -> None:
    store = integration.sandbox.store
    bearer = {"Authorization": f"Bearer {integration.token()}"} if token else BEARER
    integration.sandbox.journal.clear()
    send(integration, "POST /v1/acme/orders", ACCEPT | bearer | {"Content-Type": "application/xml"}, "<a/>")
    send(integration, "POST /v1/acme/anything", ACCEPT | bearer | {"Content-Type": "application/xml"}, "<a/>")
    before = codes(integration)

    services = {service.vanity_url: service for service in store.services()}
    for service in services.values():
        store.delete_service(service.id)
    store.add_service("acme", services["orders"].connector_id, services["orders"].entity, "anything")

    assert before == ["wrong_content_type"]
    assert codes(integration) == before


def test_method_that_a_setting_leaves_out_is_not_in_the_contract(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(token_methods=["POST"])

    integration.http.get(GOOD_QUERY.removeprefix("GET "), headers=ACCEPT)

    assert codes(integration) == ["undocumented_method"]


def test_violations_of_one_request_are_bounded(integration: Integration) -> None:
    query = "&".join(f"a{number}=1" for number in range(5_000))
    integration.http.get(f"{GOOD_QUERY.removeprefix('GET ')}&{query}&{'b' * 5_000}=1", headers=ACCEPT)

    assert len(found(integration)) == MAX_VIOLATIONS
    assert max(map(len, messages(integration))) < 400


NESTED_PARTS = b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n--b--"
CONTENT_TYPES = ["application/json", FORM["Content-Type"], "multipart/form-data; boundary=b", "message/rfc822", ";", ""]

# --- every refusal has its violation --------------------------------------------------------------------------------

STATE = ("unknown_scope",)
"""Reasons of a 400 of the token endpoint that are state: the contract does not list the scopes of a platform."""

NO_CAUSES = {
    *("repeated_field", "unknown_field", "unknown_query_parameter"),
    *("repeated_header", "credentials_in_query", "credentials_twice", "unexpected_body"),
}
"""Violations for which no request is refused."""

VALUES = st.sampled_from(["", " ", "\0", "client_credentials", "password", "a", "bogus", "%zz", '"', "ü"])
NAMES = st.sampled_from(["grant_type", "client_id", "client_secret", "scope", "scope[]", "client_id[]", "clientId"])
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
MEMBERS = st.dictionaries(
    NAMES, VALUES | st.none() | st.booleans() | st.integers() | st.lists(VALUES, max_size=1), max_size=5
)
AUTHORIZATIONS = st.sampled_from(
    [None, "Basic %%%", "Basic", "Basic =", "Basic OmI=", "Basic YTo=", "Basic YTpi", "basic YTpi", "Bearer x"]
)


def _multipart(pairs: list[tuple[str, str]], filename: bool, whole: bool) -> bytes:
    extra = '; filename="a"' if filename else ""
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n{value}\r\n' for name, value in pairs
    ]
    return ("".join(parts) + ("--cut--" if whole else "")).encode()


BODIES = st.one_of(
    PAIRS.map(lambda pairs: (FORM["Content-Type"], urlencode(pairs).encode())),
    st.builds(lambda *parts: (PARTS["Content-Type"], _multipart(*parts)), PAIRS, st.booleans(), st.booleans()),
    MEMBERS.map(lambda members: ("application/json", json.dumps(members).encode())),
    MEMBERS.map(lambda members: ("application/json", json.dumps(members).encode("utf-16"))),
    st.tuples(st.sampled_from([*CONTENT_TYPES, "application/x+json"]), st.binary(max_size=10) | st.just(b"[]")),
)


@pytest.mark.parametrize("profile", ["modern", "legacy"])
def test_every_400_of_the_token_endpoint_is_a_violation_or_state(
    make_integration: Callable[..., Integration], profile: str
) -> None:
    integration = make_integration(wire_profile=profile, journal_entries=10)
    known = {"client_id": integration.client_id, "client_secret": integration.client_secret}
    refused: set[str] = set()

    @given(method=st.sampled_from(["GET", "POST"]), given_body=BODIES, query=PAIRS, authorization=AUTHORIZATIONS)
    @settings(max_examples=200)
    def ask(
        method: str, given_body: tuple[str, bytes], query: list[tuple[str, str]], authorization: str | None
    ) -> None:
        content_type, body = given_body
        headers = ACCEPT | ({"Authorization": authorization} if authorization else {})
        pairs = [(name, known.get(name, value) if value == "a" else value) for name, value in query]
        if method == "GET":
            integration.http.get("/oauth/token", query_string=urlencode(pairs), headers=headers)
        else:
            integration.http.post("/oauth/token", data=body, headers=headers | {"Content-Type": content_type})
        entry = next(integration.sandbox.journal.newest_first())
        if entry.status == 400:
            reason = (entry.reason or "").partition(":")[0]
            refused.add(reason)
            causes = {violation.code for violation in violations_of(entry)} - NO_CAUSES
            assert causes or reason in STATE, (entry.reason, entry.headers, entry.query, entry.body)

    ask()
    assert refused >= {"unsupported_grant_type", "missing_client_id", "malformed_json"}, refused


def test_a_violation_is_no_reason_to_refuse(integration: Integration) -> None:
    response = integration.http.get("/oauth/token", query_string=integration.credentials(nonsense="1"))

    assert response.status_code == 200
    assert codes(integration) == ["no_accept_json", "unknown_query_parameter"]


def test_body_too_large_to_be_read_is_not_called_missing(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(body_limit=10)

    response = integration.post(b"x" * 11, token="x", Accept="application/json", Content_Type="text/plain")

    assert response.status_code == 413
    assert found(integration) == []


def test_request_that_the_server_could_not_read_is_malformed(sandbox: Sandbox, integration: Integration) -> None:
    integration.http.get("/nope")
    [entry] = sandbox.journal.snapshot()
    refused = replace(entry, reason="refused_by_server: no Host header")

    assert [violation.code for violation in violations_of(refused)] == ["malformed_http"]


def test_violations_tell_no_secret(integration: Integration) -> None:
    secret = integration.client_secret
    integration.http.post(
        f"/oauth/token?client_secret={secret}", json={"grant_type": 1, "client_secret": [secret, secret]}
    )
    integration.http.post(
        "/oauth/token", data=f'{{"client_secret": ["a", "{secret}"}}', content_type="application/json"
    )

    texts = [str(violation) for violation in found(integration)]
    assert texts
    assert not [text for text in texts if secret in text]


JSON_VALUES = st.recursive(
    st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.just("scope"), inner)
)


def test_any_request_can_be_held_against_the_contract(sandbox: Sandbox) -> None:
    @given(
        target=st.sampled_from([("GET", "token"), ("POST", "token"), ("POST", "inbound")]),
        query=st.text(alphabet="a=&%2[]ü;", max_size=8),
        content_type=st.sampled_from(CONTENT_TYPES),
        accept=st.text(alphabet="application/json;q=0,* ", max_size=20),
        body=st.binary(max_size=30) | JSON_VALUES.map(lambda value: json.dumps(value).encode()) | st.just(NESTED_PARTS),
    )
    def hold(target: tuple[str, Any], query: str, content_type: str, accept: str, body: bytes) -> None:
        headers = (("Accept", accept), ("Content-Type", content_type))
        exchange = made(method=target[0], path="/x", query=query, headers=headers, body=body, kind=target[1])
        entry = sandbox.journal.close(exchange, 200, (), b"")

        assert {violation.code for violation in violations_of(entry)} <= set(RULES)

    hold()


# --- over HTTP and in tests -----------------------------------------------------------------------------------------


def test_control_api_lists_the_requests_that_do_not_conform(integration: Integration) -> None:
    integration.http.get("/oauth/token", query_string=integration.credentials(), headers=ACCEPT)
    integration.http.post("/v1/acme/orders", headers=ACCEPT | AS_JSON, data="{}")

    [entry] = [entry for entry in integration.sandbox.journal.snapshot() if entry.kind == "inbound"]
    received_at = integration.control("GET", f"/requests/{entry.id}").json["received_at"]  # type: ignore[index]
    assert integration.control("GET", "/contract-violations").json == {
        "requests": [
            {
                "request": entry.id,
                "seq": 2,
                "received_at": received_at,
                "method": "POST",
                "path": "/v1/acme/orders",
                "status": 401,
                "violations": [
                    {
                        "code": "no_bearer_token",
                        "message": "there is no Authorization header",
                        "remedy": "Send 'Authorization: Bearer <access token>'.",
                    }
                ],
            }
        ],
        "received": 2,
        "lost": 0,
        "next_after": None,
        "dropped": 0,
    }


def test_control_api_takes_the_filters_of_the_journal(integration: Integration) -> None:
    integration.request_token()
    integration.http.post("/v1/acme/orders")

    assert _seqs(integration, kind="token") == [1]
    assert _seqs(integration, outcome="rejected") == [2]
    assert _seqs(integration, vanity_url="products") == []
    assert integration.control("GET", "/contract-violations", kind="nonsense").status_code == 422


def test_control_api_pages_by_request(integration: Integration) -> None:
    for _ in range(3):
        integration.request_token()

    first = integration.control("GET", "/contract-violations", limit=2).json
    assert first is not None
    assert [report["seq"] for report in first["requests"]] == [1, 2]
    assert first["next_after"] == 2
    assert _seqs(integration, after=first["next_after"], limit=1) == [3]


def test_control_api_tells_that_it_could_not_look_at_all_of_them(integration: Integration) -> None:
    integration.sandbox.change_settings({"journal_entries": 2})
    for _ in range(5):
        integration.request_token()

    page: Any = integration.control("GET", "/contract-violations").json
    figures = [page[name] for name in ("received", "lost", "dropped")]
    assert ([report["seq"] for report in page["requests"]], figures) == ([4, 5], [2, 3, 3])
    inbound: Any = integration.control("GET", "/contract-violations", kind="inbound", after=4).json
    assert [inbound[name] for name in ("received", "lost", "dropped")] == [0, 0, 3]


def _seqs(integration: Integration, **query: Any) -> list[int]:
    page: Any = integration.control("GET", "/contract-violations", **query).json
    return [report["seq"] for report in page["requests"]]


def test_test_handle_lists_every_violation(integration: Integration) -> None:
    patchworks = handle_at("http://localhost", integration.sandbox)
    assert patchworks.contract_violations == []

    integration.http.get("/v1/acme/orders")

    [violation] = patchworks.contract_violations
    assert (violation.code, violation.message) == ("undocumented_method", "the contract has POST here, not GET")


# --- one contract ---------------------------------------------------------------------------------------------------


def test_published_document_asks_for_what_is_held_against_requests() -> None:
    document = published_document("openapi.yaml").spec.read_value()

    for endpoint in ENDPOINTS:
        published, operations = document["paths"][endpoint.path], endpoint.operations
        methods = {
            name.upper() for name in published if name in ("get", "put", "post", "delete", "patch", "head", "options")
        }
        assert methods == set(operations)
        for method, operation in operations.items():
            found = published[method.lower()]
            assert {**found, "description": operation["description"]} == {**found, **operation}
            assert all(f"`{code}`: {rule.says}" in found["description"] for code, rule in rules_of(operation).items())
            responses = published[method.lower()]["responses"]
            good = [response["content"] for status, response in responses.items() if status.startswith("2")]
            assert good
            assert all(list(content) == ["application/json"] for content in good)
