"""The forms of an entry in JSON: nothing is lost on the way to a client or to a saved state and back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sandbox.journal.entry import Entry, TokenLink
from sandbox.journal.form import SHOWN, as_restored, read_entry, saved, shown
from tests.journal.journals import exchange, journal_of

TOKEN = TokenLink("sha256:0123456789ab", 3, 1000.25, 1060.5)
NOTES: dict[str, dict[str, Any]] = {
    "an accepted payload": {
        "company": "acme",
        "vanity_url": "orders",
        "client_id": "c1",
        "token": TOKEN,
        "accepted": True,
        "body": b'{"a": 1}',
    },
    "bytes": {"company": "acme", "vanity_url": "orders", "body": b"\x00\xff", "reason": "no_token"},
    "a fault": {
        "kind": "token",
        "fault": "fault-1",
        "effect": "latency: 503",
        "delay_ms": 1.5,
        "headers": (("A", "1"), ("a", "2")),
    },
    "no endpoint": {"kind": "other", "path": "/", "query": "a=b"},
}
EVERY_KIND = pytest.mark.parametrize("notes", NOTES.values(), ids=NOTES)


def entry_of(notes: dict[str, Any]) -> Entry:
    return journal_of().close(exchange(**notes), 200, (("Content-Type", "text/plain"),), b"stored")


@EVERY_KIND
def test_entry_shown_as_json_is_read_back_whole(notes: dict[str, Any]) -> None:
    entry = entry_of(notes)

    assert read_entry(json.loads(json.dumps(shown(entry)))) == entry


@EVERY_KIND
def test_entry_of_a_saved_state_is_restored_whole(notes: dict[str, Any]) -> None:
    entry = entry_of(notes)
    document = as_restored(json.loads(json.dumps(saved(entry))), entry.journal)

    assert msgspec.convert(document, Entry, strict=True) == entry


@EVERY_KIND
def test_json_of_an_entry_has_the_keys_of_its_schema(notes: dict[str, Any]) -> None:
    assert list(shown(entry_of(notes))) == list(SHOWN)


def test_values_in_the_path_are_keys_of_every_entry() -> None:
    paid, other = entry_of(NOTES["an accepted payload"]), entry_of(NOTES["no endpoint"])

    for form in (shown, saved):
        assert [form(paid)[name] for name in ("company", "vanity_url")] == ["acme", "orders"]
        assert [form(other)[name] for name in ("company", "vanity_url")] == [None, None]


def test_body_above_the_limit_is_left_out_and_its_size_stays() -> None:
    entry = entry_of({"body": b'{"a": 1}', "body_size": 8})

    assert shown(entry, 8)["body"] == '{"a": 1}'
    assert [shown(entry, 7)[name] for name in ("body", "json", "body_size")] == [None, None, 8]
