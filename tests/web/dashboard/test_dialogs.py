"""Connectors, entities, clients and services added and deleted by plain forms, as without JavaScript."""

from __future__ import annotations

import io
import json
import re

import pytest
from werkzeug.test import TestResponse

from sandbox.web.paths import MAX_CONTROL_BODY
from tests.conftest import Integration
from tests.web.dashboard.forms import Forms

PAGES = "/_sandbox/dashboard"
CONNECTOR = f"{PAGES}/connectors/1"
LEADING = re.compile(r'<form class="act" action="([^"]+)" data-to="dialog"><button[^>]*>([^<]+)<')


def send(integration: Integration, path: str, **fields: str) -> TestResponse:
    """Open a form, fill in some of its fields and send it as a browser does."""
    form = Forms(integration.http.get(path).text).forms[path]
    assert form.keys() >= fields.keys()
    form.update(fields)  # a field of one value gets another
    return integration.http.post(path, data={**form.to_dict(), **fields})


@pytest.mark.parametrize(
    ("page", "buttons"),
    [
        ("/connectors", ["Add connector"]),
        ("/connectors/1", ["Delete", "Add custom entity"]),
        ("/connectors/1/authentication", ["Delete", "Create an OAuth2 client", "Delete"]),
        ("/services", ["Add service", "Delete", "Delete", "Delete"]),
    ],
)
def test_buttons_lead_to_pages_with_a_form(integration: Integration, page: str, buttons: list[str]) -> None:
    found = LEADING.findall(integration.http.get(PAGES + page).text)

    assert [text for _, text in found] == buttons
    for address, _ in found:
        assert address in Forms(integration.http.get(address).text).forms


def test_connector_is_added(integration: Integration) -> None:
    answer = send(integration, f"{PAGES}/connectors/new", name="Shop", environment="live")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGES}/connectors/2")
    added = integration.sandbox.store.connectors()[-1]
    assert (added.name, added.company, added.environment) == ("Shop", "acme", "live")


def test_first_connector_brings_its_company(integration: Integration) -> None:
    integration.sandbox.store._companies.clear()

    send(integration, f"{PAGES}/connectors/new", company_name="Beta Ltd", name="Shop")

    assert [connector.company for connector in integration.sandbox.store.connectors()][-1] == "beta-ltd"


@pytest.mark.parametrize("way", ["pasted", "uploaded"])
def test_entity_is_added_by_a_sample_with_its_numbers_as_written(integration: Integration, way: str) -> None:
    path, sample = f"{CONNECTOR}/entities/new", '{"total": 100.00,\r\n "id": 9007199254740993}'
    given: dict[str, object] = {"type": "returns", "name": "web"}
    given |= {"sample": sample} if way == "pasted" else {"sample": "", "file": (io.BytesIO(sample.encode()), "x.json")}

    answer = integration.http.post(path, data=given)

    assert (answer.status_code, answer.headers["Location"]) == (303, CONNECTOR)
    entity = integration.sandbox.store.entities(1)[-1]
    assert json.dumps(entity.sample) == '{"total": 100.0, "id": 9007199254740993}'


def test_entity_without_a_sample_is_free_form(integration: Integration) -> None:
    send(integration, f"{CONNECTOR}/entities/new", type="any", name="free")

    assert integration.sandbox.store.entities(1)[-1].json_schema is None


def test_secret_of_a_new_client_is_on_the_answer_only(integration: Integration) -> None:
    answer = send(integration, f"{CONNECTOR}/oauth-clients/new", name="Order export")

    client = integration.sandbox.store.clients(1)[-1]
    text = answer.text.replace("<wbr>", "")
    secret = re.findall(r'data-slot="client_secret">.*?<code>([^<]+)', text)[0]
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert client.secret is not None
    assert integration.sandbox.store.secret_matches(client, secret)
    assert client.id in text
    assert all(secret not in integration.http.get(page).text for page in (f"{CONNECTOR}/authentication", CONNECTOR))


def test_service_is_added(integration: Integration) -> None:
    answer = send(integration, f"{PAGES}/services/new", vanity_url="Returns")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGES}/services")
    service = integration.sandbox.store.services()[-1]
    assert (service.path, service.active, service.entity) == ("/v1/acme/returns", True, "orders")


def test_unticked_service_is_inactive(integration: Integration) -> None:
    integration.http.post(f"{PAGES}/services/new", data={"source": "1/orders", "vanity_url": "returns"})

    assert not integration.sandbox.store.services()[-1].active


