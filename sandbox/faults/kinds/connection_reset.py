"""The fault ``connection_reset``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class ConnectionReset(Fault):
    """The connection is torn down: a TCP reset (RST) in place of an answer."""

    kind: ClassVar[str] = "connection_reset"


def connection_reset() -> ConnectionReset:
    """Tear the connection down in place of an answer."""
    return ConnectionReset()
