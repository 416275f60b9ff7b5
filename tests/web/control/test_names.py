"""Names that people read hold no character that steers a terminal or changes the direction of text."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cli.output import json_text
from sandbox.foundation.errors import InputError
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import parse_seed
from tests.conftest import Integration

MARKS = ["\r\nX: y", "\n", "\0", "\x1b[2J", "\x7f", "\x9b2J", "\u202e", "\u2028", "\u200b", "\u2066", "\ufeff"]
PLACES = {
    "company": ("/companies", {"name": "Shop{}s"}),
    "connector": ("/connectors", {"company": "acme", "name": "Shop{}s"}),
    "entity": ("/connectors/1/entities", {"type": "order", "name": "Shop{}s"}),
    "type of an entity": ("/connectors/1/entities", {"type": "or{}der", "name": "Shop"}),
    "OAuth client": ("/connectors/1/oauth-clients", {"name": "Shop{}s"}),
    "fault rule": ("/faults", {"fault": {"kind": "hang"}, "name": "Shop{}s"}),
}


def filled(body: dict[str, Any], mark: str) -> dict[str, Any]:
    return {name: value.format(mark) if isinstance(value, str) else value for name, value in body.items()}


@pytest.mark.parametrize("mark", MARKS, ids=ascii)
@pytest.mark.parametrize(("path", "body"), PLACES.values(), ids=PLACES)
def test_name_with_a_character_that_cannot_be_shown_is_refused(
    integration: Integration, path: str, body: dict[str, Any], mark: str
) -> None:
    response = integration.control("POST", path, filled(body, mark))

    assert response.status_code == 422
    assert "printable characters" in response.json["detail"]


@pytest.mark.parametrize("mark", ["é", "漢", "\u00a0", "👩\u200d🔧", "'"], ids=ascii)
@pytest.mark.parametrize(("path", "body"), PLACES.values(), ids=PLACES)
def test_name_in_any_script_is_taken(integration: Integration, path: str, body: dict[str, Any], mark: str) -> None:
    assert integration.control("POST", path, filled(body, mark)).status_code == 201


def test_name_of_a_seed_is_checked_as_well() -> None:
    with pytest.raises(InputError, match="printable characters"):
        Sandbox(parse_seed({"companies": [{"name": "Ac\x1bme"}]}))


def test_json_of_the_command_line_escapes_what_steers_a_terminal() -> None:
    text = json_text({"path": "/\x9b2J\u202e\x7fé"}, indent=2)

    assert text in (
        '{\n  "path": "/\\u009b2J\\u202e\\u007f\xe9"\n}',
        '{\n  "path": "/\\u009b2J\\u202e\\u007f\\u00e9"\n}',
    )
