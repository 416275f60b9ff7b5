"""A client secret or token that a client sends where none belongs can be read nowhere."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import zlib
from hashlib import sha256
from html import unescape
from io import BytesIO
from urllib.parse import quote, unquote

import pytest

from sandbox.faults.rules import read_rule
from sandbox.journal.entry import Entry
from sandbox.journal.form import shown
from sandbox.journal.known_secrets import fingerprint, fingerprint_of
from sandbox.journal.request import Request
from sandbox.platform.serve import refuse, serve
from sandbox.state.sandbox import Sandbox
from sandbox.state.seed import parse_seed
from sandbox.testing.local import SandboxServer
from sandbox.testing.trace_recording import of_lines, of_sandbox
from sandbox.web.app import SandboxApp
from sandbox.web.dashboard.trace import Trace, as_html
from sandbox.web.http.limits import Limits
from tests.conftest import Integration
from tests.web.emulated.sending import bearer

SECRETS = {"random": None, "short": "ci-s3cr3t", "with marks": r"p&s=s w+rd/\"%41", "not ASCII": "pässwörd-密码-🔑"}
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
XML = ("Content-Type", "application/xml")
GOOD = "grant_type=client_credentials&client_id=ID&"


# Where a secret stands: method, path, query, headers, body. The marks are those of `filled`.
PLACES = {
    "form: clientSecret": ("POST", "/oauth/token", "", [FORM], GOOD + "clientSecret={E}"),
    "form: secret": ("POST", "/oauth/token", "", [FORM], GOOD + "secret={E}"),
    "form: client.secret": ("POST", "/oauth/token", "", [FORM], GOOD + "client.secret={E}"),
    "form: client[secret]": ("POST", "/oauth/token", "", [FORM], GOOD + "client[client_secret]={E}"),
    "form: name": ("POST", "/oauth/token", "", [FORM], GOOD + "{E}=client_secret"),
    "form: grant_type": ("POST", "/oauth/token", "", [FORM], "grant_type={E}"),
    "form: client_id": ("POST", "/oauth/token", "", [FORM], "grant_type=client_credentials&client_id={E}"),
    "form: client_id with it": ("POST", "/oauth/token", "", [FORM], "grant_type=client_credentials&client_id={ID}:{E}"),
    "form: scope": ("POST", "/oauth/token", "", [FORM], GOOD + "client_secret={E}&scope={E}"),
    "form: semicolons": ("POST", "/oauth/token", "", [FORM], "grant_type=x;client_secret={E}"),
    "form: semicolons encoded": ("POST", "/oauth/token", "", [FORM], "grant_type=x%3Bclient_secret%3D{E}"),
    "form: encoded twice": ("POST", "/oauth/token", "", [FORM], GOOD + "sec={EE}"),
    "form: every character encoded": ("POST", "/oauth/token", "", [FORM], GOOD + "sec={P}"),
    "form: base64": ("POST", "/oauth/token", "", [FORM], GOOD + "auth={B}"),
    "form: base64 of base64": ("POST", "/oauth/token", "", [FORM], GOOD + "auth={BB}"),
    "form: hexadecimal with colons": ("POST", "/oauth/token", "", [FORM], GOOD + "auth={HC}"),
    "body: base64 in lines": ("POST", "/oauth/token", "", [], "{BL}\r\n"),
    "body: quoted-printable": ("POST", "/oauth/token", "", [], "--x\r\n\r\nauth={Q}=\r\n\r\n--x--"),
    "header: base64 with blanks": ("POST", "/v1/acme/orders", "", [("X-Auth", "{BS}")], "1"),
    "body: id:secret": ("POST", "/oauth/token", "", [FORM], "{ID}:{S}"),
    "body: base64 of id:secret": ("POST", "/oauth/token", "", [], "{B}"),
    "json: clientSecret": ("POST", "/oauth/token", "", [JSON], '{"clientId": "{ID}", "clientSecret": {J}}'),
    "json: nested": ("POST", "/oauth/token", "", [JSON], '{"client": {"id": "{ID}", "secret": [{J}]}}'),
    "json: key": ("POST", "/oauth/token", "", [JSON], "{{J}: 1}"),
    "json: escaped": ("POST", "/oauth/token", "", [JSON], '{"sec": "{U}"}'),
    "json: in a string": ("POST", "/oauth/token", "", [JSON], '{"sec": {JJ}}'),
    "xml": ("POST", "/oauth/token", "", [XML], "<sec><![CDATA[{S}]]></sec>"),
    "xml: escaped": ("POST", "/oauth/token", "", [XML], "<sec>{X}</sec>"),
    "xml: escaped with zeros": ("POST", "/oauth/token", "", [XML], "<sec>{XZ}</sec>"),
    "token query": ("GET", "/oauth/token", GOOD + "clientSecret={E}", [], ""),
    "token query, alone": ("GET", "/oauth/token", "{E}", [], ""),
    "inbound query": ("POST", "/v1/acme/orders", "key={E}", [], "1"),
    "inbound path": ("POST", "/v1/acme/{S}", "", [], "1"),
    "company": ("POST", "/v1/{S}/orders", "", [], "1"),
    "other path": ("GET", "/nowhere/x{S}x", "", [], ""),
    "path, base64": ("GET", "/nowhere/{B}", "", [], ""),
    "path, hexadecimal": ("GET", "/nowhere/{H}", "", [], ""),
    "path, encoded twice": ("GET", "/{E}", "", [], ""),
    "method": ("{S}", "/v1/acme/orders", "", [], ""),
    "header": ("POST", "/v1/acme/orders", "", [("X-Key", "{S}")], "1"),
    "header, named for it": ("POST", "/v1/acme/orders", "", [("X-Client-Secret", "{S}")], "1"),
    "header: id:secret": ("POST", "/v1/acme/orders", "", [("X-Auth", "{ID}:{S}")], "1"),
    "header: Basic": ("POST", "/v1/acme/orders", "", [("X-Auth", "Basic {B}")], "1"),
    "header: base64": ("POST", "/v1/acme/orders", "", [("X-Auth", "{B}")], "1"),
    "header: encoded": ("POST", "/v1/acme/orders", "", [("X-Auth", "{E}")], "1"),
    "header: user information": ("POST", "/v1/acme/orders", "", [("Host", "{ID}:{E}@sandbox")], "1"),
    "header: Referer": ("POST", "/v1/acme/orders", "", [("Referer", "http://x/?key={E}")], "1"),
    "header: User-Agent": ("POST", "/v1/acme/orders", "", [("User-Agent", "job ({S})")], "1"),
    "header name": ("POST", "/v1/acme/orders", "", [("X-{S}", "1")], "1"),
}
REFUSED = {
    "blank before the colon": [("Authorization ", "Basic {B}")],
    "line feed before the name": [("X-A", "1\nAuthorization: Basic {B}")],
    "line feed in the name": [("X-A\nAuthorization", "Basic {B}")],
    "carriage return": [("X-A", "1\rX-Secret: {S}\r")],
    "folded": [("X-A", "1"), ("  Basic {B}", "")],
    "long": [("X-A", "1" * 200_000 + "{S}")],
}


def seeded(secret: str | None, **settings: object) -> Integration:
    """Return an integration whose OAuth client has this secret, or a random one; a user has one that is not ASCII."""
    users = []
    if secret is not None and not secret.isascii():
        users, secret = [{"email": "ada@example.test", "password": secret}], None
    client = {"name": "job", "client_id": "0b9df8e1-32b6-4f0c-9d2e-3a1c5b7d9e11"}
    connector = {
        "name": "Shop",
        "oauth_clients": [client if secret is None else {**client, "client_secret": secret}],
        "entities": [{"type": "order", "name": "order"}],
        "services": [{"vanity_url": "orders", "entity": "order"}],
    }
    seed = parse_seed({"companies": [{"name": "Acme", "connectors": [connector], "users": users}]})
    return Integration(Sandbox(seed, settings=settings))


def filled(template: str, client_id: str, secret: str) -> str:
    """Return a template with the secret in place of its marks."""
    pair = f"{client_id}:{secret}"
    marks = {
        "ID": client_id,
        "S": secret,
        "E": quote(secret, safe=""),  # percent-encoded
        "EE": quote(quote(secret, safe=""), safe=""),
        "P": "".join(f"%{byte:02x}" for byte in secret.encode()),
        "X": "".join(f"&#{ord(char)};" for char in secret),
        "J": json.dumps(secret),
        "JJ": json.dumps(json.dumps(secret)),
        "XZ": "".join(f"&#x{ord(char):06X};" for char in secret),
        "U": json.dumps(secret)[1:-1] if not secret.isascii() else "".join(f"\\u{ord(char):04X}" for char in secret),
        "B": base64.b64encode(pair.encode()).decode(),
        "H": pair.encode().hex(),
        "BB": base64.b64encode(base64.b64encode(pair.encode())).decode(),
        "BL": base64.encodebytes(pair.encode() * 2).decode().strip().replace("\n", "\r\n "),
        "HC": pair.encode().hex(":"),
        "Q": "".join(f"={byte:02X}" for byte in secret.encode()),
        "BS": base64.encodebytes(pair.encode() * 2).decode().strip().replace("\n", " "),
    }
    for mark, text in marks.items():
        template = template.replace(f"{{{mark}}}", text)
    return template


def texts(entry: Entry) -> str:
    """Return all that an entry shows, and the same without percent-escapes."""
    shows = json.dumps(shown(entry), ensure_ascii=False)
    return f"{shows}\n{unquote(shows)}\n{unquote(unquote(shows))}\n{entry.response_body!r}"


def is_in(secret: str, client_id: str, text: str) -> bool:
    """Return whether a text shows a secret, in any of the ways in which a template can write it."""
    forms = ("S", "E", "EE", "P", "X", "XZ", "J", "JJ", "U", "B", "BB", "BL", "BS", "H", "HC", "Q")
    written = {filled(f"{{{form}}}", client_id, secret).strip('"') for form in forms}
    written |= {secret.encode().decode("latin-1")}
    return any(form in text or json.dumps(form)[1:-1] in text for form in written)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_misplaced_secret_is_a_fingerprint_in_the_entry(secret, place):
    integration = seeded(secret)
    client_id = integration.client_id
    secret = secret if secret and not secret.isascii() else integration.client_secret
    method, path, query, headers, body = place

    def fill(template: str) -> str:
        return filled(template, client_id, secret)

    request = Request(
        fill(method),
        fill(path),
        fill(query),
        (
            *[(fill(name), fill(value).encode().decode("latin-1")) for name, value in headers],
            bearer(integration.token()),
        ),
        body=fill(body).encode(),
        raw_path=quote(fill(path)),
    )
    for _ in range(2):  # the second time, what was clean is known to be
        serve(integration.sandbox.platform, request)

    entry, again = integration.sandbox.journal.get("2"), integration.sandbox.journal.get("3")
    assert not is_in(secret, client_id, texts(entry))
    assert not is_in(secret, client_id, texts(again))
    assert "sha256:" in texts(entry).replace(dict(entry.headers)["Authorization"], "")
    assert fingerprint(client_id) not in texts(entry)


def test_compressed_body_is_a_fingerprint():
    integration = seeded("ci-s3cr3t")
    for compress in (gzip.compress, zlib.compress):
        body = compress(filled(GOOD + "secret={E}", integration.client_id, "ci-s3cr3t").encode())
        serve(integration.sandbox.platform, Request("POST", "/oauth/token", "", (FORM,), body=body))

        entry = next(integration.sandbox.journal.newest_first())
        assert entry.body == fingerprint_of(sha256(body).digest()).encode()


def test_text_around_a_wrapped_secret_stays():
    integration = seeded("ci-s3cr3t")
    body = b"a\r\nci-s3cr3t\r\nb c\r\nci-\r\n  s3cr3t d"
    serve(integration.sandbox.platform, Request("POST", "/oauth/token", "", (), body=body))

    stand_in = fingerprint("ci-s3cr3t").encode()
    assert integration.sandbox.journal.get("1").body == b"a\r\n%s\r\nb c\r\n%s d" % (stand_in, stand_in)


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_misplaced_secret_of_a_refused_head_is_a_fingerprint(headers):
    integration = seeded(None)
    client_id, secret = integration.client_id, integration.client_secret
    fields = [
        (filled(name, client_id, secret).encode(), filled(value, client_id, secret).encode()) for name, value in headers
    ]
    head = b"GET /oauth/token HTTP/1.1\r\n" + b"".join(b"%s:%s\r\n" % field for field in fields) + b"\r\n"
    with (
        SandboxServer(integration.sandbox) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as client,
    ):
        client.sendall(head)
        assert client.recv(1000).startswith(b"HTTP/1.1 4")

    (entry,) = integration.sandbox.journal.entries()
    assert not is_in(secret, client_id, texts(entry))


def test_credentials_in_place_of_a_method_are_a_fingerprint_and_not_cut():
    integration = seeded(None)
    sent = filled("{B}", integration.client_id, integration.client_secret)
    with (
        SandboxServer(integration.sandbox) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as client,
    ):
        client.sendall(f"{sent}\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")

    method = next(integration.sandbox.journal.entries()).method
    assert method.startswith("sha256:")
    assert sent[:20] not in method


def test_half_a_secret_at_the_end_of_a_target_that_is_cut_is_not_kept():
    integration = seeded(None)
    secret = integration.client_secret
    limit = Limits().target_bytes
    target = "/" + "x" * (limit - 21) + secret
    with (
        SandboxServer(integration.sandbox) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as client,
    ):
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 414 ")

    entry = next(integration.sandbox.journal.entries())
    assert entry.path.startswith("/xxx")
    assert secret[:8] not in entry.path


@pytest.mark.parametrize("name", ["Authorization ", "\tAuthorization", "X-A\nAuthorization", "X_Api_Key", "\x0bCookie"])
def test_credentials_of_a_malformed_header_name_are_a_fingerprint(name):
    integration = seeded(None)
    refuse(integration.sandbox.platform, Request("GET", "/", headers=((name, "unknown-credentials"),)), 400, "no head")

    (entry,) = integration.sandbox.journal.entries()
    assert entry.headers == ((name, fingerprint("unknown-credentials")),)


def test_secret_can_be_read_in_no_view_of_the_journal(tmp_path):
    integration = seeded("ci-s3cr3t", journal_file=str(tmp_path / "journal.ndjson"))
    secret = integration.client_secret
    for method, path, query, headers, body in PLACES.values():
        parts = [filled(part, integration.client_id, secret) for part in (method, path, query, body)]
        head = tuple((filled(name, integration.client_id, secret), value) for name, value in headers)
        serve(integration.sandbox.platform, Request(parts[0], parts[1], parts[2], head, body=parts[3].encode()))
    lines = integration.control("GET", "/requests/export").data
    traces = [
        as_html(Trace("t", [of_sandbox(SandboxServer(integration.sandbox).patchworks.backend)])),
        as_html(Trace("t", of_lines(BytesIO(lines), "export"))),
    ]
    views = [integration.control("GET", "/requests", limit=1000), integration.control("GET", "/state")]
    views += [integration.control("GET", "/requests/export", format=name) for name in ("ndjson", "har", "curl")]
    views += [integration.control("GET", path) for path in ("/contract-violations", "/requests/duplicates")]
    integration.sandbox.journal_file.close()
    read = [*[view.text for view in views], *map(unescape, traces), (tmp_path / "journal.ndjson").read_text()]

    assert len(integration.sandbox.journal) == len(PLACES)
    assert all(trace.count('<section class="pane"') == len(PLACES) for trace in traces)
    assert [number for number, text in enumerate(read) if secret in text or secret in unquote(text)] == []


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["path", "query", "header", "header name", "method", "grant type"])
@pytest.mark.parametrize("how", ["dots encoded", "all encoded", "encoded twice", "base64"])
def test_encoded_token_is_a_fingerprint_in_the_entry(integration, how, place):
    token = integration.token()
    sent = {
        "dots encoded": token.replace(".", "%2E"),
        "all encoded": "".join(f"%{ord(char):02X}" for char in token),
        "encoded twice": token.replace(".", "%252e"),
        "base64": base64.b64encode(f"token:{token}".encode()).decode(),
    }[how]
    request = Request(
        sent if place == "method" else "GET",
        f"/{sent}" if place == "path" else "/nowhere",
        f"x={sent}" if place == "query" else "",
        (("X-Forwarded", sent if place == "header" else "1"), (sent if place == "header name" else "X-A", "1")),
        body=f"grant_type={sent}".encode() if place == "grant type" else b"",
    )
    if place == "grant type":
        request.method, request.path, request.headers = "POST", "/oauth/token", (FORM,)
    serve(integration.sandbox.platform, request)

    entry = integration.sandbox.journal.get("2")
    assert sent not in texts(entry)
    assert token.rpartition(".")[2] not in texts(entry)


# --- what the journal does not hold ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/_sandbox/x", "http://x/_sandbox/x", "HTTPS://x:1/_sandbox", "/%5Fsandbox/x", "/_s%61ndbox"]
)
def test_refused_request_to_the_control_api_has_no_entry(integration, target):
    head = f"GET {target} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n".encode()
    with (
        SandboxServer(integration.sandbox) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as client,
    ):
        client.sendall(head)
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")

    assert len(integration.sandbox.journal) == 0


# --- what is no secret ----------------------------------------------------------------------------------------------


def test_payload_with_a_secret_is_kept_byte_for_byte():
    integration = seeded("ci-s3cr3t")
    body = b'{"client_secret": "ci-s3cr3t", "note": "\\u0063i-s3cr3t"}'

    integration.post(body, "/v1/acme/orders")

    assert integration.sandbox.journal.get("2").body == body


def test_secret_of_a_deleted_client_and_of_a_time_before_a_reset_is_none_to_read(integration):
    store, connector = integration.sandbox.store, integration.sandbox.store.connectors()[0].id
    made = store.add_client(connector, "gone", secret="a-g0ne-secret")
    integration.sandbox.delete_client(connector, made.client.id, "gone")
    integration.control("GET", "/health")
    serve(integration.sandbox.platform, Request("GET", "/a-g0ne-secret"))
    integration.sandbox.reset()
    serve(integration.sandbox.platform, Request("GET", "/a-g0ne-secret/too"))

    assert [entry.path for entry in integration.sandbox.journal.entries()] == [f"/{fingerprint('a-g0ne-secret')}/too"]


def test_secret_of_a_loaded_state_is_a_fingerprint_though_only_its_hash_is_known():
    saved = seeded("l0aded-secret").sandbox.state(secrets=True)
    sandbox = Sandbox()
    sandbox.load_state(saved)

    serve(sandbox.platform, Request("GET", "/x/l0aded-secret"))

    assert next(sandbox.journal.entries()).path == f"/x/{fingerprint('l0aded-secret')}"


def test_control_key_is_a_fingerprint_in_entries_and_events(tmp_path):
    sandbox = Sandbox(settings={"journal_file": str(tmp_path / "journal.ndjson")})
    SandboxApp(sandbox, control_key="c0ntrol-key")
    sandbox.platform.faults.add(read_rule({"fault": {"kind": "hang"}, "match": {"client_id": "c0ntrol-key"}}))
    serve(sandbox.platform, Request("GET", "/c0ntrol-key"))
    sandbox.journal_file.close()

    shows = f"{[*sandbox.journal.entries()]}{sandbox.journal.events()}{(tmp_path / 'journal.ndjson').read_text()}"
    assert shows.count(fingerprint("c0ntrol-key")) >= 3
    assert "c0ntrol-key" not in shows


def test_client_id_is_no_secret(integration):
    serve(integration.sandbox.platform, Request("GET", f"/{integration.client_id}"))

    assert next(integration.sandbox.journal.entries()).path == f"/{integration.client_id}"
