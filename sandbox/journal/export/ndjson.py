"""NDJSON: a journal entry a line, in the shape in which the control API shows one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, Final

from sandbox.foundation.clock import format_instant
from sandbox.journal.journal import Entry, Headers

_INSTANTS: Final = ("received_at", "wall_time", "token_issued_at", "token_expires_at")


def as_ndjson(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the lines of an NDJSON file."""
    return map(as_line, entries)


def as_line(entry: Entry) -> str:
    """Return an entry as a line of JSON, in ASCII, with the newline that ends it."""
    shown = as_document(entry)
    for name in _INSTANTS:
        if shown[name] is not None:
            shown[name] = format_instant(datetime.fromtimestamp(shown[name], timezone.utc))
    try:
        return json.dumps(shown, allow_nan=False) + "\n"
    except ValueError:  # 1e999 is JSON, and infinity to Python, which JSON has no word for
        return json.dumps({**shown, "json": None}) + "\n"


def as_document(entry: Entry, body_limit: int | None = None) -> dict[str, Any]:
    """Return an entry as the control API shows it, instants in Unix seconds; a body above the limit is left out."""
    is_whole = body_limit is None or len(entry.body) <= body_limit
    encoding, body = encoded(entry.body) if is_whole else ("utf-8", None)
    return {
        "id": entry.id,
        "seq": entry.seq,
        "kind": entry.kind,
        "received_at": entry.received_at,
        "wall_time": entry.wall_time,
        "duration_ms": entry.duration_ms,
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "headers": _presented_headers(entry.headers),
        "body_size": entry.body_size,
        "body": body,
        "body_encoding": encoding,
        "json": entry.json if is_whole else None,
        "client_id": entry.client_id,
        "company": entry.company,
        "vanity_url": entry.vanity_url,
        "outcome": entry.outcome,
        "accepted": entry.accepted,
        "reason": entry.reason,
        "status": entry.status,
        "fault": entry.fault,
        "effect": entry.effect,
        "token": entry.token_fingerprint,
        "token_request": entry.token.request if entry.token else None,
        "token_issued_at": entry.token.issued_at if entry.token else None,
        "token_expires_at": entry.token.expires_at if entry.token else None,
        "token_note": entry.token_note,
        "response_headers": _presented_headers(entry.response_headers),
        "response_body": entry.response_body.decode("utf-8", "replace"),
    }


def encoded(body: bytes) -> tuple[str, str]:
    """Return how bytes are written as text, and the text: UTF-8 as it is, anything else in base64."""
    try:
        return "utf-8", body.decode("utf-8")
    except UnicodeDecodeError:
        return "base64", base64.b64encode(body).decode("ascii")


def _presented_headers(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
