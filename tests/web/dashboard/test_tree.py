"""JSON as the lines of a tree, and the line that a path leads to."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.web.dashboard import tree
from sandbox.web.dashboard.tree import tree_of

ORDER: dict[str, Any] = {
    "number": "A-1",
    "lines": [{"sku": "TEA"}, {"sku": "POT", "a b.c": [1]}],
    "0": {"x": {}},
    "a": {},
}


def drawn(value: Any) -> list[str]:
    """Return the lines as they would be printed."""
    depth, lines = 0, []
    for line in tree_of(value).lines:
        depth -= line.kind == "close"
        lines.append("  " * depth + (f"{line.key}: " if line.key else "") + line.text)
        depth += line.kind == "open"
    return lines


def test_lines_are_those_of_the_value() -> None:
    assert drawn({"a": [1, {"b": None}], "ü": "x", "e": []}) == [
        "{",
        '  "a": [',
        "    1",
        "    {",
        '      "b": null',
        "    }",
        "  ]",
        '  "ü": "x"',
        '  "e": []',
        "}",
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("number", '"A-1"'),
        ("$.number", '"A-1"'),
        ("lines.1.sku", '"POT"'),
        ("$.lines[1].sku", '"POT"'),
        ('$.lines[1]["a b.c"][0]', "1"),
        ("lines.1.a b.c.0", "1"),
        ('$["0"].x', "{}"),
        ("0.x", "{}"),
        ("lines.7.sku", "["),
        ("lines.0.price", "{"),
        ("missing", "{"),
        ("numbers", "{"),
        ("$", "{"),
        ("", "{"),
    ],
)
def test_path_leads_to_its_line_or_to_the_nearest_that_holds_it(path: str, text: str) -> None:
    found = tree_of(ORDER)

    assert found.lines[found.line_of(path)].text == text


@pytest.mark.parametrize(
    ("path", "rest"),
    [("lines.0.price", "price"), ("$.lines[0].sku", ""), ("lines.7.sku", "7.sku"), ("$.lines[7].sku", "[7].sku")],
)
def test_rest_of_a_path_without_a_line_is_what_is_missing(path: str, rest: str) -> None:
    assert tree_of(ORDER).find(path)[1] == rest


def test_number_of_a_line_is_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = tree_of(ORDER).lines

    assert [line.number for line in lines if line.kind != "close"] == [
        place for place, line in enumerate(lines) if line.kind != "close"
    ]


def test_large_value_is_cut_and_its_folds_still_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_LINES", 10)
    value = [{"a": [number]} for number in range(100)]

    found = tree_of(value)

    kinds = [line.kind for line in found.lines]
    assert found.is_cut
    assert len(kinds) < 20
    assert kinds.count("open") == kinds.count("close")
    assert not tree_of(value, whole=True).is_cut
    assert found.line_of("50.a.0") == 0


def test_value_that_is_nested_deep_or_is_long_has_an_end() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]

    assert max(len(line.text) for line in tree_of(["x" * 10_000]).lines) < 2_100
    assert sum(line.kind == "open" for line in tree_of(deep).lines) < 150
