"""Services and their inbound URLs."""

from __future__ import annotations

from collections.abc import Callable
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
        "next_run": None,
        "destination": None,
        "schedule": None,
        "time_zone": "UTC",
        "page_size": 100,
        "max_attempts": 4,
        "type": "standard",
        "reference": None,
        "mappings": [],
        "notes": None,
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
        ({"connector_id": True}, 422, "body.connector_id: true is not allowed; use a whole number"),
        ({"connector_id": "1"}, 422, "body.connector_id: '1' is not allowed; use a whole number"),
        ({"connector_id": 1.5}, 422, "body.connector_id: 1.5 is not allowed; use a whole number"),
        ({"connector_id": 10**30}, 404, f"there is no connector {10**30}; known: 1"),
        ({"company": "nope"}, 404, "there is no company 'nope'; known: acme"),
        ({"entity": "nope"}, 404, "there is no entity 'nope'; known: orders, products, anything"),
        (
            {"vanity_url": "ab"},
            422,
            "'ab' is not allowed; use 3 to 36 letters, digits, '-' or '_' (upper case is lowered)",
        ),
        ({"vanity_url": "a/../b"}, 422, "body.vanity_url: 'a/../b' is not allowed"),
        ({"vanity_url": "Orders"}, 409, "company 'acme' has a service at 'orders' already; choose another vanity URL"),
        ({"active": "yes"}, 422, "body.active: 'yes' is not allowed; use true or false"),
        ({"active": 1}, 422, "body.active: 1 is not allowed; use true or false"),
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
    assert detail(response, 422) == "body.connector_id: 1 is not allowed; use a connector of company 'beta'"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "body: nothing to change; give at least one of active, destination, "),
        ({"active": None}, "body.active: null is not allowed; use true or false"),
        ({"active": True, "vanity_url": "x"}, "body.vanity_url: unknown; known: active, destination, "),
        ({"page_size": 1_001}, "body.page_size: 1001 is not allowed; use a whole number from 1 to 1000"),
        ({"max_attempts": 16}, "body.max_attempts: 16 is not allowed; use a whole number from 1 to 15"),
        ({"max_attempts": None}, "body.max_attempts: null is not allowed; use a whole number from 1 to 15"),
        ({"time_zone": None}, "body.time_zone: null is not allowed; use a time zone of the IANA database"),
        ({"mappings": None}, "body.mappings: null is not allowed; use a list of up to 500 objects"),
        ({"type": "sweep"}, "body.type: 'sweep' is not allowed; use standard or sweeper"),
        ({"schedule": "0 0 30 2 *"}, "body.schedule: '0 0 30 2 *' is not allowed; use a preset (every minute, "),
        ({"time_zone": "utc"}, "body.time_zone: 'utc' is not allowed; use a time zone of the IANA database"),
        ({"time_zone": "\0" * 10_000}, "… is not allowed; use a time zone of the IANA database"),
        ({"time_zone": "../UTC"}, "body.time_zone: '../UTC' is not allowed; use a time zone of the IANA database"),
        ({"reference": "order"}, "body.reference: 'order' is not allowed; use an RFC 9535 JSONPath such as"),
        ({"mappings": [{"source": "a"}]}, "mappings[0].destination: missing; give text of 1 to 255"),
        ({"mappings": [{"sauce": "a"}]}, "did you mean 'source'?"),
        ({"mappings": {}}, "body.mappings: {} is not allowed; use a list of up to 500 objects"),
        ({"destination": "a\nb"}, "body.destination: 'a\\nb' is not allowed"),
        ({"notes": 5}, "body.notes: 5 is not allowed"),
    ],
)
def test_bad_change_is_refused(integration: Integration, body: object, told: str) -> None:
    assert told in detail(integration.control("PATCH", "/services/1", body), 422)


def test_service_is_added_and_changed_with_options(integration: Integration) -> None:
    options = {
        "destination": "NetSuite",
        "schedule": "every 2 hours",
        "time_zone": "Europe/London",
        "page_size": 50,
        "max_attempts": 2,
        "type": "sweeper",
        "reference": "$.order",
        "mappings": [{"source": "order", "destination": "tranid", "source_name": "Order"}],
        "notes": "of the shop",
    }
    added = integration.control("POST", "/services", {**SERVICE, **options}).json
    changed = integration.control("PATCH", "/services/4", {"schedule": None, "page_size": 9, "mappings": []}).json

    assert {name: added[name] for name in options} == options
    assert changed == {**added, "schedule": None, "page_size": 9, "mappings": []}


def test_service_shows_its_next_run(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(processing="scheduled")
    integration.sandbox.clock.travel_to("2026-11-27T10:03:00Z")
    integration.control("PATCH", "/services/1", {"schedule": "every 2 hours"})

    shown = integration.control("GET", "/services").json
    assert [service["next_run"] for service in shown] == ["2026-11-27T12:00:00.000000Z", None, None]


def test_mapping_preview_is_of_a_payload_an_entry_or_the_sample(integration: Integration) -> None:
    integration.control("PATCH", "/services/3", {"mappings": [{"source": "order", "destination": "tranid"}]})
    integration.post({"order": "from the journal"})
    entry = integration.control("GET", "/requests", kind="inbound").json["entries"][0]["id"]

    def preview(service: int, body: Any) -> Any:
        return integration.control("POST", f"/services/{service}/mapping-preview", body).json

    assert preview(3, {"payload": {"order": 1, "x": 2}}) == {
        "mapped": [
            {
                "source": "order",
                "destination": "tranid",
                "source_name": None,
                "destination_name": None,
                "values": [1],
                "total": 1,
            }
        ],
        "unmapped": ["x"],
        "missing": [],
    }
    assert preview(3, {"entry": entry})["mapped"][0]["values"] == ["from the journal"]
    assert preview(3, None)["missing"] == ["order"]
    both = integration.control("POST", "/services/3/mapping-preview", {"payload": 1, "entry": entry})
    assert "either this or payload, not both" in detail(both, 422)
    assert preview(1, None)["unmapped"][:2] == ["id", "number"]


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"active": True}), ("DELETE", None)])
def test_unknown_service_is_not_found(integration: Integration, method: str, body: object) -> None:
    assert detail(integration.control(method, "/services/99", body), 404) == "there is no service 99; known: 1, 2, 3"
