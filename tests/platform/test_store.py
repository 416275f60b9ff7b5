"""The tables: what may be created, what is refused, and that nothing handed out changes."""

from __future__ import annotations

import dataclasses
import hmac
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import pytest

from sandbox.foundation.errors import ConflictError, InvalidValueError, NotFoundError
from sandbox.foundation.rng import Rng
from sandbox.platform.model import Connector, Service
from sandbox.platform.names import slugify
from sandbox.platform.store import Store

NOW = datetime(2026, 11, 23, 18, tzinfo=timezone.utc)
UUID = "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e"
SECRET = "Tea-and-Biscuits-4711"


@pytest.fixture
def store() -> Store:
    return Store(lambda: NOW, Rng(1))


@pytest.fixture
def connector(store: Store) -> Connector:
    store.add_company("Acme Ltd", "acme")
    return store.add_connector("acme", "Web shop")


@pytest.fixture
def service(store: Store, connector: Connector) -> Service:
    store.add_entity(connector.id, "orders", "orders", {"order": "1001"})
    return store.add_service("acme", connector.id, "orders", "orders")


# --- companies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme Ltd", "acme-ltd"),
        ("Müller & Söhne", "muller-sohne"),
        ("  --A1--  ", "a1"),
        ("A", "company-a"),
        ("株式会社", "company"),
        ("!!!", "company"),
        ("x" * 255, "x" * 60),
        ("x" * 59 + " y", "x" * 59),
    ],
    ids=lambda value: value[:15],
)
def test_slug_is_generated_from_the_name(name: str, slug: str) -> None:
    assert slugify(name) == slug


def test_generated_slugs_are_made_unique_by_a_number(store: Store) -> None:
    assert [store.add_company("Acme").slug for _ in range(3)] == ["acme", "acme-2", "acme-3"]
    assert [company.slug for company in store.companies()] == ["acme", "acme-2", "acme-3"]


def test_company_is_found_by_its_slug_with_its_trimmed_name(store: Store) -> None:
    company = store.add_company("  Acme Ltd ", "acme")

    assert store.company("acme") is company
    assert (company.name, company.created_at) == ("Acme Ltd", NOW)


@pytest.mark.parametrize("slug", ["", "a", "-a", "A1", "a b", "a_b", "ü1", "a" * 64, "a\n"], ids=repr)
def test_given_slug_is_checked(store: Store, slug: str) -> None:
    with pytest.raises(InvalidValueError, match="2 to 63 lower-case letters, digits or '-'"):
        store.add_company("Acme", slug)


def test_given_slug_that_is_taken_is_refused(store: Store) -> None:
    store.add_company("Acme", "acme")

    with pytest.raises(ConflictError, match="company 'acme' exists already; choose another slug"):
        store.add_company("Other", "acme")


@pytest.mark.parametrize("name", ["", "  ", "x" * 256, None, 5], ids=lambda value: repr(value)[:10])
def test_names_are_checked(store: Store, connector: Connector, name: Any) -> None:
    adding: list[Callable[[], object]] = [
        lambda: store.add_company(name),
        lambda: store.add_connector("acme", name),
        lambda: store.add_entity(connector.id, "orders", name),
        lambda: store.add_entity(connector.id, name, "orders"),
    ]
    for add in adding:
        with pytest.raises(InvalidValueError, match="text of 1 to 255 characters, not only spaces"):
            add()

    assert store.entities(connector.id) == []


def test_unknown_company_is_told_with_the_known_ones(store: Store, connector: Connector) -> None:
    with pytest.raises(NotFoundError, match="there is no company 'other'; known: acme"):
        store.company("other")


# --- connectors -----------------------------------------------------------------------------------------------------


def test_connectors_are_numbered_and_listed_oldest_first(store: Store, connector: Connector) -> None:
    live = store.add_connector("acme", " Shop ", "live")

    assert connector == Connector(1, "acme", "Web shop", "test", NOW)
    assert live == Connector(2, "acme", "Shop", "live", NOW)
    assert store.connectors() == [connector, live]
    assert store.connector(2) is live


def test_connector_needs_a_known_company_and_environment(store: Store, connector: Connector) -> None:
    with pytest.raises(NotFoundError, match="no company 'other'"):
        store.add_connector("other", "Shop")
    with pytest.raises(InvalidValueError, match="environment: 'prod' is not allowed; use test or live"):
        store.add_connector("acme", "Shop", "prod")
    with pytest.raises(NotFoundError, match="no connector 9; known: 1"):
        store.connector(9)


