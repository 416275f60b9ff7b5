"""The bytes of a socket as the request that the platform serves and the journal keeps."""

from __future__ import annotations

import re
from typing import Final

from sandbox.foundation.refusals import IncompleteBodyError, PayloadTooLargeError, RefusalError
from sandbox.journal.known_secrets import fingerprint
from sandbox.journal.request import Request
from sandbox.web.http.body import Message, TooLargeError
from sandbox.web.http.limits import Limits, Refused
from sandbox.web.http.request_head import MAX_METHOD, as_utf_8, decoded

_ORIGIN: Final = re.compile(r"https?://[^/]*", re.IGNORECASE)
"""The beginning of a target in absolute form."""

_TAIL: Final = 1_024
"""Characters at the end of a target that was cut: more than a secret in any encoding."""


def request_of(message: Message, remote_addr: str, scheme: str, server: tuple[str, int], body_limit: int) -> Request:
    """Return the request of a message that came by a socket; ``server`` is host and port."""
    head, failure = message.head, message.failure
    problem: RefusalError | None = None
    match failure:
        case None:
            pass
        case TooLargeError():
            problem = PayloadTooLargeError(None if head.chunked else head.content_length, body_limit)
        case TimeoutError():
            problem = IncompleteBodyError(f"body_too_slow: {len(message.body)} bytes came in time")
        case _:
            problem = IncompleteBodyError(f"incomplete_body: {failure}")
    return Request(
        method=head.method,
        path=head.route,
        query=as_utf_8(head.query),
        headers=head.headers,
        remote_addr=remote_addr,
        body=b"" if isinstance(failure, TooLargeError) else message.body,
        body_size=message.size,
        raw_path=as_utf_8(head.target).partition("?")[0] if head.target.startswith("/") else "",
        base_url=f"{scheme}://{head.host or f'{server[0]}:{server[1]}'}",
        problem=problem,
        _fields=head.fields,
    )


def refused_request_of(refused: Refused, limits: Limits) -> Request:
    """Return a request that the server refused, without the parts of it that a limit may have cut.

    The journal would not recognise half a secret. The path is percent-encoded, in any form of the target.
    """
    method = fingerprint(refused.method) if len(refused.method) >= MAX_METHOD else refused.method
    target = refused.target[:-_TAIL] if len(refused.target) >= limits.target_bytes else refused.target
    path, _, query = target.partition("?")
    return Request(method, path, query, refused.headers, refused.remote_addr)


def route_of(path: str) -> str:
    """Return the path of a target in any form as text, percent-decoded."""
    return decoded(_ORIGIN.sub("", path))
