"""A payload as the platform probably stores it: the framework's input, not the bytes (FACTS 1.31)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.journal.sent_input import as_stored
from tests.conftest import Integration

JSON = "application/json"
AS_JSON = {"Content-Type": JSON}
FORM = "application/x-www-form-urlencoded"
PARTS = '--b\r\nContent-Disposition: form-data; name="order[no]"\r\n\r\n 7 \r\n--b--'


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ('{"a": " A ", "b": {"c": ["\\t x\\n"]}}', {"a": "A", "b": {"c": ["x"]}}),
        ('{" a ": 1}', {" a ": 1}),
        ('{"a": "", "b": "  ", "c": [""]}', {"a": None, "b": None, "c": [None]}),
        ('{"password": " x ", "password_confirmation": " ", "in": {"password": " x "}}', None),
        ('{"a": {}, "b": [{}], "c": []}', {"a": [], "b": [[]], "c": []}),
        ("{}", []),
        ('{"0": "a", "1": "b"}', ["a", "b"]),
        ('{"1": "a", "0": "b"}', {"1": "a", "0": "b"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": true, "b": null, "c": false}', {"a": True, "b": None, "c": False}),
        ('[{"a": " b "}]', [{"a": "b"}]),
        ("5", [5]),
        ('" text "', ["text"]),
        ("null", []),
        ("", []),
        ("{", []),
        ("<a/>", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_json_is_stored_as_the_framework_has_it(body: str, stored: Any) -> None:
    if stored is None:
        stored = {"password": " x ", "password_confirmation": " ", "in": {"password": "x"}}

    assert as_stored("", JSON, body.encode()) == stored


def test_numbers_are_stored_as_php_writes_them() -> None:
    body = b'{"a": 1.0, "b": 12345678901234567890, "c": 9223372036854775807, "d": 1.5, "e": -0.0}'

    stored = json.dumps(as_stored("", JSON, body))

    assert stored == '{"a": 1, "b": 1.2345678901234567e+19, "c": 9223372036854775807, "d": 1.5, "e": 0}'


@pytest.mark.parametrize(
    ("query", "body", "stored"),
    [
        ("run=7", '{"a": 1}', {"a": 1, "run": "7"}),
        ("a=2&run=7", '{"a": 1}', {"a": 1, "run": "7"}),
        ("run=7", "[5, 6]", {"0": 5, "1": 6, "run": "7"}),
        ("run=7", "5", {"0": 5, "run": "7"}),
        ("run=+7+", "", {"run": "7"}),
        ("run=", "{}", {"run": None}),
        ("0=x", "{}", ["x"]),
    ],
)
def test_query_is_merged_and_the_body_wins(query: str, body: str, stored: Any) -> None:
    assert as_stored(query, JSON, body.encode()) == stored


@pytest.mark.parametrize(
    ("content_type", "body", "stored"),
    [
        (FORM, "a=1&a=2&d.e=x&f%20g=y", {"a": "2", "d_e": "x", "f_g": "y"}),
        (FORM, "l[]=1&l[]=2&o[x][y]=3", {"l": ["1", "2"], "o": {"x": {"y": "3"}}}),
        (FORM, "l[5]=a&l[]=b", {"l": {"5": "a", "6": "b"}}),
        (FORM, "a[b=1&[c]=2&d=1&d[e]=2", {"a_b": "1", "d": {"e": "2"}}),
        (FORM, "a" + "[b]" * 65 + "=1", []),
        (f"{FORM}; charset=utf-8", "a=+b+", {"a": "b"}),
        ("multipart/form-data; boundary=b", PARTS, {"order": {"no": "7"}}),
        ("multipart/form-data", PARTS, []),
        ("text/plain", '{"a": 1}', []),
        ("", '{"a": 1}', []),
        ("Application/JSON", '{"a": 1}', []),
        ("application/vnd.api+json", '{"a": 1}', {"a": 1}),
    ],
)
def test_body_is_parsed_by_its_content_type(content_type: str, body: str, stored: Any) -> None:
    assert as_stored("", content_type, body.encode()) == stored


def test_entry_has_the_bytes_and_the_view_beside_them(integration: Integration) -> None:
    integration.post(b'{"note": " tea "}', path="/v1/acme/anything?run=7", **AS_JSON)

    (*_, entry) = integration.sandbox.journal.snapshot()

    assert entry.body == b'{"note": " tea "}'
    assert entry.as_stored == {"note": "tea", "run": "7"}


@pytest.mark.parametrize(
    ("body", "shown"), [(b'{"note": " tea "}', True), (b'{"note": "tea", "n": 1.0}', False), (b"no JSON", True)]
)
def test_dashboard_shows_what_is_stored_where_it_is_not_what_came(
    integration: Integration, body: bytes, shown: bool
) -> None:
    integration.post(body, **AS_JSON)
    (*_, entry) = integration.sandbox.journal.snapshot()

    page = integration.http.get(f"/_sandbox/?open={entry.id}").text

    assert ("As the platform probably stores it" in page) is shown
