"""The fault ``latency``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.effects import Delayed
from sandbox.faults.fault import Act, Fault, Handling
from sandbox.foundation import value_types as types
from sandbox.foundation.answer import Answer
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.fields import field


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """A whole answer, but late. The request is handled as without a fault.

    The wait is real time, also where the sandbox clock is moved or frozen, and occupies no worker: it delays no other
    client. Over a socket the connection is closed after the answer (`Connection: close`).
    """

    kind: ClassVar[str] = "latency"
    handling: ClassVar[Handling] = "done"

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
        """Refuse a missing parameter of the distribution, and parameters of another one."""
        wanted, also = {
            "fixed": (("seconds",), ()),
            "uniform": (("min", "max"), ()),
            "lognormal": (("median",), ("sigma", "max")),
        }[self.distribution]
        for name in ("seconds", "min", "max", "median", "sigma"):
            value = getattr(self, name)
            if value is None and name in wanted:
                raise InvalidValueError(name, None, f"seconds; distribution {self.distribution} needs it")
            if value is not None and name not in (*wanted, *also):
                needs = " and ".join(wanted)
                raise InvalidValueError(name, value, f"nothing here: distribution {self.distribution} takes {needs}")
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

    def effect(self, act: Act, answer: Answer) -> Delayed:
        """Send the answer after the wait that is drawn."""
        return Delayed(answer, self.draw(act.chance))


def latency(seconds: object = None, **parameters: object) -> Latency:
    """Answer late: ``latency(0.5)``, ``latency(min=0.1, max=2)``, ``latency(median=0.8, sigma=0.6)``.

    The distribution follows from the parameters unless it is given.
    """
    if "distribution" not in parameters:
        implied = "lognormal" if "median" in parameters else "uniform" if "min" in parameters else "fixed"
        parameters["distribution"] = implied
    return Latency(seconds=seconds, **parameters)  # type: ignore[arg-type]
