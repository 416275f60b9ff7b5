"""The identity of the sandbox over TLS, as the settings ask for it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sandbox.foundation.errors import SettingError
from sandbox.foundation.settings import Settings
from sandbox.web.addresses import certificate_names

if TYPE_CHECKING:
    from sandbox.foundation.tls.authority import Authority

_CERTIFICATE: Final = "a PEM file with a certificate, and those between it and its authority"
_KEY: Final = "a PEM file with the unencrypted private key of tls_cert_file"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate in use, and what is known of the authority behind it."""

    context: ssl.SSLContext
    ca_pem: bytes | None
    """The authority of ours; ``None`` where the certificate is the user's own."""
    ca_file: Path | None
    """Where that is kept, if it is."""


def identity_for(settings: Settings, host: str) -> Identity | None:
    """Return the identity of a sandbox that listens on ``host``; ``None`` where TLS is off. Raise ``SettingError``."""
    _refuse_contradictions(settings)
    if not settings.tls:
        return None
    if settings.tls_cert_file and settings.tls_key_file:
        return Identity(_own(settings.tls_cert_file, settings.tls_key_file), None, None)
    from sandbox.foundation.tls.authority import Authority  # a sandbox without TLS starts without it
    from sandbox.foundation.tls.folder import CA_FILE, kept_in

    authority, ca_file = Authority.new(), None
    if settings.tls_folder:
        folder = Path(settings.tls_folder).absolute()
        authority, ca_file = kept_in(folder), folder / CA_FILE
    return Identity(_issued(authority, certificate_names(settings, host)), authority.ca_pem, ca_file)


def _refuse_contradictions(settings: Settings) -> None:
    cert, key = settings.tls_cert_file, settings.tls_key_file
    if cert and not key:
        raise SettingError("tls_key_file", key, f"{_KEY}: both are needed, or neither")
    if key and not cert:
        raise SettingError("tls_cert_file", cert, f"{_CERTIFICATE}, for the tls_key_file given: both, or neither")
    if cert and not settings.tls:
        raise SettingError("tls_cert_file", cert, "none while TLS is off: set tls as well (--tls)")
    if cert and settings.tls_folder:
        raise SettingError("tls_folder", settings.tls_folder, "none beside tls_cert_file, which needs no authority")
    if cert and settings.tls_names:
        raise SettingError(
            "tls_names", list(settings.tls_names), "none beside tls_cert_file: a certificate of your own has its names"
        )
    if settings.tls and settings.port == settings.tls_port != 0:
        raise SettingError("tls_port", settings.tls_port, "another port than that of HTTP, or 0 for a free one")


def _issued(authority: Authority, names: dict[str, str]) -> ssl.SSLContext:
    try:
        return authority.server_context(names)
    except ValueError:
        for name, setting in names.items():
            _check_name(authority, name, setting)
        raise


def _check_name(authority: Authority, name: str, setting: str) -> None:
    try:
        authority.server_context([name])
    except ValueError as error:
        raise SettingError(setting, name, f"with TLS, a name that a certificate can be for ({error})") from None


def _own(cert_file: str, key_file: str) -> ssl.SSLContext:
    """Return the context for a certificate of the user's own. ``ssl`` would not name the wrong file."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from sandbox.foundation.tls.authority import server_context

    try:
        x509.load_pem_x509_certificates(_bytes_of("tls_cert_file", cert_file, _CERTIFICATE))
    except ValueError:
        raise SettingError("tls_cert_file", cert_file, _CERTIFICATE) from None
    try:
        load_pem_private_key(_bytes_of("tls_key_file", key_file, _KEY), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingError("tls_key_file", key_file, _KEY) from None
    context = server_context()
    try:
        context.load_cert_chain(cert_file, key_file)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingError("tls_key_file", key_file, f"{_KEY} (this one belongs to another)") from None
        raise SettingError("tls_cert_file", cert_file, f"{_CERTIFICATE} ({error.reason})") from None
    return context


def _bytes_of(setting: str, path: str, allowed: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingError(setting, path, f"{allowed} ({error.strerror})") from None
