"""Access tokens: what they say, when they are good, and every way in which they are not."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from sandbox.foundation.refusals import UnauthenticatedError
from sandbox.foundation.rng import Rng
from sandbox.journal.known_secrets import fingerprint
from sandbox.platform import tokens as module
from sandbox.platform.keys import KeyRing, SigningKey
from sandbox.platform.tokens import MAX_TOKEN_LENGTH, Token, TokenBook
from tests.platform.tokens_by_hand import claims_of, decoded, hs256, rs256, signing_input

NOW = 1_795_456_800.123456
DAY = 86_400
CLIENT = "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e"


@pytest.fixture
def ring(signing_key: SigningKey) -> KeyRing:
    return KeyRing(key=signing_key)


@pytest.fixture
def book(ring: KeyRing) -> TokenBook:
    return TokenBook(ring, Rng(1))


def issued(book: TokenBook, now: float = NOW, *, legacy: bool = False, **changes: Any) -> str:
    """Issue a token as the wire profiles do."""
    given = {
        "client_id": CLIENT,
        "scopes": ["access-inbound"],
        "lifetime": DAY,
        "integer_times": legacy,
        "subject": "" if legacy else CLIENT,
        **changes,
    }
    access_token, _ = book.issue(now=now, **given)
    return access_token


def verified(book: TokenBook, token: str, now: float = NOW) -> Token:
    """Return a token that must be good; raise ``UnauthenticatedError``."""
    found = book.find(token)
    found.check(now)
    return found


def refusal(book: TokenBook, token: str, now: float = NOW) -> str:
    """Return the reason why a token is refused."""
    with pytest.raises(UnauthenticatedError) as caught:
        verified(book, token, now)
    return caught.value.reason


# --- what a token says ----------------------------------------------------------------------------------------------


def test_modern_token_has_the_platforms_header_claims_and_order(book: TokenBook) -> None:
    header, payload, _ = decoded(issued(book))
    jti = json.loads(payload)["jti"]

    assert header == b'{"typ":"JWT","alg":"RS256"}'
    assert re.fullmatch("[0-9a-f]{80}", jti)
    assert payload.decode() == (
        f'{{"aud":"{CLIENT}","jti":"{jti}","iat":1795456800.123456,"nbf":1795456800.123456,"exp":1795543200.123456,'
        f'"sub":"{CLIENT}","scopes":["access-inbound"]}}'
    )


def test_legacy_token_has_integer_times_and_an_empty_subject(book: TokenBook) -> None:
    header, payload, _ = decoded(issued(book, legacy=True))
    jti = json.loads(payload)["jti"]

    assert header == b'{"typ":"JWT","alg":"RS256"}'
    assert re.fullmatch("[0-9a-f]{80}", jti)
    assert payload.decode() == (
        f'{{"aud":"{CLIENT}","jti":"{jti}","iat":1795456800,"nbf":1795456800,"exp":1795543200,'
        '"sub":"","scopes":["access-inbound"]}'
    )


def test_modern_time_without_a_fraction_is_an_integer(book: TokenBook) -> None:
    payload = decoded(issued(book, 1_795_456_800.0))[1]

    assert b'"iat":1795456800,"nbf":1795456800,"exp":1795543200,' in payload


@pytest.mark.parametrize("now", [NOW + 0.0000004, NOW + 0.0000006, 2**31 - 0.654321], ids=["down", "up", "over 2^31"])
def test_modern_times_have_at_most_six_decimals(book: TokenBook, now: float) -> None:
    claims = claims_of(issued(book, now))

    assert all(len(repr(claims[name]).partition(".")[2]) <= 6 for name in ("iat", "nbf", "exp"))


def test_scopes_are_told_once_in_the_order_of_the_request(book: TokenBook) -> None:
    token = issued(book, scopes=["b", "a", "b", "*"])

    assert claims_of(token)["scopes"] == ["b", "a", "*"]
    assert verified(book, token, NOW).scopes == ("b", "a", "*")


def test_each_token_is_a_new_one_and_older_ones_stay_good(book: TokenBook) -> None:
    first, second = issued(book), issued(book)

    assert first != second
    assert verified(book, first, NOW).jti != verified(book, second, NOW).jti


@pytest.mark.parametrize(
    ("scopes", "allowed"), [(["access-inbound"], True), (["*"], True), (["other"], False), ([], False)], ids=str
)
def test_token_allows_its_scopes_and_the_star_all(book: TokenBook, scopes: list[str], allowed: bool) -> None:
    token = verified(book, issued(book, scopes=scopes), NOW)

    assert token.allows("access-inbound") is allowed


def test_verified_token_tells_its_client_times_and_fingerprint(book: TokenBook) -> None:
    access_token = issued(book)
    token = verified(book, access_token, NOW)

    assert (token.client_id, token.issued_at, token.expires_at) == (CLIENT, NOW, NOW + DAY)
    assert token.fingerprint == fingerprint(access_token)
    assert access_token not in repr(token)


# --- time -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_token_is_good_until_one_second_before_24_hours(book: TokenBook, legacy: bool) -> None:
    token = issued(book, legacy=legacy)

    assert verified(book, token, NOW).client_id == CLIENT
    assert verified(book, token, NOW + DAY - 1).client_id == CLIENT


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_token_is_refused_from_24_hours_on(book: TokenBook, legacy: bool) -> None:
    token = issued(book, int(NOW), legacy=legacy)

    assert refusal(book, token, int(NOW) + DAY) == "token_expired: 0 s ago, at 2026-11-24T18:00:00.000000Z"
    assert refusal(book, token, int(NOW) + DAY + 90.5) == "token_expired: 90.5 s ago, at 2026-11-24T18:00:00.000000Z"


@pytest.mark.parametrize("finer", [4e-7, 6e-7], ids=["rounded down", "rounded up"])
def test_time_finer_than_a_claim_makes_no_token_early_or_late(book: TokenBook, finer: float) -> None:
    token = issued(book, NOW + finer)

    assert verified(book, token, NOW + finer).client_id == CLIENT
    assert refusal(book, token, NOW + finer + DAY).startswith("token_expired: 0 s ago")


def test_expiry_is_looked_at_although_the_token_was_good_before(book: TokenBook) -> None:
    token = issued(book, lifetime=10)
    verified(book, token, NOW)

    assert refusal(book, token, NOW + 10).startswith("token_expired: ")
    assert verified(book, token, NOW + 9).client_id == CLIENT


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_token_is_refused_before_it_was_issued(book: TokenBook, legacy: bool) -> None:
    token = issued(book, int(NOW), legacy=legacy)

    assert refusal(book, token, int(NOW) - 1) == (
        "token_not_yet_valid: issued in the future, at 2026-11-23T18:00:00.000000Z"
    )


# --- forgeries (RFC 8725 §2) ----------------------------------------------------------------------------------------

HEADER = {"typ": "JWT", "alg": "RS256"}


def _unsigned(token: str, key: SigningKey, alg: str = "none") -> str:
    return signing_input({"typ": "JWT", "alg": alg}, decoded(token)[1]).decode() + "."


def _with_algorithm(alg: Any) -> Callable[[str, SigningKey], str]:
    return lambda token, key: rs256(key, {"typ": "JWT", "alg": alg}, decoded(token)[1])


def _claims_changed(token: str, key: SigningKey) -> str:
    head, _, signature = token.split(".")
    payload = signing_input(b"", {**claims_of(token), "exp": NOW + 10 * DAY}).decode().partition(".")[2]
    return f"{head}.{payload}.{signature}"


def _signed_by_another(**header: Any) -> Callable[[str, SigningKey], str]:
    return lambda token, key: rs256(SigningKey.generate(), {**HEADER, **header}, decoded(token)[1])


FORGERIES: dict[str, tuple[Callable[[str, SigningKey], str], str]] = {
    "alg none": (_unsigned, "algorithm_not_allowed"),
    "alg None": (lambda token, key: _unsigned(token, key, "None"), "algorithm_not_allowed"),
    "alg none, signed": (_with_algorithm("none"), "algorithm_not_allowed"),
    "alg HS256 with the public key": (lambda token, key: hs256(key, decoded(token)[1]), "algorithm_not_allowed"),
    "alg RS512": (_with_algorithm("RS512"), "algorithm_not_allowed"),
    "alg PS256": (_with_algorithm("PS256"), "algorithm_not_allowed"),
    "alg rs256": (_with_algorithm("rs256"), "algorithm_not_allowed"),
    "alg a list": (_with_algorithm(["RS256"]), "algorithm_not_allowed"),
    "alg missing": (lambda token, key: rs256(key, {"typ": "JWT"}, decoded(token)[1]), "algorithm_not_allowed"),
    "payload changed": (_claims_changed, "bad_signature"),
    "signature cut": (lambda token, key: token[:-6], "bad_signature"),
    "signature empty": (lambda token, key: token.rpartition(".")[0] + ".", "bad_signature"),
    "another key": (_signed_by_another(), "bad_signature"),
    "another key by kid": (_signed_by_another(kid="../../dev/null"), "bad_signature"),
    "another key by jku": (_signed_by_another(jku="http://127.0.0.1:1/jwks.json"), "bad_signature"),
    "another key by jwk": (_signed_by_another(jwk={"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "bad_signature"),
    "another key by x5u": (_signed_by_another(x5u="http://127.0.0.1:1/cert.pem"), "bad_signature"),
}


@pytest.mark.parametrize(("forge", "reason"), FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_token_is_refused(
    book: TokenBook, signing_key: SigningKey, forge: Callable[[str, SigningKey], str], reason: str
) -> None:
    token = issued(book)

    assert refusal(book, forge(token, signing_key)).startswith(f"{reason}: ")
    assert verified(book, token, NOW).client_id == CLIENT


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.é.é", "\udcff.a.b", "=.=.="),
        signing_input(b"{}", b"{}").decode() + ".x",
        signing_input(b'{"alg":"RS256"', b"{}").decode() + ".eA",
        signing_input(b"[]", b"{}").decode() + ".eA",
        signing_input(b"\xff", b"{}").decode() + ".eA",
        signing_input(b"1" * 5_000, b"{}").decode() + ".eA",
        signing_input(b"[" * 9_000, b"{}").decode() + ".eA",
        signing_input({**HEADER, "kid": 5}, b"{}").decode() + ".eA",
    ],
    ids=lambda token: ascii(token[:12]),
)
def test_token_that_cannot_be_read_is_refused_as_malformed(book: TokenBook, token: str) -> None:
    assert re.match("malformed_token: .|algorithm_not_allowed: ", refusal(book, token))


def _part(data: bytes) -> str:
    return signing_input(data, b"{}").decode().partition(".")[0]


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("a", "1 part, a JWT has 3"),
        ("a.b.c.d", "4 parts, a JWT has 3"),
        ("é.é.é", "the header is not base64url"),
        ("aaaaa.e30.eA", "the header is not base64url"),
        (f"{_part(b'[]')}.e30.eA", "the header is not a JSON object"),
        (f"{_part(b'[' * 9_000)}.e30.eA", "the header is not a JSON object"),
        (f"{_part(b'1' * 5_000)}.e30.eA", "the header is not a JSON object"),
        ("e30.!.eA", "the payload is not base64url"),
        (f"{_part(json.dumps(HEADER).encode())}.e30.aaaaa", "the signature is not base64url"),
        (f"{_part(json.dumps({**HEADER, 'kid': 5}).encode())}.e30.eA", "the header or a claim holds a value that"),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_malformed_token_is_told_in_words_of_our_own(book: TokenBook, token: str, why: str) -> None:
    assert refusal(book, token).startswith(f"malformed_token: {why}")


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{", b"\xff", b'"text"', b"[" * 9_000], ids=repr)
def test_well_signed_payload_that_is_no_object_is_refused_as_malformed(
    book: TokenBook, signing_key: SigningKey, payload: bytes
) -> None:
    assert refusal(book, rs256(signing_key, HEADER, payload)) == "malformed_token: the payload is not a JSON object"


def test_token_longer_than_the_limit_is_refused_unread(book: TokenBook, signing_key: SigningKey) -> None:
    claims = {**claims_of(issued(book)), "padding": "x" * MAX_TOKEN_LENGTH}

    assert refusal(book, rs256(signing_key, HEADER, claims)) == "malformed_token: longer than 16384 characters"


@pytest.mark.parametrize("claim", ["aud", "jti", "exp", "nbf"])
def test_well_signed_token_without_a_needed_claim_is_refused(
    book: TokenBook, signing_key: SigningKey, claim: str
) -> None:
    claims = claims_of(issued(book))
    del claims[claim]

    assert refusal(book, rs256(signing_key, HEADER, claims)) == f"missing_claim: {claim}"


@pytest.mark.parametrize("jti", ["0" * 80, 5, ["x"], {}, None, ""], ids=repr)
def test_well_signed_token_that_was_not_issued_is_refused(
    book: TokenBook, signing_key: SigningKey, jti: object
) -> None:
    token = rs256(signing_key, HEADER, {**claims_of(issued(book)), "jti": jti})

    assert re.match("unknown_token|malformed_token|missing_claim", refusal(book, token))


def test_issued_jti_under_other_claims_is_refused(book: TokenBook, signing_key: SigningKey) -> None:
    token = rs256(signing_key, HEADER, {**claims_of(issued(book)), "exp": NOW + 10 * DAY})

    assert refusal(book, token).startswith("unknown_token: ")


def test_token_of_another_book_with_the_same_key_and_seed_is_refused(ring: KeyRing, book: TokenBook) -> None:
    other = TokenBook(ring, Rng(1))
    token, twin = issued(other), issued(book, scopes=["*"])

    assert claims_of(token)["jti"] == claims_of(twin)["jti"]
    assert refusal(book, token).startswith("unknown_token: ")


# --- revocation, rotation, memory -----------------------------------------------------------------------------------


def test_revoked_token_is_refused_with_the_reason_given(book: TokenBook) -> None:
    token = issued(book)
    verified(book, token, NOW)

    assert book.revoke("token_revoked: by a test") == 1
    assert refusal(book, token) == "token_revoked: by a test"


def test_revoking_one_client_leaves_the_others(book: TokenBook) -> None:
    gone, kept = issued(book), issued(book, client_id="other")

    assert book.revoke("why", CLIENT) == 1
    assert refusal(book, gone) == "why"
    assert verified(book, kept, NOW).client_id == "other"


def test_revoking_again_counts_nothing_and_keeps_the_first_reason(book: TokenBook) -> None:
    token = issued(book)
    book.revoke("first")

    assert book.revoke("second") == 0
    assert book.revoke("third", "nobody") == 0
    assert refusal(book, token) == "first"


def test_token_issued_after_a_revocation_is_good(book: TokenBook) -> None:
    issued(book)
    book.revoke("why")

    assert verified(book, issued(book), NOW).client_id == CLIENT


def test_rotation_makes_older_tokens_bad_and_newer_good(book: TokenBook, ring: KeyRing) -> None:
    seen, unseen = issued(book), issued(book)
    verified(book, seen, NOW)
    ring.rotate()

    assert refusal(book, seen) == "bad_signature: changed on the way, or signed by another key"
    assert refusal(book, unseen).startswith("bad_signature: ")
    assert verified(book, issued(book), NOW).client_id == CLIENT


def test_find_tells_an_issued_token_whatever_became_of_it_and_no_other(
    book: TokenBook, signing_key: SigningKey
) -> None:
    seen, unseen = issued(book), issued(book)
    token = verified(book, seen, NOW)
    book.revoke("why")

    assert book.find(seen) is token
    assert book.find(unseen)
    for other in (_claims_changed(seen, signing_key), "nonsense"):
        with pytest.raises(UnauthenticatedError):
            book.find(other)


def test_signature_of_a_token_of_its_own_is_not_verified(book: TokenBook, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issued(book)

    def never(self: SigningKey, token: str) -> dict[str, Any]:
        raise AssertionError("verified")

    monkeypatch.setattr(SigningKey, "verify", never)

    assert verified(book, token, NOW).client_id == CLIENT


def test_oldest_tokens_are_forgotten_beyond_the_bound_even_if_seen_or_revoked(
    book: TokenBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TOKENS", 2)
    seen, revoked = issued(book), issued(book)
    verified(book, seen, NOW)
    verified(book, revoked, NOW)
    book.revoke("why")
    kept = [issued(book), issued(book)]

    assert refusal(book, seen).startswith("unknown_token: ")
    assert refusal(book, revoked).startswith("unknown_token: ")
    assert [verified(book, token, NOW).client_id for token in kept] == [CLIENT, CLIENT]
    assert [known.revoked for known in book.issued()] == [None, None]


def test_token_that_is_forgotten_while_its_request_is_served_is_not_told_of(
    book: TokenBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    access_token = issued(book)
    token = verified(book, access_token)
    monkeypatch.setattr(module, "MAX_TOKENS", 1)
    issued(book)

    book.note_use(token)
    book.note_origin(structs.replace(token.link, request=1))

    assert [(known.uses, known.request) for known in book.issued()] == [(0, None)]


def test_restored_token_is_verified_when_it_first_comes_back(ring: KeyRing, book: TokenBook) -> None:
    access_token, forged = issued(book), issued(TokenBook(KeyRing(key=SigningKey.generate()), Rng(2)))
    restored = TokenBook(ring, Rng(3))
    restored.restore([replace(kept, uses=3) for kept in book.issued()])

    assert refusal(restored, forged).startswith("bad_signature: ")
    assert verified(restored, access_token) is verified(restored, access_token)
    assert [known.uses for known in restored.issued()] == [3]


def test_restored_token_is_refused_under_another_key(book: TokenBook) -> None:
    access_token = issued(book)
    restored = TokenBook(KeyRing(key=SigningKey.generate()), Rng(3))
    restored.restore(book.issued())

    assert refusal(restored, access_token).startswith("bad_signature: ")


def test_threads_issue_distinct_tokens_that_a_revocation_all_reaches(book: TokenBook) -> None:
    barrier = threading.Barrier(4)

    def issue(_: int) -> list[str]:
        barrier.wait()
        return [issued(book) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        tokens = [token for batch in pool.map(issue, range(4)) for token in batch]

    assert len({verified(book, token, NOW).jti for token in tokens}) == 40
    assert book.revoke("why") == 40
