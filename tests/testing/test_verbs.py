"""The table of verbs: its routes exist, and each row says its meaning in a sandbox that others share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import yaml

from sandbox.faults import status
from sandbox.faults.rules import make_rule
from sandbox.testing import verbs
from sandbox.testing.backend import Verb
from tests import ROOT

ADDITIONS = {
    "add_company",
    "add_connector",
    "add_entity",
    "add_client",
    "add_service",
    "add_flow",
    "copy_flow",
    "add_api_key",
}
"""Verbs that change something and disturb nobody."""
OF_THE_COMPANY = {"change_entity", "delete_client", "change_service", "delete_service"}
"""Verbs for what the handle finds by its name, among what its own company has."""
GIVEN: dict[str, Any] = {
    "given": make_rule(status(503)),
    "match": {},
    "settings": {},
    "changes": {},
    "service_id": 1,
    "row_id": 1,
    "document": {},
    "step": timedelta(hours=24),
    "connector_id": 1,
}
ROWS: dict[str, Callable[..., Verb[Any]]] = {
    name: row
    for name, row in inspect.getmembers(verbs, inspect.isfunction)
    if str(inspect.signature(row).return_annotation).startswith("Verb[")
}


def made(name: str) -> Verb[Any]:
    """Return a verb with an argument for each parameter that has no default."""
    parameters = inspect.signature(ROWS[name]).parameters.values()
    required = [each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    return ROWS[name](**{parameter: GIVEN.get(parameter, "x") for parameter in required})


def route_of(name: str) -> str:
    return made(name).route.replace(" /", " /_sandbox/")


def test_routes_of_verbs_are_in_the_control_apis_document() -> None:
    document = yaml.load((ROOT / "openapi-control.yaml").read_bytes(), yaml.CSafeLoader)
    routes = [f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item]
    known = "|".join(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route)) for route in routes)

    unknown = [route for route in map(route_of, ROWS) if route and not re.fullmatch(known, route)]
    assert (unknown, [name for name in ROWS if not route_of(name)]) == ([], ["follow"])


@pytest.mark.parametrize("name", sorted(ROWS.keys() - ADDITIONS - OF_THE_COMPANY))
def test_verb_that_changes_something_says_what_it_does_in_a_shared_sandbox(name: str) -> None:
    verb = made(name)

    assert verb.isolated or verb.owned or verb.empties_journal or verb.route.startswith("GET ")
