"""The journal as a file, in each of its formats."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
from werkzeug.test import Client

from sandbox import Sandbox, SandboxServer
from sandbox.journal.export.curl import as_curl, curl
from sandbox.journal.export.har import har_entry
from sandbox.journal.form import shown
from tests.conftest import Integration
from tests.journal.journals import exchange as made


def an_object(**properties: Any) -> dict[str, Any]:
    """Return the JSON Schema of an object with exactly these properties."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


TEXT, NUMBER, SIZE = {"type": "string"}, {"type": "number", "minimum": 0}, {"type": "integer", "minimum": -1}
PAIRS = {"type": "array", "items": an_object(name=TEXT, value=TEXT)}
MESSAGE = {"httpVersion": TEXT, "cookies": {"type": "array"}, "headers": PAIRS, "headersSize": SIZE, "bodySize": SIZE}
REQUEST = an_object(method=TEXT, url={"type": "string", "pattern": "^https?://"}, queryString=PAIRS, **MESSAGE)
REQUEST["properties"]["postData"] = {"type": "object", "required": ["mimeType"], "properties": {"text": TEXT}}
CONTENT = {"type": "object", "required": ["size", "mimeType"], "properties": {"size": SIZE, "mimeType": TEXT}}
RESPONSE = an_object(status={"type": "integer"}, statusText=TEXT, redirectURL=TEXT, content=CONTENT, **MESSAGE)
ENTRY = an_object(
    startedDateTime={"type": "string", "format": "date-time"},
    time=NUMBER,
    request=REQUEST,
    response=RESPONSE,
    cache={"type": "object"},
    timings=an_object(send=NUMBER, wait=NUMBER, receive=NUMBER),
)
ENTRY["additionalProperties"] = RESPONSE["additionalProperties"] = True  # HAR allows more, such as names with "_"
HAR = jsonschema_rs.validator_for(
    an_object(
        log={
            "type": "object",
            "required": ["version", "creator", "entries"],
            "properties": {
                "version": {"const": "1.2"},
                "creator": {"type": "object", "required": ["name", "version"]},
                "entries": {"type": "array", "items": ENTRY},
            },
        }
    ),
    validate_formats=True,
)
"""HAR 1.2 as far as our export uses it."""

BODIES = [
    b'{"order": "1001"}',
    b'it\'s "quoted" $HOME `id` \\n !! %s\n\ttrailing\r\n',
    "żółć 🍵".encode(),
    b"\x00\xff\xfe binary",
    b"@/etc/passwd",
    b"x" * 200_000,
]


def export(integration: Integration, format: str, **query: Any) -> Any:
    answer = integration.control("GET", "/requests/export", format=format, **query)
    assert answer.status_code == 200, answer.text
    return answer


def test_ndjson_has_an_entry_a_line_with_its_body_whole(integration: Integration) -> None:
    token = integration.token()
    for body in BODIES:
        integration.post(body, token=token)
    answer = export(integration, "ndjson", kind="inbound")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    entries = list(integration.sandbox.journal.snapshot())[1:]
    assert [line["id"] for line in lines] == [entry.id for entry in entries]
    assert [line["body"] for line in lines] == [shown(entry)["body"] for entry in entries]
    assert answer.headers["Patchworks-Sandbox-Dropped"] == "0"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "skip": 1}, [2, 3]),
        ({"after": 2, "limit": 1}, [3]),
        ({"newest": "true", "limit": 1}, [4]),
        ({"newest": "true", "limit": 2, "skip": 1}, [3, 2]),
        ({"newest": "true", "after": 2}, [4, 3]),
        ({"skip": 3}, [4]),
    ],
    ids=str,
)
def test_some_of_the_entries_are_exported(integration: Integration, query: dict[str, Any], numbers: list[int]) -> None:
    token = integration.token()
    for number in range(3):
        integration.post({"order": number}, token=token)

    lines = export(integration, "ndjson", **query).text.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == numbers


def test_har_is_valid_and_holds_what_was_sent_and_answered(integration: Integration) -> None:
    integration.token(client_secret=integration.client_secret)
    for body in BODIES:
        integration.post(body, token="bad", **{"Content-Type": "text/plain"})
    integration.http.get("/oauth/token?grant_type=client_credentials&x=%20y")
    har = json.loads(export(integration, "har").text)

    HAR.validate(har)
    entries = har["log"]["entries"]
    assert len(entries) == len(BODIES) + 2
    assert entries[1]["request"]["postData"] == {"mimeType": "text/plain", "text": BODIES[0].decode()}
    assert entries[1]["response"]["content"]["text"] == '{"message":"Unauthenticated."}'
    assert entries[1]["comment"].startswith("malformed_token")
    assert entries[-1]["request"]["queryString"][-1] == {"name": "x", "value": " y"}


