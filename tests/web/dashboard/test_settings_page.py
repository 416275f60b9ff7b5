"""The page of settings: values, origins, evidence, and a form for each that may change now."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox import Sandbox
from sandbox.cli.configuration import Configuration, Origin
from sandbox.cli.serve import _server
from sandbox.foundation.settings import Settings, setting_specs
from sandbox.platform.keys import SigningKey
from sandbox.state.seed import demo_seed
from sandbox.web.app import SandboxApp
from tests.conftest import Integration
from tests.web.dashboard.forms import Forms

PAGE = "/_sandbox/dashboard/settings"


def rows(html: str) -> dict[str, str]:
    """Return what the page says of each setting."""
    parts = re.split(r'<li class="setting" id="setting-(\w+)"', html)
    return dict(zip(parts[1::2], map(unescape, parts[2::2]), strict=True))


def origin(html: str, name: str) -> str:
    return re.findall(r'class="origin"><span[^>]*>([^<]*)', rows(html)[name])[0]


def test_every_setting_is_shown_with_its_evidence(integration: Integration) -> None:
    shown = rows(integration.http.get(PAGE).text)

    assert list(shown) == [spec.name for spec in sorted(setting_specs(), key=lambda spec: not spec.runtime)]
    assert [name for name, text in shown.items() if "Evidence: " not in text] == []
    assert "1.14" in shown["token_lifetime"] or "rows" in shown["token_lifetime"]


def test_each_form_sends_the_value_that_it_shows(integration: Integration) -> None:
    before = integration.sandbox.settings
    forms = [form for form in Forms(integration.http.get(PAGE).text).every if "setting" in form]

    answers = {form["setting"]: integration.http.post(PAGE, data=form).status_code for form in forms}

    assert answers == dict.fromkeys([spec.name for spec in setting_specs() if spec.runtime], 303)
    assert integration.sandbox.settings == before


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("token_lifetime", "60", 60),
        ("rate_limit", "true", True),
        ("public_url", "", None),
        ("scopes", "one\r\ntwo", ("one", "two")),
        ("success_message", "Taken.", "Taken."),
        ("wire_profile", "legacy", "legacy"),
    ],
)
def test_setting_is_changed_and_undone(integration: Integration, name: str, text: str, value: Any) -> None:
    integration.sandbox.change_settings({"public_url": "http://localhost"})

    assert integration.http.post(PAGE, data={"setting": name, name: text}).status_code == 303
    assert getattr(integration.sandbox.settings, name) == value
    html = integration.http.get(PAGE).text
    if value != getattr(integration.sandbox.initial_settings, name):
        assert origin(html, name) == "changed while it runs"
        undo = next(form for form in Forms(html).every if f'"{name}"' in form.get("body", ""))
        assert (
            integration.http.post("/_sandbox/dashboard/act", data=undo | {"act": "PATCH /settings"}).status_code == 303
        )
    assert getattr(integration.sandbox.settings, name) == getattr(integration.sandbox.initial_settings, name)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("token_lifetime", "nine", "'nine' is not allowed; use a whole number from 1"),
        ("token_lifetime", "", "a whole number"),
        ("public_url", "no url", "use an http or https URL"),
        ("success_status", "[", "use 200 or 201"),
    ],
)
def test_refusal_is_at_its_setting(integration: Integration, name: str, text: str, said: str) -> None:
    before = integration.sandbox.settings

    answer = integration.http.post(PAGE, data={"setting": name, name: text})

    assert answer.status_code == 422
    assert said in rows(answer.text)[name].partition(f'id="field-{name.replace("_", "-")}-error">')[2]
    assert integration.sandbox.settings == before


@pytest.mark.parametrize("form", [{"setting": "threads", "threads": "3"}, {"setting": "tokn_path"}, {}])
def test_setting_of_the_start_or_of_no_name_is_refused(integration: Integration, form: dict[str, str]) -> None:
    answer = integration.http.post(PAGE, data=form)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text or 'class="problem"' in answer.text


def test_origin_of_each_is_shown(signing_key: SigningKey) -> None:
    seed = {"settings": {"token_lifetime": 60, "body_limit": 1000}}
    sandbox = Sandbox(seed, settings={"token_lifetime": 90}, signing_key=signing_key)
    sandbox.change_settings({"entity_check": "off"})

    html = page_of(sandbox)

    shown = {name: origin(html, name) for name in ("token_lifetime", "body_limit", "entity_check", "rate_limit")}
    assert shown == {
        "token_lifetime": "given at the start",
        "body_limit": "seed settings.body_limit",
        "entity_check": "changed while it runs",
        "rate_limit": "default",
    }


def page_of(sandbox: Sandbox) -> str:
    return Client(SandboxApp(sandbox)).get(PAGE).text


def test_command_says_where_settings_come_from() -> None:
    given = {"token_lifetime": 60, "port": 0}
    origins = {spec.name: Origin("default") for spec in setting_specs()}
    origins |= {"token_lifetime": Origin("flag", "--token-lifetime"), "port": Origin("environment", "X_PORT")}

    server = _server(Configuration(demo_seed(), given, Settings().changed(given), origins))

    assert server.sandbox.origins == {"token_lifetime": "flag --token-lifetime", "port": "environment variable X_PORT"}


def test_secrets_are_not_shown(make_integration: Callable[..., Integration], tmp_path: Path) -> None:
    key = "correct-horse-battery-staple"
    integration = make_integration(control_key=key, client_secret="a-secret-of-at-least-twenty-characters")

    html = integration.http.get(PAGE, headers={"Authorization": f"Bearer {key}"}).text

    assert key not in html
    assert "a-secret-of-at-least" not in html
    assert "(not shown)" in rows(html)["control_key"]
