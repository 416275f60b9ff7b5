"""The fault ``rotated_key``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sandbox.faults.fault import Act, BearerToken, Fault, Handling, KeyRing, TokenBook, Trait


@dataclass(frozen=True, slots=True)
class RotatedKey(Fault):
    """The signing key is replaced: this request gets 401, like every later one with an old token. Inbound URLs only.

    New tokens are signed by the new key and are good. A reset does not bring the old key back.
    """

    kind: ClassVar[str] = "rotated_key"
    handling: ClassVar[Handling] = "done"
    needs: ClassVar[tuple[Trait, ...]] = ("takes_bearer",)
    makes_key: ClassVar[bool] = True

    def spoil_bearer(self, act: Act, token: BearerToken, tokens: TokenBook, keys: KeyRing) -> str:
        """Rotate the key."""
        keys.rotate()
        return f"bad_signature: the key was rotated by the fault {act.label}"


def rotated_key() -> RotatedKey:
    """Replace the signing key while tokens signed by the old one are in use."""
    return RotatedKey()
