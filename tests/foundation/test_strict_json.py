"""Reading JSON bodies: what PHP's json_decode refuses is refused, and nothing overflows."""

from __future__ import annotations

import json
import math
import re
import sys
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.strict_json import (
    MAX_DEPTH,
    NotJsonError,
    _parsed_slowly,
    compact_json,
    parse_json,
    sent_json,
    write_json,
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1, 2.5, "x", true, null]}', {"a": [1, 2.5, "x", True, None]}),
        (b" \r\n\t[] ", []),
        (b"null", None),
        (b'"text"', "text"),
        (b"-0", 0),
        (b'{"a":1,"a":2}', {"a": 2}),
        ('"ü€😀"'.encode(), "ü€😀"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud800"', "\\ud800"),
        (b"9" * 300, int("9" * 300)),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_json_is_read(body: bytes, expected: object) -> None:
    assert parse_json(body) == expected


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "Expecting value"),
        (b" ", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"{'a': 1}", "Expecting property name"),
        (b"[1,]", "Expecting value|Illegal trailing comma"),
        (b'{"a":1}x', "Extra data"),
        (b'"a\nb"', "Invalid control character"),
        (b"NaN", "NaN is not JSON"),
        (b'{"a":[Infinity]}', "Infinity is not JSON"),
        (b"-Infinity", "-Infinity is not JSON"),
        (b"\xef\xbb\xbf{}", "Unexpected UTF-8 BOM"),
        (b'"\xff"', "'utf-8' codec can't decode byte 0xff"),
        (b'"\xed\xa0\x80"', "'utf-8' codec can't decode byte 0xed"),
        ("{}".encode("utf-16"), "'utf-8' codec can't decode byte"),
        (b'{"a":"\\ud800"}', "an unpaired surrogate in an escape"),
        (b'{"\\uDFFFkey":1}', "an unpaired surrogate in an escape"),
        (b"[" * 100_000, "nested deeper than 512 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper than 512 levels"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper than 512 levels"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_not_json_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(NotJsonError, match=why):
        parse_json(body)


def test_integer_of_5000_digits_is_read_or_refused_in_words_of_our_own() -> None:
    body = b"[" + b"9" * 5_000 + b"]"
    limit = getattr(sys, "get_int_max_str_digits", lambda: 0)()  # Python 3.10.7 has one, and it can be lifted
    if limit == 0:
        assert parse_json(body) == [10**5_000 - 1]
    else:
        with pytest.raises(NotJsonError, match=r"^an integer of thousands of digits$"):
            parse_json(body)


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["lists", "objects"])
def test_nesting_up_to_the_limit_is_read_and_one_more_is_not(opening: str) -> None:
    def nested(levels: int) -> bytes:
        closing = "]" if opening == "[" else "}"
        return (opening * (levels - 1) + "[]" + closing * (levels - 1)).encode()

    assert parse_json(nested(MAX_DEPTH)) is not None
    with pytest.raises(NotJsonError, match="nested deeper than 512 levels"):
        parse_json(nested(MAX_DEPTH + 1))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert parse_json(b"[" + b"[{}]," * 1_000 + b"{}]") is not None
    assert parse_json(b'"' + b"[" * 1_000 + b'"') == "[" * 1_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@given(value=JSON, ascii_only=st.booleans())
@settings(deadline=None, max_examples=150)
def test_what_json_writes_reads_back(value: Any, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(body=st.binary(max_size=40) | st.text('[]{}",:\\u0d89af1eE.-+tn ', max_size=40).map(str.encode))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(NotJsonError):
        json.dumps(parse_json(body), ensure_ascii=False).encode()


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(str.encode)
WRITTEN = st.tuples(JSON, st.booleans()).map(lambda given: json.dumps(given[0], ensure_ascii=given[1]).encode())


@given(
    body=NUMBERS
    | WRITTEN
    | st.tuples(WRITTEN, st.integers(0, 200), st.binary(max_size=2)).map(
        lambda given: given[0][: given[1]] + given[2] + given[0][given[1] + 1 :]
    )
)
@settings(deadline=None, max_examples=500)
def test_what_is_read_quickly_is_what_is_read_slowly(body: bytes) -> None:
    try:
        slowly = repr(_parsed_slowly(body, MAX_DEPTH))
    except NotJsonError as error:
        with pytest.raises(NotJsonError, match=f"^{re.escape(str(error))}$"):
            parse_json(body)
    else:
        assert repr(parse_json(body)) == slowly


@pytest.mark.parametrize("number", [b"1e400", b"-1e999", b"9" * 400 + b".5"], ids=["1e400", "-1e999", "400 digits"])
def test_number_beyond_a_double_is_infinity_or_refused(number: bytes) -> None:
    body = b'{"a":[' + number + b"]}"

    assert math.isinf(parse_json(body)["a"][0])  # type: ignore[call-overload,index,arg-type]
    with pytest.raises(NotJsonError, match="is more than a double holds"):
        parse_json(body, in_doubles=True)


@pytest.mark.parametrize("body", [b"1e308", b"[" + b"9" * 400 + b"]", b'{"a":1e-400}'], ids=["double", "integer", "0"])
def test_number_within_a_double_is_read_as_ever(body: bytes) -> None:
    assert parse_json(body, in_doubles=True) == json.loads(body)


def test_number_beyond_a_double_is_written_as_null() -> None:
    value = {"a": [1.5, math.inf, {"b": -math.inf}], "c": (math.nan, "Infinity")}

    assert write_json(value) == '{"a": [1.5, null, {"b": null}], "c": [null, "Infinity"]}'
    assert compact_json(value) == '{"a":[1.5,null,{"b":null}],"c":[null,"Infinity"]}'


def test_decimal_is_sent_as_the_number_that_it_is() -> None:
    assert sent_json([Decimal("9.95"), Decimal("10.00"), Decimal(10) ** 30], "x") == f"[9.95, 10, {10**30}]"


_CIRCLE: list[Any] = []
_CIRCLE.append(_CIRCLE)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": {"b": [1, math.inf]}}, "body.a.b.1"),
        (math.nan, "body"),
        ({"a": {1, 2}}, "body.a"),
        ({"at": Decimal("NaN")}, "body.at"),
        ({"at": Decimal("0.1000000000000000000001")}, "body.at"),
        ({(1, 2): 3}, "body"),
        ({"a": _CIRCLE}, "body.a.0"),
    ],
    ids=["infinity", "NaN", "set", "decimal NaN", "long decimal", "key", "circle"],
)
def test_value_that_cannot_be_sent_is_refused_by_its_place(value: Any, place: str) -> None:
    with pytest.raises(InvalidValueError, match="numbers that a double holds") as refusal:
        sent_json(value, "body")

    assert refusal.value.field == place