def test_har_holds_an_answer_that_is_no_text_in_base64(sandbox: Sandbox) -> None:
    exchange = made(path="/v1/acme/anything", kind="other", wall_time=1000.0)
    entry = sandbox.journal.close(exchange, 200, (("Content-Type", "image/png"),), b"\x89PNG")

    assert har_entry(entry, "http://sandbox")["response"]["content"] == {
        "size": 4,
        "mimeType": "image/png",
        "text": "iVBORw==",
        "encoding": "base64",
    }


def test_har_waits_as_long_as_the_client_did(sandbox: Sandbox) -> None:
    late = made(fault="late", effect="latency: answered 200, 2.000 s late", delay_ms=2000.0)
    entry = sandbox.journal.close(late, 200, (), b"")

    har = har_entry(entry, "http://sandbox")
    assert har["time"] == har["timings"]["wait"] == round(entry.duration_ms + 2000, 3)
    assert har["_effect"] == "latency: answered 200, 2.000 s late"


def test_har_has_the_other_fields_of_an_entry_under_names_with_an_underscore(integration: Integration) -> None:
    integration.post(token=integration.token())
    _, entry = integration.sandbox.journal.snapshot()

    extensions = {name: value for name, value in har_entry(entry, "http://sandbox").items() if name.startswith("_")}
    assert extensions.pop("_receivedAt").endswith("Z")
    assert extensions.pop("_tokenIssuedAt") < extensions.pop("_tokenExpiresAt")
    assert extensions == {
        "_id": entry.id,
        "_seq": 2,
        "_kind": "inbound",
        "_clientId": integration.client_id,
        "_company": entry.company,
        "_vanityUrl": entry.vanity_url,
        "_flow": None,
        "_hook": None,
        "_run": None,
        "_outcome": "accepted",
        "_accepted": True,
        "_fault": None,
        "_effect": None,
        "_closedAfterMs": None,
        "_token": "token of request 1",
        "_tokenRequest": 1,
        "_structured": False,
    }


def test_empty_journal_is_exported_as_a_valid_file(integration: Integration) -> None:
    har = json.loads(export(integration, "har").text)

    HAR.validate(har)
    assert har["log"]["entries"] == []
    assert Client(integration.http.application).get("/_sandbox/requests/export").text == ""


@pytest.mark.parametrize("format", ["ndjson", "har", "curl"])
def test_no_export_holds_a_secret(integration: Integration, format: str) -> None:
    token = integration.token()
    integration.post(token=token)
    integration.http.get("/oauth/token", query_string=integration.credentials())
    integration.http.post("/oauth/token", json=integration.credentials())
    text = export(integration, format).text

    assert integration.client_secret not in text
    assert token not in text


@pytest.mark.parametrize("format", ["ndjson", "har", "curl"])
def test_export_tells_what_was_dropped(make_integration: Callable[..., Integration], format: str) -> None:
    integration = make_integration(journal_entries=1)
    integration.post()

    assert export(integration, format).headers["Patchworks-Sandbox-Dropped"] == "1"


def test_unknown_format_is_refused_with_what_is_allowed(integration: Integration) -> None:
    answer = integration.control("GET", "/requests/export", format="xml")

    assert answer.status_code == 422
    assert "ndjson, har, curl" in answer.json["detail"]


def run(script: str, sandbox: SandboxServer, **variables: str) -> None:
    environment = {"BASE_URL": sandbox.base_url, "PATH": "/usr/bin:/bin:/usr/local/bin", **variables}
    done = subprocess.run(
        ["sh", "-eu"], input=script.encode(), env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_curl_lines_send_the_same_requests_to_another_sandbox(integration: Integration, sandbox: Sandbox) -> None:
    for body in BODIES:
        integration.post(body, token="bad", **{"X-Note": "it's"})
    integration.http.post("/v1/acme/a b[1]{2}?q='x'&y=%20", data=b"x", content_type="text/plain")
    integration.http.post("/oauth/token", json=integration.credentials())
    integration.http.get("/oauth/token", query_string=integration.credentials())
    integration.http.head("/v1/acme/anything")
    integration.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(integration.client_id, integration.client_secret),
    )
    script = export(integration, "curl").text
    originals = list(integration.sandbox.journal.snapshot())
    integration.sandbox.reset()
    with SandboxServer(integration.sandbox) as server:
        run(script, server, CLIENT_SECRET=integration.client_secret, TOKEN="bad")
        repeated = list(integration.sandbox.journal.snapshot())

    def essence(entries: list[Any]) -> list[Any]:
        kept = ("authorization", "content-type", "x-note")
        return [
            (e.method, e.path, e.query, e.body, e.status, sorted(h for h in e.headers if h[0].lower() in kept))
            for e in entries
        ]

    assert essence(repeated) == essence(originals)
    assert [entry.status for entry in repeated[-4:]] == [200, 200, 405, 200]


