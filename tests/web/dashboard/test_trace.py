"""The trace: a journal as one HTML file that loads nothing, holds no secret and stays below a size."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from sandbox.faults import status
from sandbox.faults.rules import make_rule
from sandbox.journal.assertions.difference import Difference
from sandbox.journal.known_secrets import KnownSecrets, fingerprint
from sandbox.testing.local import SandboxServer
from sandbox.testing.trace_recording import of_sandbox
from sandbox.web.dashboard.trace import MAX_BYTES, Failure, Recording, Trace, as_html
from tests.conftest import Integration
from tests.journal.journals import close, journal_of


def recorded(integration: Integration) -> Recording:
    return of_sandbox(SandboxServer(integration.sandbox).patchworks.backend)


class Parts(HTMLParser):
    """Collects the names of the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def pane(html: str, id: str) -> str:
    """Return the part of a trace that shows one request whole."""
    return html.partition(f'<section class="pane" id="{id}"')[2].partition('<section class="pane"')[0]


def text_of(html: str) -> str:
    """Return the text of HTML, with single spaces."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", html)))


def test_trace_shows_the_run_from_its_failure_to_its_settings(integration: Integration) -> None:
    sandbox = integration.sandbox
    sandbox.change_settings({"success_status": 201})
    sandbox.platform.faults.add(make_rule(status(503), endpoint="inbound", times=2))
    token = integration.token()
    for _ in range(3):
        integration.post({"order": "1002", "lines": [{"qty": 2}]}, token=token)
    sandbox.clock.advance(hours=25)
    integration.post({"order": "1003"}, token=token)
    entries = list(sandbox.journal.entries())
    near = {entries[3].id: [Difference("$.lines[0].qty", "expected 3, got 2"), Difference("outcome", "faulted")]}

    html = as_html(Trace("test_it.py::test_push", [recorded(integration)], "failed", [Failure("call", "E  no", near)]))

    text = text_of(html)
    assert "test_it.py::test_push failed" in text
    assert "Failed in the test E no The nearest requests" in text
    assert "#4 POST /v1/acme/anything $.lines[0].qty expected 3, got 2" in text
    assert re.search(r"1002 3 attempts: 503 ·\d+\.\d s· 503 ·\d+\.\d s· 201 stored", text)
    assert "1 d 1 h later on the sandbox clock" in text
    assert "token_expired" in pane(html, "r0-5")
    assert "fault-1 (status; endpoint=inbound): 2 hits of 2 that matched, used up" in text
    assert "success_status 201 set" in text
    nearest = pane(html, "r0-4")
    assert "nearest to the expectation" in nearest
    assert "<li><code>outcome</code> faulted</li>" in nearest
    assert re.search(r'class="line wrong"[^>]*><span class="key">[^<]*qty[^<]*</span>: 2', nearest)
    assert "nearest to the expectation" not in pane(html, "r0-3")


def test_every_link_of_a_trace_leads_to_a_place_in_it(integration: Integration) -> None:
    integration.post({"order": "1"})
    integration.post({"order": "1"})
    near = {"gone-7": [], next(integration.sandbox.journal.newest_first()).id: [Difference("$.x", "missing")]}
    recording = recorded(integration)

    html = as_html(Trace("t", [recording, recording], "failed", [Failure("call", "E", near)]))

    links = re.findall(r'href="([^"]*)"', html)
    ids = re.findall(r' id="([^"]*)"', html)
    assert {link.removeprefix("#") for link in links} <= {*ids}
    assert len(ids) == len({*ids})


def test_trace_loads_nothing_and_runs_its_own_script_only(integration: Integration) -> None:
    integration.post('{"a": "</script><script>alert(1)</script><img src=x onerror=alert(2)>"}')

    html = as_html(Trace("<b>title</b>", [recorded(integration)], "", [Failure("call", "<i>E</i>")]))

    parts = Parts()
    parts.feed(html)
    assert parts.tags.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "form", "i"})
    assert not [name for name in parts.attributes if name in ("src", "srcset", "style") or name.startswith("on")]
    assert re.search(r"url\(|@import", html) is None
    assert html.count("<script") == html.count("</script>") == 1
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1])  # type: ignore[index]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}[^>]*>(.*)</{tag}>", html, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_credentials_in_payloads_answers_and_failures_are_fingerprints(integration: Integration) -> None:
    secret = integration.client_secret
    integration.post({"password": "hunter2", "note": f"it is {secret}", "bearer": integration.token()})
    tokens = [entry.token_fingerprint for entry in integration.sandbox.journal.entries()]
    said = f"assert {{'client_secret': '{secret}'}} == 1, Bearer {integration.token()}"

    html = as_html(Trace("t", [recorded(integration)], "failed", [Failure("call", said)]))

    assert secret not in unescape(html)
    assert "hunter2" not in html
    assert "eyJ" not in html
    assert fingerprint("hunter2") in html
    assert all(token in html for token in tokens if token)  # what is redacted already stays as it is


def test_half_of_a_secret_at_the_cut_of_a_body_is_not_shown() -> None:
    secrets = KnownSecrets()
    secrets.note("s3cr3t-of-the-client")
    journal = journal_of()
    for offset in range(64 * 1024 - 30, 64 * 1024 + 10, 3):
        close(journal, b"x" * offset + b"s3cr3t-of-the-client" + b"y" * 100_000)

    html = as_html(Trace("t", [Recording("r", list(journal.entries()), secrets=secrets)]))

    assert "s3cr" not in html


@pytest.mark.parametrize(
    "body",
    [
        rb'{"order": "\ud800", "\udfff": 1}',
        b"\xed\xa0\x80",
        b"[1e400, NaN]",
        b"[" * 400 + b"]" * 400,
        b"\xef\xbb\xbf{}",
        b'{"' + b"k" * 5_000 + b'": "' + b"v" * 9_000 + b'"}',
    ],
    ids=["surrogates", "surrogate in UTF-8", "no numbers", "deep", "byte order mark", "long key"],
)
def test_nothing_that_a_client_sends_keeps_a_trace_from_being_written(body: bytes, tmp_path: Path) -> None:
    journal = journal_of()
    odd = "\udcff\x00"
    close(journal, body, path=f"/{odd}", query=odd, headers=((f"X-{odd}", odd),), client_id=odd)
    recording = Recording(odd, list(journal.entries()))

    html = as_html(Trace(odd, [recording], "failed", [Failure("call", odd)]))

    (tmp_path / "trace.html").write_text(html, encoding="utf-8")
    assert pane(html, "r0-1")


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_trace_of_a_thousand_requests_is_below_a_megabyte(integration: Integration) -> None:
    token = integration.token()
    for number in range(250):
        integration.post({"order": f"N{number}", "lines": [{"sku": "A", "qty": 2}]}, token=token)
    once = list(integration.sandbox.journal.entries())
    refused = replace(
        once[-1], outcome="rejected", status=422, reason="invalid", response_body=b'{"errors": {"a": ["b"]}}'
    )
    entries = [replace(once[number % 251], seq=number + 1) for number in range(1_000)]
    entries[10] = replace(refused, seq=11)

    html = as_html(Trace("t", [Recording("r", entries, left_out=5)]))

    assert len(html.encode()) < MAX_BYTES
    assert all(f">N{number}<" in html for number in range(250))
    assert pane(html, "r0-11")
    assert pane(html, "r0-1000")
    assert "1,000 requests, the newest first. 5 older ones are left out." in text_of(html)


def test_trace_of_more_requests_has_the_newest_thousand() -> None:
    journal = journal_of(max_entries=5_000)
    for number in range(1_100):
        close(journal, b'{"order": "N%d"}' % number)

    html = as_html(Trace("t", [Recording("r", list(journal.entries()))]))

    assert len(html.encode()) < MAX_BYTES
    assert "1,000 requests, the newest first. 100 older ones are left out." in text_of(html)
    assert ">N100<" in html
    assert ">N99<" not in html


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"x" * 5_000_000, "x" * 100),
        ("ä".encode() * 2_500_000, "ä" * 100),
        (b'{"a": "' + b"x" * 5_000_000 + b'"}', "x" * 100),
        (b"[" * 5_000_000, "[[["),
        (json.dumps([{"n": n} for n in range(300_000)]).encode(), "{&#34;n&#34;: 1}"),
        (bytes(range(256)) * 20_000, "000000  00 01 02 03"),
    ],
    ids=["text", "letters of two bytes", "one long value", "brackets", "many values", "bytes"],
)
def test_large_body_is_cut_with_a_note_of_its_size(body: bytes, shown: str) -> None:
    journal = journal_of()
    close(journal, body)

    html = as_html(Trace("t", [Recording("r", list(journal.entries()))]))

    assert len(html.encode()) < 200_000
    assert shown in html
    assert f"{len(body) / 1024 / 1024:.1f} MiB" in html


def test_attempts_of_a_large_payload_are_one_row_and_others_are_not() -> None:
    journal = journal_of()
    for last in b"112":
        close(journal, b"x" * 100_000 + bytes([last]))

    html = as_html(Trace("t", [Recording("r", list(journal.entries()))]))

    assert html.count('<li class="row"') == 2


def test_large_headers_paths_and_messages_are_cut() -> None:
    journal = journal_of()
    headers = tuple((f"X-{number}", "v" * 5_000) for number in range(200))
    close(journal, path="/" + "p" * 100_000, query="q" * 100_000, headers=headers)

    html = as_html(
        Trace("t", [Recording("r", list(journal.entries()))], "failed", [Failure("call", "a" * 10**6 + "the end")])
    )

    assert len(html.encode()) < 200_000
    assert "the end</pre>" in html


def test_no_journal_makes_a_trace_larger_than_a_megabyte() -> None:
    journal = journal_of()
    for number in range(60):
        headers = (("X-Turned", "\u202e" * 300),) * 10
        body = b'{"order": "' + "\u202e".encode() * 900 + b'%d"}' % number
        close(journal, body, path="/" + "\u202e" * 300, headers=headers, reason="<" * 300)
        journal.note("clock", "\u202e" * 300, (1.0, 2.0))
    recording = Recording("r" * 10**5, list(journal.entries()), journal.events())
    failures = [Failure(when, "&" * 10**5) for when in ("setup", "call", "teardown")]

    html = as_html(Trace("t" * 10**5, [recording] * 2, "failed", failures))

    assert len(html.encode()) < MAX_BYTES
    assert '<li class="row"' in html