def test_deleted_connector_takes_its_entities_and_clients_along(store: Store, connector: Connector) -> None:
    other = store.add_connector("acme", "Other")
    store.add_entity(connector.id, "orders", "checked", {"a": 1})
    store.add_entity(connector.id, "orders", "free")
    kept = store.add_entity(other.id, "orders", "checked", {"a": 1})
    gone, staying = store.add_client(connector.id, "gone").client, store.add_client(other.id, "kept").client

    assert store.delete_connector(connector.id) == [gone]
    assert store.connectors() == [other]
    assert store.clients() == [staying]
    assert store.entities(other.id) == [kept]
    assert store.find_client(gone.id) is None
    assert list(store._checks) == [kept.id]
    for look in (store.connector, store.entities, store.clients, store.delete_connector):
        with pytest.raises(NotFoundError):
            look(connector.id)


def test_connector_that_a_service_uses_is_not_deleted(store: Store, service: Service) -> None:
    client = store.add_client(service.connector_id, "abc").client

    with pytest.raises(ConflictError, match="connector 1 is the source of service orders; delete the service first"):
        store.delete_connector(service.connector_id)
    assert store.find_client(client.id) is client


# --- entities -------------------------------------------------------------------------------------------------------


def test_entity_is_compiled_from_its_sample(store: Store, connector: Connector, service: Service) -> None:
    (entity,) = store.entities(connector.id)
    check = store.check_for(service)

    assert (entity.type, entity.name, entity.sample, entity.inferred) == ("orders", "orders", {"order": "1001"}, True)
    assert entity.json_schema == {
        "type": "object",
        "properties": {"order": {"type": "string"}},
        "required": ["order"],
    }
    assert check is not None
    assert check.violations({"order": 5}) != []


def test_entity_without_a_sample_is_free_form(store: Store, connector: Connector) -> None:
    entity = store.add_entity(connector.id, "custom", "anything")
    service = store.add_service("acme", connector.id, "anything", "anything")

    assert (entity.json_schema, entity.inferred) == (None, False)
    assert store.check_for(service) is None


def test_hand_written_schema_wins_over_the_sample(store: Store, connector: Connector) -> None:
    entity = store.add_entity(connector.id, "orders", "orders", {"order": 1}, {"type": "string"})
    check = store.check_for(store.add_service("acme", connector.id, "orders", "orders"))

    assert (entity.json_schema, entity.inferred) == ({"type": "string"}, False)
    assert check is not None
    assert check.violations("text") == []


def test_schema_can_be_replaced_and_returned_to_the_inferred_one(
    store: Store, connector: Connector, service: Service
) -> None:
    before = store.entities(connector.id)[0]
    written = store.set_entity_schema(connector.id, before.id, {"type": "string"})
    check = store.check_for(service)
    after = store.set_entity_schema(connector.id, before.id, None)

    assert (written.json_schema, written.inferred) == ({"type": "string"}, False)
    assert check is not None
    assert check.violations("text") == []
    assert after == before == store.entity(connector.id, before.id)
    assert store.check_for(service) is not check


def test_free_form_entity_can_be_given_a_schema_and_be_free_again(store: Store, connector: Connector) -> None:
    entity = store.add_entity(connector.id, "custom", "anything")
    service = store.add_service("acme", connector.id, "anything", "anything")
    store.set_entity_schema(connector.id, entity.id, {"type": "string"})
    written = store.check_for(service)
    store.set_entity_schema(connector.id, entity.id, None)

    assert written is not None
    assert store.check_for(service) is None


def test_bad_schema_is_refused_and_changes_nothing(store: Store, connector: Connector, service: Service) -> None:
    entity, check = store.entities(connector.id)[0], store.check_for(service)
    with pytest.raises(InvalidValueError, match="json_schema"):
        store.set_entity_schema(connector.id, entity.id, {"type": 5})
    with pytest.raises(InvalidValueError, match="json_schema"):
        store.add_entity(connector.id, "orders", "new", None, {"type": 5})

    assert store.entities(connector.id) == [entity]
    assert store.check_for(service) is check


def test_entity_names_are_unique_within_a_connector_only(store: Store, connector: Connector, service: Service) -> None:
    with pytest.raises(ConflictError, match="connector 1 has an entity 'orders' already; choose another name"):
        store.add_entity(connector.id, "orders", " orders ")

    other = store.add_connector("acme", "Other")
    assert store.add_entity(other.id, "orders", "orders").name == "orders"


