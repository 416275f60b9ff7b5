"""A certificate authority of our own, and the certificates that it issues."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import Self

from sandbox.foundation.real_time import python_datetime, wall_time

if TYPE_CHECKING:
    import trustme
    from cryptography import x509

_ORGANIZATION: Final = "Patchworks Sandbox"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Apple's clients take no certificate that is good for more than 825 days. The first day is for clocks that are behind.
_LIFETIME: Final = timedelta(days=366)
_CA_LIFETIME: Final = timedelta(days=3653)
_USAGES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
_HEAD_START: Final = timedelta(days=1)


@contextmanager
def _real_datetime() -> Iterator[None]:
    """Put Python's own ``datetime`` in its place where freezegun has put another.

    cryptography remembers the class that it finds when it makes the first certificate of the process, and takes no
    instance of another class from then on: with that of freezegun no certificate could be made once time runs again.
    """
    module: Any = sys.modules["datetime"]
    shown = module.datetime
    module.datetime = python_datetime()
    try:
        yield
    finally:
        module.datetime = shown


class Authority:
    """An authority: a certificate that clients are made to trust, and its private key."""

    def __init__(self, ca: trustme.CA) -> None:
        self._ca = ca

    @classmethod
    @_real_datetime()
    def new(cls) -> Self:
        """Make one for ten years, which can issue no further authority. Its key is in memory only.

        Its names have no constraints, because a later start may serve another name (``tls_names``).
        """
        import trustme
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key, now = ec.generate_private_key(ec.SECP256R1()), _now()
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        number = x509.random_serial_number()
        name = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, _ORGANIZATION),
                x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, f"Testing CA #{number:x}"[:30]),
            ]
        )
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), number)
            .not_valid_before(now - _HEAD_START)
            .not_valid_after(now + _CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return cls(trustme.CA.from_pem(certificate.public_bytes(Encoding.PEM), private))

    @classmethod
    @_real_datetime()
    def from_pem(cls, pem: bytes) -> Self:
        """Read what ``private_pem`` returned; raise ``ValueError`` saying what is wrong with it."""
        import trustme
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            certificate = x509.load_pem_x509_certificate(pem)
            public_key = load_pem_private_key(pem, password=None).public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("it does not hold a certificate and its unencrypted private key, in PEM") from None
        if certificate.public_key() != public_key:
            raise ValueError("its certificate and its private key do not belong together")
        if not _may_issue(certificate):
            raise ValueError("its certificate is not that of an authority")
        return cls(trustme.CA.from_pem(pem, pem))

    @property
    def ca_pem(self) -> bytes:
        """The authority's own certificate, for clients to trust."""
        return self._ca.cert_pem.bytes()

    @property
    def private_pem(self) -> bytes:
        """The certificate and the private key: their holder can issue certificates."""
        return self.ca_pem + self._ca.private_key_pem.bytes()

    @property
    def has_expired(self) -> bool:
        """Whether its time is over before that of a certificate it would issue now."""
        from cryptography import x509

        with _real_datetime():
            certificate = x509.load_pem_x509_certificate(self.ca_pem)
            return certificate.not_valid_after_utc <= _now() + _LIFETIME

    def server_context(self, names: Iterable[str], *, at_any_time: bool = False) -> ssl.SSLContext:
        """Return what a server needs to speak TLS as any of some hosts; raise ``ValueError`` for what is no name.

        With ``at_any_time`` the certificate is as good as that of the authority, from 2000 to 3000: a test may have
        taken its process to another time than the machine's.
        """
        begin = _now() - _HEAD_START
        with _real_datetime():
            certificate = self._ca.issue_cert(
                *names,
                organization_name=_ORGANIZATION,
                not_before=None if at_any_time else begin,
                not_after=None if at_any_time else begin + _LIFETIME,
            )
        context = server_context()
        with _as_file(certificate.private_key_and_cert_chain_pem) as path:
            context.load_cert_chain(path)
        return context


def server_context() -> ssl.SSLContext:
    """Return what a server needs to speak TLS, but for its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _now() -> datetime:
    """Return the machine's time: clients know no other time than this."""
    return _EPOCH + timedelta(seconds=wall_time())


def _may_issue(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


@contextmanager
def _as_file(pem: trustme.Blob) -> Iterator[str]:
    """Give a certificate and its key the path that ``ssl`` wants: of a file in memory, where the system has those.

    A container with a read-only root has no folder for another one.
    """
    descriptor = _file_in_memory(pem.bytes())
    if descriptor is None:
        with pem.tempfile() as path:
            yield path
        return
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _file_in_memory(data: bytes) -> int | None:
    """Return the descriptor of a file in memory; ``None`` where that cannot be had, or has no path."""
    if sys.platform != "linux" or not hasattr(os, "memfd_create") or not Path("/proc/self/fd").is_dir():
        return None
    descriptor = os.memfd_create("certificate")
    os.write(descriptor, data)
    return descriptor
