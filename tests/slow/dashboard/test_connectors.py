"""Connectors by hand: entities, and the vendor's seven steps to credentials (FACTS 1.2-1.6, 1.19)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox.web.dashboard.connectors import detected_fields
from tests.web.dashboard.conftest import Dashboard

AUTHENTICATION = "/dashboard/connectors/1/authentication"
WARNING = re.compile("cannot be seen again. If it is lost, a new set of credentials must be generated")


def start_creating(page: Page, name: str = "Order export") -> Locator:
    page.get_by_role("button", name="Create an OAuth2 client").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    return dialog


def create_client(page: Page, name: str = "Order export") -> Locator:
    start_creating(page, name).get_by_role("button", name="Create new OAuth2 client").click()
    dialog = page.get_by_role("dialog", name="Your new credentials")
    expect(dialog).to_be_visible()
    return dialog


def shown_secret(dialog: Locator) -> str:
    return dialog.locator("[data-slot=client_secret] code").inner_text()


# --- the seven steps ------------------------------------------------------------------------------------------------


def test_step_1_the_token_endpoint_is_shown_and_copied(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)

    page.get_by_role("button", name="Copy the token endpoint", exact=True).click()

    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{dashboard.server.base_url}/oauth/token"


def test_step_2_the_tab_has_a_section_oauth2_clients_that_lists_them(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)

    section = page.get_by_role("region", name="OAuth2 Clients")

    expect(section.get_by_role("heading", name="Demo integration")).to_be_visible()
    expect(section.get_by_text(f"************{dashboard.client_secret[-4:]}")).to_be_visible()


def test_step_3_create_an_oauth2_client_opens_a_dialog(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)

    page.get_by_role("button", name="Create an OAuth2 client").click()

    expect(page.get_by_role("dialog", name="Create an OAuth2 client")).to_be_visible()


def test_step_4_a_name_is_asked_for_and_has_the_focus(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)
    page.get_by_role("button", name="Create an OAuth2 client").click()

    name = page.get_by_role("dialog").get_by_label("Name")

    expect(name).to_be_focused()
    expect(name).to_have_attribute("required", "")


def test_step_4_a_name_of_two_characters_makes_no_client(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)
    dialog = start_creating(page, "ab")

    dialog.get_by_label("Name").press("Enter")

    assert dialog.get_by_label("Name").evaluate("field => field.validity.valid") is False
    assert len(dashboard.sandbox.store.clients()) == 1


def test_step_5_create_new_oauth2_client_makes_one_of_that_name(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)

    create_client(page, "Order export")

    assert [client.name for client in dashboard.sandbox.store.clients(1)] == ["Demo integration", "Order export"]


def test_step_6_the_credentials_are_displayed_with_copy_buttons_and_the_warning_and_they_work(
    dashboard: Dashboard,
) -> None:
    page = dashboard.open(AUTHENTICATION)
    dialog = create_client(page)

    dialog.get_by_role("button", name="Copy the client id").click()
    client_id = page.evaluate("navigator.clipboard.readText()")
    dialog.get_by_role("button", name="Copy the client secret").click()
    client_secret = page.evaluate("navigator.clipboard.readText()")

    dialog.get_by_role("button", name="Copy the scope").click()
    assert page.evaluate("navigator.clipboard.readText()") == "access-inbound"
    expect(dialog.get_by_text(WARNING)).to_be_visible()
    expect(dialog.locator("[data-slot=token_endpoint] code")).to_have_text(f"{dashboard.server.base_url}/oauth/token")
    assert dashboard.request_token(client_id, client_secret).status_code == 200


def test_step_7_after_close_the_new_set_is_listed_with_its_last_four_characters(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)
    dialog = create_client(page)
    secret = shown_secret(dialog)

    dialog.get_by_role("button", name="Close").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    listed = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Order export"))
    expect(listed.get_by_text(f"************{secret[-4:]}")).to_be_visible()
    assert secret not in page.content()


# --- the secret is shown once ---------------------------------------------------------------------------------------


def test_reloading_never_shows_the_secret_again(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)
    secret = shown_secret(create_client(page))

    page.reload()

    expect(page.get_by_role("heading", name="Order export")).to_be_visible()
    assert secret not in page.content()


def test_going_back_never_shows_the_secret_again(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)
    secret = shown_secret(create_client(page))
    dashboard.open("/dashboard/services")

    page.go_back()

    expect(page.get_by_role("heading", name="Order export")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert secret not in page.content()


def test_escape_does_not_lose_a_secret_that_is_on_display(dashboard: Dashboard) -> None:
    page = dashboard.open(AUTHENTICATION)
    dialog = create_client(page)

    page.keyboard.press("Escape")

    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()


# --- deleting a client ----------------------------------------------------------------------------------------------


def test_deleting_a_client_asks_for_its_name(dashboard: Dashboard) -> None:
    dashboard.tolerate("422")
    page = dashboard.open(AUTHENTICATION)
    page.get_by_role("button", name="Delete Demo integration").click()
    dialog = page.get_by_role("dialog", name="Delete this OAuth2 client?")
    expect(dialog).to_contain_text("Type Demo integration to confirm")

    dialog.get_by_role("textbox").fill("Another")
    dialog.get_by_role("button", name="Delete client").click()

    expect(dialog.get_by_role("alert")).to_contain_text("Demo integration")
    assert len(dashboard.sandbox.store.clients()) == 1


def test_a_deleted_client_leaves_the_list_and_its_tokens_stop_working(dashboard: Dashboard) -> None:
    token = dashboard.token()
    page = dashboard.open(AUTHENTICATION)
    page.get_by_role("button", name="Delete Demo integration").click()

    page.get_by_role("dialog").get_by_role("textbox").fill("Demo integration")
    page.keyboard.press("Enter")

    expect(page.get_by_text("No OAuth2 client yet")).to_be_visible()
    expect(page.get_by_role("heading", name="OAuth2 Clients")).to_be_focused()
    assert dashboard.post(token=token) == 401


# --- connectors and entities ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["Test", "Live"])
def test_a_connector_is_added_and_opens_on_its_settings_tab(dashboard: Dashboard, environment: str) -> None:
    page = dashboard.open("/dashboard/connectors")
    page.get_by_role("button", name="Add connector").click()
    dialog = page.get_by_role("dialog", name="Add connector")

    dialog.get_by_label("Name").fill("Returns portal")
    dialog.get_by_label(environment).check()
    dialog.get_by_role("button", name="Add connector").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"Returns portal {environment.lower()}")
    expect(page.get_by_text("No entity yet")).to_be_visible()


def test_the_first_connector_of_an_empty_sandbox_brings_its_company(dashboard: Dashboard) -> None:
    store = dashboard.sandbox.store
    store._companies.clear()
    page = dashboard.open("/dashboard/connectors")
    page.get_by_role("button", name="Add connector").click()
    dialog = page.get_by_role("dialog", name="Add connector")

    dialog.get_by_label("Company name").fill("Beta Ltd")
    dialog.get_by_label("Name", exact=True).fill("Shop")
    dialog.get_by_role("button", name="Add connector").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Shop")
    assert [company.slug for company in store.companies()] == ["beta-ltd"]


def test_the_sample_of_an_entity_can_be_downloaded(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/connectors/1")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download the sample of orders").click()

    assert download.value.suggested_filename == "orders.json"
    assert json.loads(Path(download.value.path()).read_bytes()) == dashboard.sandbox.store.entities(1)[0].sample


def test_a_pasted_sample_shows_its_fields_and_becomes_an_entity(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/connectors/1")
    page.get_by_role("button", name="Add custom entity").click()
    dialog = page.get_by_role("dialog", name="Add custom entity")
    dialog.get_by_label("Entity type").fill("returns")
    dialog.get_by_label("Entity name").fill("web-returns")

    dialog.get_by_label("or paste").fill('{"rma": "R-1", "lines": [{"sku": "TEA", "qty": 2}], "note": null}')

    expect(dialog.get_by_text("5 fields detected")).to_be_visible()
    rows = dialog.get_by_role("table").get_by_role("row")
    expect(rows).to_have_text(
        ["FieldTypeRequired", "rmastringyes", "lineslist of objectyes", "lines[].skustringyes", "lines[].qtyintegeryes",
         "noteanythingyes"]
    )  # fmt: skip
    dialog.get_by_role("button", name="Add entity").click()
    expect(page.get_by_role("heading", name="web-returns")).to_be_visible()
    assert dashboard.sandbox.store.entities(1)[-1].sample == {
        "rma": "R-1",
        "lines": [{"sku": "TEA", "qty": 2}],
        "note": None,
    }


def test_a_pasted_sample_keeps_its_numbers_as_they_are_written(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/connectors/1")
    page.get_by_role("button", name="Add custom entity").click()
    dialog = page.get_by_role("dialog", name="Add custom entity")
    dialog.get_by_label("Entity type").fill("orders")
    dialog.get_by_label("Entity name").fill("by-hand")
    dialog.get_by_label("or paste").fill('{"total": 100.00, "tax": 0.0, "rate": 0.2, "id": 9007199254740993}')

    dialog.get_by_role("button", name="Add entity").click()

    expect(page.get_by_role("heading", name="by-hand")).to_be_visible()
    entity = dashboard.sandbox.store.entities(1)[-1]
    assert json.dumps(entity.sample) == '{"total": 100.0, "tax": 0.0, "rate": 0.2, "id": 9007199254740993}'
    assert [(field.path, field.type) for field in detected_fields(entity.json_schema)] == [
        ("total", "number"),
        ("tax", "number"),
        ("rate", "number"),
        ("id", "integer"),
    ]


def test_an_uploaded_file_becomes_an_entity_of_its_name(dashboard: Dashboard, tmp_path: Path) -> None:
    file = tmp_path / "stock-levels.json"
    file.write_text('{"sku": "TEA", "level": 4.5}')
    page = dashboard.open("/dashboard/connectors/1")
    page.get_by_role("button", name="Add custom entity").click()
    dialog = page.get_by_role("dialog", name="Add custom entity")

    dialog.get_by_label("Upload a JSON file").set_input_files(file)

    expect(dialog.get_by_text("2 fields detected")).to_be_visible()
    expect(dialog.get_by_label("Entity name")).to_have_value("stock-levels")
    dialog.get_by_label("Entity type").fill("stock")
    dialog.get_by_role("button", name="Add entity").click()
    expect(page.get_by_role("heading", name="stock-levels")).to_be_visible()


def test_a_sample_that_is_not_json_is_told_before_it_is_sent(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/connectors/1")
    page.get_by_role("button", name="Add custom entity").click()
    dialog = page.get_by_role("dialog", name="Add custom entity")

    dialog.get_by_label("or paste").fill("{order: 1")

    expect(dialog.get_by_text("This is not JSON")).to_be_visible()


def test_a_connector_in_use_cannot_be_deleted(dashboard: Dashboard) -> None:
    page = dashboard.open("/dashboard/connectors/1")

    page.get_by_role("button", name="Delete", exact=True).click()

    expect(page.get_by_role("dialog", name="Delete this connector?")).to_contain_text("Delete those services first")


def test_deleting_a_connector_asks_for_its_name(dashboard: Dashboard) -> None:
    dashboard.tolerate("422")
    dashboard.sandbox.store.add_connector("acme", "Old shop")
    page = dashboard.open("/dashboard/connectors/2")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete this connector?")

    dialog.get_by_role("textbox").fill("Old")
    dialog.get_by_role("button", name="Delete connector").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Type Old shop")
    dialog.get_by_role("textbox").fill("Old shop")
    dialog.get_by_role("button", name="Delete connector").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Connectors")
    assert [connector.name for connector in dashboard.sandbox.store.connectors()] == ["Acme web shop"]
