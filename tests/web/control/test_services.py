"""Services and their inbound URLs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail

SERVICE = {"company": "acme", "connector_id": 1, "entity": "anything", "vanity_url": "returns"}


def test_service_is_added_with_its_inbound_url(integration: Integration) -> None:
    response = integration.control("POST", "/services", {**SERVICE, "vanity_url": "ReTurns_1"})

    service = response.get_json()
    assert response.status_code == 201
    assert service == {
        "id": 4,
        **SERVICE,
        "vanity_url": "returns_1",
        "active": True,
        "url": "http://localhost/v1/acme/returns_1",
        "created_at": service["created_at"],
    }
    assert integration.control("GET", "/services/4").get_json() == service
    assert integration.control("GET", "/services").get_json()[-1] == service
    assert integration.post(b"x", "/v1/acme/returns_1").status_code == 200


def test_service_is_deactivated_and_activated(integration: Integration) -> None:
    off = integration.control("PATCH", "/services/3", {"active": False})
    while_off = integration.post().status_code
    on = integration.control("PATCH", "/services/3", {"active": True})

    assert (off.status_code, off.get_json()["active"], while_off) == (200, False, 404)
    assert (on.get_json()["active"], integration.post().status_code) == (True, 200)


def test_service_may_be_added_inactive(integration: Integration) -> None:
    integration.control("POST", "/services", {**SERVICE, "active": False})

    assert integration.post(b"x", "/v1/acme/returns").status_code == 404


def test_deleted_service_leaves_its_url_free(integration: Integration) -> None:
    response = integration.control("DELETE", "/services/3")

    assert (response.status_code, response.data) == (204, b"")
    assert integration.post().status_code == 404
    assert detail(integration.control("GET", "/services/3"), 404) == "there is no service 3; known: 1, 2"
    assert integration.control("POST", "/services", {**SERVICE, "vanity_url": "anything"}).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"connector_id": True}, 422, "body.connector_id: True is not allowed; allowed: a whole number"),
        ({"connector_id": "1"}, 422, "body.connector_id: '1' is not allowed; allowed: a whole number"),
        ({"connector_id": 1.5}, 422, "body.connector_id: 1.5 is not allowed; allowed: a whole number"),
        ({"connector_id": 10**30}, 404, f"there is no connector {10**30}; known: 1"),
        ({"company": "nope"}, 404, "there is no company 'nope'; known: acme"),
        ({"entity": "nope"}, 404, "there is no entity 'nope'; known: orders, products, anything"),
        (
            {"vanity_url": "ab"},
            422,
            "'ab' is not allowed; allowed: 3 to 36 letters, digits, '-' or '_' (upper case is lowered)",
        ),
        ({"vanity_url": "a/../b"}, 422, "body.vanity_url: 'a/../b' is not allowed"),
        ({"vanity_url": "Orders"}, 409, "company 'acme' has a service at 'orders' already; choose another vanity URL"),
        ({"active": "yes"}, 422, "body.active: 'yes' is not allowed; allowed: true or false"),
        ({"active": 1}, 422, "body.active: 1 is not allowed; allowed: true or false"),
        ({"activ": True}, 422, "body.activ: unknown; did you mean 'active'? known: active, "),
    ],
    ids=[
        "boolean id",
        "text id",
        "fractional id",
        "huge id",
        "company",
        "entity",
        "short URL",
        "path in URL",
        "taken",
        "text for boolean",
        "number for boolean",
        "unknown field",
    ],
)
def test_bad_service_is_refused(integration: Integration, changes: dict[str, Any], status: int, told: str) -> None:
    assert told in detail(integration.control("POST", "/services", {**SERVICE, **changes}), status)
    assert len(integration.sandbox.store.services()) == 3


def test_connector_of_another_company_is_refused(integration: Integration) -> None:
    integration.control("POST", "/companies", {"name": "Beta", "slug": "beta"})

    response = integration.control("POST", "/services", {**SERVICE, "company": "beta"})
    assert detail(response, 422) == "body.connector_id: 1 is not allowed; allowed: a connector of company 'beta'"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "body.active: missing; give true or false"),
        ({"active": None}, "body.active: None is not allowed; allowed: true or false"),
        ({"active": True, "vanity_url": "x"}, "body.vanity_url: unknown; known: active"),
    ],
    ids=["nothing", "null", "not changeable"],
)
def test_bad_change_is_refused(integration: Integration, body: object, told: str) -> None:
    assert detail(integration.control("PATCH", "/services/1", body), 422) == told


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"active": True}), ("DELETE", None)])
def test_unknown_service_is_not_found(integration: Integration, method: str, body: object) -> None:
    assert detail(integration.control(method, "/services/99", body), 404) == "there is no service 99; known: 1, 2, 3"
