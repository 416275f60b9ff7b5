"""Faults in the delivery of a good answer: late, bit by bit, or as a server in front sends it on."""

from __future__ import annotations

import gzip as compression
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.faults import effects
from sandbox.faults.fault import Act, Fault
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import field

_CODINGS: Final = ("gzip", "x-gzip", "*")


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """A whole answer, but late. The request is handled as without a fault.

    The wait is real time, also where the sandbox clock is moved or frozen, and occupies no worker: it delays no other
    client. Over a socket the connection is closed after the answer (`Connection: close`).
    """

    kind = "latency"
    handling = "done"

    distribution: str = field(
        types.choice("fixed", "uniform", "lognormal"),
        "How the wait is drawn: always `seconds`; evenly between `min` and `max`; or lognormal around `median`, as the "
        "answer times of real servers are.",
        "fixed",
    )
    seconds: float | None = field(types.seconds(), "fixed: how long.", None)
    min: float | None = field(types.seconds(), "uniform: the shortest wait.", None)
    max: float | None = field(types.seconds(), "uniform: the longest wait. lognormal: waits are cut off here.", None)
    median: float | None = field(types.seconds(low=0.000_001), "lognormal: half of the waits are shorter (p50).", None)
    sigma: float | None = field(types.number(0, 5), "lognormal: how wide it spreads; 0.5 when left out.", None)

    def check(self) -> None:
        wanted, also = {
            "fixed": (("seconds",), ()),
            "uniform": (("min", "max"), ()),
            "lognormal": (("median",), ("sigma", "max")),
        }[self.distribution]
        for name in ("seconds", "min", "max", "median", "sigma"):
            value = getattr(self, name)
            if value is None and name in wanted:
                raise InvalidValueError(
                    name, None, f"a number of seconds, which distribution {self.distribution} needs"
                )
            if value is not None and name not in (*wanted, *also):
                needs = " and ".join(wanted)
                raise InvalidValueError(name, value, f"{needs} with distribution {self.distribution}")
        if self.distribution == "uniform" and (self.min or 0.0) > (self.max or 0.0):
            raise InvalidValueError("min", self.min, f"at most max, which is {self.max}")

    def draw(self, chance: float) -> float:
        """Return a wait in seconds, for a ``chance`` drawn evenly from [0, 1)."""
        if self.distribution == "uniform":
            low, high = self.min or 0.0, self.max or 0.0
            return low + chance * (high - low)
        if self.distribution == "lognormal":
            from statistics import NormalDist  # which imports more than all faults together

            spread = 0.5 if self.sigma is None else self.sigma
            deviation = NormalDist().inv_cdf(min(max(chance, 1e-9), 1 - 1e-9))
            wait = (self.median or 0.0) * math.exp(spread * deviation)
            return wait if self.max is None else min(wait, self.max)
        return self.seconds or 0.0

    def effect(self, act: Act, answer: Answer) -> effects.Delayed:
        return effects.Delayed(answer, self.draw(act.chance))


def latency(seconds: object = None, **parameters: object) -> Latency:
    """Answer late: ``latency(0.5)``, ``latency(min=0.1, max=2)``, ``latency(median=0.8, sigma=0.6)``.

    The distribution follows from the parameters unless it is given.
    """
    if "distribution" not in parameters:
        implied = "lognormal" if "median" in parameters else "uniform" if "min" in parameters else "fixed"
        parameters["distribution"] = implied
    return Latency(seconds=seconds, **parameters)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class SlowBody(Fault):
    """The head of the answer at once, then its body in pieces. The request is handled as without a fault.

    A client's time-out for a single read does not notice; one for the whole answer does. The wait is real time and
    occupies no worker; the connection is closed after the answer.
    """

    kind = "slow_body"
    handling = "done"

    seconds: float = field(types.seconds(), "How long the whole body takes.", 5.0)
    pieces: int = field(types.integer(1, 10_000), "In how many pieces it comes, at most one a byte.", 10)

    def effect(self, act: Act, answer: Answer) -> effects.Slow:
        return effects.Slow(answer, self.seconds, max(1, min(self.pieces, len(answer.body))))


@dataclass(frozen=True, slots=True)
class Relayed(Fault):
    """The platform's answer as a server in front of it sends it on. The request is handled as without a fault.

    nginx before PHP sends answers in chunks and without `Content-Length`; some servers compress them for a client whose
    `Accept-Encoding` names gzip. The journal keeps the answer as the client reads it.
    """

    kind = "relayed"
    handling = "done"

    chunked: bool = field(
        types.boolean(),
        "Whether the answer comes in chunks, without `Content-Length`; to HTTP/1.0 its end is the close.",
        True,
    )
    gzip: bool = field(types.boolean(), "Whether it is compressed for a client that accepts gzip.", False)
    headers: Mapping[str, str] = field(types.answer_headers(), "Headers that come before the platform's own.", {})

    def effect(self, act: Act, answer: Answer) -> effects.Relayed:
        """Frame the answer, and compress it where the client accepts that."""
        headers, body = (*self.headers.items(), *answer.headers), answer.body
        if self.gzip and body:
            headers = (*headers, ("Vary", "Accept-Encoding"))
            if _accepts_gzip(act.accept_encoding or ""):
                headers, body = (*headers, ("Content-Encoding", "gzip")), compression.compress(body, mtime=0)
        return effects.Relayed(Answer(answer.status, headers, answer.body), body, self.chunked)


def _accepts_gzip(accept_encoding: str) -> bool:
    """Return whether a header names gzip, or else any coding, and does not refuse it (RFC 9110 §12.5.3)."""
    named: dict[str, bool] = {}
    for coding in accept_encoding.lower().split(","):
        name, *parameters = (part.strip().replace(" ", "") for part in coding.split(";"))
        named[name] = not any(each.startswith("q=0") and not each.strip("q=0.") for each in parameters)
    return next((named[name] for name in _CODINGS if name in named), False)


def relayed(*, chunked: bool = True, gzip: bool = False, headers: Mapping[str, str] | None = None) -> Relayed:
    """Send the answer as a server in front of the platform does: in chunks, compressed, with headers of its own."""
    return Relayed(chunked, gzip, headers or {})
