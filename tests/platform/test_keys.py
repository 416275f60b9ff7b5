"""Signing keys: made once, loaded from PEM, rotated; the algorithm is pinned."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sandbox.foundation.errors import SettingError
from sandbox.foundation.refusals import UnauthenticatedError
from sandbox.platform.keys import KeyRing, SigningKey
from tests.platform.tokens_by_hand import b64, decoded

CLAIMS = {"aud": "client", "jti": "1", "nbf": 1, "exp": 2}


def pem(key: Any, password: bytes | None = None) -> bytes:
    encryption = ser.BestAvailableEncryption(password) if password else ser.NoEncryption()
    text: bytes = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, encryption)
    return text


def test_signature_is_compact_jws_with_the_platforms_header(signing_key: SigningKey) -> None:
    header, claims, _ = decoded(signing_key.sign(CLAIMS))

    assert header == b'{"typ":"JWT","alg":"RS256"}'
    assert json.loads(claims) == CLAIMS


@pytest.mark.parametrize("claims", [CLAIMS, {**CLAIMS, "sub": 'a/"', "exp": 1.5, "scopes": []}, {}], ids=str)
def test_token_is_the_one_that_pyjwt_writes(claims: dict[str, Any]) -> None:
    private_key = rsa.generate_private_key(65537, 2048)
    header = {"typ": "JWT", "alg": "RS256"}

    assert SigningKey(private_key).sign(claims) == jwt.encode(claims, private_key, "RS256", header, sort_headers=False)


def test_pyjwt_reads_the_token(signing_key: SigningKey) -> None:
    claims = {**CLAIMS, "aud": "größe", "exp": 4e9}

    read = jwt.decode(signing_key.sign(claims), signing_key._public_key, algorithms=["RS256"], audience="größe")

    assert read == claims


def test_signed_claims_verify_whatever_their_times(signing_key: SigningKey) -> None:
    assert signing_key.verify(signing_key.sign(CLAIMS)) == CLAIMS


def test_key_verifies_only_its_own_signatures(signing_key: SigningKey) -> None:
    with pytest.raises(UnauthenticatedError, match=r"^bad_signature"):
        SigningKey.generate().verify(signing_key.sign(CLAIMS))


@pytest.mark.parametrize("missing", ["aud", "jti", "exp", "nbf"])
def test_claims_that_decide_are_required(signing_key: SigningKey, missing: str) -> None:
    token = signing_key.sign({name: value for name, value in CLAIMS.items() if name != missing})

    with pytest.raises(UnauthenticatedError, match=f"^missing_claim: {missing}"):
        signing_key.verify(token)


def test_pem_file_gives_the_key_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    private_key = rsa.generate_private_key(65537, 2048)
    path.write_bytes(pem(private_key))

    token = SigningKey.from_pem_file(str(path)).sign(CLAIMS)

    assert SigningKey(private_key).verify(token) == CLAIMS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(65537, 2048), b"password"),
        rsa.generate_private_key(65537, 2048)
        .public_key()
        .public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo),
        b"-----BEGIN PRIVATE KEY-----\n" + b64(bytes.fromhex("300e020100300506032b6570040204000000")) + b"==\n"
        b"-----END PRIVATE KEY-----\n",
        # a key of an algorithm that cryptography does not know (OID 1.2.3.4)
        b"-----BEGIN PRIVATE KEY-----\nMA4CAQAwBQYDKgMEBAIEAA==\n-----END PRIVATE KEY-----\n",
    ],
    ids=["empty", "text", "too short", "elliptic curve", "encrypted", "public", "broken", "unknown algorithm"],
)
def test_pem_file_without_a_usable_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)

    with pytest.raises(SettingError, match=r"^signing_key_file: .*unencrypted RSA private key of at least 2048 bits"):
        SigningKey.from_pem_file(str(path))


@pytest.mark.parametrize("name", ["missing.pem", "."], ids=["missing", "a folder"])
def test_pem_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"\((No such file or directory|Is a directory|Permission denied)\)"):
        SigningKey.from_pem_file(str(tmp_path / name))


def test_path_that_is_none_is_refused() -> None:
    with pytest.raises(SettingError, match="signing_key_file"):
        SigningKey.from_pem_file("\0")


def test_ring_makes_its_key_once_even_for_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SigningKey] = []
    barrier = threading.Barrier(4)
    generate = SigningKey.generate

    def counted(bits: int) -> SigningKey:
        made.append(generate(bits))
        return made[-1]

    monkeypatch.setattr(SigningKey, "generate", counted)
    ring = KeyRing()
    seen: list[SigningKey] = []

    def use() -> None:
        barrier.wait()
        seen.append(ring.current())

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert set(seen) == {made[0]}


def test_ring_keeps_a_given_key_and_warming_makes_no_other(signing_key: SigningKey) -> None:
    ring = KeyRing(key=signing_key)
    ring.warm()

    assert ring.current() is signing_key


def test_warming_makes_the_key_in_the_background() -> None:
    ring = KeyRing()
    ring.warm()
    for thread in threading.enumerate():
        if thread.name == "signing-key":
            thread.join()

    assert ring._key is not None
    assert ring.current() is ring._key


def test_rotation_replaces_the_key(signing_key: SigningKey) -> None:
    ring = KeyRing(key=signing_key)
    ring.rotate()

    assert ring.current() is not signing_key
    with pytest.raises(UnauthenticatedError, match=r"^bad_signature"):
        ring.current().verify(signing_key.sign(CLAIMS))


def test_untrusted_is_one_key_that_is_never_in_use(signing_key: SigningKey) -> None:
    ring = KeyRing(key=signing_key)
    untrusted = ring.untrusted_key()

    assert ring.untrusted_key() is untrusted
    assert ring.current() is signing_key is not untrusted


def test_generated_key_has_the_size_asked_for() -> None:
    assert KeyRing(3072).current()._private_key.key_size == 3072
    assert SigningKey.generate()._private_key.key_size == 2048
