"""One request as code: each language sends the bytes that came, and no payload gets out of its literal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from sandbox import Patchworks, Sandbox, SandboxServer
from sandbox.journal.entry import Entry
from sandbox.journal.export.code import TokenRequest, first_call, snippets
from sandbox.journal.export.curl import MAX_INLINE
from sandbox.journal.journal import Journal
from tests.journal.journals import exchange
from tests.programs import program

RUNNERS = {
    "python": [sys.executable, "-c"],
    "node": ["node", "--input-type=module", "-e"],
    "php": ["php", "-r"],
    "curl": ["bash", "-c"],
}
PAYLOAD = """{
  "name": "O'Neill & \\"Söhne\\" \U0001f600 \u2028",
  "path": "C:\\\\temp",\r
  "code": "$HOME `id` ${TOKEN} %s ?> <?php */ #{x} \\u0022",
  "control": "\u0001\u007f"
}
"""
HEADERS = (
    ("Host", "elsewhere.example"),
    ("Content-Type", "application/json"),
    ("Authorization", "Bearer sha256:0123456789ab"),
    ("X-Quote", 'it\'s "$HOME" \\ `id`'),
    ("X-Twice", "1"),
    ("Connection", "keep-alive"),
    ("Keep-Alive", "1"),
)


def recorded(**facts: Any) -> Entry:
    journal = Journal("test", 10, 10_000_000)
    status = facts.pop("answered", 200)
    notes = {"method": "POST", "path": "/v1/acme/anything", "headers": HEADERS, "body": PAYLOAD.encode(), **facts}
    return journal.close(exchange(**notes), status, (), b"")


def code(language: str, base_url: str = "http://sandbox.example", **facts: Any) -> str:
    (found,) = (each for each in snippets(recorded(**facts), base_url) if each.key == language)
    return found.text


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox()) as server:
        yield server


def run(server: SandboxServer, language: str, **facts: Any) -> Entry:
    """Run the code of a request; return the entry of the request that it sent."""
    command = RUNNERS[language]
    program(command[0], in_ci=True)
    text = code(language, server.base_url, **facts).removeprefix("<?php")
    secrets = {"TOKEN": "the-token", "CLIENT_SECRET": "the-secret", "SECRET": "another"}

    done = subprocess.run(
        [*command, text], env={**os.environ, **secrets}, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 0, done.stderr
    *_, entry = server.sandbox.journal.snapshot()
    return entry


@pytest.mark.parametrize("language", RUNNERS)
def test_code_sends_the_request_that_came(server: SandboxServer, language: str) -> None:
    entry = run(server, language, path="/v1/acme/any thing/ü", query="a=1&b=%20'$x")

    assert (entry.method, entry.path, unquote(entry.query)) == ("POST", "/v1/acme/any thing/ü", "a=1&b= '$x")
    assert entry.text == PAYLOAD
    assert entry.header("X-Quote") == 'it\'s "$HOME" \\ `id`'
    assert entry.header("X-Twice") == "1"
    assert entry.header("Content-Type") == "application/json"
    assert (entry.header("Authorization") or "").startswith("Bearer sha256:")


@pytest.mark.parametrize("language", RUNNERS)
def test_code_sends_bytes_and_credentials(server: SandboxServer, language: str) -> None:
    headers = (("Authorization", "Basic sha256:0123456789ab"),)

    entry = run(server, language, body=b"\xff\x00\r\n", headers=headers, client_id="cli\"ent'")

    assert entry.body == b"\xff\x00\r\n"
    assert (entry.header("Authorization") or "").startswith("Basic sha256:")


@pytest.mark.parametrize("language", RUNNERS)
def test_code_sends_every_value_of_a_repeated_header_in_either_case(server: SandboxServer, language: str) -> None:
    entry = run(server, language, headers=(("X-Tag", "a"), ("x-tag", "b"), ("X-TAG", "c")))

    values = [value for name, value in entry.headers if name.lower() == "x-tag"]
    assert ", ".join(values) == "a, b, c"


@pytest.mark.parametrize("language", RUNNERS)
def test_lines_of_a_first_call_quote_what_a_form_may_hold(language: str) -> None:
    hostile = 'it\'s "$HOME" `id` \\ ${x} ?> #{y}\n@file'
    token = TokenRequest("http://sandbox.example/oauth/token", hostile, hostile, "access-inbound")

    (found,) = (
        each for each in first_call(token, "http://sandbox.example", "/v1/acme/x", hostile) if each.key == language
    )

    check = {
        "python": [sys.executable, "-c", "import ast, sys; ast.parse(sys.stdin.read())"],
        "node": ["node", "--check", "--input-type=module", "-"],
        "php": ["php", "-l"],
        "curl": ["bash", "-n"],
    }[language]
    program(check[0], in_ci=True)
    done = subprocess.run(check, input=found.text, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "--data-binary" not in found.text  # it would read the file that a payload names


LANGUAGES = ("curl", "python", "node", "php", "pytest")
DANGEROUS: dict[str, dict[str, Any]] = {
    "another host": {"path": "@evil.example/?>\nimport os"},
    "method": {"method": "GET'; id #?>"},
    "header": {"headers": (("X-Bad\nName", "?>x\nrm"),)},
    "query": {"query": "a b\n?>"},
}


@pytest.mark.parametrize("facts", DANGEROUS.values(), ids=DANGEROUS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_request_that_no_client_can_send_is_one_comment(language: str, facts: dict[str, Any]) -> None:
    text = code(language, **facts)

    lines = [line for line in text.splitlines() if not line.startswith(("#", "//"))]
    assert lines == {"curl": ["BASE_URL=http://sandbox.example"], "php": ["<?php"]}.get(language, [])
    assert "?>" not in text


@pytest.mark.parametrize(
    ("language", "facts"),
    [
        ("python", {"path": "/v1/../x"}),
        ("pytest", {"path": "/v1/.."}),
        ("node", {"path": "/./x"}),
        ("node", {"path": "/v1/%2E%2e/x"}),
        ("node", {"method": "GET"}),
        ("node", {"method": "TRACE"}),
    ],
)
def test_request_that_a_library_would_change_is_a_comment(language: str, facts: dict[str, Any]) -> None:
    (line,) = code(language, **facts).splitlines()

    assert line.startswith(("# not sent again", "// not sent again"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_large_body_is_read_from_the_file_that_the_page_offers(language: str) -> None:
    text = code(language, body=b"x" * (MAX_INLINE + 1))

    assert "test-1" in text
    assert len(text) < 1_500


@pytest.mark.parametrize("language", LANGUAGES)
def test_secret_in_a_body_or_query_is_a_variable(language: str) -> None:
    text = code(language, body=b"client_secret=sha256:0123456789ab&x=1", query="key=sha256:0123456789ab")

    assert "sha256:" not in text
    assert "CLIENT_SECRET" in text


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"path": "/v1/acme/nope", "answered": 404},
        {"reason": "token_expired: 5 s ago", "answered": 401},
        {"fault": "unwell", "effect": "status: answered 503", "answered": 503},
        {"path": "/v1/acme/orders", "answered": 422},
    ],
    ids=["stored", "no service", "expired token", "fault", "refused"],
)
def test_test_for_pytest_passes_where_the_answer_is_the_same(patchworks: Patchworks, facts: dict[str, Any]) -> None:
    text = code("pytest", **facts)
    names: dict[str, Any] = {}

    exec(text, names)
    (test,) = (found for name, found in names.items() if name.startswith("test_"))
    test(patchworks)

    assert patchworks.requests[-1].text == PAYLOAD


def test_kind_of_a_fault_ends_no_comment() -> None:
    text = code("pytest", fault="unwell", effect="hang\nimport os\n#")

    assert [line for line in text.splitlines() if "import os" in line and not line.strip().startswith("#")] == []
