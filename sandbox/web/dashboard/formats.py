"""The format of values on the pages: times, spans, sizes, and text with its invisible characters marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, Final

from markupsafe import Markup, escape

from sandbox.foundation.instants import format_instant, span
from sandbox.foundation.strict_json import write_json

_UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
"""Invisible characters, and characters that turn the direction of a text."""

_AGO: Final = re.compile(r"\b(\d+(?:\.\d+)?) s ago\b")


def instant(value: float | datetime) -> str:
    """Return an instant for machines: ISO 8601 in UTC with ``Z``."""
    return format_instant(_aware(value))


def moment(value: float | datetime) -> str:
    """Return an instant for people, in UTC: ``2026-11-23 18:00:05``."""
    return f"{_aware(value):%Y-%m-%d %H:%M:%S}"


def time_of_day(value: float | datetime) -> str:
    """Return the time of day in UTC to the millisecond."""
    aware = _aware(value)
    return f"{aware:%H:%M:%S}.{aware.microsecond // 1000:03}"


def _aware(value: float | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, timezone.utc)


def zoned(instant: str) -> str:
    """Return an instant of a browser's control, which has no zone and leaves out seconds that are 0, in UTC."""
    return f"{instant}:00Z" if len(instant) == 16 else f"{instant}Z" if len(instant) == 19 else instant


def legible(reason: str) -> str:
    """Return a reason with its exact seconds as a span: ``token_expired: 8 min 21 s ago``."""
    return _AGO.sub(lambda match: f"{span(float(match[1]))} ago", reason)


def size(count: int) -> str:
    """Return a number of bytes: ``812 B``, ``64.0 KiB``, ``5.0 MiB``."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"


def milliseconds(value: float) -> str:
    """Return a duration with as many digits as matter."""
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:,.1f} s"


def sentence(text: str) -> str:
    """Return a message as a sentence, which begins with a capital and ends with a full stop."""
    return text[:1].upper() + text[1:] + ("" if text[-1:] in (".", "!", "?") else ".")


def visible(text: str) -> Markup:
    """Escape a text, and mark its invisible characters and those that turn its direction."""
    if text.isprintable():  # no invisible character is
        return escape(text)
    parts: list[Markup] = []
    position = 0
    for match in _UNSEEN.finditer(text):
        name = f"U+{ord(match[0]):04X}"
        parts += escape(text[position : match.start()]), Markup('<span class="unseen">{}</span>').format(name)
        position = match.end()
    return Markup("").join([*parts, escape(text[position:])])


def breakable(text: str) -> Markup:
    """Escape a URL or an id and allow a line to break after its separators."""
    return Markup("").join(escape(part) + Markup("<wbr>") for part in re.split(r"(?<=[/&?.-])(?![/])", text))


def ticked(text: str) -> Markup:
    """Escape a text, and show as code the parts of it between backticks."""
    code = Markup("<code>{}</code>")
    return Markup("").join(code.format(part) if at % 2 else escape(part) for at, part in enumerate(text.split("`")))


def glimpse(body: bytes) -> str:
    """Return the beginning of a body on one line, for a list; empty for a body that is not text."""
    try:
        text = body[:400].decode("utf-8", "strict" if len(body) <= 400 else "ignore")
    except UnicodeDecodeError:
        return ""
    return re.sub(r"\s+", " ", text).strip()[:160]


def compact(value: Any) -> str:
    """Return JSON on one line, in ASCII."""
    return write_json(value)


def pretty(value: Any) -> str:
    """Return JSON over several lines, with non-ASCII text as it is."""
    return write_json(value, indent=2, ascii=False)


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    each.__name__: each
    for each in (
        *(instant, moment, time_of_day, span, legible, size, milliseconds),
        *(sentence, visible, breakable, ticked, glimpse, compact, pretty),
    )
}
