"""The only source of randomness: repeatable for ids and chances, cryptographic for secrets.

Ids and chances come from a generator that can be seeded, so that a run can be repeated. Secrets come from the operating
system, with or without a seed.
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
        """Return another generator that draws what this one would draw next; without a seed, an unpredictable one."""
        fork = Rng(self._seed)
        if self._seed is not None:
            fork._random.setstate(self._random.getstate())
        return fork

    def branch(self) -> Rng:
        """Return another generator whose draws depend on the seed, but not on later draws of this one."""
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
