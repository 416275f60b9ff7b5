"""What the settings ask for, and which combinations are refused."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from sandbox.foundation.errors import SettingError
from sandbox.foundation.settings import Settings
from sandbox.web.addresses import PRODUCTION_HOSTS, certificate_names
from sandbox.web.identity import identity_for

ALWAYS = [*PRODUCTION_HOSTS, "localhost", "127.0.0.1", "::1"]


def settings(**values: Any) -> Settings:
    return Settings().changed(values)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with certificate files of somebody's own, good ones and others."""
    monkeypatch.chdir(tmp_path)
    leaf = trustme.CA().issue_cert("sandbox.example")
    key = leaf.private_key_pem.bytes()
    leaf.cert_chain_pems[0].write_to_path("cert.pem")
    leaf.private_key_pem.write_to_path("key.pem")
    trustme.CA().private_key_pem.write_to_path("other.pem")
    encrypted = load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    Path("encrypted.pem").write_bytes(encrypted)
    Path("text.pem").write_text("no PEM")
    return tmp_path


def test_without_tls_there_is_no_identity() -> None:
    assert identity_for(settings(tls_folder="unused", tls_names="unused.example"), "127.0.0.1") is None
    assert not Path("unused").exists()


@pytest.mark.parametrize(
    ("values", "host", "more"),
    [
        ({}, "127.0.0.1", []),
        ({}, "0.0.0.0", []),
        ({}, "::", []),
        ({}, "", []),
        ({}, "192.0.2.1", ["192.0.2.1"]),
        ({}, "Sandbox", ["sandbox"]),
        ({"public_url": "http://sandbox.example:8025"}, "0.0.0.0", ["sandbox.example"]),
        ({"tls_names": "A.example,*.b.example,2001:db8::1"}, "::1", ["a.example", "*.b.example", "2001:db8::1"]),
    ],
    ids=["loopback", "everywhere", "everywhere (IPv6)", "everywhere (empty)", "address", "name", "public URL", "names"],
)
def test_names_of_the_certificate(values: dict[str, str], host: str, more: list[str]) -> None:
    assert list(certificate_names(settings(**values), host)) == [*ALWAYS, *more]


def test_authority_of_a_folder_is_told_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = identity_for(settings(tls=True, tls_folder="kept"), "127.0.0.1")
    second = identity_for(settings(tls=True, tls_folder="kept"), "127.0.0.1")

    assert first is not None
    assert second is not None
    assert first.ca_pem == second.ca_pem == (tmp_path / "kept/ca.pem").read_bytes()
    assert first.ca_file == tmp_path / "kept/ca.pem"


def test_own_certificate_needs_no_authority(files: Path) -> None:
    identity = identity_for(settings(tls=True, tls_cert_file="cert.pem", tls_key_file="key.pem"), "127.0.0.1")

    assert identity is not None
    assert (identity.ca_pem, identity.ca_file) == (None, None)
    assert identity.context.minimum_version is ssl.TLSVersion.TLSv1_2


OWN = {"tls": True, "tls_cert_file": "cert.pem", "tls_key_file": "key.pem"}


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"tls": True, "tls_cert_file": "cert.pem"}, "tls_key_file", "both are needed, or neither"),
        ({"tls": True, "tls_key_file": "key.pem"}, "tls_cert_file", "both, or neither"),
        ({**OWN, "tls": False}, "tls_cert_file", "none while TLS is off: set tls as well (--tls)"),
        ({**OWN, "tls_folder": "kept"}, "tls_folder", "none beside tls_cert_file"),
        ({**OWN, "tls_names": "a.example"}, "tls_names", "none beside tls_cert_file"),
        ({**OWN, "tls_cert_file": "no.pem"}, "tls_cert_file", "(No such file or directory)"),
        ({**OWN, "tls_key_file": "no.pem"}, "tls_key_file", "(No such file or directory)"),
        ({**OWN, "tls_cert_file": "text.pem"}, "tls_cert_file", "use a PEM file with a certificate"),
        ({**OWN, "tls_cert_file": "key.pem"}, "tls_cert_file", "use a PEM file with a certificate"),
        ({**OWN, "tls_key_file": "text.pem"}, "tls_key_file", "the unencrypted private key of tls_cert_file"),
        ({**OWN, "tls_key_file": "encrypted.pem"}, "tls_key_file", "the unencrypted private key of tls_cert_file"),
        ({**OWN, "tls_key_file": "other.pem"}, "tls_key_file", "(this one belongs to another)"),
        ({"tls": True, "port": 8443}, "tls_port", "another port than that of HTTP"),
        ({"tls": True, "public_url": "http://a_b"}, "public_url", "a name that a certificate can be for (Codepoint"),
        ({"tls": True, "tls_names": f"{'a' * 64}.example"}, "tls_names", "(Label too long)"),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_what_cannot_be_is_refused(files: Path, values: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        identity_for(settings(**values), "127.0.0.1")

    assert caught.value.field == field
    assert told in str(caught.value)


def test_certificate_that_the_system_does_not_take_is_told(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        error = ssl.SSLError(1, "ee key too small")
        error.reason = "EE_KEY_TOO_SMALL"
        raise error

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", refuse)

    with pytest.raises(SettingError, match=r"tls_cert_file: .*\(EE_KEY_TOO_SMALL\)"):
        identity_for(settings(**OWN), "127.0.0.1")


def test_two_free_ports_are_allowed() -> None:
    assert identity_for(settings(tls=True, port=0, tls_port=0), "127.0.0.1")
