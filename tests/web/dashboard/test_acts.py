"""Acts by plain forms, as a browser without JavaScript posts them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from sandbox.faults import make_rule
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.web.dashboard.forms import Forms

ACT = "/_sandbox/dashboard/act"
REPORT = "/dashboard/sync-report"
ADVANCE = {"act": "POST /clock/advance", "body": '{"duration": "PT1H"}', "back": "/_sandbox/dashboard/clock"}


def act(integration: Integration, **form: str) -> TestResponse:
    return integration.http.post(ACT, data=form)


def test_button_makes_its_call_and_leads_back(integration: Integration) -> None:
    integration.sandbox.clock.freeze()
    before = integration.sandbox.clock.now()

    answer = act(integration, **ADVANCE)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/_sandbox/dashboard/clock")
    assert integration.sandbox.clock.now() - before == timedelta(hours=1)


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"act": "PUT /clock", "utc.now": "2031-05-05T05:05"}, "2031-05-05 05:05:00"),
        ({"act": "PUT /clock", "utc.now": "2031-05-05T05:05:07"}, "2031-05-05 05:05:07"),
        ({"act": "POST /clock/advance", "text.duration": "1d"}, "2030-01-02 00:00:00"),
        ({"act": "PUT /clock", "json.rate": "3600"}, "3600"),
    ],
)
def test_typed_fields_become_the_body(integration: Integration, form: dict[str, str], shown: str) -> None:
    integration.sandbox.clock.change(now="2030-01-01T00:00:00Z", frozen=True)

    act(integration, **form)
    if "json.rate" in form:
        integration.sandbox.clock.unfreeze()

    assert shown in integration.http.get("/_sandbox/dashboard/services").text


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"act": "POST /clock/advance", "text.duration": "a fortnight"}, 422, "a fortnight"),
        ({"act": "PUT /clock", "json.rate": "fast"}, 422, "use a number"),
        ({"act": "PUT /clock", "body": "{"}, 400, "not JSON"),
        ({"act": "DELETE /faults/fault-9"}, 404, "fault-9"),
        ({"act": "POST /nothing"}, 404, "here is nothing at"),
        ({"act": "PUT /reset"}, 405, "is not allowed at"),
        ({"act": "GET /state?secrets=true"}, 400, "names no act"),
        ({"act": "POST clock"}, 400, "names no act"),
        ({"act": "POST /dashboard/act"}, 400, ""),
        ({}, 400, "names no act"),
        ({"act": "POST /\u2603%ff%00"}, 404, "here is nothing at"),
    ],
)
def test_refusal_is_shown_as_the_api_says_it(
    integration: Integration, form: dict[str, str], status: int, said: str
) -> None:
    answer = act(integration, **form)

    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert said in answer.text


@pytest.mark.parametrize(
    "target", ["", "https://evil.example/", "//evil.example", "/_sandbox//evil\\", "/_sandbox/\r\nX: y", "/v1/acme/x"]
)
def test_act_leads_to_pages_of_the_sandbox_only(integration: Integration, target: str) -> None:
    answer = act(integration, **{**ADVANCE, "back": target})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/_sandbox/")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_form_on_a_page_of_another_site_does_nothing(integration: Integration, headers: dict[str, str]) -> None:
    integration.sandbox.clock.freeze()
    before = integration.sandbox.clock.now()

    assert integration.http.post(ACT, data=ADVANCE, headers=headers).status_code == 403
    assert integration.sandbox.clock.now() == before


def test_act_needs_the_control_key(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(control_key="correct-horse-battery-staple")

    assert act(integration, **ADVANCE).status_code == 401
    answer = integration.http.post(ACT, data=ADVANCE, auth=("me", "correct-horse-battery-staple"))
    assert answer.status_code == 303


def test_every_button_names_an_operation_of_the_control_api(integration: Integration) -> None:
    faults = integration.sandbox.platform.faults
    faults.add(make_rule({"kind": "failed", "message": "no stock"}, reference="1001"))
    integration.post({"order": "1001"})
    routes = SandboxApp(integration.sandbox).control.url_map.bind("")
    acts: set[str] = set()
    for path in ("/", "/?open=2", "/dashboard/faults", "/dashboard/services", "/dashboard/services/3", REPORT):
        acts |= set(re.findall(r'name="act" value="([^"]+)"', integration.http.get(f"/_sandbox{path}").text))

    assert len(acts) > 8
    for method, _, path in (act.partition(" ") for act in acts):
        assert routes.match(f"/_sandbox{path}", method)


def test_items_are_resynced_by_a_form(integration: Integration) -> None:
    integration.sandbox.platform.faults.add(make_rule({"kind": "failed"}, reference="1001", times=1))
    integration.post({"order": "1001"})
    html = integration.http.get(f"/_sandbox{REPORT}").text
    form = next(form for form in Forms(html).every if "ids" in form.get("body", ""))

    assert integration.http.post(ACT, data=form | {"act": "POST /sync-report/resync"}).status_code == 303
    assert integration.sandbox.platform.processing.items()[0].status == "OK"


def test_every_page_has_the_clock_in_its_bar(integration: Integration) -> None:
    for path in ("/", "/dashboard/services", "/dashboard/faults", "/dashboard/try", "/docs"):
        html = integration.http.get(f"/_sandbox{path}").text

        assert [html.count(f'value="{call}"') for call in ("POST /clock/advance", "DELETE /clock")] == [2, 1], path
