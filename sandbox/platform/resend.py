"""Sends a recorded request again, as it came or changed, with a token that is valid now.

The journal keeps no credentials, so a new token of the same client takes the place of the one that came. The request
goes the way of any other: faults act on it, and it has an entry of its own, which names the first in a header. The
client sees nothing of it, so that no time passes for a fault that delays an answer.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

from sandbox.foundation.errors import ConflictError, InvalidValueError
from sandbox.foundation.refusals import PayloadTooLargeError
from sandbox.journal.endpoint_kind import INBOUND, ISSUERS
from sandbox.journal.entry import Entry
from sandbox.journal.request import Request
from sandbox.platform.platform import Platform
from sandbox.platform.serve import serve

HEADER: Final = "X-Sandbox-Sent-Again"
"""The header whose value is the id of the entry that a request repeats."""

_OF_THE_FIRST: Final = frozenset({HEADER.lower(), "content-length", "transfer-encoding", "connection", "expect"})
_MAX_TARGET: Final = 4_000


def why_not_resent(entry: Entry) -> str | None:
    """Return why a request cannot be sent again from here; ``None`` where it can."""
    if entry.kind in ISSUERS:
        return "the journal keeps no secret that it could be sent with"
    if entry.kind != INBOUND.name and entry.header("Authorization") is not None:
        return "the journal keeps no credentials"
    if entry.body_size and not entry.body:
        return "the journal did not keep its body"
    return None


def resend(
    platform: Platform, entry: Entry, base_url: str, *, target: str | None = None, body: bytes | None = None
) -> Entry:
    """Send a request again and return its new entry; ``target`` is a percent-encoded path, which may have a query.

    Raise ``ConflictError`` where it cannot be sent again, ``InvalidValueError`` for a target that is none.
    """
    if why := why_not_resent(entry):
        raise ConflictError(f"request {entry.seq} cannot be sent again: {why}")
    path, query = entry.path, entry.query
    if target is not None:
        if not target.startswith("/") or not target.isascii() or not target.isprintable() or len(target) > _MAX_TARGET:
            raise InvalidValueError("target", target, f"a path that begins with /, in {_MAX_TARGET:,} ASCII characters")
        path, _, query = target.partition("?")
        path = unquote(path)
    body = entry.body if body is None else body
    headers = [(name, value) for name, value in entry.headers if name.lower() not in _OF_THE_FIRST]
    headers += [("Content-Length", str(len(body))), (HEADER, entry.id)]
    if entry.kind == INBOUND.name and entry.header("Authorization") is not None:
        headers = [(name, value) for name, value in headers if name.lower() != "authorization"]
        headers.append(("Authorization", f"Bearer {_token(platform, entry)}"))
    limit = platform.settings.body_limit
    request = Request(
        entry.method,
        path,
        query,
        tuple(headers),
        body=body,
        body_size=len(body),
        raw_path=quote(path),
        base_url=base_url,
        problem=PayloadTooLargeError(len(body), limit) if len(body) > limit else None,
    )
    before = platform.journal.last_seq
    serve(platform, request)
    made = (each for each in platform.journal.entries(after=before) if each.header(HEADER) == entry.id)
    return next(made, entry)  # a full journal may have dropped it already


def _token(platform: Platform, entry: Entry) -> str:
    """Return a new token of the client of a request; of any that may send to its service where that is unknown."""
    store = platform.store
    service = store.find_service(entry.company or "", entry.vanity_url or "")
    clients = store.clients(service.connector_id) if service else store.clients()
    client = store.find_client(entry.client_id or "") or next(iter(clients), None)
    if client is None:
        raise ConflictError(f"request {entry.seq} cannot be sent again: there is no OAuth client for it; add one")
    if not platform.takes_bearer:
        raise ConflictError(f"request {entry.seq} cannot be sent again: the journal keeps no secret")
    return platform.issue_token(client.id, [platform.settings.required_scope], platform.clock.timestamp())[0]
