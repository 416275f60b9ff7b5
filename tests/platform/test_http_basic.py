"""HTTP Basic is read as PHP's ``base64_decode`` reads it: strictly in modern, loosely in legacy (WIRE A)."""

from __future__ import annotations

import base64

import pytest

from sandbox.platform.http_basic import php_base64, read_basic
from sandbox.platform.wire import wire_profile

USER = "9d3f6a52-7c1e-4b8a-9f00-5d2c7e1b4a90"
PASSWORD = "Vb3kQ0yTqf7mZc1sXr9uJd5wLh8nPe2gKa4oRi6t"
SENT = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("blank", [" ", "\t", "\r\n ", "  \t "])
@pytest.mark.parametrize("every", [76, 64, 1])
def test_blanks_within_base64_are_skipped_in_both_modes(strict: bool, blank: str, every: int) -> None:
    wrapped = blank.join(SENT[at : at + every] for at in range(0, len(SENT), every))

    assert php_base64(wrapped, strict=strict) == f"{USER}:{PASSWORD}".encode()


@pytest.mark.parametrize(
    ("text", "loosely"),
    [
        ('"YTpi"', b"a:b"),
        ("YT*pi", b"a:b"),
        ("YTpi\xa0", b"a:b"),
        ("YTpi\x0b", b"a:b"),
        ("YTpi=", b"a:b"),
        ("YTpiYg=", b"a:bb"),
        ("YTpiYg===", b"a:bb"),
        ("YTpi====", b"a:b"),
        ("YT=pi", b"a:b"),
        ("YTpiYg==Yg==", b"a:bb\x06 "),
        ("YTpiY", b"a:b"),
        ("YTpi-_", b"a:b"),
        ("!!!", b""),
    ],
)
def test_what_is_no_base64_fails_when_strict_and_is_skipped_otherwise(text: str, loosely: bytes) -> None:
    assert php_base64(text, strict=True) is None
    assert php_base64(text, strict=False) == loosely


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("text", "decoded"),
    [("", b""), ("YTpi", b"a:b"), ("YTpiYg", b"a:bb"), ("YTpiYg==", b"a:bb"), ("YTpiYg = =", b"a:bb")],
)
def test_padding_may_be_left_out_and_wrapped(strict: bool, text: str, decoded: bytes) -> None:
    assert php_base64(text, strict=strict) == decoded


@pytest.mark.parametrize(
    ("profile", "header", "problem"),
    [
        ("modern", "Basic %%%", "not base64"),
        ("legacy", "Basic %%%", "no colon"),
        ("modern", "Basic YQ", "no colon"),
        ("modern", "Basic", "no colon"),
        ("modern", "Basic OnNlY3JldA==", "no id"),
        ("modern", "Bearer YTpi", "not of the form 'Basic …'"),
        ("legacy", "basic YTpi", "in this case"),
    ],
)
def test_problem_names_the_cause_and_no_credential(profile: str, header: str, problem: str) -> None:
    read = read_basic(header, wire_profile(profile))

    assert (read.user, read.password) == (None, None)
    assert problem in (read.problem or "")
    assert header.partition(" ")[2] not in (read.problem or "") or not header.partition(" ")[2]


def test_no_header_is_no_problem() -> None:
    assert read_basic(None, wire_profile("modern")).problem is None
