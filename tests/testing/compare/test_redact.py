"""Redaction of a HAR: no secret stays in any spelling, and the requests can still be replayed."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.foundation.errors import DocumentError
from sandbox.journal.known_secrets import fingerprint
from sandbox.state.seed import parse_seed
from sandbox.testing.compare.har import har_of, read_har
from sandbox.testing.compare.recording import recording_of
from sandbox.testing.compare.redact import Redactor, redact_har
from sandbox.testing.compare.report import compare
from tests.testing.compare.conftest import ORIGIN, Har

SECRET = "Vb3kQ0yTqf7mZc1sXr9u+Jd5wLh8nPe2gKa/oRi6t"
TOKEN = f"eyJ0eXAiOiJKV1QifQ.{base64.b64encode(b'claims of the token').decode().rstrip('=')}.c2lnbmF0dXJl"
OPAQUE = "opaque-token-of-another-platform"
CLIENT = "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
BASIC = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"name": name.replace("_", "-"), "value": value} for name, value in values.items()]


def entry(path: str, request: Har, answer: str, status: int = 200, **more: Any) -> Har:
    return {
        "startedDateTime": "2026-11-27T10:03:00Z",
        "request": {"method": "POST", "url": f"{ORIGIN}{path}", "headers": [], **request},
        "response": {"status": status, "headers": [], "content": {"text": answer}},
        **more,
    }


def issued(token: str) -> str:
    return json.dumps({"token_type": "Bearer", "expires_in": 86400, "access_token": token})


FORM = f"grant_type=client_credentials&client_id={CLIENT}&client_secret={quote(SECRET, safe='')}"
GRANT = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
STORED = '{"message":"Payload stored successfully."}'
HAR: Har = {
    "log": {
        "creator": {"name": "WebInspector"},
        "pages": [{"title": f"{ORIGIN}/oauth/token?client_secret={quote(SECRET)}"}],
        "entries": [
            entry(
                "/oauth/token",
                {
                    "headers": pairs(Content_Type="application/x-www-form-urlencoded", Cookie="session=abcdefgh"),
                    "cookies": [{"name": "session", "value": "abcdefgh"}],
                    "postData": {"text": FORM, "params": [{"name": "client_secret", "value": SECRET}]},
                },
                issued(TOKEN),
            ),
            entry(
                "/oauth/token",
                {"headers": pairs(content_type="application/json"), "postData": {"text": json.dumps(GRANT)}},
                issued(OPAQUE),
            ),
            entry(
                "/oauth/token",
                {
                    "headers": pairs(authorization=f"Basic {BASIC}", content_type="application/x-www-form-urlencoded"),
                    "postData": {"text": "grant_type=client_credentials"},
                },
                issued(TOKEN + "2"),
            ),
            entry(
                f"/oauth/token?grant_type=client_credentials&client_id={CLIENT}&client_secret={quote(SECRET, safe='')}",
                {"method": "GET", "queryString": [{"name": "client_secret", "value": SECRET}]},
                issued(TOKEN + "3"),
            ),
            entry(
                "/v1/shop/orders",
                {"headers": pairs(Authorization=f"Bearer {TOKEN}"), "postData": {"text": f'{{"note": "{SECRET}"}}'}},
                STORED,
                _initiator={"stack": f"push({OPAQUE})"},
            ),
            entry(
                "/v1/shop/orders",
                {"headers": pairs(Authorization=f"bearer {OPAQUE}"), "postData": {"text": "x"}},
                STORED,
            ),
            entry(
                "/v1/shop/orders",
                {
                    "headers": pairs(Authorization=f"Bearer {TOKEN}"),
                    "postData": {"text": base64.b64encode(SECRET.encode()).decode(), "encoding": "base64"},
                },
                STORED,
            ),
        ],
    }
}


def har() -> Any:
    return har_of("real.har", json.dumps(HAR).encode())


@pytest.fixture
def redacted(tmp_path: Path) -> Path:
    target = tmp_path / "real.redacted.har"
    redact_har(har(), target)
    return target


def test_no_secret_stays_in_any_spelling(redacted: Path) -> None:
    text = redacted.read_text(encoding="utf-8")

    for secret in (SECRET, TOKEN, OPAQUE, "abcdefgh"):
        for spelling in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1].replace("/", "\\/")):
            assert spelling not in text
        assert base64.b64encode(secret.encode()).decode().rstrip("=") not in text
    assert BASIC not in text


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress, bytes], ids=["gzip", "zlib", "plain"])
def test_no_secret_stays_in_a_body_that_was_recorded_compressed(
    packed: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    content = {"text": base64.b64encode(packed(issued(TOKEN).encode())).decode(), "encoding": "base64"}
    one = entry("/oauth/token", {"postData": {"text": json.dumps(GRANT)}}, "")
    one["response"] = {**one["response"], "content": content, "headers": pairs(Content_Encoding="gzip")}
    other = entry("/v1/shop/orders", {"comment": f"sent with {TOKEN}"}, "")

    redact_har(har_of("real.har", json.dumps({"log": {"entries": [other, one]}}).encode()), tmp_path / "real.har")

    first, second = read_har(tmp_path / "real.har").entries
    body = base64.b64decode(json.loads(bytes(second))["response"]["content"]["text"])
    assert fingerprint(TOKEN) in body.decode()
    assert TOKEN not in bytes(first).decode()


def test_the_same_secret_has_the_same_fingerprint_everywhere(redacted: Path) -> None:
    text = redacted.read_text(encoding="utf-8")

    assert text.count(fingerprint(SECRET)) >= 6
    assert f"Bearer {fingerprint(TOKEN)}" in text
    assert f"bearer {fingerprint(OPAQUE)}" in text
    assert json.loads(text)["log"]["entries"][2]["_clientId"] == CLIENT


def test_redacted_recording_is_replayed_without_a_difference(redacted: Path) -> None:
    recording = recording_of(read_har(redacted), "/oauth/token")

    comparison = compare(recording, parse_seed({"companies": []}))

    assert [(each.exchange.number, each.differences) for each in comparison.found if each.differences] == []
    assert len(comparison.found) == 7


def test_redaction_of_what_is_redacted_changes_nothing(redacted: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.har"

    redactor = redact_har(read_har(redacted), again)

    assert (redactor.count, redactor.places) == (0, [])
    assert again.read_bytes() == redacted.read_bytes()


def test_recording_with_a_secret_is_refused_with_the_command_to_run() -> None:
    with pytest.raises(DocumentError) as caught:
        recording_of(har(), "/oauth/token")

    message = str(caught.value)
    assert "request 1: request.headers.Cookie" in message
    assert "run `patchworks-sandbox har redact real.har`" in message
    assert "or add --redact" in message
    assert SECRET not in message


def test_recording_with_a_secret_is_compared_with_a_redactor() -> None:
    recording = recording_of(har(), "/oauth/token", redactor=Redactor())

    assert compare(recording, parse_seed({"companies": []})).different == []


@pytest.mark.parametrize("said", ["REDACTED", "[redacted]", "***", "xxxxxxxx", "<removed>", "{{secret}}", "${SECRET}"])
def test_stand_ins_of_other_tools_are_no_secrets(said: str) -> None:
    one = entry(
        "/oauth/token",
        {
            "headers": [*pairs(Content_Type="application/json"), {"name": "Authorization", "value": f"Bearer {said}"}],
            "postData": {"text": json.dumps({**GRANT, "client_secret": said})},
        },
        issued(said),
    )
    content = json.dumps({"log": {"entries": [one]}}).encode()

    recording = recording_of(har_of("real.har", content), "/oauth/token")

    assert compare(recording, parse_seed({"companies": []})).different == []


def test_binary_bodies_and_odd_entries_stay(tmp_path: Path) -> None:
    picture = base64.b64encode(bytes(range(256))).decode()
    odd = [None, 7, {}, {"request": {"headers": "none", "postData": {"text": picture, "encoding": "base64"}}}]
    document = {"log": {"entries": odd, "version": "1.2"}}

    redactor = redact_har(har_of("odd.har", json.dumps(document).encode()), tmp_path / "odd.redacted.har")

    assert redactor.count == 0
    assert json.loads((tmp_path / "odd.redacted.har").read_text(encoding="utf-8")) == document


@pytest.mark.parametrize("value", ["1e999", "9" * 5_000], ids=["float", "integer"])
def test_entry_that_python_cannot_hold_is_refused_by_its_number(value: str, tmp_path: Path) -> None:
    content = json.dumps({"log": {"entries": [HAR["log"]["entries"][0], entry("/v1/a/b", {}, "x", odd="VALUE")]}})
    odd = har_of("odd.har", content.replace('"VALUE"', value).encode())

    with pytest.raises(DocumentError, match=r"^request 2: .*; remove it from the recording$"):
        redact_har(odd, tmp_path / "odd.redacted.har")
    with pytest.raises(DocumentError, match=r"request 2: .*; remove it from the recording$"):
        recording_of(odd, "/oauth/token", redactor=Redactor())
    assert list(tmp_path.iterdir()) == []


def test_entry_that_is_nested_too_deep_is_refused_by_its_number() -> None:
    nested: Any = []
    for _ in range(2_000):
        nested = [nested]

    with pytest.raises(DocumentError, match=r"^request 2: is nested too deep; remove it from the recording$"):
        Redactor().redacted({"deep": nested}, "request 2")