def test_entity_of_another_connector_is_not_found(store: Store, connector: Connector, service: Service) -> None:
    other = store.add_connector("acme", "Other")
    entity = store.add_entity(other.id, "orders", "orders")

    with pytest.raises(NotFoundError, match=f"no entity {entity.id}; known: 1"):
        store.entity(connector.id, entity.id)
    with pytest.raises(NotFoundError, match="no entity 99"):
        store.entity(connector.id, 99)
    with pytest.raises(NotFoundError, match="no connector 99"):
        store.add_entity(99, "orders", "orders")


# --- replacing ------------------------------------------------------------------------------------------------------


def test_service_that_replaces_another_has_its_id_and_its_place(store: Store, connector: Connector) -> None:
    store.add_entity(connector.id, "orders", "orders")
    old = store.add_service("acme", connector.id, "orders", "first")
    next_one = store.add_service("acme", connector.id, "orders", "second")
    new = store.add_service("acme", connector.id, "orders", "FIRST", active=False, replacing=True)

    assert (new.id, new.created_at, new.active) == (old.id, old.created_at, False)
    assert store.services() == [new, next_one]
    assert store.add_service("acme", connector.id, "orders", "third").id == next_one.id + 1


def test_service_that_is_refused_in_the_place_of_another_changes_nothing(store: Store, service: Service) -> None:
    with pytest.raises(NotFoundError, match="no entity 'prders'; did you mean 'orders'"):
        store.add_service("acme", service.connector_id, "prders", "orders", replacing=True)

    assert store.services() == [service]
    assert store.find_service("acme", "orders") == service


# --- OAuth clients --------------------------------------------------------------------------------------------------


def test_new_client_has_a_uuid_and_a_secret_that_is_told_once(store: Store, connector: Connector) -> None:
    new = store.add_client(connector.id, " My integration ")

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", new.client.id)
    assert re.fullmatch(r"[A-Za-z0-9]{40}", new.secret)
    assert (new.client.name, new.client.revoked, new.client.connector_id) == ("My integration", False, connector.id)
    assert new.client.secret.last_four == new.secret[-4:]
    assert new.client.created_at == new.client.updated_at == NOW
    assert store.clients(connector.id) == store.clients() == [new.client]


def test_secret_is_nowhere_but_in_the_one_answer(store: Store, connector: Connector) -> None:
    new = store.add_client(connector.id, "abc", secret=SECRET)
    client = new.client

    assert new.secret == SECRET
    for told in (repr(new), repr(client), repr(vars(store)), repr(dataclasses.asdict(client)), repr(store.clients())):
        assert SECRET not in told
    assert repr(client.secret.hash) not in repr(client)
    assert repr(client.secret.salt) not in repr(new)


def test_equal_secrets_have_different_hashes(store: Store, connector: Connector) -> None:
    first, second = (store.add_client(connector.id, "abc", secret=SECRET).client for _ in range(2))

    assert first.secret.hash != second.secret.hash
    assert first.secret.salt != second.secret.salt


def test_id_and_secret_can_be_given(store: Store, connector: Connector) -> None:
    client = store.add_client(connector.id, "abc", UUID, SECRET).client

    assert client.id == UUID
    assert store.find_client(UUID) is client
    assert store.secret_matches(client, SECRET)
    with pytest.raises(ConflictError, match=f"OAuth client {UUID} exists already"):
        store.add_client(connector.id, "abc", UUID)


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + " ", SECRET.lower(), "é", "\udcff", "x" * 100_000])
def test_other_secrets_do_not_match(store: Store, connector: Connector, secret: str) -> None:
    client = store.add_client(connector.id, "abc", secret=SECRET).client

    assert not store.secret_matches(client, secret)
    assert not store.secret_matches(None, secret)