@pytest.mark.parametrize(
    ("path", "form", "status", "said"),
    [
        (f"{PAGES}/connectors/new", {"company": "acme", "name": ""}, 422, "name: "),
        (f"{PAGES}/connectors/new", {"company": "nobody", "name": "Shop"}, 404, "nobody"),
        (f"{PAGES}/connectors/new", {"company_name": "", "name": "Shop"}, 422, "name: "),
        (f"{PAGES}/connectors/new", {}, 422, ""),
        (f"{CONNECTOR}/entities/new", {"type": "a", "name": "b", "sample": "{order: 1"}, 422, "not JSON"),
        (f"{CONNECTOR}/entities/new", {"type": "a", "name": "b", "sample": '{"a":1,"a":2}'}, 400, "more than once"),
        (f"{CONNECTOR}/entities/new", {"type": "a", "name": "b", "sample": '1},"x":{"y":1'}, 422, "not JSON"),
        (f"{CONNECTOR}/oauth-clients/new", {"name": "ab"}, 422, "ab"),
        (f"{PAGES}/services/new", {"source": "1/orders", "vanity_url": "orders"}, 409, "choose another vanity URL"),
        (f"{PAGES}/services/new", {"source": "99/orders", "vanity_url": "returns"}, 422, "99"),
        (f"{PAGES}/services/new", {"source": "\u2603", "vanity_url": "returns"}, 422, ""),
        (f"{CONNECTOR}/delete", {"confirmation": "Acme"}, 422, "Type Acme web shop"),
        (f"{CONNECTOR}/delete", {"confirmation": "Acme web shop"}, 409, ""),
    ],
)
def test_refusal_is_shown_in_the_form_with_what_was_given(
    integration: Integration, path: str, form: dict[str, str], status: int, said: str
) -> None:
    store = integration.sandbox.store
    before = (store.companies(), store.connectors(), store.entities(), store.clients(), store.services())

    answer = integration.http.post(path, data=form)

    assert answer.status_code == status, answer.text
    problem = re.findall(r'role="alert">(.*?)</p>', answer.text)[0]
    assert said in problem
    assert all(Forms(answer.text).forms[path].get(name) == value for name, value in form.items() if name == "name")
    assert (store.companies(), store.connectors(), store.entities(), store.clients(), store.services()) == before


def test_client_is_deleted_by_its_name(integration: Integration) -> None:
    client = integration.sandbox.store.clients(1)[0]
    path = f"{CONNECTOR}/oauth-clients/{client.id}/delete"

    assert send(integration, path, confirmation="another").status_code == 422
    assert send(integration, path, confirmation=client.name).status_code == 303

    assert integration.sandbox.store.clients(1) == []


def test_connector_is_deleted_by_its_name(integration: Integration) -> None:
    integration.sandbox.store.add_connector("acme", "Old shop")

    answer = send(integration, f"{PAGES}/connectors/2/delete", confirmation="Old shop")

    assert answer.headers["Location"] == f"{PAGES}/connectors"
    assert len(integration.sandbox.store.connectors()) == 1


def test_service_is_deleted(integration: Integration) -> None:
    answer = send(integration, f"{PAGES}/services/1/delete")

    assert answer.status_code == 303
    assert [service.id for service in integration.sandbox.store.services()] == [2, 3]


@pytest.mark.parametrize(
    "path",
    [
        "/connectors/9/delete",
        "/connectors/9/entities/new",
        "/connectors/9/oauth-clients/new",
        "/connectors/1/oauth-clients/x%2Fy/delete",
        "/connectors/1/oauth-clients/x/delete",
        "/services/9/delete",
    ],
)
def test_form_of_something_unknown_is_not_there(integration: Integration, path: str) -> None:
    assert integration.http.get(PAGES + path).status_code == 404
    assert integration.http.post(PAGES + path).status_code == 404


def test_service_is_changed_by_a_plain_form(integration: Integration) -> None:
    page = integration.http.get(f"{PAGES}/services/1").text
    form = next(each for each in Forms(page).every if "json.page_size" in each)
    given = {**form.to_dict(), "optional.schedule": "every 2 hours", "json.page_size": "7", "optional.destination": " "}

    answer = integration.http.post(f"{PAGES}/act", data={**given, "act": "PATCH /services/1"})

    options = integration.sandbox.store.service(1).options
    assert answer.headers["Location"] == f"{PAGES}/services/1"
    assert (options.schedule, options.page_size, options.destination) == ("every 2 hours", 7, None)


@pytest.mark.parametrize("path", [f"{CONNECTOR}/entities/new", f"{PAGES}/services/new", f"{PAGES}/act"])
def test_form_that_is_too_large_is_refused_on_a_page(integration: Integration, path: str) -> None:
    answer = integration.http.post(path, data={"sample": "x" * MAX_CONTROL_BODY})

    assert (answer.status_code, answer.mimetype) == (413, "text/html")
    assert f"larger than the sandbox takes, {MAX_CONTROL_BODY:,} bytes" in answer.text
