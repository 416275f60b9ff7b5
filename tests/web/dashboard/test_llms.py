"""``llms.txt``: what it says is true, and can be done as it stands."""

from __future__ import annotations

import json
import re

import yaml
from werkzeug.test import Client

from sandbox.cli import GROUPS
from tests import ROOT
from tests.conftest import Integration

TOOLS = ["status", "story", "why", "wait_for", "verify", "fail", "travel", "reset", "certify"]


def _text(integration: Integration) -> str:
    answer = integration.http.get("/_sandbox/llms.txt", headers={"Host": "127.0.0.1:9000"})
    assert answer.content_type == "text/plain; charset=utf-8"
    return answer.text


def test_every_path_of_the_text_exists(integration: Integration) -> None:
    named = re.findall(r"(?:`(GET|POST|PUT) |\()http://127\.0\.0\.1:9000(/_sandbox[\w/.-]+)", _text(integration))

    assert len(named) >= 14
    client = Client(integration.http.application)
    for method, path in named:
        assert (method or "GET") in client.options(path).headers["Allow"], path


def test_bodies_of_the_text_are_taken(integration: Integration) -> None:
    found = re.findall(
        r"`(POST|PUT) http://127\.0\.0\.1:9000(/_sandbox[\w/.-]+)` with (\{.*?\}+) ?[^}\"]*$",
        _text(integration),
        re.MULTILINE,
    )
    assert [path for _, path, _ in found][:2] == ["/_sandbox/requests/verify", "/_sandbox/faults"]

    statuses = [
        integration.http.open(path, method=method, json=json.loads(body)).status_code for method, path, body in found
    ]

    assert statuses == [409, 201, 200]


def test_text_names_every_page_operation_command_and_tool_in_a_hundred_lines(integration: Integration) -> None:
    text = _text(integration)
    pages = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    paths = yaml.safe_load((ROOT / "openapi-control.yaml").read_text(encoding="utf-8"))["paths"]
    methods = ("get", "put", "post", "delete", "patch")
    operations = [f"{name.upper()} {path[9:]}" for path, item in paths.items() for name in item if name in methods]
    commands = [name for names in GROUPS.values() for name in names]

    assert len(text.splitlines()) <= 100
    assert len(pages) > 40
    assert [page for page in pages if f"({page})" not in text] == []
    assert [each for each in operations if not re.search(rf" {re.escape(each)}(?:,|$)", text, re.MULTILINE)] == []
    assert [name for name in commands if not re.search(rf" {name}(?:,|$)", text, re.MULTILINE)] == []
    assert [tool for tool in TOOLS if tool not in text] == []
