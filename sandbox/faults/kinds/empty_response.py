"""The fault ``empty_response``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class EmptyResponse(Fault):
    """The connection is closed properly (FIN) without a single byte of an answer."""

    kind: ClassVar[str] = "empty_response"


def empty_response() -> EmptyResponse:
    """Close the connection without an answer."""
    return EmptyResponse()
