"""Run-time settings over HTTP."""

from __future__ import annotations

import pytest

from sandbox.foundation.settings import setting_specs
from tests.conftest import Integration
from tests.web.control.problem import detail


def test_every_run_time_setting_is_shown(integration: Integration) -> None:
    shown = integration.control("GET", "/settings").get_json()

    assert list(shown) == [spec.name for spec in setting_specs() if spec.runtime]


def test_change_works_at_once_and_until_the_reset(integration: Integration) -> None:
    changed = integration.control("PATCH", "/settings", {"success_status": 201, "token_lifetime": 3600})

    assert changed.status_code == 200
    assert (changed.get_json()["success_status"], changed.get_json()["token_lifetime"]) == (201, 3600)
    assert integration.post().status_code == 201
    integration.control("POST", "/reset")
    assert integration.post().status_code == 200


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("wire_profile", "old", "body.wire_profile: 'old' is not allowed; use modern or legacy"),
        ("wire_profile", None, "body.wire_profile: null is not allowed; use modern or legacy"),
        ("rate_limit", "perhaps", "body.rate_limit: 'perhaps' is not allowed; use true or false"),
        ("body_limit", True, "body.body_limit: true is not allowed; use a whole number from 1 to 1073741824"),
        ("token_lifetime", "24h", "'24h' is not allowed; use a whole number from 1 to 31536000"),
        ("token_lifetime", 1e308, "is not allowed; use whole seconds from 1 to 31536000"),
        ("port", 1, "use it at the start only"),
        ("wire_profil", "legacy", "did you mean 'wire_profile'?"),
    ],
    ids=["choice", "null", "boolean", "number", "text", "huge", "start only", "typo"],
)
def test_bad_setting_is_refused_and_none_of_the_others_is_changed(
    integration: Integration, setting: str, value: object, told: str
) -> None:
    before = integration.control("GET", "/settings").get_json()

    response = integration.control("PATCH", "/settings", {"success_status": 201, setting: value})

    assert told in detail(response, 422)
    assert integration.control("GET", "/settings").get_json() == before


def test_optional_setting_is_unset_with_null(integration: Integration) -> None:
    integration.control("PATCH", "/settings", {"public_url": "https://sandbox.test"})
    with_url = integration.control("GET", "/services/1").get_json()["url"]
    integration.control("PATCH", "/settings", {"public_url": None})

    assert with_url == "https://sandbox.test/v1/acme/orders"
    assert integration.control("GET", "/services/1").get_json()["url"] == "http://localhost/v1/acme/orders"
