"""Reading a fault out of plain data."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.errors import InvalidValueError
from sandbox.faults.fault import Fault
from sandbox.faults.kinds import KINDS
from sandbox.faults.options import read, unknown


def read_fault(document: object, where: str = "fault") -> Fault:
    """Return the fault a document stands for; raise ``InvalidValueError`` naming what is known."""
    if not isinstance(document, Mapping):
        raise InvalidValueError(where, document, f'an object with a "kind", one of {", ".join(KINDS)}')
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidValueError(f"{where}.kind", kind, unknown(kind, "kind of fault", KINDS))
    fields = {name: value for name, value in document.items() if name != "kind"}
    return read(KINDS[kind], fields, where)