@pytest.mark.parametrize("known", [True, False], ids=["known client", "unknown client"])
def test_secret_is_compared_in_constant_time_whether_or_not_the_client_is_known(
    store: Store, connector: Connector, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def recorded(given: bytes, expected: bytes) -> bool:
        compared.append((len(given), len(expected)))
        return compare(given, expected)

    client = store.add_client(connector.id, "abc", secret=SECRET).client if known else None
    monkeypatch.setattr(hmac, "compare_digest", recorded)

    assert store.secret_matches(client, SECRET) is known
    assert compared == [(32, 32)]


def test_secret_of_any_client_is_found_without_a_hash_for_each(
    store: Store, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        store.add_client(connector.id, "abc", secret=f"secret-{number}")
    compared: list[bytes] = []
    is_equal = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(one) or is_equal(one, other))

    assert store.is_a_secret("secret-30")
    assert not store.is_a_secret("secret-50")
    assert len(compared) == 1


def test_text_is_a_secret_until_the_last_client_that_has_it_is_deleted(store: Store, connector: Connector) -> None:
    first, second = (store.add_client(connector.id, "abc", secret=SECRET).client for _ in range(2))
    twin = store.copy(Rng(2))

    store.delete_client(connector.id, first.id, "abc")
    after_the_first = store.is_a_secret(SECRET)
    store.delete_client(connector.id, second.id, "abc")

    assert after_the_first
    assert not store.is_a_secret(SECRET)
    assert twin.is_a_secret(SECRET)


def test_secret_of_a_restored_client_is_found(store: Store, connector: Connector) -> None:
    store.add_client(connector.id, "abc", secret=SECRET)
    restored = Store(lambda: NOW, Rng(2))
    restored.restore(store.snapshot(secrets=True))

    assert restored.is_a_secret(SECRET)
    assert not restored.is_a_secret("x" + SECRET)


@pytest.mark.parametrize("name", ["", "ab", " ab ", "x" * 256, None, 123], ids=lambda value: repr(value)[:10])
def test_client_name_is_checked(store: Store, connector: Connector, name: Any) -> None:
    with pytest.raises(InvalidValueError, match="text of 3 to 255 characters"):
        store.add_client(connector.id, name)


@pytest.mark.parametrize("name", ["abc", "x" * 255], ids=len)
def test_client_name_at_its_bounds_is_accepted(store: Store, connector: Connector, name: str) -> None:
    assert store.add_client(connector.id, name).client.name == name


@pytest.mark.parametrize("client_id", ["", "x", UUID.upper(), UUID[:-1], UUID + "0"], ids=repr)
def test_given_id_must_be_a_uuid(store: Store, connector: Connector, client_id: str) -> None:
    with pytest.raises(InvalidValueError, match="a UUID in lower case"):
        store.add_client(connector.id, "abc", client_id)


@pytest.mark.parametrize(
    "secret",
    ["", "hunter2", " leading1", "trailing1 ", "tab\tinside", "new\nline", "ümlaut-12", "x" * 256],
    ids=lambda value: repr(value)[:12],
)
def test_given_secret_is_checked_and_not_told(store: Store, connector: Connector, secret: str) -> None:
    with pytest.raises(InvalidValueError, match=r"client_secret: .*8 to 255 printable ASCII characters") as caught:
        store.add_client(connector.id, "abc", secret=secret)

    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("secret", ["12345678", "x" * 255, "with spaces inside", '"\\&=%+:;'], ids=lambda s: s[:12])
def test_given_secret_may_be_any_printable_ascii(store: Store, connector: Connector, secret: str) -> None:
    assert store.secret_matches(store.add_client(connector.id, "abc", secret=secret).client, secret)


def test_deleting_a_client_asks_for_its_name(store: Store, connector: Connector) -> None:
    client = store.add_client(connector.id, "My client").client
    for confirmation in ("", "my client", "My client ", client.id):
        with pytest.raises(InvalidValueError, match=r"confirmation: .*the client's name, 'My client'"):
            store.delete_client(connector.id, client.id, confirmation)

    assert store.find_client(client.id) is client
    assert store.delete_client(connector.id, client.id, "My client") is client
    assert store.find_client(client.id) is None
    with pytest.raises(NotFoundError, match="known: none"):
        store.delete_client(connector.id, client.id, "My client")


def test_client_is_not_deleted_through_another_connector(store: Store, connector: Connector) -> None:
    client = store.add_client(connector.id, "abc").client
    other = store.add_connector("acme", "Other")

    with pytest.raises(NotFoundError, match="no OAuth client"):
        store.delete_client(other.id, client.id, "abc")
    assert store.clients(other.id) == []
    with pytest.raises(NotFoundError, match="no connector 99"):
        store.add_client(99, "abc")


# --- services -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "vanity_url"),
    [("Orders", "orders"), ("a-b_c9", "a-b_c9"), ("abc", "abc"), ("x" * 36, "x" * 36), ("---", "---")],
)
def test_vanity_url_is_lowered(store: Store, service: Service, given: str, vanity_url: str) -> None:
    store.delete_service(service.id)

    assert store.add_service("acme", service.connector_id, "orders", given).vanity_url == vanity_url


@pytest.mark.parametrize("given", ["", "ab", "x" * 37, "a b c", "a/b", "a.b", "äbc", "abc\n", "a%20b"], ids=repr)
def test_vanity_url_is_checked(store: Store, service: Service, given: str) -> None:
    with pytest.raises(InvalidValueError, match=r"vanity_url: .*3 to 36 letters, digits, '-' or '_'"):
        store.add_service("acme", service.connector_id, "orders", given)


