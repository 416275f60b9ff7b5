"""Randomness: repeatable ids, unrepeatable secrets."""

from __future__ import annotations

import re
import uuid

from sandbox.foundation.rng import SECRET_LENGTH, Rng


def test_same_seed_gives_the_same_ids_and_chances() -> None:
    first, second = Rng(7), Rng(7)

    assert [first.uuid(), first.hex(6), first.chance()] == [second.uuid(), second.hex(6), second.chance()]


def test_different_seeds_and_none_differ() -> None:
    ids = {Rng(1).uuid(), Rng(2).uuid(), Rng().uuid(), Rng().uuid()}

    assert len(ids) == 4


def test_uuid_is_version_4_in_canonical_form() -> None:
    text = Rng().uuid()

    assert str(uuid.UUID(text)) == text
    assert uuid.UUID(text).version == 4


def test_hex_has_exactly_the_digits_asked_for() -> None:
    rng = Rng(1)

    assert all(re.fullmatch(r"[0-9a-f]{3}", rng.hex(3)) for _ in range(500))


def test_chance_is_between_0_and_1() -> None:
    rng = Rng(1)

    assert all(0 <= rng.chance() < 1 for _ in range(500))


def test_secrets_and_salts_never_follow_the_seed() -> None:
    first, second = Rng(7), Rng(7)

    assert first.secret() != second.secret()
    assert first.bytes(16) != second.bytes(16)
    assert first.uuid() == second.uuid()


def test_secret_is_forty_letters_and_digits() -> None:
    assert SECRET_LENGTH == 40
    assert re.fullmatch(r"[A-Za-z0-9]{40}", Rng().secret())
    assert len(Rng().bytes(16)) == 16


def test_fork_of_a_seeded_generator_goes_on_as_the_original_would() -> None:
    rng = Rng(7)
    rng.uuid()
    first, second = rng.fork(), rng.fork()

    assert first.uuid() == second.uuid() == rng.uuid()
    assert first.uuid() != Rng(7).uuid()


def test_fork_of_an_unseeded_generator_is_unpredictable() -> None:
    rng = Rng()

    assert rng.fork().uuid() != rng.fork().uuid()
