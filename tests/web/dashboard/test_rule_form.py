"""The form of a fault rule, made of the schemas that the control API publishes."""

from __future__ import annotations

import dataclasses
import gc
from typing import Any

import pytest

from sandbox import faults
from sandbox.faults import KINDS, make_rule
from sandbox.faults.fault import Fault
from sandbox.faults.matching import Faultable, Matcher
from sandbox.faults.rules import FaultRule
from sandbox.foundation import value_types as types
from sandbox.foundation.fields import field, object_schema
from sandbox.web.dashboard.schema_form import SchemaForm
from tests.conftest import Integration
from tests.faults.test_rules import EXAMPLES
from tests.web.dashboard.forms import Forms

NEW = "/_sandbox/dashboard/faults/new"
ODD: list[FaultRule] = [
    make_rule(faults.status(503, "503")),
    make_rule(faults.status(503, 503)),
    make_rule(faults.status(503, '"quoted"'), name='"quoted"'),
    make_rule(faults.status(503, "  spaces at both ends ")),
    make_rule(faults.status(503, {"a": [1.5, None, True, "\u2603"]}, {"X-A": "1"})),
    make_rule(faults.status(503, "\nbegins with a line\n")),
    make_rule(faults.garbage_response("one\r\ntwo\n\n")),
    make_rule(faults.garbage_response(" ")),
    make_rule(faults.garbage_response("</textarea><script>alert(1)</script>")),
    make_rule(faults.token_response(remove=["expires_in", "[odd", "{"], set={"a": 1})),
    make_rule(faults.latency("90s"), name="null", after=3, every=2, probability=0.25, times=7, accept=True),
    make_rule(faults.relayed(chunked=False), since="2026-11-23T18:00:00Z", lasts=60),
    make_rule(faults.status(500), headers={"X-A": None}, json_path={"$.order": "1001", "$.n": 1}, method="post"),
    make_rule(faults.status(500), json_path="$.lines[0]", client_id="c", company="acme", vanity_url="orders"),
    make_rule(faults.failed("no stock"), reference="1001"),
    make_rule(faults.sequence(faults.status(503, "a"), "pass", faults.latency(2), repeat=True)),
]


@pytest.mark.parametrize(
    "rule", [*map(make_rule, EXAMPLES.values()), *ODD], ids=[*EXAMPLES, *(f"odd-{at}" for at in range(len(ODD)))]
)
def test_rule_survives_its_form(integration: Integration, rule: FaultRule) -> None:
    state = integration.sandbox.platform.faults.add(rule)
    address = f"/_sandbox/dashboard/faults/{state.id}"
    form = Forms(integration.http.get(address).text).forms[address]

    answer = integration.http.post(address, data=form | {"do": "save"})

    assert answer.status_code == 303, answer.text
    assert integration.sandbox.platform.faults.get(state.id).rule == rule


@pytest.mark.parametrize("kind", KINDS)
def test_form_has_a_field_for_each_field_of_a_kind(integration: Integration, kind: str) -> None:
    form = Forms(integration.http.get(NEW, query_string={"fault.kind": kind}).text).forms[NEW]

    known = {f"fault.{each.name}" for each in dataclasses.fields(KINDS[kind])} - {"fault.steps"}
    assert known <= form.keys()
    assert form["fault.kind"] == kind


def test_new_kind_needs_no_line_in_the_form() -> None:
    class Flood(Fault):
        """Water."""

        depth: int = field(types.integer(1, 9), "How deep.", 3)
        salty: bool = field(types.boolean(), "Whether it is.", False)

    schema = object_schema(dataclasses.dataclass(frozen=True)(Flood), "Water.")
    form = SchemaForm(schema, {})

    fields, _ = form.fields({"depth": 5}, {"depth": "use less"})
    assert [(each.name, each.control, each.value, each.error) for each in fields] == [
        ("depth", "line", "5", "use less"),
        ("salty", "flag", "false", ""),
    ]


@pytest.mark.parametrize(
    ("given", "at", "said"),
    [
        ({"fault.kind": "status", "fault.code": "9999"}, "field-fault-code", "from 200 to 599"),
        ({"fault.kind": "status", "fault.code": "many"}, "field-fault-code", "&#39;many&#39; is not allowed"),
        ({"fault.kind": "status"}, "field-fault-code", "missing; give a whole number from 200 to 599"),
        ({"fault.kind": "hang", "match.json_path": "$.["}, "field-match-json-path", "RFC 9535"),
        ({"fault.kind": "hang", "match.headers": "X-A: 1"}, "field-match-headers", "an object of header names"),
        ({"fault.kind": "failed", "match.endpoint": "inbound"}, "field-match-endpoint", "processing"),
        ({"fault.kind": "hang", "times": "0"}, "field-times", "a whole number from 1"),
        (
            {"fault.kind": "sequence", "fault.steps[0].kind": "pass", "fault.steps[1].kind": "status"},
            "field-fault-steps-1--code",
            "missing; give a whole number from 200 to 599",
        ),
    ],
)
def test_refusal_is_at_its_field(integration: Integration, given: dict[str, str], at: str, said: str) -> None:
    answer = integration.http.post(NEW, data={**given, "do": "save"})

    assert answer.status_code == 422
    problem = answer.text.partition(f'id="{at}-error">')[2].partition("</p>")[0]
    assert said in problem
    assert f'id="{at}"' in answer.text.partition('aria-invalid="true"')[0].rpartition("<")[2]
    assert len(integration.sandbox.platform.faults.rules()) == 0


def test_form_without_a_kind_is_refused_at_the_fault(integration: Integration) -> None:
    answer = integration.http.post(NEW, data={"do": "save", "name": "x"})

    assert answer.status_code == 422
    assert "missing; give a fault: an object" in answer.text