def test_vanity_url_is_unique_within_a_company_only(store: Store, service: Service) -> None:
    with pytest.raises(ConflictError, match="company 'acme' has a service at 'orders' already"):
        store.add_service("acme", service.connector_id, "orders", "ORDERS")

    store.add_company("Other", "other")
    connector = store.add_connector("other", "Shop")
    store.add_entity(connector.id, "orders", "orders")
    assert store.add_service("other", connector.id, "orders", "orders").company == "other"


def test_service_needs_what_it_is_made_of(store: Store, service: Service) -> None:
    store.add_company("Other", "other")
    with pytest.raises(NotFoundError, match="no company 'none'"):
        store.add_service("none", service.connector_id, "orders", "new")
    with pytest.raises(NotFoundError, match="no connector 99"):
        store.add_service("acme", 99, "orders", "new")
    with pytest.raises(InvalidValueError, match="connector_id: 1 is not allowed; use a connector of company 'other'"):
        store.add_service("other", service.connector_id, "orders", "new")
    with pytest.raises(NotFoundError, match="no entity 'oders'; did you mean 'orders'\\? known: orders"):
        store.add_service("acme", service.connector_id, "oders", "new")

    assert store.services() == [service]


def test_service_is_found_by_its_url_active_or_not(store: Store, service: Service) -> None:
    inactive = store.change_service(service.id, active=False)

    assert service.active
    assert not inactive.active
    assert store.find_service("acme", "orders") is inactive
    assert store.service(service.id) is inactive
    assert store.change_service(service.id, active=True) == service
    assert store.find_service("acme", "returns") is None
    assert store.find_service("other", "orders") is None


def test_deleted_service_frees_its_url_and_numbers_are_not_used_again(store: Store, service: Service) -> None:
    store.delete_service(service.id)

    assert store.find_service("acme", "orders") is None
    for look in (store.service, store.delete_service, lambda number: store.change_service(number, active=True)):
        with pytest.raises(NotFoundError, match="no service 1; known: none"):
            look(service.id)
    assert store.add_service("acme", service.connector_id, "orders", "orders").id == 2


def test_service_without_its_entity_has_no_check(store: Store, service: Service) -> None:
    assert store.check_for(dataclasses.replace(service, entity="gone")) is None


# --- copies and threads ---------------------------------------------------------------------------------------------


def test_copy_has_the_same_content_and_goes_its_own_way(store: Store, service: Service) -> None:
    client = store.add_client(service.connector_id, "abc", secret=SECRET).client
    twin = store.copy(Rng(2))
    twin.delete_client(service.connector_id, client.id, "abc")
    twin.change_service(service.id, active=False)
    twin.add_company("New")
    store.add_connector("acme", "Next")

    assert twin.secret_matches(client, SECRET)
    assert store.find_client(client.id) is client
    assert store.service(service.id).active
    assert [company.slug for company in store.companies()] == ["acme"]
    assert len(twin.connectors()) == 1
    assert twin.add_connector("acme", "Next").id == 2
    assert twin.check_for(service) is store.check_for(service) is not None


def test_what_is_handed_out_is_frozen(store: Store, service: Service) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        service.active = False  # type: ignore[misc]
    store.companies().clear()
    store.services().clear()

    assert store.companies() != []
    assert store.services() == [service]


def test_threads_create_each_thing_once(store: Store, service: Service) -> None:
    barrier = threading.Barrier(4)

    def create(_: int) -> list[str]:
        barrier.wait()
        made = []
        for number in range(25):
            with suppress(ConflictError):
                made.append(store.add_service("acme", service.connector_id, "orders", f"url-{number}").vanity_url)
        store.add_company("Same name")
        store.add_client(service.connector_id, "abc")
        return made

    with ThreadPoolExecutor(4) as pool:
        made = [url for urls in pool.map(create, range(4)) for url in urls]

    assert sorted(made) == sorted(f"url-{number}" for number in range(25))
    assert [known.id for known in store.services()] == list(range(1, 27))
    assert {company.slug for company in store.companies()[1:]} == {f"same-name{n}" for n in ("", "-2", "-3", "-4")}
    assert len({client.id for client in store.clients()}) == 4


def test_text_that_was_never_a_secret_is_not_held_against_the_clients(
    store: Store, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_client(connector.id, "abc", secret=SECRET)
    monkeypatch.setattr(store, "clients", None)

    assert not store.is_a_secret("x" + SECRET)
