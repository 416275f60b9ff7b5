"""Faults that answer in the platform's place: a status, the throttle, maintenance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.faults.effects import Effect
from sandbox.faults.fault import Act, Fault, Rate
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import JSON, WITHOUT_BODY, Answer, compact
from sandbox.foundation.fields import field
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.refusals import FaultedError, TooManyAttemptsError

_WITHOUT_RATE: Final = (404, 405, 413, 503)
"""Statuses that the platform sends without the headers of the throttle (WIRE D)."""


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """An answer with a status of your choice.

    Without a body it is what the platform itself says with that status: `503` is `{"message": "Service Unavailable"}`.
    """

    kind = "status"

    code: int = field(types.integer(200, 599), "Status of the answer.")
    body: JsonValue = field(
        types.json_value(),
        "Body of the answer: text is sent as it is, anything else as JSON. Default: the platform's.",
        None,
    )
    headers: Mapping[str, str] = field(
        types.answer_headers(),
        "Headers of the answer. With a body they come instead of the platform's, else on top of them.",
        {},
    )
    phrase: str | None = field(
        types.optional(
            types.line(
                "1 to 100 printable ASCII characters",
                lambda text: 0 < len(text) <= 100 and text.isascii() and text.isprintable(),
                {"minLength": 1, "maxLength": 100},
            )
        ),
        "Reason phrase of the status line. Default: that of the status.",
        None,
    )

    def refusal(self, act: Act, now: float) -> FaultedError:
        return FaultedError(act.reason, self.code)

    def refused_rate(self, rate: Rate | None) -> Rate | None:
        return None if self.code in _WITHOUT_RATE else rate

    def effect(self, act: Act, answer: Answer) -> Effect:
        headers = tuple(self.headers.items())
        named = {name.lower() for name, _ in headers}
        if self.body is None:
            kept = tuple((name, value) for name, value in answer.headers if name.lower() not in named)
            body = b"" if answer.status in WITHOUT_BODY else answer.body
            return Answer(answer.status, (*kept, *headers), body, self.phrase)
        content_type, body = JSON, compact(self.body)
        if isinstance(self.body, str):
            content_type, body = "text/plain; charset=utf-8", self.body.encode()
        if "content-type" not in named:
            headers = (("Content-Type", content_type), *headers)
        return Answer(self.code, headers, b"" if self.code in WITHOUT_BODY else body, self.phrase)


def status(
    code: int, body: JsonValue = None, headers: Mapping[str, str] | None = None, phrase: str | None = None
) -> Status:
    """Answer with a status of your choice: ``status(503)``, ``status(500, {"error": "disk full"})``."""
    return Status(code, body, headers or {}, phrase)


def _retry_after() -> Any:
    doc = "Seconds in `Retry-After`. Default: what is left of the rule's time window, else 60."
    return field(types.seconds(low=1), doc, None)


@dataclass(frozen=True, slots=True)
class RateLimit(Fault):
    """The platform's `429 Too Many Attempts`, with `Retry-After` and the `X-RateLimit` headers, to every client.

    To have requests really counted switch on the setting `rate_limit` instead.
    """

    kind = "rate_limit"

    retry_after: float | None = _retry_after()

    def refusal(self, act: Act, now: float) -> TooManyAttemptsError:
        wait = act.retry_after(self.retry_after)
        refusal = TooManyAttemptsError(wait, math.ceil(now + wait))
        refusal.reason = act.reason
        return refusal

    def refused_rate(self, rate: Rate | None) -> Rate | None:
        return rate and (rate[0], 0)


@dataclass(frozen=True, slots=True)
class Maintenance(Fault):
    """The platform's maintenance mode: `503 Service Unavailable` with `Retry-After`."""

    kind = "maintenance"

    retry_after: float | None = _retry_after()

    def refusal(self, act: Act, now: float) -> FaultedError:
        return FaultedError(act.reason, 503, act.retry_after(self.retry_after))

    def refused_rate(self, rate: Rate | None) -> Rate | None:
        """Leave the headers out: maintenance mode comes before the throttle (WIRE D)."""
        return None
