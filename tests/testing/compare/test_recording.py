"""HAR files of many tools, and files that are none."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.foundation.errors import DocumentError
from sandbox.testing.compare import har as har_module
from sandbox.testing.compare import recording as recording_module
from sandbox.testing.compare.har import har_of, read_har
from sandbox.testing.compare.recording import Exchange, Recording, recording_of
from tests.testing.compare.conftest import ORIGIN, Har

URL = f"{ORIGIN}/v1/shop/orders"


def read(har: Har | list[Any], **how: Any) -> Recording:
    document = har if isinstance(har, dict) else {"log": {"entries": har}}
    return recording_of(har_of("real.har", json.dumps(document).encode()), "/oauth/token", **how)


def entry(url: str = URL, request: dict[str, Any] | None = None, response: dict[str, Any] | None = None) -> Har:
    return {
        "startedDateTime": "2026-11-27T10:03:00Z",
        "request": {"method": "POST", "url": url, **(request or {})},
        "response": {"status": 200, "content": {"text": "{}"}, **(response or {})},
    }


def only(*entries: Har, **how: Any) -> Exchange:
    recording = read(list(entries), **how)
    (exchange,) = recording.exchanges
    return exchange


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b'{"log": {"entries": [{"request": {"method": "GET"', "is cut off: its JSON ends too early"),
        (b"<html>not here</html>", "is no JSON"),
        (b"\x00\x01", "is no JSON"),
        (b"\xff\xfe\x01", "is not UTF-8 (byte 0)"),
        (b"[]", "is no HAR"),
        (b'{"log": []}', "is no HAR"),
        (b'{"entries": []}', "is no HAR"),
        (b'{"log": {"version": "1.2"}}', "its log has no entries"),
        (b'{"log": {"entries": {}}}', "is no HAR"),
        (b'{"log": {"entries": [' + b"[" * 100_000 + b"]}}", "is no JSON"),
    ],
    ids=["empty", "truncated", "page", "bytes", "utf-16", "list", "log", "no-log", "no-entries", "entries", "deep"],
)
def test_file_that_is_no_har_is_refused_with_the_reason(content: bytes, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        har_of("real.har", content)

    assert str(caught.value).startswith("real.har: ")
    assert words in str(caught.value)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.har", tmp_path):
        with pytest.raises(DocumentError, match="cannot be read"):
            read_har(path)


def test_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(har_module, "MAX_BYTES", 2 * 1024 * 1024)
    path = tmp_path / "large.har"
    path.write_bytes(b" " * (3 * 1024 * 1024))

    with pytest.raises(DocumentError, match="has 3 MiB, and a recording may have at most 2 MiB; record less"):
        read_har(path)


def test_too_many_requests_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "MAX_EXCHANGES", 2)

    with pytest.raises(DocumentError, match="has 3 requests to the platform, and at most 2 are replayed"):
        read([entry()] * 3)


def test_byte_order_mark_is_skipped() -> None:
    assert har_of("real.har", b'\xef\xbb\xbf{"log": {"entries": []}}').entries == ()


def test_other_hosts_are_left_out_and_counted() -> None:
    others = ["https://cdn.example/app.js", "https://api.example/v1/a/b", "wss://inbound.pwks.co/", "data:text/plain,x"]

    recording = read([entry(), *map(entry, others), {"request": {}}, "nonsense"])  # type: ignore[list-item]

    assert [exchange.number for exchange in recording.exchanges] == [1]
    assert recording.hosts == ("inbound.pwks.co",)
    assert recording.left_out == {"of other hosts": 4, "unreadable": 2}


def test_host_is_that_of_the_token_endpoint_or_the_one_that_is_named() -> None:
    entries = [entry("https://a.example/oauth/token"), entry("https://b.example:8443/v1/shop/orders")]

    assert read(entries).hosts == ("a.example",)
    assert read(entries[1:]).hosts == ("b.example:8443",)
    assert [each.number for each in read(entries, hosts=("B.example:8443",)).exchanges] == [2]
    assert [each.number for each in read(entries, hosts=("https://B.example:8443/",)).exchanges] == [2]
    assert read([entry("https://a.example:443/oauth/token"), entry("http://a.example:80/v1/a/b")]).hosts == (
        "a.example",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"response": {"status": 0}}, "without an answer"),
        ({"response": None}, "without an answer"),
        ({"response": {"status": "200"}}, "without an answer"),
        ({"_fault": "fault-1"}, "changed by a fault rule"),
        ({"_kind": "webhook"}, "of process flows"),
        ({"comment": "before it: a reset; incomplete_body: 3 of 5 bytes came"}, "broken off"),
    ],
    ids=["aborted", "none", "text", "fault", "flows", "broken"],
)
def test_what_cannot_be_replayed_is_left_out_and_counted(change: Har, reason: str) -> None:
    assert read([{**entry(), **change}]).left_out == {reason: 1}


def test_control_api_is_left_out() -> None:
    assert read([entry(f"{ORIGIN}/%5Fsandbox/requests"), entry(f"{ORIGIN}/_sandbox")]).left_out == {
        "of the control API": 2
    }


def test_unrecorded_body_is_left_out_unless_the_answer_says_that_it_was_too_large() -> None:
    without = entry(request={"bodySize": 9_000_000})

    assert read([without]).left_out == {"without the body that was sent": 1}
    too_large = only(entry(request={"bodySize": 9_000_000}, response={"status": 413}))
    assert (too_large.request.body, too_large.request.body_size) == (b"", 9_000_000)


@pytest.mark.parametrize(
    ("data", "headers", "body"),
    [
        ({"text": "grüße"}, {}, "grüße".encode()),
        ({"text": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"}, {}, b"\x00\xff"),
        ({"text": "", "_base64": base64.b64encode(b"\xff").decode()}, {}, b"\xff"),
        ({"params": [{"name": "a b", "value": "ü&c"}]}, {}, b"a+b=%C3%BC%26c"),
        ({"params": [{"name": "a", "value": "b%26c"}, {"name": "d"}]}, {}, b"a=b%26c&d="),
        (
            {"params": [{"name": "a", "value": "1 2"}], "mimeType": "multipart/form-data; boundary=xyz"},
            {},
            b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1 2\r\n--xyz--\r\n',
        ),
        ({}, {}, b""),
    ],
    ids=["text", "base64", "journal", "params", "encoded-params", "multipart", "none"],
)
def test_body_is_read_as_each_tool_writes_it(data: Har, headers: dict[str, str], body: bytes) -> None:
    exchange = only(entry(request={"postData": data}))

    assert exchange.request.body == body
    assert exchange.request.body_size == len(body)


def test_headers_are_read_in_any_case_and_without_those_of_http2() -> None:
    listed = [{"name": ":authority", "value": "x"}, {"name": "ACCEPT", "value": "application/json"}, {"name": "x"}, 3]

    assert only(entry(request={"headers": listed})).request.headers == (("ACCEPT", "application/json"),)


@pytest.mark.parametrize(
    ("content", "headers", "body"),
    [
        ({"text": "eyJh", "encoding": "base64"}, [], b'{"a'),
        (
            {"text": base64.b64encode(gzip.compress(b"page")).decode(), "encoding": "base64"},
            [{"name": "content-encoding", "value": "gzip"}],
            b"page",
        ),
        (
            {"text": base64.b64encode(zlib.compress(b"page")).decode(), "encoding": "base64"},
            [{"name": "Content-Encoding", "value": "Deflate"}],
            b"page",
        ),
        ({"text": "cGFnZQ==", "encoding": "base64"}, [{"name": "Content-Encoding", "value": "br"}], b"page"),
        ({"size": 0}, [], b""),
        ({"size": 7}, [], None),
        (None, [], None),
    ],
    ids=["base64", "gzip", "deflate", "unpacked", "empty", "unrecorded", "none"],
)
def test_answer_is_read_as_each_tool_writes_it(content: Any, headers: list[Any], body: bytes | None) -> None:
    exchange = only(entry(response={"content": content, "headers": headers}))

    assert (exchange.answer.body if exchange.has_body else None) == body


def test_answer_that_is_still_compressed_is_left_out() -> None:
    content = {"text": base64.b64encode(b"\x1b\x03\xff\xa0").decode(), "encoding": "base64"}

    answered = entry(response={"content": content, "headers": [{"name": "content-encoding", "value": "br"}]})

    assert read([answered]).left_out == {"with an answer that cannot be read": 1}


def test_half_of_a_pair_of_surrogates_is_replaced() -> None:
    texts = {
        r"\ud83d\ude00": "\U0001f600",
        r"\ud800": "\ufffd",
        r"\uDC00\ud800x": "\ufffd\ufffdx",
        r"\\ud800": r"\ud800",
    }
    entries = b",".join(
        json.dumps(entry(response={"content": {"text": "TEXT"}})).encode().replace(b"TEXT", text.encode())
        for text in texts
    )

    recording = recording_of(har_of("real.har", b'{"log": {"entries": [%s]}}' % entries), "/oauth/token")

    assert [exchange.answer.body.decode() for exchange in recording.exchanges] == list(texts.values())


def test_path_is_decoded_once_and_kept_as_it_was_sent() -> None:
    request = only(entry(f"{ORIGIN}/v1/shop/%2562?a=%20#part")).request

    assert (request.path, request.raw_path, request.query) == ("/v1/shop/%62", "/v1/shop/%2562", "a=%20")


def test_exchanges_are_in_the_order_of_their_times() -> None:
    times = ["2026-11-27T10:00:02Z", "2026-11-27T10:00:01+00:00", "2026-11-27T11:00:00+01:00", "yesterday"]
    recording = read([{**entry(), "startedDateTime": time} for time in times])

    assert [exchange.number for exchange in recording.exchanges] == [3, 4, 2, 1]


def test_many_pages_of_other_hosts_are_skipped_unparsed() -> None:
    page = json.dumps(entry("https://cdn.example/app.js", response={"content": {"text": "x" * 100_000}}))
    content = f'{{"log": {{"entries": [{",".join([page] * 100)}, {json.dumps(entry())}]}}}}'.encode()

    recording = recording_of(har_of("real.har", content), "/oauth/token")

    assert len(recording.exchanges) == 1
    assert recording.left_out == {"of other hosts": 100}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 700) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_PARTS = ["method", "url", "headers", "postData", "bodySize", "status", "content", "text", "encoding", "params", "name"]


@given(
    st.dictionaries(st.sampled_from(["_clientId", "_fault", "startedDateTime", "comment", "time"]), _JSON),
    st.dictionaries(st.sampled_from(_PARTS), _JSON),
    st.dictionaries(st.sampled_from(_PARTS), _JSON),
    st.dictionaries(st.sampled_from(_PARTS), _JSON),
)
def test_any_entry_is_read_or_left_out(more: Har, request: Har, response: Har, data: Har) -> None:
    document = entry(request={"postData": data, **request}, response={"content": data, **response})

    recording = read([{**document, **more}, entry()])

    assert len(recording.exchanges) + sum(recording.left_out.values()) == 2
