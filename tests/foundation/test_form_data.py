"""Multipart forms: which parts are fields, and which bodies are none."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from sandbox.foundation.form_data import MAX_FIELDS, pairs_of, read_multipart

BOUNDARY_B = "multipart/form-data; boundary=b"


def part(disposition: str, value: str = "x") -> str:
    return f"--b\r\nContent-Disposition: form-data{disposition}\r\n\r\n{value}\r\n"


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        (part("; name=a"), [("a", "x")]),
        (part('; name="a"', "é\r\n\r\n--c"), [("a", "é\r\n\r\n--c")]),
        (part("; name=a", "1") + part("; name=a", "2"), [("a", "1"), ("a", "2")]),
        (part("; name=a").replace("\r\n", "\n"), [("a", "x")]),
        (part("; name=a").replace("Content-Disposition", "CONTENT-DISPOSITION"), [("a", "x")]),
        (part("; name=a", ""), [("a", "")]),
        ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n", [("a", "")]),
        ("--b\r\n\r\nno head\r\n", []),
        (part(""), []),
        (part("; name="), []),
        (part('; name=a; filename="f"'), []),
        ("--b\r\nContent-Disposition: form-data; name=a\r\n", []),
        (f"--b\r\nX: {'x' * 20_000}\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n", []),
        ("not read\r\n" + part("; name=a"), [("a", "x")]),
    ],
    ids=[
        "plain",
        "blank-line-in-value",
        "repeated",
        "line-feeds",
        "case",
        "empty",
        "empty-without-its-line",
        "no-head",
        "nameless",
        "empty-name",
        "file",
        "no-end-of-head",
        "head-too-long",
        "preamble",
    ],
)
def test_parts_with_a_name_and_no_file_are_fields(parts: str, fields: list[tuple[str, str]]) -> None:
    form = read_multipart(f"{parts}--b--\r\nnot read".encode(), BOUNDARY_B)

    assert (list(form.fields), form.is_whole) == (fields, True)


@pytest.mark.parametrize("body", [part("; name=a"), part("; name=a") + "--b-", part("; name=a") + "\r\n --b--"])
def test_body_without_its_last_delimiter_is_not_whole(body: str) -> None:
    form = read_multipart(body.encode(), BOUNDARY_B)

    assert (form.fields[0][0], form.is_whole) == ("a", False)


@pytest.mark.parametrize(
    ("content_type", "body", "problem"),
    [
        ("multipart/form-data", part("; name=a"), "there are no parts"),
        (BOUNDARY_B, "", "there are no parts"),
        (BOUNDARY_B, "--b--", "there are no parts"),
        (BOUNDARY_B, "--bb\r\n\r\n--bb--", "there are no parts"),
        (BOUNDARY_B, part("; name=a") * (MAX_FIELDS + 1) + "--b--", "there are more than 1000 parts"),
    ],
)
def test_body_that_is_no_form_is_refused(content_type: str, body: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_multipart(body.encode(), content_type)


def test_as_many_parts_as_allowed_are_read() -> None:
    form = read_multipart((part("; name=a") * MAX_FIELDS + "--b--").encode(), BOUNDARY_B)

    assert (len(form.fields), form.is_whole) == (MAX_FIELDS, True)


def test_boundary_is_read_as_it_is_quoted() -> None:
    body = b'--a"(b.\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--a"(b.--'

    assert read_multipart(body, r'Multipart/Form-Data; boundary="a\"(b."; x=y').fields == (("a", "x"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "&",
        "a",
        "=",
        "a=",
        "=b",
        "a=b=c",
        "&&a=1&&b&",
        "a=1;b=2",
        "ä=ö",
        "a[b]=c",
        " a = b ",
        "a=%41",
        "a+b=c",
        "a=%",
    ],
)
def test_form_without_escapes_is_read_as_one_with_them(text: str) -> None:
    escaped = f"{text}&%78=y" if text else "%78=y"

    assert [*pairs_of(text), ("x", "y")] == pairs_of(escaped) == parse_qsl(escaped, keep_blank_values=True)
