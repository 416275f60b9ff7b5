"""Companies: list and add."""

from __future__ import annotations

import pytest

from tests.conftest import Integration
from tests.web.control.problem import detail


def test_companies_are_listed_oldest_first(integration: Integration) -> None:
    integration.control("POST", "/companies", {"name": "Zeta"})
    integration.control("POST", "/companies", {"name": "Beta"})

    listed = integration.control("GET", "/companies").get_json()
    assert [company["slug"] for company in listed] == ["acme", "zeta", "beta"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Beta Ltd", "beta-ltd"), ("Müller & Söhne", "muller-sohne"), ("Acme", "acme-2"), ("株式会社", "company")],
    ids=["words", "accents", "taken", "no Latin letters"],
)
def test_slug_is_generated_from_the_name(integration: Integration, name: str, slug: str) -> None:
    response = integration.control("POST", "/companies", {"name": name})

    assert response.status_code == 201
    assert response.get_json() == {"slug": slug, "name": name, "created_at": response.get_json()["created_at"]}


def test_slug_may_be_chosen(integration: Integration) -> None:
    response = integration.control("POST", "/companies", {"name": "Beta Ltd", "slug": "b2"})

    assert response.get_json()["slug"] == "b2"


def test_slug_taken_is_a_conflict_that_says_what_to_do(integration: Integration) -> None:
    response = integration.control("POST", "/companies", {"name": "Another", "slug": "acme"})

    assert detail(response, 409) == "company 'acme' exists already; choose another slug"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "body.name: missing; give text"),
        ({"name": None}, "body.name: null is not allowed; use text"),
        ({"name": 5}, "body.name: 5 is not allowed; use text"),
        ({"name": True}, "body.name: true is not allowed; use text"),
        ({"name": ["x"]}, 'body.name: ["x"] is not allowed; use text'),
        ({"name": " "}, "body.name: ' ' is not allowed; use text of 1 to 255 characters, not only spaces"),
        (
            {"name": "x", "slug": "A b"},
            "body.slug: 'A b' is not allowed; use 2 to 63 lower-case letters, digits or '-'",
        ),
        ({"name": "x", "slg": "x"}, "body.slg: unknown; did you mean 'slug'? known: name, slug"),
    ],
    ids=["missing", "null", "number", "boolean", "list", "blank", "bad slug", "unknown field"],
)
def test_bad_company_is_refused_with_what_is_allowed(integration: Integration, body: object, told: str) -> None:
    response = integration.control("POST", "/companies", body)

    assert detail(response, 422) == told
    assert len(integration.sandbox.store.companies()) == 1
