"""RIPEMD-128 (Dobbertin, Bosselaers and Preneel, 1996), which a webhook may ask for in its HMAC (FLOWS 4).

OpenSSL lacks it, and so does every kept Python library. It is slow, about a second for a megabyte, and is imported
for webhooks that name it only.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import pack, unpack
from typing import Final, TypeAlias

from typing_extensions import Self

_Function: TypeAlias = Callable[[int, int, int], int]
_Line: TypeAlias = tuple[tuple[_Function, int, tuple[tuple[int, int], ...]], ...]
_State: TypeAlias = tuple[int, int, int, int]

_MASK: Final = 0xFFFFFFFF
_WORDS: Final = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8),
    (3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12),
    (1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2),
)
_SHIFTS: Final = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12),
    (11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5),
    (11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12),
)
_PARALLEL_WORDS: Final = (
    (5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12),
    (6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2),
    (15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13),
    (8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14),
)
_PARALLEL_SHIFTS: Final = (
    (8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6),
    (9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11),
    (9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5),
    (15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8),
)
_FUNCTIONS: Final[tuple[_Function, ...]] = (
    lambda x, y, z: x ^ y ^ z,
    lambda x, y, z: (x & y) | (~x & z),
    lambda x, y, z: (x | ~y) ^ z,
    lambda x, y, z: (x & z) | (y & ~z),
)
_LINE: Final[_Line] = tuple(
    zip(_FUNCTIONS, (0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC), map(tuple, map(zip, _WORDS, _SHIFTS)), strict=True)
)
_PARALLEL_LINE: Final[_Line] = tuple(
    zip(
        reversed(_FUNCTIONS),
        (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0),
        map(tuple, map(zip, _PARALLEL_WORDS, _PARALLEL_SHIFTS)),
        strict=True,
    )
)


class Ripemd128:
    """A hash object as those of ``hashlib``, for ``hmac.new``."""

    name = "ripemd128"
    digest_size = 16
    block_size = 64

    def __init__(self, data: bytes = b"") -> None:
        self.state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
        self.rest = b""
        self.size = 0
        self.update(data)

    def update(self, data: bytes) -> None:
        """Hash more bytes."""
        self.size += len(data)
        data = self.rest + data
        whole = len(data) - len(data) % 64
        for start in range(0, whole, 64):
            self.state = _compressed(self.state, data[start : start + 64])
        self.rest = data[whole:]

    def copy(self) -> Self:
        """Return an object in the same state."""
        twin = type(self)()
        twin.state, twin.rest, twin.size = self.state, self.rest, self.size
        return twin

    def digest(self) -> bytes:
        """Return the hash of all bytes so far."""
        end = self.copy()
        end.update(b"\x80" + bytes((55 - self.size) % 64) + pack("<Q", self.size * 8 % (1 << 64)))
        return pack("<4L", *end.state)

    def hexdigest(self) -> str:
        """Return the hash in hexadecimal."""
        return self.digest().hex()


def _compressed(state: _State, block: bytes) -> _State:
    words = unpack("<16L", block)
    a, b, c, d = _run(_LINE, state, words)
    e, f, g, h = _run(_PARALLEL_LINE, state, words)
    return (
        (state[1] + c + h) & _MASK,
        (state[2] + d + e) & _MASK,
        (state[3] + a + f) & _MASK,
        (state[0] + b + g) & _MASK,
    )


def _run(line: _Line, state: _State, words: tuple[int, ...]) -> _State:
    a, b, c, d = state
    for function, constant, steps in line:
        for word, shift in steps:
            total = (a + (function(b, c, d) & _MASK) + words[word] + constant) & _MASK
            a, d, c, b = d, c, b, (total << shift | total >> (32 - shift)) & _MASK
    return a, b, c, d
