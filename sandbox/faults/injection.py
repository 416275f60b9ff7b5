"""From a fault and the answer there would be to what the client is made to see."""

from __future__ import annotations

import json
from typing import Any

from typing_extensions import assert_never

from sandbox.faults.book import Act
from sandbox.faults.effects import Delayed, Effect, Empty, Garbage, Reset, Silence, Slow, Truncated
from sandbox.faults.kinds import (
    BadSignatureToken,
    ConnectionReset,
    EmptyResponse,
    ExpiredToken,
    GarbageResponse,
    Hang,
    Latency,
    Maintenance,
    MalformedJson,
    RateLimit,
    RevokedToken,
    RotatedKey,
    ShortLivedToken,
    SlowBody,
    Status,
    TokenResponse,
    TruncatedBody,
)
from sandbox.foundation.answer import JSON, Answer, compact

_BODYLESS = (204, 205, 304)


def inject(act: Act, answer: Answer) -> Effect:
    """Return what becomes of ``answer``, which is the one the platform gives: it knows of the fault already."""
    match act.fault:
        case Status() as fault:
            return _with_status(fault, answer)
        case RateLimit() | Maintenance() | ExpiredToken() | BadSignatureToken() | RevokedToken() | RotatedKey():
            return answer
        case ShortLivedToken(seconds, announced):
            return _with_fields(answer, {"expires_in": seconds}) if announced else answer
        case TokenResponse(remove, replaced):
            return _with_fields(answer, replaced, remove)
        case MalformedJson(body):
            return Answer(answer.status, answer.headers, answer.body[:-1] if body is None else body.encode())
        case Latency() as fault:
            return Delayed(answer, fault.draw(act.chance))
        case SlowBody(seconds, pieces):
            return Slow(answer, seconds, max(1, min(pieces, len(answer.body))))
        case TruncatedBody(kept):
            size = len(answer.body)
            return Truncated(answer, size // 2 if kept is None else max(0, min(kept, size - 1)))
        case GarbageResponse(text):
            return Garbage(text.encode())
        case ConnectionReset():
            return Reset()
        case EmptyResponse():
            return Empty()
        case Hang(seconds):
            return Silence(seconds)
        case _:
            assert_never(act.fault)


def _with_status(fault: Status, answer: Answer) -> Answer:
    headers = tuple(fault.headers.items())
    named = {name.lower() for name, _ in headers}
    if fault.body is None:
        kept = tuple((name, value) for name, value in answer.headers if name.lower() not in named)
        body = b"" if answer.status in _BODYLESS else answer.body
        return Answer(answer.status, (*kept, *headers), body)
    is_text = isinstance(fault.body, str)
    body = fault.body.encode() if isinstance(fault.body, str) else compact(fault.body)
    if "content-type" not in named:
        headers = (("Content-Type", "text/plain; charset=utf-8" if is_text else JSON), *headers)
    return Answer(fault.code, headers, b"" if fault.code in _BODYLESS else body)


def _with_fields(answer: Answer, replaced: Any, removed: Any = ()) -> Answer:
    """Change the fields of a token response; of anything else there are none."""
    fields = json.loads(answer.body)
    kept = {name: value for name, value in fields.items() if name not in removed}
    return Answer(answer.status, answer.headers, compact({**kept, **replaced}))
