"""The fields of a request held against their schema: parameters of the query, of a form, or of a JSON body."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import jsonschema_rs

from sandbox.foundation.errors import cut
from sandbox.journal.contract_rules import Code
from sandbox.journal.sent_input import PADDING

CREDENTIALS: Final = ("client_id", "client_secret")

Finding = tuple[Code, str]
"""A violation: its code, and what was found."""


def of_fields(read: Any, schema: Mapping[str, Any], scheme: str) -> Iterator[Finding]:
    """Hold the fields of a request, a tuple of pairs or a JSON value, against their schema.

    The message of an ``unknown_field`` is its name.
    """
    known: Sequence[str] = list(schema["properties"])
    if isinstance(read, tuple):
        counts = Counter(name for name, _ in read)
        yield from (("repeated_field", f"{name} is there {counts[name]} times") for name in known if counts[name] > 1)
        read = dict(read)
    given = read if isinstance(read, Mapping) else {}
    unknown = [name for name in given if name not in known]
    asked = [name for name in CREDENTIALS if name in known and scheme != "basic" and read is given]
    missing = [name for name in asked if _is_empty(given, name)]
    for name, code, message in of_schema(read, schema):
        near = _near([name], unknown) if code == "missing_field" else []
        unknown = [other for other in unknown if other not in near]
        yield code, message + _meant(near, [name])
    if missing:
        near = _near(missing, unknown)
        unknown = [other for other in unknown if other not in near]
        yield (
            "missing_credentials",
            f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing" + _meant(near, missing),
        )
    if scheme == "basic" and "client_secret" in known and not _is_empty(given, "client_secret"):
        yield "credentials_twice", "client_secret is a parameter, and Authorization is Basic"
    yield from (("unknown_field", name) for name in unknown)


def of_schema(read: Any, schema: Mapping[str, Any]) -> Iterator[tuple[str, Code, str]]:
    """Yield the field, the code and the message of each error that the schema finds, one for a field."""
    told = set()
    try:
        errors = list(jsonschema_rs.Draft202012Validator({"type": "object", **schema}).iter_errors(read))
    except ValueError:  # the validator's own limit is lower than that of the platform's parser
        yield "", "wrong_field", "the body: it is nested too deeply"
        return
    for error in errors:
        kind: Any = error.kind  # a union whose members carry what its common type does not
        field = kind.property if kind.name == "required" else ".".join(str(step) for step in error.instance_path)
        if field in told:
            continue
        told.add(field)
        if kind.name == "required":
            yield field, "missing_field", f"{field} is missing"
        else:
            yield field, "wrong_field", f"{field or 'the body'}: {error.message}"


def _is_empty(given: Mapping[str, Any], name: str) -> bool:
    """Return whether a parameter counts as missing (WIRE A)."""
    value = given.get(name)
    return value is None or value is False or (isinstance(value, str) and not value.strip(PADDING))


def _near(wanted: Iterable[str], unknown: Sequence[str]) -> list[str]:
    """Return the unknown names that look like misspelt ones of those that are wanted."""
    plain = {_plain(name): name for name in unknown}
    return [plain[name] for each in wanted for name in difflib.get_close_matches(_plain(each), plain, 1, 0.8)]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _meant(near: Sequence[str], wanted: Sequence[str]) -> str:
    if not near:
        return ""
    verb = "are" if len(near) > 1 else "is"
    return f"; there {verb} {' and '.join(map(quoted, near))}: {verb} {' and '.join(wanted)} meant?"


def quoted(name: str) -> str:
    """Return the name of a field as a message shows it."""
    return repr(cut(name, 80))
