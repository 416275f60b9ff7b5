"""A state as JSON: written piece by piece, since a journal can be large, and read with everything checked.

msgspec converts between JSON values and the frozen shapes; the text is Python's own ``json``, which knows integers of
any size and escapes whatever UTF-8 cannot hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from sandbox.foundation.errors import InvalidValueError
from sandbox.state.snapshot.schema import dotted, given, problem_in
from sandbox.state.snapshot.shapes import State

_PER_PIECE = 100
_STEP = re.compile(r"(\w+)|\[(\d+)\]")
_NO_ENTRIES = '"entries": []}'


def to_document(state: State) -> dict[str, Any]:
    """Return a state as JSON values."""
    document: dict[str, Any] = msgspec.to_builtins(state)
    return document


def pieces(state: State) -> Iterator[bytes]:
    """Yield a state as JSON text; only some entries of the journal are encoded at a time."""
    journal = state.platform.journal
    head = replace(state, platform=replace(state.platform, journal=replace(journal, entries=())))
    before, marker, after = json.dumps(to_document(head)).rpartition(_NO_ENTRIES)
    assert marker
    yield f'{before}"entries": ['.encode()
    for start in range(0, len(journal.entries), _PER_PIECE):
        some = json.dumps(msgspec.to_builtins(journal.entries[start : start + _PER_PIECE]))[1:-1]
        yield f"{', ' if start else ''}{some}".encode()
    yield f"]}}{after}".encode()


def read_state(document: object) -> State:
    """Return the state that JSON values stand for; raise ``InvalidValueError`` naming the first place that is wrong."""
    if not isinstance(document, Mapping):
        raise InvalidValueError("state", document, "a JSON object as GET /_sandbox/state answers it")
    document = _without_generators(document)
    wrong = problem_in(document)
    if wrong is not None:
        raise wrong
    try:
        return msgspec.convert(document, State, strict=True)
    except msgspec.ValidationError as error:  # base64, and leap seconds
        text, _, at = str(error).partition(" - at `$.")
        path = [int(number) if number else name for name, number in _STEP.findall(at)]
        raise InvalidValueError(dotted(path), given(document, path), f"a readable one ({text})") from None


def _without_generators(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out the states of the random generators, which earlier releases wrote."""
    platform = document.get("platform")
    if not isinstance(platform, Mapping):
        return document
    platform = {name: value for name, value in platform.items() if name != "random"}
    if isinstance(platform.get("faults"), Mapping):
        platform["faults"] = {name: value for name, value in platform["faults"].items() if name != "random"}
    return {**document, "platform": platform}
