from __future__ import annotations

import hmac

import pytest

from sandbox.platform.flows.ripemd128 import Ripemd128


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "cdf26213a150dc3ecb610f18f6b38b46"),
        (b"a", "86be7afa339d0fc7cfc785e72f578d33"),
        (b"abc", "c14a12199c66e4ba84636b0f69144c77"),
        (b"message digest", "9e327b3d6e523062afc1132d7df9d1b8"),
        (b"abcdefghijklmnopqrstuvwxyz", "fd2aa607f71dc8f510714922b371834e"),
        (b"1234567890" * 8, "3f45ef194732c2dbb2c4a2c769795fa3"),
    ],
    ids=len,
)
def test_digests_are_those_of_its_authors(text: bytes, digest: str) -> None:
    assert Ripemd128(text).hexdigest() == digest


@pytest.mark.parametrize("cut", [0, 1, 55, 56, 63, 64, 65, 130])
def test_bytes_may_come_in_parts(cut: int) -> None:
    text = bytes(range(130))
    parts = Ripemd128(text[:cut])
    before = parts.copy()
    parts.update(text[cut:])

    assert parts.digest() == Ripemd128(text).digest()
    assert before.digest() == Ripemd128(text[:cut]).digest()


def test_hmac_is_the_one_of_php() -> None:
    """``hash_hmac("ripemd128", "body", "key")`` of PHP 8.2."""
    assert hmac.new(b"key", b"body", Ripemd128).hexdigest() == "c6da6707e20db64a3fb61949fdfeec24"
