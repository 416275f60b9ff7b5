"""The authority, and the certificates it issues."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from sandbox.foundation.tls import authority as authority_module
from sandbox.foundation.tls.authority import Authority
from tests.server.tls.conftest import trusting

NAMES = ["inbound.pwks.co", "localhost", "127.0.0.1", "::1", "*.example.test"]


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bytes:
    """Return the certificate that a client is shown and takes; raise what the client raises."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(ours, server_side=True).close()
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as sock:
            return sock.getpeercert(binary_form=True) or b""
    finally:
        theirs.close()
        thread.join()


def presented(authority: Authority, name: str = "localhost") -> x509.Certificate:
    der = shaken(authority.server_context(NAMES), trusting(authority.ca_pem), name)
    return x509.load_der_x509_certificate(der)


@pytest.mark.parametrize("name", ["inbound.pwks.co", "localhost", "127.0.0.1", "::1", "shop.example.test"])
def test_strict_client_that_trusts_the_authority_takes_every_name(name: str) -> None:
    assert presented(Authority.new(), name)


def test_name_that_the_certificate_is_not_for_is_refused() -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        presented(Authority.new(), "other.example")


def test_client_that_trusts_another_authority_refuses() -> None:
    server = Authority.new().server_context(NAMES)

    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(server, trusting(Authority.new().ca_pem), "localhost")


def test_certificate_is_short_lived_enough_for_every_client() -> None:
    certificate = presented(Authority.new())
    now = datetime.now(timezone.utc)

    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=398)
    assert certificate.not_valid_before_utc < now - timedelta(hours=23)
    assert certificate.not_valid_after_utc > now + timedelta(days=360)


def test_nothing_older_than_tls_1_2_is_spoken() -> None:
    authority = Authority.new()
    server = authority.server_context(NAMES)
    client = trusting(authority.ca_pem)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1

    assert server.minimum_version is ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shaken(server, client, "localhost")


def test_authority_that_was_written_down_is_trusted_as_before() -> None:
    authority = Authority.new()
    again = Authority.from_pem(authority.private_pem)

    assert again.ca_pem == authority.ca_pem
    assert shaken(again.server_context(NAMES), trusting(authority.ca_pem), "localhost")


def _leaf() -> bytes:
    return trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.bytes()


def _mixed() -> bytes:
    return Authority.new().ca_pem + trustme.CA().private_key_pem.bytes()


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        (b"", "does not hold a certificate and its unencrypted private key"),
        (Authority.new().ca_pem, "does not hold a certificate and its unencrypted private key"),
        (_mixed(), "do not belong together"),
        (_leaf(), "not that of an authority"),
    ],
    ids=["nothing", "no key", "another's key", "no authority"],
)
def test_what_is_no_authority_is_told(pem: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Authority.from_pem(pem)


def test_certificate_without_constraints_is_no_authority() -> None:
    made = trustme.CA()
    certificate = made._certificate
    bare = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.subject)
        .public_key(certificate.public_key())
        .serial_number(1)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .sign(made._private_key, SHA256())
    )
    pem = bare.public_bytes(Encoding.PEM) + made.private_key_pem.bytes()

    with pytest.raises(ValueError, match="not that of an authority"):
        Authority.from_pem(pem)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no files in memory")
def test_key_of_the_certificate_is_never_on_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trustme.Blob, "tempfile", lambda *_: pytest.fail("a file was written"))
    before = len(list(Path("/proc/self/fd").iterdir()))

    Authority.new().server_context(NAMES)

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_system_without_files_in_memory_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority_module, "_file_in_memory", lambda data: None)
    authority = Authority.new()

    assert shaken(authority.server_context(NAMES), trusting(authority.ca_pem), "localhost")


def test_system_that_shows_no_descriptors_has_no_files_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_dir", lambda self: False)

    assert authority_module._file_in_memory(b"") is None
