"""What one company holds opens nothing of another, whoever signs both."""

from __future__ import annotations

import pytest

from tests.conftest import Integration


@pytest.fixture
def other(integration: Integration) -> dict[str, str]:
    """A company beside the demo's, with a service of the same name and a client of its own."""
    integration.control("POST", "/companies", {"name": "Other"})
    connector = integration.control("POST", "/connectors", {"company": "other", "name": "Web", "environment": "test"})
    number = connector.get_json()["id"]
    integration.control("POST", f"/connectors/{number}/entities", {"type": "custom", "name": "anything"})
    service = {"company": "other", "connector_id": number, "entity": "anything", "vanity_url": "anything"}
    assert integration.control("POST", "/services", service).status_code == 201
    client: dict[str, str] = integration.control(
        "POST", f"/connectors/{number}/oauth-clients", {"name": "Other"}
    ).get_json()
    return client


def test_token_opens_its_own_company_only(integration: Integration, other: dict[str, str]) -> None:
    theirs = integration.token(client_id=other["client_id"], client_secret=other["client_secret"])
    ours = integration.token()

    statuses = {
        (company, name): integration.post(path=f"/v1/{company}/anything", token=token).status_code
        for company in ("acme", "other")
        for name, token in (("ours", ours), ("theirs", theirs))
    }

    assert statuses == {
        ("acme", "ours"): 200,
        ("acme", "theirs"): 403,
        ("other", "ours"): 403,
        ("other", "theirs"): 200,
    }


def test_secret_of_one_client_is_none_of_another(integration: Integration, other: dict[str, str]) -> None:
    assert integration.request_token(client_id=other["client_id"]).status_code == 401
    assert integration.request_token(client_secret=other["client_secret"]).status_code == 401


def test_token_in_which_the_client_was_replaced_is_refused(integration: Integration, other: dict[str, str]) -> None:
    head, _, signature = integration.token().split(".")
    _, claims, _ = integration.token(client_id=other["client_id"], client_secret=other["client_secret"]).split(".")
    forged = f"{head}.{claims}.{signature}"

    assert integration.post(path="/v1/other/anything", token=forged).status_code == 401
