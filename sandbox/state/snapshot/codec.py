"""A state as JSON: written in pieces, because a journal can be large, and checked when it is read.

msgspec converts between JSON values and the frozen values. Python's ``json`` makes the text, because it writes integers
of any size and escapes characters that UTF-8 cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.real_time import python_datetime
from sandbox.foundation.strict_json import write_json
from sandbox.foundation.yaml_document import dotted
from sandbox.journal.form import as_restored, saved
from sandbox.state.snapshot import State
from sandbox.state.snapshot.schema import given, problem_in

_PER_PIECE = 100
_STEP = re.compile(r"(\w+)|\[(\d+)\]")
_NO_ENTRIES = '"entries": []}'


def to_document(state: State) -> dict[str, Any]:
    """Return a state as JSON values."""
    document: dict[str, Any] = msgspec.to_builtins(_without_entries(state), enc_hook=_instant)
    document["platform"]["journal"]["entries"] = list(map(saved, state.platform.journal.entries))
    return document


def pieces(state: State) -> Iterator[bytes]:
    """Yield a state as JSON text; only some entries of the journal are encoded at a time."""
    entries = state.platform.journal.entries
    before, marker, after = write_json(to_document(_without_entries(state))).rpartition(_NO_ENTRIES)
    assert marker
    yield f'{before}"entries": ['.encode()
    for start in range(0, len(entries), _PER_PIECE):
        some = write_json(list(map(saved, entries[start : start + _PER_PIECE])))[1:-1]
        yield f"{', ' if start else ''}{some}".encode()
    yield f"]}}{after}".encode()


def _without_entries(state: State) -> State:
    platform = state.platform
    return replace(state, platform=replace(platform, journal=replace(platform.journal, entries=())))


def _instant(value: Any) -> datetime:
    """Return an instant as one of Python's own class: msgspec knows no other, and freezegun makes those of another."""
    if not isinstance(value, datetime):
        raise NotImplementedError
    return python_datetime().fromtimestamp(value.timestamp(), value.tzinfo)


def _read_instant(kind: type, value: object) -> object:
    """Read an instant where the shapes were first looked at in frozen time."""
    if not issubclass(kind, datetime):
        raise NotImplementedError
    return msgspec.convert(value, python_datetime())


def read_state(document: object) -> State:
    """Return the state of JSON values; raise ``InvalidValueError``, which names the first wrong place."""
    if not isinstance(document, Mapping):
        raise InvalidValueError("state", document, "a JSON object as GET /_sandbox/state answers it")
    document = _without_generators(document)
    wrong = problem_in(document)
    if wrong is not None:
        raise wrong
    try:
        return msgspec.convert(_with_restored_entries(document), State, strict=True, dec_hook=_read_instant)
    except msgspec.ValidationError as error:  # base64, and leap seconds
        text, _, at = str(error).partition(" - at `$.")
        path = [int(number) if number else name for name, number in _STEP.findall(at)]
        raise InvalidValueError(dotted(path) or "state", given(document, path), f"a readable one ({text})") from None


def _without_generators(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the states of the random generators, which earlier releases wrote."""
    platform = document.get("platform")
    if not isinstance(platform, Mapping):
        return document
    platform = {name: value for name, value in platform.items() if name != "random"}
    if isinstance(platform.get("faults"), Mapping):
        platform["faults"] = {name: value for name, value in platform["faults"].items() if name != "random"}
    return {**document, "platform": platform}


def _with_restored_entries(document: Mapping[str, Any]) -> Mapping[str, Any]:
    platform = document["platform"]
    journal = platform["journal"]
    entries = [as_restored(entry, journal["id"]) for entry in journal["entries"]]
    return {**document, "platform": {**platform, "journal": {**journal, "entries": entries}}}
