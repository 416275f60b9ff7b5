"""The one source of randomness: repeatable where a test needs it, cryptographic where a secret does.

Ids and chances come from a generator that can be seeded, so that a run can be repeated. Secrets never do: they come
from the operating system whatever the seed is.
"""

from __future__ import annotations

import random
import secrets
import string
import uuid

SECRET_LENGTH = 40
"""Length of a generated client secret in characters, as the platform's stack generates them."""

_SECRET_ALPHABET = string.ascii_letters + string.digits


class Rng:
    """Randomness of one sandbox; ``seed=None`` means unpredictable."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed
        self._random = random.Random(seed)

    def fork(self) -> Rng:
        """Return a generator of its own that goes on from here as this one would, or unpredictably without a seed."""
        fork = Rng(self._seed)
        if self._seed is not None:
            fork._random.setstate(self._random.getstate())
        return fork

    def branch(self) -> Rng:
        """Return another generator whose draws depend on the seed, but not on how often this one is asked later."""
        return Rng(self._random.getrandbits(63))

    def chance(self) -> float:
        """Return a float in [0, 1)."""
        return self._random.random()

    def uuid(self) -> str:
        """Return a version 4 UUID in its canonical text form."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def hex(self, digits: int) -> str:
        """Return ``digits`` lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def bytes(self, count: int) -> bytes:
        """Return ``count`` bytes from the operating system."""
        return secrets.token_bytes(count)

    def secret(self) -> str:
        """Return a new client secret: 40 letters and digits from the operating system."""
        return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(SECRET_LENGTH))