@pytest.mark.parametrize(
    "given",
    [
        {"fault.kind": "\u2603"},
        {"fault.kind": "status", "fault.code": "[" * 1000},
        {"fault.kind": "status", "fault.code": "1e999", "fault.body": "1e999"},
        {"fault.kind": "sequence", **{f"fault.steps[{at}].kind": "hang" for at in range(400)}},
        {"fault.kind": "sequence", "fault.steps[0].kind": "sequence", "fault.steps[0].steps[0].kind": "hang"},
        {"match": "x", "fault": "y", "fault.steps": "z"},
        {"name": "a\x00b", "fault.kind": "hang"},
        {"times": "9" * 5000, "fault.kind": "hang"},
    ],
    ids=range(8),
)
def test_hostile_form_is_refused_or_read(integration: Integration, given: dict[str, str]) -> None:
    for do in ("show", "save"):
        assert integration.http.post(NEW, data={**given, "do": do}).status_code in (200, 303, 422)
    assert integration.http.get(NEW, query_string=given).status_code == 200


def _seen(integration: Integration, **form: str) -> str:
    html = integration.http.post(NEW, data={"do": "show", **form}).text
    return html.partition('data-region="preview"')[2].partition("</section>")[0]


def test_preview_shows_what_the_matcher_of_faults_matches(integration: Integration) -> None:
    token = integration.token()
    integration.post({"order": "1001"}, token=token)
    integration.post({"order": "1002"}, token=token)
    integration.post({"order": "1001"}, "/v1/acme/orders", token)
    integration.post({"order": "1001"}, token="wrong")
    integration.http.get("/nothing")

    cases: list[tuple[dict[str, str], str]] = [
        ({}, "<b>5</b> of the newest 6 requests"),
        ({"match.endpoint": "inbound"}, "<b>3</b> of"),
        ({"match.vanity_url": "orders"}, "<b>1</b> of"),
        ({"match.json_path": '{"$.order": "1001"}'}, "<b>2</b> of"),
        ({"fault.kind": "short_lived_token"}, "<b>1</b> of"),
        ({"fault.kind": "hang", "match.headers": '{"Content-Type": "application/json"}'}, "<b>3</b> of"),
        ({"match.json_path": "$.["}, "The preview needs conditions that are right"),
        ({"fault.kind": "failed"}, "<b>2</b> of the newest 2 items"),
        ({"match.endpoint": "processing", "match.reference": "1002"}, "<b>1</b> of the newest 2 items"),
    ]
    assert [(form, said in _seen(integration, **form)) for form, said in cases] == [(form, True) for form, _ in cases]


def test_preview_agrees_with_the_rule(integration: Integration) -> None:
    token = integration.token()
    orders: list[Any] = [{"order": "1001"}, {"order": "1002"}, [1], {"order": "1001", "more": {}}]
    for order in orders:
        integration.post(order, token=token)
    rule = {"fault.kind": "status", "fault.code": "503", "match.json_path": '{"$.order": "1001"}'}
    assert "<b>2</b> of" in _seen(integration, **rule)

    integration.http.post(NEW, data={**rule, "do": "save"})

    assert [integration.post(order, token=token).status_code for order in orders] == [503, 200, 200, 503]


def test_preview_looks_at_the_newest_requests_only(integration: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.web.dashboard.rules.SEARCHED", 3)
    for _ in range(4):
        integration.post()

    assert "<b>3</b> of the newest 3 requests" in _seen(integration)


def test_preview_holds_one_parsed_body_at_a_time(integration: Integration, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        integration.post({"order": "1001"})
    held: list[int] = []

    def matches(matcher: Matcher, request: Faultable) -> bool:
        held.append(sum(type(each) is Faultable for each in gc.get_objects()))  # no proxy is asked
        return looked(matcher, request)

    looked = Matcher.matches
    monkeypatch.setattr(Matcher, "matches", matches)

    assert "<b>5</b> of" in _seen(integration, **{"match.json_path": "$.order"})
    assert max(held) <= 2, "one, and the one that the next takes the place of"


def test_rule_links_to_the_requests_that_it_acted_on(integration: Integration) -> None:
    faults_of = integration.sandbox.platform.faults
    faults_of.add(make_rule(faults.status(503), name="a & b", times=1, endpoint="inbound"))
    integration.post()
    integration.post()

    html = integration.http.get("/_sandbox/dashboard/faults").text
    assert 'href="/_sandbox/?fault=a+%26+b"' in html
    listed = integration.http.get("/_sandbox/", query_string={"fault": "a & b"}).text
    assert listed.count('<li class="row') == 1
    assert 'value="a &amp; b"' in listed


def test_preset_is_switched_on_by_a_form(integration: Integration) -> None:
    page = "/_sandbox/dashboard/faults"
    form = next(each for each in Forms(integration.http.get(page).text).every if "json.match" in each)
    assert form["json.match"] == "{}"
    given = {**form.to_dict(), "json.match": '{"company": "acme", "vanity_url": "orders"}'}
    assert given["json.match"] in integration.http.get(page).text.replace("&#34;", '"')

    on = integration.http.post(
        "/_sandbox/dashboard/act", data={**given, "act": "POST /fault-presets/two-503s-then-fine"}
    )
    unknown = integration.http.post("/_sandbox/dashboard/act", data={**given, "act": "POST /fault-presets/..%2Fx"})

    assert (on.status_code, on.headers["Location"], unknown.status_code) == (303, page, 404)
    assert [state.rule.match.vanity_url for state in integration.sandbox.platform.faults.rules()] == ["orders"]
