"""The fast check of payloads, held against the slow one: it takes no body that the schema refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.foundation.strict_json import MAX_DEPTH, NotJsonError, parse_json
from sandbox.platform.entity_check import EntityCheck, infer_schema
from sandbox.platform.typed_check import typed_check

SAMPLE = {"id": 1, "name": "a", "price": 1.5, "paid": True, "lines": [{"sku": "b", "qty": 2}], "note": None}
GOOD: dict[str, Any] = {**SAMPLE, "note": "any"}

_SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.0, 1.5, 10**30]) | st.sampled_from(["", "é"])
)
_KEYS = st.sampled_from(["a", "b", "ключ", '"'])
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)
_OBJECTS = st.dictionaries(_KEYS, _VALUES, max_size=3)


def _matches(schema: dict[str, Any], body: bytes) -> bool:
    """Return whether a body is JSON that is not empty and matches, by the slow way."""
    try:
        payload = parse_json(body)
    except NotJsonError:
        return False
    return payload not in (None, "", [], {}) and EntityCheck(schema).violations(payload) == []


@given(_OBJECTS.filter(bool), _OBJECTS, st.booleans())
def test_no_payload_is_taken_that_the_schema_refuses(sample: Any, change: Any, in_ascii: bool) -> None:
    schema, body = infer_schema(sample), json.dumps(sample | change, ensure_ascii=in_ascii).encode()

    assert not typed_check(schema)(body) or _matches(schema, body)


@given(_OBJECTS.filter(bool))
def test_a_sample_is_taken_in_any_encoding_of_its_text(sample: Any) -> None:
    schema = infer_schema(sample)
    body, escaped = json.dumps(sample, ensure_ascii=False).encode(), json.dumps(sample).encode()

    assert typed_check(schema)(body) == typed_check(schema)(escaped)


@given(st.binary(max_size=12), st.integers(0, 100))
def test_no_bytes_are_taken_that_are_not_json(noise: bytes, at: int) -> None:
    schema, body = infer_schema(SAMPLE), json.dumps(GOOD).encode()
    spoiled = body[:at] + noise + body[at:]

    assert not typed_check(schema)(spoiled) or _matches(schema, spoiled)


@pytest.mark.parametrize(
    "payload",
    [
        GOOD,
        GOOD | {"other": [1, {"deep": "é"}]},
        GOOD | {"lines": []},
        GOOD | {"price": 2},
        GOOD | {"note": {"a": [None]}},
    ],
)
def test_payloads_like_the_sample_are_taken(payload: dict[str, Any]) -> None:
    assert typed_check(infer_schema(SAMPLE))(json.dumps(payload, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "required": ["a"]},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "object", "required": ["a"], "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "string"}]}}},
        {"type": "object", "required": ["a"], "properties": {"a": {}, "b": {"type": "object"}}, "title": "T"},
    ],
)
def test_hand_written_schemas_of_types_have_a_type(schema: dict[str, Any]) -> None:
    taken = typed_check(schema)

    assert taken(b'{"a": null, "c": 1}')
    assert not taken(b'{"c": 1}')


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},  # matched by an empty object, which is a blank payload
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 2}}},
        {"type": "object", "required": ["a"], "properties": {"a": {"const": 1}}},
        {"type": "object", "required": ["a"], "properties": {"a": False}},
        {"type": "object", "required": ["a"], "properties": {"a": True}},
        {"type": "object", "required": ["a"], "additionalProperties": False},
        {"type": ["object", "null"], "required": ["a"]},
        {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["a"]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}, "required": ["a"]},
    ],
)
def test_schemas_that_ask_for_more_are_left_to_the_validator(schema: dict[str, Any]) -> None:
    assert not typed_check(schema)(b'{"a": "x"}')


@pytest.mark.parametrize(
    "spoiled",
    [
        b'"other": "\xff"',
        b'"\xff": 1',
        b'"other": "\\ud800 "',
        b'"other": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b'"other": ' + b"1" * 5_000,
        b'"id": "text", "id": 1',
        b'"id": 1, "id": "text"',
        b'"id": true',
        b'"id": 1.0',
        b'"note": 1e400',
        b'"name": null',
    ],
)
def test_what_the_type_would_overlook_is_left_to_the_validator(spoiled: bytes) -> None:
    body = json.dumps(GOOD).encode()

    assert not typed_check(infer_schema(SAMPLE))(body[:-1] + b", " + spoiled + b"}")
