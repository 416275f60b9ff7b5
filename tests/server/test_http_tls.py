"""The same over TLS."""

from __future__ import annotations

import contextlib
import datetime as dt
import queue
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.server.http import Limits
from tests.server.conftest import PATIENCE_S, echo, eventually, open_connections


@pytest.fixture(scope="session")
def contexts(tmp_path_factory):
    """TLS of a server that calls itself localhost, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


@pytest.fixture
def tls(contexts):
    return contexts[0]


@pytest.fixture
def trust(contexts):
    return contexts[1]


def test_requests_are_answered_on_one_connection(serve, connect, tls, trust):
    client = connect(serve(echo, tls=tls).port, trust)
    for size in (0, 10, 100_000, 3_000_000):
        client.post(b"x" * size)
        assert client.answer().body == b"x" * size


def test_environ_says_https(serve, connect, tls, trust):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.url_scheme"].encode()]

    client = connect(serve(app, tls=tls).port, trust)
    client.get()

    assert client.answer().body == b"https"


def test_pipelined_requests_in_one_record_are_answered(serve, connect, tls, trust):
    client = connect(serve(echo, tls=tls, threads=1).port, trust)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
    client.send(b"".join(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d" % (n % 10) for n in range(200)))

    assert client.answer().body == b"x" * 1000
    assert [client.answer().body for _ in range(200)] == [b"%d" % (n % 10) for n in range(200)]


def test_request_behind_a_body_in_one_record_is_found(serve, connect, tls, trust):
    server = serve(echo, tls=tls, threads=1)
    client, other = connect(server.port, trust), connect(server.port, trust)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none")
    client.send(b"twoPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nthree")
    other.get()

    assert client.answer().body == b"onetwo"
    assert client.answer().body == b"three"
    assert other.answer().status == 200


def test_end_of_the_connection_is_announced(serve, connect, tls, trust):
    client = connect(serve(echo, tls=tls).port, trust)
    client.sock.suppress_ragged_eofs = False
    client.get("/", "Connection: close")

    assert client.answer().status == 200
    assert client.rest() == b""


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"], ids=["silent", "half a greeting"])
def test_slow_handshakes_hold_no_worker(serve, connect, tls, trust, said):
    server = serve(echo, tls=tls, threads=1)
    for _ in range(50):
        connect(server.port).send(said)
    client = connect(server.port, trust)
    client.post(b"alive")

    assert client.answer().body == b"alive"


def test_silence_after_the_handshake_holds_no_worker(serve, connect, tls, trust):
    server = serve(echo, tls=tls, threads=1)
    clients = [connect(server.port, trust) for _ in range(20)]
    for client in reversed(clients):
        client.post(b"alive")
        assert client.answer().body == b"alive"


def test_handshake_has_a_deadline(serve, connect, tls):
    client = connect(serve(echo, tls=tls, limits=Limits(head_timeout_s=0.05)).port)
    client.send(b"\x16\x03\x01")

    assert client.rest() == b""


def test_nonsense_instead_of_a_handshake_is_closed(serve, connect, tls, seen):
    server = serve(echo, tls=tls)
    client = connect(server.port)
    client.send(b"\0" * 100)
    with contextlib.suppress(ConnectionResetError):
        client.rest()

    eventually(lambda: open_connections(server) == 0)
    assert not seen.errors


def test_plain_http_is_told_to_use_https(serve, connect, tls, seen):
    client = connect(serve(echo, tls=tls).port)
    client.get()
    answer = client.answer()

    assert answer.status == 400
    assert answer.body == b"This port speaks TLS: use https.\n"
    assert client.rest() == b""
    assert [refused.status for refused in seen.refused] == [400]


def test_surplus_connection_is_closed_without_plain_text(serve, connect, tls):
    server = serve(echo, tls=tls, limits=Limits(connections=1))
    connect(server.port)

    assert connect(server.port).rest() == b""


def test_half_sent_head_is_answered_408(serve, connect, tls, trust):
    client = connect(serve(echo, tls=tls, limits=Limits(head_timeout_s=0.1)).port, trust)
    client.send(b"GET / HTTP/1.1\r\n")

    assert client.answer().status == 408


def test_large_answer_is_cut_by_stop(serve, connect, tls, trust):
    begun = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [])
        begun.set()
        while True:
            yield b"x" * 1_000_000

    server = serve(app, tls=tls)
    connect(server.port, trust).get()
    assert begun.wait(PATIENCE_S)
    server.stop()


EXPECTING = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"


def noting(failures):
    def app(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except ConnectionError as error:
            failures.put(error)
        return []

    return app


@pytest.mark.parametrize("how", ["broken record", "end"])
def test_body_that_breaks_off_raises_connection_error(serve, connect, tls, trust, how):
    failures = queue.Queue()
    client = connect(serve(noting(failures), tls=tls, on_error=None).port, trust)
    client.send(EXPECTING)
    assert client.line() == b"HTTP/1.1 100 Continue\r\n"  # the server has seen the head
    client.send(b"12345")
    if how == "end":
        client.close()
    else:
        socket.socket.send(client.sock, b"not encrypted at all" * 10)

    assert failures.get(timeout=PATIENCE_S)
