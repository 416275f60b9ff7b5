"""Requests to process flows are held against their published contract, as those to inbound URLs are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sandbox.journal.contract_rules import RULES, access_of, rules_of
from sandbox.platform.endpoints import violations_of
from sandbox.platform.flows.model import Hmac, Webhook
from sandbox.platform.flows.records import DataPool
from sandbox.platform.flows.routes import ENDPOINTS, asked_operations
from sandbox.web.emulated.document import general_document
from tests.platform.flows.sending import ADA, CALLBACK, KEY, SIGNED, START, WEBHOOK, Flows

ACCEPT = {"Accept": "application/json"}
AS_JSON = {"Content_Type": "application/json"}
KEYED = {**ACCEPT, "Authorization": KEY}
OF_CALLBACK = "patchworks_signature=sig-of-callback"
RUNS, POOLS, LOGIN = "/api/v1/flow-runs", "/api/v1/data-pool", "/api/v1/login"
Headers = dict[str, str]


Target = tuple[str, str, bytes | dict[str, Any], str, Headers]
"""Method, path, body, query and headers of a request."""


def codes(flows: Flows, *target: Any) -> list[str]:
    method, path, body, query, headers = target
    sent = flows.send(method, path, body, query, **headers)
    return [violation.code for violation in violations_of(sent.entry)]


@pytest.mark.parametrize("target", [
    ("POST", WEBHOOK, b'{"order":1}', SIGNED, AS_JSON),
    ("POST", WEBHOOK, b"<order/>", SIGNED, {"Content_Type": "application/xml"}),
    ("POST", f"{WEBHOOK}/2", b"", f"{SIGNED}&order=1&lines[0]=2", {}),
    ("GET", f"/core-start{WEBHOOK}", b"", f"{SIGNED}&order=1", {}),
    ("GET", CALLBACK, b"", OF_CALLBACK, {}),
    ("POST", CALLBACK, b"{}", "", AS_JSON | {"patchworks_signature": "sig-of-callback"}),
    ("POST", START, b"", "", KEYED),
    ("POST", START, {"payload": "1"}, "", KEYED | AS_JSON),
    ("POST", f"{START}/raw/11", b"[1]", "virtual_environment_id=2&flow_variables=%7B%22x%22%3A+1%7D", KEYED | AS_JSON),
    ("POST", LOGIN, ADA, "", ACCEPT | AS_JSON),
    ("POST", "/fabric/api/login", {"username": "a", "password": "b"}, "", ACCEPT | AS_JSON),
    ("POST", "/api/logout", b"", "", ACCEPT | {"Authorization": "bearer x"}),
    ("GET", RUNS, b"", "filter[status]=2,3&include=flow,flow.versions,flowRunLogs_count&sort=-started_at,id", KEYED),
    ("GET", RUNS, b"", "page=1&per_page=100&fields[flow]=id,name&fields[flowVersion]=id", KEYED),
    ("GET", "/core-main/api/v1/flows", b"", "", ACCEPT | {"Authorization": "Bearer x"}),
    ("GET", f"{POOLS}/", b"", "", KEYED),
    ("POST", POOLS, {"name": "Order numbers", "description": None}, "", KEYED | AS_JSON),
    ("HEAD", RUNS, b"", "", {}),
    ("OPTIONS", RUNS, b"", "", {"Origin": "http://x", "Access_Control_Request_Method": "GET"}),
])  # fmt: skip
def test_request_of_the_contract_is_not_reported(flows: Flows, target: Target) -> None:
    assert codes(flows, *target) == []


@pytest.mark.parametrize("target", [
    ("POST", "/api/v2/flows", b"", "", ACCEPT, ["undocumented_path"]),
    ("GET", f"{RUNS}/", b"", "", KEYED, ["undocumented_path"]),
    ("POST", f"{WEBHOOK}/", b"x", SIGNED, {"Content_Type": "text/plain"}, ["undocumented_path"]),
    ("PUT", WEBHOOK, b"x", SIGNED, {}, ["undocumented_method"]),
    ("GET", START, b"", "", KEYED, ["undocumented_method"]),
    ("OPTIONS", RUNS, b"", "", KEYED, ["undocumented_method"]),
    # webhooks and callbacks
    ("POST", WEBHOOK, b"{}", "", AS_JSON, ["no_signature"]),
    ("POST", WEBHOOK, b"{}", "patchworks_signature=", AS_JSON, ["no_signature", "wrong_field"]),
    ("GET", WEBHOOK, b"", "", {"patchworks_signature": "sig-of-orders"}, ["no_signature"]),
    ("GET", CALLBACK, b"", "patchworks-signature=sig-of-callback", {}, ["no_signature"]),
    ("POST", WEBHOOK, b"{}", f"{SIGNED}&order=1", AS_JSON, ["unknown_query_parameter"]),
    ("POST", WEBHOOK, b"x", SIGNED, {}, ["missing_content_type"]),
    ("POST", WEBHOOK, b"{", SIGNED, AS_JSON, ["malformed_body"]),
    ("POST", WEBHOOK, b"[" * 100_000, SIGNED, AS_JSON, ["malformed_body"]),
    ("POST", WEBHOOK, b'{"a":1,"a":2}', SIGNED, AS_JSON, ["repeated_field"]),
    ("POST", WEBHOOK, b"{}", SIGNED, AS_JSON | {"Content_Encoding": "gzip"}, ["content_encoding"]),
    ("GET", WEBHOOK, b"x", SIGNED, {}, ["unexpected_body"]),
    ("GET", f"{WEBHOOK}/two", b"", SIGNED, {}, ["wrong_field"]),
    ("GET", "/api/v1/acme/01HX3V9K2M8E5N7Q4R6S0T1W2Y", b"", SIGNED, {}, ["wrong_field"]),
    ("GET", "/api/v1/\udcff/\0", b"", "\udcff=%00", {}, ["wrong_field", "no_signature"]),
    # the Start API
    ("POST", START, b"", "", ACCEPT, ["no_api_key"]),
    ("POST", START, b"", "", ACCEPT | {"Authorization": " "}, ["no_api_key"]),
    ("POST", START, b"", "", ACCEPT | {"Authorization": "Basic YTpi"}, ["no_api_key"]),
    ("POST", START, b"", "", ACCEPT | {"Authorization": f"Bearer {KEY}"}, ["no_api_key"]),
    ("POST", START, b"", "", {"Authorization": KEY}, ["no_accept_json"]),
    ("POST", START, {"payload": {"order": 1}}, "", KEYED | AS_JSON, ["wrong_field"]),
    ("POST", START, {"order": 1}, "", KEYED | AS_JSON, ["missing_field", "unknown_field"]),
    ("POST", START, {"payload": "1", "flow": 1}, "", KEYED | AS_JSON, ["unknown_field"]),
    ("POST", f"{START}/raw", b"<a/>", "", KEYED | {"Content_Type": "text/xml"}, ["wrong_content_type"]),
    ("POST", f"{START}/raw", b"{}", "", KEYED, ["missing_content_type"]),
    ("POST", f"{START}/raw", b"", "flow_variables=x", KEYED, ["wrong_field"]),
    ("POST", f"{START}/raw", b"", "flow_variables=[1]", KEYED, ["wrong_field"]),
    ("POST", f"{START}/raw", b"", "virtual_environment_id=two", KEYED, ["wrong_field"]),
    ("POST", f"{START}/raw", b"", "environment=2", KEYED, ["unknown_query_parameter"]),
    ("POST", f"{START}/raw", b"", f"api_key={KEY}", KEYED, ["credentials_in_query"]),
    ("POST", "/api/v1/flows/one/start", b"", "", KEYED, ["wrong_field"]),
    # login and logout
    ("POST", LOGIN, {"username": "a", "password": "b"}, "", ACCEPT | AS_JSON, ["missing_field", "unknown_field"]),
    ("POST", LOGIN, b"email=a&password=b", "", ACCEPT | {"Content_Type": "application/x-www-form-urlencoded"},
     ["wrong_content_type"]),
    ("POST", LOGIN, b"", "", ACCEPT, ["missing_body"]),
    ("POST", LOGIN, ADA, "password=x", ACCEPT | AS_JSON, ["credentials_in_query"]),
    ("POST", LOGIN, {**ADA, "password": 1}, "", ACCEPT | AS_JSON, ["wrong_field"]),
    ("POST", "/api/logout", b"", "", KEYED, ["no_bearer_token"]),
    ("POST", "/api/logout", b"x", "", ACCEPT | {"Authorization": "Bearer x"}, ["unexpected_body"]),
    # the Core API
    ("GET", RUNS, b"", "", ACCEPT, ["no_api_key"]),
    ("GET", RUNS, b"", "filter[colour]=red", KEYED, ["unknown_query_parameter"]),
    ("GET", RUNS, b"", "include=colours", KEYED, ["wrong_field"]),
    ("GET", RUNS, b"", "sort=colour", KEYED, ["wrong_field"]),
    ("GET", RUNS, b"", "page=0&per_page=101", KEYED, ["wrong_field", "wrong_field"]),
    ("GET", RUNS, b"", "per_page=-1", KEYED, ["wrong_field"]),
    ("GET", RUNS, b"", "per_page=abc", KEYED, ["wrong_field"]),
    ("GET", RUNS, b"", "per_page=1000000000", KEYED, ["wrong_field"]),
    ("GET", RUNS, b"", "filter[started_after]=yesterday", KEYED, []),  # no run is compared with it
    ("GET", RUNS, b"", "fields[colour]=red", KEYED, ["unknown_query_parameter"]),
    ("GET", RUNS, b"", "page=1&page=2", KEYED, ["repeated_field"]),
    ("GET", RUNS, b"x", "", KEYED, ["unexpected_body"]),
    ("POST", POOLS, {"name": "ab"}, "", KEYED | AS_JSON, ["wrong_field"]),
    ("POST", POOLS, {"title": "Orders"}, "", KEYED | AS_JSON, ["missing_field", "unknown_field"]),
    ("POST", POOLS, b"[", "", KEYED | AS_JSON, ["malformed_body"]),
    ("POST", POOLS, b"", "", KEYED, ["missing_body"]),
])  # fmt: skip
def test_violation_is_reported_by_its_code(flows: Flows, target: tuple[Any, ...]) -> None:
    *sent, expected = target

    assert sorted(codes(flows, *sent)) == sorted(expected)


def test_missing_hmac_is_reported_where_the_webhook_asked_for_it(flows: Flows) -> None:
    hook = flows.store.add_hook(1, Webhook(hmac=Hmac("sha256", "a key of the sender")))
    path, query = f"/api/v1/acme/{hook.id}", f"patchworks_signature={hook.signature}"

    assert codes(flows, "POST", path, b"{}", query, AS_JSON) == ["no_signature"]
    assert codes(flows, "POST", path, b"{}", query, AS_JSON | {"X_HMAC_HASH": "00"}) == []  # a wrong one is state


@pytest.mark.parametrize(("path", "body", "query"), [
    ("/api/v1/acme/01hx3v9k2m8e5n7q4r6s0t1w20", b"{}", SIGNED),
    (WEBHOOK, b"{}", "patchworks_signature=another"),
    ("/api/v1/flows/9/start", b"", ""),
    (f"{START}/99", b"", ""),
    ("/api/v1/flow-runs/01hx3v9k2m8e5n7q4r6s0t1w20/retry", b"", ""),
])  # fmt: skip
def test_what_does_not_exist_is_state_and_no_violation(flows: Flows, path: str, body: bytes, query: str) -> None:
    headers = AS_JSON if query else KEYED

    assert flows.send("POST", path, body, query, **headers).status in (403, 404)
    assert codes(flows, "POST", path, body, query, headers) == []


def test_later_changes_of_the_platform_change_no_verdict(flows: Flows) -> None:
    entries = [flows.hook(b"{", **AS_JSON).entry, flows.start(body={"order": 1}).entry]
    before = [violations_of(entry) for entry in entries]

    flows.store.delete_flow(1)

    assert [violations_of(entry) for entry in entries] == before
    assert all(before)


HOOKS = {"webhook": WEBHOOK[-26:], "callback": CALLBACK[-26:]}
PATHS = [
    (endpoint.path.replace("{webhook_id}", HOOKS.get(endpoint.kind.name, "")), method)
    for endpoint in ENDPOINTS
    for method in endpoint.operations
]
VALUES = st.sampled_from(["", "1", "0", "-1", "abc", "{}", "[1]", "\0", "\udcff", "id,name", "-started_at", "flow"])
NAMES = st.sampled_from(
    ["page", "per_page", "sort", "include", "filter[status]", "filter[started_after]", "filter[]", "filter",
     "fields[flow]", "flow_variables", "virtual_environment_id", "email", "patchworks_signature"]
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from(
        ["email", "username", "password", "payload", "name", "description", "feature", "prompt", "message"]
    ),
    VALUES | st.none() | st.integers() | st.lists(VALUES, max_size=1),
    max_size=4,
)
STATE = ("flow_not_deployed", "flow_inactive", "flow_disabled", "too_many_records")
"""Reasons of a 400 or 422 that are state."""


@pytest.mark.parametrize("ignores", ["reject", "ignore"])
def test_every_refusal_of_what_was_sent_is_a_violation(make_flows: Callable[..., Flows], ignores: str) -> None:
    flows = make_flows(core_unknown_query=ignores, journal_entries=10)
    flows.start()
    (run,) = flows.sandbox.platform.runs.runs()
    pool = flows.store.records.add(DataPool, "acme", name="Orders", description=None)
    conversation = flows.store.records.begin_conversation("acme", "x", "y", None)
    ids = {"flow_id": "1", "version_id": "11", "flow_run_id": run.id, "flow_version_id": "11"}
    refused: set[str] = set()

    @given(
        target=st.sampled_from(PATHS),
        pairs=st.lists(st.tuples(NAMES, VALUES), max_size=3),
        body=st.one_of(
            FIELDS.map(lambda fields: json.dumps(fields).encode()),
            st.sampled_from([b"", b" ", b"[", b"[1]", b"null", b"1", b"\xff", b"[" * 5000]),
        ),
    )
    @settings(max_examples=400)
    def send(target: tuple[str, str], pairs: list[tuple[str, str]], body: bytes) -> None:
        path, method = target
        number = str(conversation.id if "conversations" in path else pool.id if "data-pool" in path else run.number)
        path = path.format_map({**ids, "id": number, "company": "acme", "ve_prefix": "2"})
        query = "&".join(f"{name}={value}" for name, value in pairs)
        sent = flows.send(method, path, body, query, **KEYED, **AS_JSON)
        found = violations_of(sent.entry)
        assert {violation.code for violation in found} <= set(RULES)
        if sent.status in (400, 422):
            reason = (sent.entry.reason or "").partition(":")[0]
            refused.add(reason)
            assert reason in STATE or found, (sent.entry.reason, method, path, query, body)

    send()
    assert refused >= {"invalid_query", "flow_payload", "missing_login", "invalid_record"}, refused


def test_document_states_the_rules_that_requests_are_held_against() -> None:
    document = general_document("flows")

    for endpoint in ENDPOINTS:
        for method, operation in endpoint.operations.items():
            described = document["paths"][endpoint.path][method.lower()]["description"]
            assert all(f"`{code}`: {rule.says}" in described for code, rule in rules_of(operation).items())


def test_each_address_is_found_by_its_path(flows: Flows) -> None:
    entry = flows.start().entry
    values = {"flow_id": "1", "version_id": "2", "company": "acme", "ve_prefix": "2"}

    for endpoint in ENDPOINTS:
        path = endpoint.path.format_map({name: values.get(name, "7") for name in _names(endpoint.path)})
        found, in_path = asked_operations(replace(entry, kind=endpoint.kind.name, path=f"/fabric{path}"))
        assert found is endpoint.operations
        assert set(in_path) == set(_names(endpoint.path))
    assert {access_of(operation) for endpoint in ENDPOINTS for operation in endpoint.operations.values()} == {
        *("key", "bearer", "signature", "login")
    }


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]
