"""The fault ``rotated_key``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Endpoint, Fault, Handling


@dataclass(frozen=True, slots=True)
class RotatedKey(Fault):
    """The signing key is replaced: this request gets 401, like every later one with an old token. Inbound URLs only.

    New tokens are signed by the new key and are good. A reset does not bring the old key back.
    """

    kind: ClassVar[str] = "rotated_key"
    handling: ClassVar[Handling] = "done"
    endpoints: ClassVar[tuple[Endpoint, ...]] = ("inbound",)


def rotated_key() -> RotatedKey:
    """Replace the signing key under the integration's feet."""
    return RotatedKey()
