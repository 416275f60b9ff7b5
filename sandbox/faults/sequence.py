"""A sequence of faults, the one kind that is made of others, and how any kind is read from plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final

from sandbox.faults.fault import COMPONENTS, Fault
from sandbox.faults.kinds import SINGLE_KINDS
from sandbox.foundation import value_types as types
from sandbox.foundation.errors import InvalidValueError, did_you_mean
from sandbox.foundation.fields import field, read
from sandbox.foundation.value_types import NotAllowedError, ValueType

PASS: Final = "pass"  # noqa: S105 - no password
"""A step of a sequence in which nothing happens."""

_ALLOWED: Final = 'a list of faults (objects with a "kind", but no sequence) and the word "pass"'
_SCHEMA: Final = {
    "type": "array",
    "minItems": 1,
    "items": {"anyOf": [{"type": "string", "const": PASS}, {"$ref": COMPONENTS + "Fault"}]},
}


def _parse_step(index: int, step: object) -> Fault | None:
    if step is None or step == PASS:
        return None
    if isinstance(step, Mapping):
        step = read_fault(step, f"steps[{index}]")
    if not isinstance(step, Fault) or isinstance(step, FaultSequence):
        raise NotAllowedError
    return step


@dataclass(frozen=True, slots=True)
class FaultSequence(Fault):
    """A list of faults and passes, one a request, in order; each step is taken by exactly one request.

    After the last step the rule is used up, unless it repeats.
    """

    kind: ClassVar[str] = "sequence"

    steps: Sequence[Fault | None] = field(
        ValueType(
            _ALLOWED,
            _SCHEMA,
            lambda value: isinstance(value, (list, tuple)) and value,
            keep=lambda value: tuple(_parse_step(index, step) for index, step in enumerate(value)),
            dump=lambda steps: [PASS if step is None else step.document() for step in steps],
        ),
        'What happens to one request after the other: a fault, or `"pass"` for a request that is served without one.',
    )
    repeat: bool = field(types.boolean(), "Whether it starts over after the last step.", False)


def sequence(*steps: Fault | str | None, repeat: bool = False) -> FaultSequence:
    """One step a request: ``sequence(status(503), "pass", connection_reset())``."""
    return FaultSequence(steps, repeat)  # type: ignore[arg-type]


KINDS: Final[Mapping[str, type[Fault]]] = MappingProxyType({**SINGLE_KINDS, FaultSequence.kind: FaultSequence})
"""Every kind by name, in the order of the documents."""


def read_fault(document: object, where: str = "fault") -> Fault:
    """Return the fault of a document; raise ``InvalidValueError`` naming the kinds or fields that are known."""
    if not isinstance(document, Mapping):
        raise InvalidValueError(where, document, f'an object with a "kind", one of {", ".join(KINDS)}')
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidValueError(f"{where}.kind", kind, f"a kind of fault; {did_you_mean(kind, KINDS)}")
    fields = {name: value for name, value in document.items() if name != "kind"}
    return read(KINDS[kind], fields, where)


def steps_of(fault: Fault) -> Sequence[Fault | None]:
    """Return the steps of a sequence, or the fault as the only one; ``None`` is a pass."""
    return fault.steps if isinstance(fault, FaultSequence) else (fault,)