UNSENDABLE: dict[str, dict[str, Any]] = {
    "user information": {"path": "@127.0.0.1:9/steal"},
    "another port": {"path": ":9/steal"},
    "end of a host name": {"path": ".evil.test/"},
    "absolute": {"path": "http://evil.test/"},
    "empty": {"path": ""},
    "fragment": {"path": "/x", "query": "a#b"},
    "blank in the query": {"path": "/x", "query": "a b"},
    "line feed in the query": {"path": "/x", "query": "a\ncurl evil.test"},
    "method with a line feed": {"method": "GET\ncurl evil.test", "path": "/x"},
    "method with a NUL": {"method": "G\0T", "path": "/x"},
    "empty method": {"method": "", "path": "/x"},
    "name of a header": {"path": "/x", "headers": (("Authorization ", "Bearer x"),)},
    "value of a header": {"path": "/x", "headers": (("X-A", "1\nAuthorization: Bearer x"),)},
    "NUL in a header": {"path": "/x", "headers": (("X-A", "a\0b"),)},
    "NUL in the user": {"path": "/x", "client_id": "a\0b", "headers": (("Authorization", "Basic x"),)},
    "line feed in the path": {"path": "@x\ncurl evil.test"},
}


@pytest.mark.parametrize("given", UNSENDABLE.values(), ids=UNSENDABLE)
def test_request_that_no_client_can_send_is_a_comment_in_a_script(sandbox: Sandbox, given: dict[str, Any]) -> None:
    entry = sandbox.journal.close(made(**{"headers": (("Authorization", "Bearer x"),), **given}), 400, (), b"")

    for script in ("".join(as_curl([entry], 0)), curl(entry, "http://127.0.0.1:8025")):
        commands = [line for line in script.splitlines() if line and line[0] != "#"]
        assert [line for line in commands if not line.startswith((': "${', "BASE_URL="))] == []
        assert "# not sent again, because" in script
        assert "\0" not in script


@pytest.mark.parametrize("given", UNSENDABLE.values(), ids=UNSENDABLE)
def test_har_names_the_base_url_and_no_other_host(sandbox: Sandbox, given: dict[str, Any]) -> None:
    entry = sandbox.journal.close(made(**given), 400, (), b"")

    assert urlsplit(har_entry(entry, "http://127.0.0.1:8025")["request"]["url"]).netloc == "127.0.0.1:8025"


# --- events and repetitions -------------------------------------------------------------------------------------------


def _with_an_event(integration: Integration) -> None:
    token = integration.token()
    integration.post(token=token)
    integration.sandbox.clock.advance(hours=1)
    integration.post(token=token)


def test_lines_of_events_are_between_those_of_requests(integration: Integration) -> None:
    _with_an_event(integration)

    lines = [json.loads(line) for line in export(integration, "ndjson").text.splitlines()]
    assert [line.get("event") or line["seq"] for line in lines] == [1, 2, "clock", 3]
    assert [line["repetition"]["before"] for line in lines if "repetition" in line] == [2]


@pytest.mark.parametrize(
    "query", ["kind=inbound", "limit=9", "skip=1", "newest=true", "events=false"], ids=lambda query: query
)
def test_part_of_a_journal_is_exported_without_events(integration: Integration, query: str) -> None:
    _with_an_event(integration)

    text = integration.http.get(f"/_sandbox/requests/export?{query}").text
    assert not [line for line in text.splitlines() if "event" in json.loads(line)]


def test_har_has_events_and_repetitions_in_comments(integration: Integration) -> None:
    _with_an_event(integration)

    first, second, third = json.loads(export(integration, "har").text)["log"]["entries"]
    assert (first["comment"], second["comment"]) == ("", "")
    assert third["comment"].startswith("before it: 1 h later on the sandbox clock; attempt 2, ")


def test_events_are_listed_from_a_cursor_on(integration: Integration) -> None:
    integration.sandbox.clock.freeze()
    _with_an_event(integration)

    asked = [integration.http.get(f"/_sandbox/events?after={after}").get_json()["events"] for after in (0, 2, 3)]
    assert [[event["text"] for event in events] for events in asked] == [
        ["the clock is frozen", "1 h later on the sandbox clock"],
        ["1 h later on the sandbox clock"],
        [],
    ]


def test_attempts_are_listed_with_their_waits(integration: Integration) -> None:
    _with_an_event(integration)

    answer = integration.http.get("/_sandbox/requests/attempts").get_json()
    (found,) = answer["attempts"]
    assert [entry.rpartition("-")[2] for entry in found["requests"]] == ["2", "3"]
    assert (found["stored"], len(found["gaps_s"]), answer["dropped"]) == (2, 1, 0)
