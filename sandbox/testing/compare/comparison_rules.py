"""The rules of a comparison: the headers that count, and the values that differ between two runs by nature.

The tables are the whole of it. The page on ``compare`` in the documentation has them too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.foundation.answer import Answer
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError, parse_json
from sandbox.journal.assertions.difference import Difference, differences

HEADERS: Final[tuple[str, ...]] = (
    "Content-Type",
    "Cache-Control",
    "Pragma",
    "WWW-Authenticate",
    "Allow",
    "Location",
    "Retry-After",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)
"""The headers of an answer that are compared. All others belong to the layers in front or to the transport."""

COUNTERS: Final = ("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset")
"""Headers of which any number is as good as another."""

LISTS: Final = ("Allow", "Cache-Control", "Content-Type")
"""Headers whose parts are compared without case, blanks and order."""

TOKEN_FIELDS: Final = ("access_token", "refresh_token")
"""Fields of a body of which any text is as good as another."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of text, in a body or a header, that is compared by its kind only."""

    name: str
    texts: str
    pattern: re.Pattern[str]


RULES: Final = (
    Rule(
        "token",
        "a JSON Web Token, and the fingerprint of a secret",
        re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){1,2}|sha256:[0-9a-f]{12}", re.ASCII),
    ),
    Rule("uuid", "a UUID", re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)),
    Rule("ulid", "a ULID", re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")),
    Rule(
        "time",
        "a date with a time: ISO 8601, the framework's, or that of HTTP",
        re.compile(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
            r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
            re.ASCII,
        ),
    ),
)
"""The rules, in their order."""


def normal_text(text: str) -> str:
    """Return a text with the name of the rule in place of each value that a rule is for."""
    for rule in RULES:
        text = rule.pattern.sub(f"<{rule.name}>", text)
    return text


def normal_value(value: Any, name: str | None = None) -> Any:
    """Return a JSON value to which the rules were applied; ``name`` is that of its field."""
    match value:
        case str():
            return "<token>" if name in TOKEN_FIELDS and value else normal_text(value)
        case dict():
            members = {}
            for key, child in value.items():  # no comprehension: it is a frame more, and nesting goes 512 deep
                members[normal_text(key)] = normal_value(child, key)
            return members
        case list():
            items = []
            for child in value:
                items.append(normal_value(child))  # noqa: PERF401 - as above
            return items
        case _:
            return value


def normal_headers(answer: Answer) -> dict[str, str]:
    """Return the headers that count, to which the rules were applied; of a repeated one the last."""
    sent = {name.lower(): value for name, value in answer.headers}
    return {name: _normal_header(name, sent[name.lower()]) for name in HEADERS if name.lower() in sent}


def _normal_header(name: str, value: str) -> str:
    if name in COUNTERS and value.strip().isdecimal():
        return "<number>"
    if name in LISTS:
        return ", ".join(sorted(part.strip().lower() for part in re.split("[,;]", value) if part.strip()))
    return normal_text(value.strip())


def normal_body(answer: Answer) -> JsonValue:
    """Return the body to which the rules were applied: parsed where it is JSON, and a list of lines otherwise."""
    try:
        return normal_value(parse_json(answer.body))  # type: ignore[no-any-return]
    except NotJsonError:
        return [normal_text(line) for line in answer.body.decode("utf-8", "replace").split("\n")]


def answer_differences(recorded: Answer, answer: Answer, *, has_body: bool = True) -> list[Difference]:
    """Return where an answer of the sandbox differs from the recorded one; each expects what was recorded.

    Headers are compared where the recording has any, bodies where it ``has_body``.
    """
    found = differences(recorded.status, answer.status, path="status")
    if recorded.headers:
        was, now = normal_headers(recorded), normal_headers(answer)
        for name in HEADERS:
            if name in was or name in now:
                one, other = ({name: part[name]} if name in part else {} for part in (was, now))
                found += [replace(each, path=f"headers.{name}") for each in differences(one, other)]
    if has_body:
        found += differences(normal_body(recorded), normal_body(answer))
    return found
