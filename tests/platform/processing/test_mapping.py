"""The mapping preview."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.platform.model import FieldMapping
from sandbox.platform.processing.mapping import MAX_FIELDS, MAX_VALUES, preview

ORDER = {"order": "1001", "customer": {"email": "a@b.c", "name": None}, "lines": [{"sku": "A"}, {"sku": "B", "qty": 2}]}


def rows(*sources: str) -> list[FieldMapping]:
    return [FieldMapping(source, source.upper()) for source in sources]


def test_preview_shows_values_unmapped_fields_and_missing_ones() -> None:
    found = preview(rows("order", "lines[].sku", "zip"), ORDER)

    assert [(row.source, row.destination, row.values, row.total) for row in found.mapped] == [
        ("order", "ORDER", ["1001"], 1),
        ("lines[].sku", "LINES[].SKU", ["A", "B"], 2),
    ]
    assert (found.unmapped, found.missing) == (["customer.email", "customer.name", "lines[].qty"], ["zip"])


def test_row_for_an_object_takes_all_fields_in_it() -> None:
    found = preview(rows("customer", "lines"), ORDER)

    assert [row.values for row in found.mapped] == [["a@b.c", None], ["A", "B", 2]]
    assert found.unmapped == ["order"]


@pytest.mark.parametrize(
    ("payload", "unmapped"),
    [(None, []), (5, ["$"]), ([], []), ({}, []), ({"a": []}, ["a"]), ([{"a": 1}, {"b": 2}], ["a", "b"])],
)
def test_preview_of_any_payload(payload: Any, unmapped: list[str]) -> None:
    assert preview((), payload).unmapped == unmapped


def test_name_that_begins_like_another_is_another_field() -> None:
    assert preview(rows("order"), {"order_id": 1}).missing == ["order"]


def test_preview_is_bounded() -> None:
    many = preview(rows("list[].x"), {"list": [{"x": 1, f"y{number}": 2} for number in range(2_000)]})

    assert (len(many.mapped[0].values), many.mapped[0].total, len(many.unmapped)) == (MAX_VALUES, 2_000, MAX_FIELDS - 1)
