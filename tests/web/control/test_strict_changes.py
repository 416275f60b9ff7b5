"""A change that changes nothing, or holds a value of another JSON type, is refused: it would look as if it worked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Integration


@pytest.mark.parametrize("body", [None, {}], ids=["no body", "empty object"])
@pytest.mark.parametrize(("method", "path"), [("PUT", "/clock"), ("PATCH", "/settings")])
def test_change_of_nothing_is_refused(integration: Integration, method: str, path: str, body: Any) -> None:
    response = integration.control(method, path, json=body)

    assert response.status_code == 422
    assert "nothing to change; give at least one of " in response.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("rate_limit", "true", "true or false"),
        ("token_methods", "GET", "GET, POST or both"),
        ("success_status", "201", "200 or 201"),
        ("wire_profile", None, "modern or legacy"),
    ],
)
def test_setting_of_another_json_type_is_refused(integration: Integration, name: str, value: Any, allowed: str) -> None:
    response = integration.control("PATCH", "/settings", json={name: value})

    assert response.status_code == 422
    [error] = response.json["errors"]  # type: ignore[index]
    assert (error["field"], error["message"]) == (f"body.{name}", f"use {allowed}")


def test_every_setting_of_another_json_type_is_told_at_once(integration: Integration) -> None:
    response = integration.control("PATCH", "/settings", json={"rate_limit": "true", "success_status": "201"})

    fields = [error["field"] for error in response.json["errors"]]  # type: ignore[index]
    assert fields == ["body.rate_limit", "body.success_status"]


@pytest.mark.parametrize(("value", "kept"), [(90.0, 90), (90, 90)], ids=["whole float", "integer"])
def test_whole_number_may_be_written_as_a_float(integration: Integration, value: Any, kept: int) -> None:
    response = integration.control("PATCH", "/settings", json={"token_lifetime": value})

    assert response.json["token_lifetime"] == kept  # type: ignore[index]


def test_url_is_unset_by_null(integration: Integration) -> None:
    integration.control("PATCH", "/settings", json={"public_url": "https://sandbox.example"})

    assert integration.control("PATCH", "/settings", json={"public_url": None}).json["public_url"] is None  # type: ignore[index]
