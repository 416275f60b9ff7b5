"""RIPEMD-128 (Dobbertin, Bosselaers and Preneel, 1996), which a webhook may ask for in its HMAC (FLOWS 4).

OpenSSL lacks it, and so does every kept Python library. It is slow, about a second for a megabyte, and is imported
for webhooks that name it only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from struct import iter_unpack, pack
from typing import Final, TypeAlias

_Function: TypeAlias = Callable[[int, int, int], int]
_Rounds: TypeAlias = Sequence[tuple[_Function, int, Sequence[int]]]

_MASK: Final = 0xFFFFFFFF
_RHO: Final = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
"""The permutation by which the order of the words of a round becomes that of the next."""

_PI: Final = tuple((9 * word + 5) % 16 for word in range(16))
"""The order of the words in the first round of the parallel line."""

_SHIFTS: Final = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
)
"""The shift of each word in each round, the same in both lines."""

_FUNCTIONS: Final[Sequence[_Function]] = (
    lambda x, y, z: x ^ y ^ z,
    lambda x, y, z: (x & y) | (~x & z),
    lambda x, y, z: (x | ~y) ^ z,
    lambda x, y, z: (x & z) | (y & ~z),
)
_LEFT: Final = tuple(zip(_FUNCTIONS, (0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC), _SHIFTS, strict=True))
_RIGHT: Final = tuple(zip(_FUNCTIONS[::-1], (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0), _SHIFTS, strict=True))


class Ripemd128:
    """A hash object as those of ``hashlib``, for ``hmac.new``."""

    digest_size = 16
    block_size = 64

    def __init__(self, data: bytes = b"") -> None:
        self._data = data

    def update(self, data: bytes) -> None:
        """Hash more bytes."""
        self._data += data

    def copy(self) -> Ripemd128:
        """Return an object in the same state."""
        return Ripemd128(self._data)

    def digest(self) -> bytes:
        """Return the hash of all bytes so far."""
        size = len(self._data)
        padding = b"\x80" + bytes((55 - size) % 64) + pack("<Q", size * 8)
        state: tuple[int, ...] = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
        for words in iter_unpack("<16L", self._data + padding):
            left, right = _line(_LEFT, range(16), state, words), _line(_RIGHT, _PI, state, words)
            state = tuple((state[at - 3] + left[at - 2] + right[at - 1]) & _MASK for at in range(4))
        return pack("<4L", *state)

    def hexdigest(self) -> str:
        """Return the hash in hexadecimal."""
        return self.digest().hex()


def _line(rounds: _Rounds, order: Iterable[int], state: Sequence[int], words: Sequence[int]) -> tuple[int, ...]:
    a, b, c, d = state
    for function, constant, shifts in rounds:
        for word in order:
            total = (a + (function(b, c, d) & _MASK) + words[word] + constant) & _MASK
            a, d, c, b = d, c, b, (total << shifts[word] | total >> (32 - shifts[word])) & _MASK
        order = [_RHO[word] for word in order]
    return a, b, c, d
