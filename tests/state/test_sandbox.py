"""The sandbox: two never meet, and a reset returns to the start."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as ser

from sandbox import Sandbox
from sandbox.faults import FaultRule, hang
from sandbox.faults.matching import Faultable
from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    SettingError,
    WaitInterruptedError,
)
from sandbox.foundation.refusals import UnauthenticatedError
from sandbox.journal.entry import Exchange
from sandbox.journal.filter import EntryFilter
from sandbox.journal.request import Request
from sandbox.platform.keys import SigningKey
from sandbox.platform.platform import Platform
from sandbox.platform.token_request import TokenRequest
from sandbox.state.seed import Seed, parse_seed
from sandbox.state.seed.parts import ClientSeed, CompanySeed, ConnectorSeed, EntitySeed, ServiceSeed
from sandbox.state.snapshot import State
from tests.platform.granting import grant

SEED = Seed(
    companies=(
        CompanySeed(
            "Acme Ltd",
            "acme",
            (
                ConnectorSeed(
                    "Web shop",
                    entities=(
                        EntitySeed("orders", "orders", {"order": "1001"}),
                        EntitySeed("orders", "written", None, {"type": "string"}),
                    ),
                    oauth_clients=(ClientSeed("Integration"), ClientSeed("Second")),
                    services=(ServiceSeed("orders", "orders"), ServiceSeed("off", "written", active=False)),
                ),
                ConnectorSeed("Live", "live"),
            ),
        ),
        CompanySeed("Other"),
    ),
    settings={"token_lifetime": "1h", "wire_profile": "legacy"},
)
MakeSandbox = Callable[..., Sandbox]


def exchange(platform: Platform) -> Exchange:
    now = platform.clock.timestamp()
    return Exchange(Request("POST", "/v1/acme/orders", remote_addr="127.0.0.1"), received_at=now, wall_time=now)


def token_of(sandbox: Sandbox) -> str:
    new = next(iter(sandbox.credentials.values()))
    request = TokenRequest("client_credentials", new.client.id, new.secret)
    return grant(sandbox.platform, exchange(sandbox.platform), request)


def verify(sandbox: Sandbox, token: str) -> str:
    tokens = sandbox.platform.tokens
    found = tokens.find(token)
    found.check(sandbox.clock.timestamp())
    return found.client_id


# --- making ---------------------------------------------------------------------------------------------------------


def test_demo_seed_is_the_default(sandbox: Sandbox) -> None:
    assert sandbox.company is not None
    assert sandbox.company.slug == "acme"
    assert {service.vanity_url for service in sandbox.store.services()} == {"orders", "products", "anything"}
    assert len(sandbox.credentials) == 1


def test_seed_is_planted_as_described(signing_key: SigningKey) -> None:
    sandbox = Sandbox(SEED, signing_key=signing_key)
    store = sandbox.store

    assert [company.slug for company in store.companies()] == ["acme", "other"]
    assert [(c.company, c.name, c.environment) for c in store.connectors()] == [
        ("acme", "Web shop", "test"),
        ("acme", "Live", "live"),
    ]
    assert [(e.name, e.inferred) for e in store.entities(1)] == [("orders", True), ("written", False)]
    assert [(s.vanity_url, s.entity, s.active) for s in store.services()] == [
        ("orders", "orders", True),
        ("off", "written", False),
    ]
    assert [new.client.name for new in sandbox.credentials.values()] == ["Integration", "Second"]
    assert [new.client for new in sandbox.credentials.values()] == store.clients(1)


def test_settings_given_win_over_those_of_the_seed(signing_key: SigningKey) -> None:
    sandbox = Sandbox(SEED, settings={"wire_profile": "modern"}, signing_key=signing_key)

    assert (sandbox.settings.wire_profile, sandbox.settings.token_lifetime) == ("modern", 3_600)


def test_empty_seed_makes_an_empty_sandbox(signing_key: SigningKey) -> None:
    sandbox = Sandbox(Seed(), signing_key=signing_key)

    assert sandbox.company is None
    assert dict(sandbox.credentials) == {}


def test_bad_settings_of_seed_or_caller_are_refused() -> None:
    with pytest.raises(SettingError, match=r"^port: "):
        Sandbox(settings={"port": -1})
    with pytest.raises(SettingError, match="did you mean 'port'"):
        Sandbox(Seed(settings={"prot": 1}))


def test_signing_key_comes_from_the_caller_or_the_file(signing_key: SigningKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(
        signing_key._private_key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    )
    from_file = Sandbox(settings={"signing_key_file": str(path)})
    missing = Sandbox(settings={"signing_key_file": "/nowhere"}, signing_key=signing_key)

    assert signing_key.verify(token_of(from_file))
    assert missing.keys.current() is signing_key
    with pytest.raises(SettingError, match="signing_key_file"):
        Sandbox(settings={"signing_key_file": str(tmp_path / "missing.pem")})


def test_making_a_sandbox_makes_no_key() -> None:
    assert Sandbox().keys._key is None


def test_no_secret_is_in_any_repr(sandbox: Sandbox) -> None:
    new = next(iter(sandbox.credentials.values()))
    told: list[Any] = [sandbox, vars(sandbox), dict(sandbox.credentials), sandbox.store.clients(), sandbox.settings]
    request = TokenRequest("client_credentials", new.client.id, new.secret)

    for thing in (*told, vars(sandbox.platform), vars(sandbox.store), request, vars(sandbox.keys)):
        assert new.secret not in repr(thing)


def test_credentials_and_settings_cannot_be_changed_behind_the_sandbox(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError):
        sandbox.credentials["x"] = None  # type: ignore[index]


# --- two sandboxes --------------------------------------------------------------------------------------------------


def test_two_sandboxes_share_nothing(make_sandbox: MakeSandbox) -> None:
    first, second = make_sandbox(), make_sandbox()
    token = token_of(first)
    first.journal.close(exchange(first.platform), 200, (), b"")
    first.clock.advance(hours=5)
    first.change_settings({"wire_profile": "legacy"})
    first.store.add_company("New")
    first.platform.throttle.hit("a", 1, 60, 0)
    secrets = [next(iter(each.credentials.values())).secret for each in (first, second)]

    assert secrets[0] != secrets[1]
    assert first.journal.id != second.journal.id
    assert (len(first.journal), len(second.journal)) == (1, 0)
    assert not second.clock.moved
    assert second.settings.wire_profile == "modern"
    assert [company.slug for company in second.store.companies()] == ["acme"]
    assert second.platform.throttle.hit("a", 1, 60, 0).allowed
    with pytest.raises(UnauthenticatedError, match="unknown_token"):
        verify(second, token)
    assert verify(first, token)


def test_reset_of_one_leaves_the_other(make_sandbox: MakeSandbox) -> None:
    first, second = make_sandbox(), make_sandbox()
    token = token_of(second)
    first.reset()

    assert verify(second, token)


# --- reset ----------------------------------------------------------------------------------------------------------


def test_reset_returns_to_the_seed_and_the_settings_of_the_start(signing_key: SigningKey) -> None:
    sandbox = Sandbox(SEED, settings={"entity_check": "off"}, signing_key=signing_key)
    before = (sandbox.store.services(), sandbox.store.clients(), sandbox.settings)
    first, second = sandbox.store.clients()
    sandbox.store.delete_service(1)
    sandbox.store.add_company("New")
    sandbox.store.add_client(1, "New client")
    sandbox.delete_client(1, first.id, first.name)
    sandbox.change_settings({"token_lifetime": 5, "entity_check": "flag"})
    sandbox.reset()

    assert (sandbox.store.services(), sandbox.store.clients(), sandbox.settings) == before
    assert sandbox.store.secret_matches(first, sandbox.credentials[first.id].secret)
    assert sandbox.store.secret_matches(second, sandbox.credentials[second.id].secret)


def test_whole_numbers_ask_for_the_same_after_another_seed() -> None:
    sandbox = Sandbox(SEED, settings={"whole_numbers": "numbers"})
    sandbox.replace_seed(parse_seed({"companies": [{"name": "Umbra", "connectors": [{"name": "Shop"}]}]}))

    entity = sandbox.store.add_entity(1, "custom", "prices", {"price": 30})

    assert "'type': 'number'" in str(entity.json_schema)


def test_reset_can_be_repeated_without_one_life_reaching_the_next(sandbox: Sandbox) -> None:
    for _ in range(3):
        sandbox.store.add_company("Acme")
        assert len(sandbox.store.companies()) == 2
        sandbox.reset()

    assert len(sandbox.store.companies()) == 1


def test_reset_returns_to_real_time_and_tells_it(sandbox: Sandbox) -> None:
    sandbox.clock.change(now="2040-01-01T00:00:00Z", frozen=True, rate=5)
    told = sandbox.reset()

    assert not sandbox.clock.moved
    assert abs(told.timestamp() - sandbox.clock.wall_timestamp()) < 60


def test_reset_forgets_tokens_and_windows_and_keeps_the_key(sandbox: Sandbox) -> None:
    token, key = token_of(sandbox), sandbox.keys.current()
    sandbox.platform.throttle.hit("a", 1, 60, 0)
    sandbox.reset()

    assert sandbox.keys.current() is key
    assert sandbox.platform.throttle.hit("a", 1, 60, 0).allowed
    with pytest.raises(UnauthenticatedError, match="unknown_token: well signed, but not issued since the sandbox was"):
        verify(sandbox, token)


def test_reset_starts_a_new_journal_with_an_id_of_its_own(sandbox: Sandbox) -> None:
    sandbox.journal.close(exchange(sandbox.platform), 200, (), b"")
    old = sandbox.journal
    sandbox.reset()

    assert sandbox.journal is not old
    assert sandbox.journal.id != old.id
    assert len(sandbox.journal) == 0
    assert sandbox.journal.close(exchange(sandbox.platform), 200, (), b"").seq == 1


def load(sandbox: Sandbox) -> None:
    sandbox.load_state(sandbox.state(secrets=True))


Replace = pytest.mark.parametrize("replace", [Sandbox.reset, load])
"""The ways by which another platform takes the place of the one that serves."""


@Replace
def test_exchange_in_flight_lands_in_the_old_journal_only(sandbox: Sandbox, replace: Callable[[Sandbox], None]) -> None:
    platform = sandbox.platform
    in_flight = exchange(platform)
    replace(sandbox)
    platform.journal.close(in_flight, 200, (), b"")

    assert len(platform.journal) == 1
    assert list(sandbox.journal.page(EntryFilter()).entries) == []


@Replace
def test_token_granted_in_flight_is_unknown_afterwards(sandbox: Sandbox, replace: Callable[[Sandbox], None]) -> None:
    platform = sandbox.platform
    new = next(iter(sandbox.credentials.values()))
    replace(sandbox)
    token = grant(platform, exchange(platform), TokenRequest("client_credentials", new.client.id, new.secret))

    with pytest.raises(UnauthenticatedError, match="unknown_token"):
        verify(sandbox, token)


@Replace
def test_whoever_waits_on_the_platform_that_goes_is_sent_away(
    sandbox: Sandbox, replace: Callable[[Sandbox], None]
) -> None:
    journal = sandbox.journal
    sandbox.platform.faults.add(FaultRule(hang()))
    act = sandbox.platform.faults.choose(Faultable("inbound", "POST", {}, None, dict, {}.get))
    replace(sandbox)

    with pytest.raises(WaitInterruptedError):
        journal.wait(EntryFilter(), 1, 0)
    assert act is not None
    assert act.cancellation.is_set


def test_seeded_sandbox_repeats_its_ids_after_a_reset(signing_key: SigningKey) -> None:
    def life(sandbox: Sandbox) -> list[str]:
        return [sandbox.journal.id, sandbox.store.add_client(1, "New client").client.id, *sandbox.credentials]

    sandbox = Sandbox(SEED, settings={"random_seed": 1}, signing_key=signing_key)
    first = life(sandbox)
    sandbox.reset()

    assert life(sandbox) == first
    assert len(set(first)) == 4
    assert life(Sandbox(SEED, settings={"random_seed": 1}, signing_key=signing_key)) == first
    assert life(Sandbox(SEED, settings={"random_seed": 2}, signing_key=signing_key)) != first


def test_state_saved_and_loaded_while_threads_write_has_whole_entries_only(sandbox: Sandbox) -> None:
    barrier = threading.Barrier(3)
    written: list[str] = []
    states: list[State] = []

    def write() -> None:
        barrier.wait()
        for _ in range(100):
            platform = sandbox.platform
            written.append(platform.journal.close(exchange(platform), 200, (), b"answer").id)

    def save_and_load() -> None:
        barrier.wait()
        for _ in range(20):
            states.append(sandbox.state(secrets=True))
            sandbox.load_state(states[-1])

    threads = [threading.Thread(target=work) for work in (write, write, save_and_load)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = [entry.id for entry in sandbox.journal.snapshot()]
    assert set(kept) <= set(written)
    assert len(set(kept)) == len(kept)
    for state in states:
        entries = state.platform.journal.entries
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert all(entry.response_body == b"answer" for entry in entries)


def test_entries_written_while_threads_reset_are_in_exactly_one_journal(sandbox: Sandbox) -> None:
    barrier = threading.Barrier(3)
    platforms: set[Platform] = {sandbox.platform}
    written: list[str] = []

    def write() -> None:
        barrier.wait()
        for _ in range(100):
            platform = sandbox.platform
            platforms.add(platform)
            written.append(platform.journal.close(exchange(platform), 200, (), b"").id)

    def reset() -> None:
        barrier.wait()
        for _ in range(20):
            sandbox.reset()

    threads = [threading.Thread(target=work) for work in (write, write, reset)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = [entry.id for platform in platforms for entry in platform.journal.snapshot()]
    assert sorted(kept) == sorted(written)
    assert len(set(kept)) == 200


# --- verbs ----------------------------------------------------------------------------------------------------------


def test_settings_are_changed_all_or_none(sandbox: Sandbox) -> None:
    with pytest.raises(SettingError):
        sandbox.change_settings({"token_lifetime": 5, "wire_profile": "ancient"})
    with pytest.raises(SettingError, match="use it at the start only"):
        sandbox.change_settings({"token_lifetime": 5, "port": 1})

    assert sandbox.settings.token_lifetime == 86_400
    assert sandbox.change_settings({"token_lifetime": 5}) is sandbox.settings
    assert sandbox.settings.token_lifetime == 5


def test_settings_changed_by_several_threads_all_hold(sandbox: Sandbox) -> None:
    changes: list[dict[str, object]] = [
        {"token_lifetime": 5},
        {"rate_limit": True},
        {"body_limit": 9},
        {"accept": "laravel"},
    ]
    barrier = threading.Barrier(len(changes))

    def change(values: dict[str, object]) -> None:
        barrier.wait()
        sandbox.change_settings(values)

    threads = [threading.Thread(target=change, args=(values,)) for values in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    settings = sandbox.settings
    assert (settings.token_lifetime, settings.rate_limit, settings.body_limit, settings.accept) == (
        5,
        True,
        9,
        "laravel",
    )


def test_revoked_tokens_of_one_client_or_all_stop_working(signing_key: SigningKey) -> None:
    sandbox = Sandbox(SEED, signing_key=signing_key)
    token, client_id = token_of(sandbox), next(iter(sandbox.credentials))

    assert sandbox.revoke_tokens("nobody") == 0
    assert verify(sandbox, token) == client_id
    assert sandbox.revoke_tokens(client_id) == 1
    assert sandbox.revoke_tokens() == 0
    with pytest.raises(UnauthenticatedError, match="token_revoked: by the sandbox's user"):
        verify(sandbox, token)


def test_deleted_client_takes_its_tokens_along(sandbox: Sandbox) -> None:
    token = token_of(sandbox)
    new = next(iter(sandbox.credentials.values()))
    with pytest.raises(InvalidValueError):
        sandbox.delete_client(1, new.client.id, "another name")
    assert verify(sandbox, token)

    sandbox.delete_client(1, new.client.id, new.client.name)
    with pytest.raises(UnauthenticatedError, match="client_deleted: the token's OAuth client was deleted"):
        verify(sandbox, token)


def test_deleted_connector_takes_its_clients_tokens_along(signing_key: SigningKey) -> None:
    sandbox = Sandbox(SEED, signing_key=signing_key)
    token = token_of(sandbox)
    with pytest.raises(ConflictError):
        sandbox.delete_connector(1)
    for service in sandbox.store.services():
        sandbox.store.delete_service(service.id)
    sandbox.delete_connector(1)

    with pytest.raises(UnauthenticatedError, match="client_deleted: the connector of the token's OAuth client was"):
        verify(sandbox, token)
    with pytest.raises(NotFoundError):
        sandbox.delete_connector(1)


def test_given_clock_is_the_sandboxs_only_time(signing_key: SigningKey) -> None:
    clock = Clock(lambda: 1_795_456_800.0)
    sandbox = Sandbox(SEED, clock=clock, signing_key=signing_key)

    assert sandbox.clock is clock
    assert {client.created_at for client in sandbox.store.clients()} == {clock.now()}
    assert sandbox.reset() == clock.now()


def test_reset_frees_the_old_journal_without_waiting_for_the_collector(sandbox: Sandbox) -> None:
    sandbox.journal.close(exchange(sandbox.platform), 200, (), b"")
    journal = weakref.ref(sandbox.journal)
    gc.disable()
    try:
        sandbox.reset()

        assert journal() is None
    finally:
        gc.enable()


def test_client_named_at_the_start_is_the_first_of_another_seed_unless_that_names_its_own() -> None:
    client_id, other = "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d", "1b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"
    sandbox = Sandbox(settings={"client_id": client_id, "client_secret": "correct horse"})

    def first_of(*clients: dict[str, str]) -> tuple[str, str] | None:
        connectors = [{"name": "Shop", "oauth_clients": list(clients)}]
        sandbox.replace_seed(parse_seed({"companies": [{"name": "Umbra", "connectors": connectors}]}))
        return next(((found, new.secret) for found, new in sandbox.credentials.items()), None)

    assert first_of({"name": "CI job"}, {"name": "Second"}) == (client_id, "correct horse")
    assert first_of({"name": "CI job", "client_id": other, "client_secret": "Tr0ub4dor"}) == (other, "Tr0ub4dor")
    assert first_of() is None
