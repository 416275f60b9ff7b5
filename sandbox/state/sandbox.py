"""The sandbox: one object that holds all state, so that two sandboxes in one process share none.

It is made from a seed and settings and serves through its ``platform``. ``reset`` returns it to its beginning.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sandbox.foundation.clock import Clock, check_clock
from sandbox.foundation.errors import InvalidValueError, SettingError, Withheld
from sandbox.foundation.rng import Rng
from sandbox.foundation.settings import Settings, setting_specs
from sandbox.journal.entry import Entry
from sandbox.journal.file import JournalFile
from sandbox.journal.journal import Journal, Observer
from sandbox.journal.log_line import log_entry
from sandbox.journal.metrics import Metrics, Recent
from sandbox.journal.redaction import redact_text
from sandbox.platform.keys import KeyRing, SigningKey
from sandbox.platform.model import Company
from sandbox.platform.oauth_clients import NewOAuthClient
from sandbox.platform.platform import AfterAcceptance, Platform
from sandbox.platform.store import Store
from sandbox.platform.tokens import IssuedToken
from sandbox.state.restore import LoadedClient, restore
from sandbox.state.seed import Seed, SeedSource, demo_seed, extended_seed, read_seed
from sandbox.state.seed_loading import Loaded, completed, load, seeded_rules

if TYPE_CHECKING:
    from sandbox.state.snapshot import State

_KEY_ALLOWED: Final = "an unencrypted RSA private key of at least 2048 bits as PEM, or null"


class Sandbox:
    """An emulated Patchworks with its clock, faults, settings and journal.

    ``seed`` is a ``Seed``, plain data or the path of a file; it defaults to the demo seed. ``settings``
    (``Sandbox(settings={"wire_profile": "legacy"})``) win over those of the seed. ``clock`` and ``signing_key`` are
    made unless given; ``keys`` is a ring that may be warm already, in place of ``signing_key``. Safe to use from
    several threads.
    """

    def __init__(
        self,
        seed: SeedSource | None = None,
        *,
        settings: Mapping[str, object] | None = None,
        clock: Clock | None = None,
        signing_key: SigningKey | None = None,
        keys: KeyRing | None = None,
    ) -> None:
        seed = demo_seed() if seed is None else read_seed(seed)
        self._given = dict(settings or {})
        self.origins: dict[str, str] = dict.fromkeys(self._given, "given at the start")
        """Where the settings of the start come from, by their names, in words: ``flag --token-lifetime``."""
        self.initial_settings = initial = Settings().changed(seed.settings).changed(self._given)
        self.seed = seed = seed.with_credentials(initial.client_id, initial.client_secret)
        self._seed_rules = seeded_rules(seed, self.initial_settings.presets_dir)
        self.clock = Clock() if clock is None else clock
        self.keys = KeyRing.of(self.initial_settings, signing_key) if keys is None else keys
        self.metrics = Metrics()
        """The counts since it was made; a reset does not change them."""
        self.observers: list[Observer] = [self.metrics.count, log_entry]
        """The functions that get every entry of the journal, also after a reset."""
        self.recent = Recent(self.observers)
        self.after_acceptance: list[AfterAcceptance] = []
        """The functions that get every accepted payload with its service, also after a reset."""
        self.journal_file = _opened(self.initial_settings.journal_file)
        self._lock = threading.Lock()
        self._rng = Rng(self.initial_settings.random_seed)
        integers = self.initial_settings.whole_numbers == "integers"
        self._pristine = Store(self.clock.now, self._rng, integers=integers)
        self._loaded = load(seed, self._pristine)
        self._credentials = self._loaded.clients
        self._platform = self._new_platform()
        self.clock.observers.append(_held_weakly(self, lambda held, change: held.platform.note("clock", change)))
        self.clock.before_moves.append(_held_weakly(self, lambda held: held.platform.settle_processing()))

    @property
    def platform(self) -> Platform:
        """The emulated platform as it is now; a reset puts another in its place."""
        return self._platform

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._platform.settings

    @property
    def store(self) -> Store:
        """Companies, connectors, entities, OAuth clients and services."""
        return self._platform.store

    @property
    def journal(self) -> Journal:
        """Every request since the last reset."""
        return self._platform.journal

    @property
    def tokens(self) -> list[IssuedToken]:
        """Every token issued since the last reset, in the order of issue."""
        return self._platform.tokens.issued()

    @property
    def credentials(self) -> Mapping[str, NewOAuthClient]:
        """The OAuth clients of the seed by client id, in its order, with their secrets.

        After a state was loaded these are the clients with a known secret, those of the seed first.
        """
        return MappingProxyType(self._credentials)

    @property
    def api_key(self) -> str | None:
        """The first API key of the seed that is in force, with its text."""
        given = (key.key for company in self._loaded.seed.companies for key in company.api_keys)
        found = ((text, self.store.flows.find_api_key(text)) for text in given if text is not None)
        return next((text for text, key in found if key is not None and not key.revoked), None)

    @property
    def company(self) -> Company | None:
        """The first company of the seed."""
        return next(iter(self._pristine.companies()), None)

    def redact(self, text: str) -> str:
        """Return a text for a log, with every issued secret redacted and everything that looks like a credential."""
        return self._pristine.secrets.redact(redact_text(text))

    def change_settings(self, values: Mapping[str, object]) -> Settings:
        """Change run-time settings, all or none; raise ``SettingError``."""
        with self._lock:
            platform = self._platform
            self.metrics.count_dropped(platform.use(platform.settings.changed(values, runtime=True)))
            platform.note("settings", f"settings changed: {', '.join(values)}")
            return platform.settings

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the access tokens of one OAuth client, or of all; return how many."""
        platform = self._platform
        revoked = platform.tokens.revoke("token_revoked: by the sandbox's user", client_id)
        whose = "all clients" if client_id is None else f"client {client_id}"
        platform.note("tokens", f"tokens of {whose} revoked: {revoked}", client_id=client_id)
        return revoked

    def rotate_keys(self) -> None:
        """Replace the signing key: every token that was issued is refused from now on."""
        self.keys.rotate()
        self._platform.note("keys", "signing key rotated")

    def delete_client(self, connector_id: int, client_id: str, confirmation: str) -> None:
        """Delete an OAuth client and kill its tokens (FACTS 1.19)."""
        platform = self._platform
        platform.store.delete_client(connector_id, client_id, confirmation)
        platform.tokens.revoke("client_deleted: the token's OAuth client was deleted", client_id)
        platform.note("tokens", f"client {client_id} deleted, with its tokens", client_id=client_id)

    def delete_user(self, user_id: int) -> None:
        """Delete a user and kill the tokens of its logins; another user with this address gets none of them."""
        platform = self._platform
        email = platform.store.flows.delete_user(user_id).email
        platform.tokens.revoke("user_deleted: the user of the token was deleted", email)
        platform.note("tokens", f"user {email} deleted, with the tokens of its logins", client_id=email)

    def delete_connector(self, connector_id: int) -> None:
        """Delete a connector that no service uses, with its clients, and kill their tokens."""
        platform = self._platform
        for client in platform.store.delete_connector(connector_id):
            platform.tokens.revoke("client_deleted: the connector of the token's OAuth client was deleted", client.id)
            platform.note("tokens", f"client {client.id} deleted, with its tokens", client_id=client.id)

    def reset(self) -> datetime:
        """Return to the seed: its store, settings and faults, a new journal, no tokens, real time. Return the time.

        The signing key and the secrets of the seed's clients stay. Requests in flight finish on the platform they
        began on.
        """
        with self._lock:
            now = self.clock.reset(quietly=True)
            retired, self._platform = self._platform, self._new_platform(after_reset=True)
            self._credentials = self._loaded.clients
        retired.retire("the sandbox was reset")
        return now

    def replace_seed(self, seed: Seed) -> Loaded:
        """Return to another seed, which becomes the sandbox's own: as a reset does, with new generated credentials.

        Settings of the start are stronger than those of the seed. ``client_id`` and ``client_secret`` are those of its
        first client where it leaves them out. Raise ``InputError`` and change nothing.
        """
        with self._lock:
            initial = self._settings_with(seed)
            if (first := seed.first_client) is not None:
                client_id = None if first.client_id else initial.client_id
                seed = seed.with_credentials(client_id, None if first.client_secret else initial.client_secret)
            load(seed, Store(self.clock.now, Rng()))  # raises where it cannot be loaded
            rules = seeded_rules(seed, initial.presets_dir)
            self.clock.reset(quietly=True)
            self._rng = Rng(initial.random_seed)
            integers = initial.whole_numbers == "integers"
            self._pristine = Store(self.clock.now, self._rng, self._pristine.secrets, integers=integers)
            self._loaded = load(seed, self._pristine)
            self.seed, self.initial_settings, self._seed_rules = self._loaded.seed, initial, rules
            retired, self._platform = self._platform, self._new_platform(after_reset=True)
            self._credentials = self._loaded.clients
            loaded = self._loaded
        retired.retire("another seed replaced that of the sandbox")
        return loaded

    def extend_seed(self, data: Mapping[str, object]) -> Loaded:
        """Put a seed, as Python data, on top of the sandbox's own; return the addition.

        It changes what it names, now and after each reset; everything else stays as it is, the journal too. An OAuth
        client keeps its id and its secret unless the addition gives others. Raise ``InputError`` and change nothing.
        """
        with self._lock:
            whole, addition = extended_seed(self._loaded.seed, data)
            initial = self._settings_with(whole)
            changes = {name: value for name, value in addition.settings.items() if name not in self._given}
            settings = self.settings.changed({name: getattr(initial, name) for name in changes})
            rules = seeded_rules(addition, initial.presets_dir)
            pristine = self._pristine.copy(self._rng)
            added = load(completed(addition, self._loaded.seed), pristine)
            load(added.seed, self.store.copy(Rng()))  # raises where it cannot be loaded

            before = {client.id for client in self.store.clients()}
            load(added.seed, self.store)
            gone = before - {client.id for client in self.store.clients()}
            for client_id in gone:
                self._platform.tokens.revoke("client_deleted: a seed replaced the token's OAuth client", client_id)
                self._platform.note("tokens", f"client {client_id} replaced by a seed", client_id=client_id)
            self.metrics.count_dropped(self._platform.use(settings))
            if rules:
                self._platform.faults.add_all(rules)
            self._pristine, self.initial_settings = pristine, initial
            self._seed_rules = [*self._seed_rules, *rules]
            self.seed = extended_seed(self._loaded.seed, added.seed.data())[0]
            known = {client.id for client in pristine.clients()}
            clients = {**self._loaded.clients, **added.clients}
            self._loaded = Loaded(self.seed, {key: new for key, new in clients.items() if key in known})
            kept = {key: new for key, new in self._credentials.items() if key not in gone}
            self._credentials = {**kept, **added.clients}
            return added

    def _settings_with(self, seed: Seed) -> Settings:
        """Return the settings of the start with those of another seed; raise ``SettingError``."""
        fixed = {spec.name: getattr(self.initial_settings, spec.name) for spec in setting_specs() if not spec.runtime}
        settings = Settings().changed({**fixed, **seed.settings}).changed(self._given)
        for spec in setting_specs():
            if spec.name in seed.settings and spec.name in fixed and getattr(settings, spec.name) != fixed[spec.name]:
                value = Withheld() if spec.secret else seed.settings[spec.name]
                raise SettingError(spec.name, value, "it at the start only; leave it out of the seed")
        return settings

    def state(self, *, secrets: bool = False) -> State:
        """Return all content of the sandbox as a value, while it serves.

        With ``secrets`` it includes the signing key and the hashes of the clients' secrets.
        """
        from sandbox.state.snapshot import VERSION, State

        with self._lock:
            platform, clock = self._platform.snapshot(secrets=secrets), self.clock.snapshot()
        return State(VERSION, secrets, clock, self.keys.current().pem() if secrets else None, platform)

    def load_state(self, state: State) -> list[LoadedClient]:
        """Replace all content by that of a state, or raise ``InvalidValueError`` and change nothing.

        Return the OAuth clients with the origins of their secrets. Requests in flight finish on the platform they began
        on. A reset returns to this sandbox's own seed and settings; a signing key of the state stays in use.
        """
        check_clock(state.clock)
        try:
            key = None if state.signing_key is None else SigningKey.from_pem(state.signing_key.encode())
        except ValueError:
            raise InvalidValueError("signing_key", "(not shown)", _KEY_ALLOWED) from None
        with self._lock:
            rng = Rng()  # unseeded: a seeded one would draw ids that the state holds already
            empty = Store(self.clock.now, rng, self._pristine.secrets, integers=self._pristine.integers)
            fresh = self._platform_with(rng, empty)
            clients, credentials = restore(
                fresh, state.platform, self.store, {**self._loaded.clients, **self._credentials}
            )
            self.clock.restore(state.clock)
            if key is not None:
                self.keys.use(key)
            retired, self._platform = self._platform, fresh
            self._credentials = credentials
        retired.retire("a state was loaded")
        return clients

    def _new_platform(self, *, after_reset: bool = False) -> Platform:
        rng = self._rng.fork()  # as it was when the seed was loaded: a seeded run repeats itself after a reset
        platform = self._platform_with(rng, self._pristine.copy(rng))
        if after_reset:
            platform.note("reset", "the sandbox was reset")
        if self._seed_rules:
            platform.faults.add_all(self._seed_rules)
        return platform

    def _platform_with(self, rng: Rng, store: Store) -> Platform:
        keep = None if self.journal_file is None else self._keep
        return Platform(
            self.initial_settings,
            self.clock,
            rng,
            self.keys,
            store,
            observers=self.observers,
            after_acceptance=self.after_acceptance,
            keep=keep,
        )

    def _keep(self, entry: Entry) -> None:
        from sandbox.journal.form import as_line

        assert self.journal_file is not None
        self.journal_file.append(as_line(entry).encode("utf-8"))


def _held_weakly(sandbox: Sandbox, act: Callable[..., object]) -> Callable[..., None]:
    """Return an observer of a clock that does not keep the sandbox alive: a clock may outlive it."""
    reference = weakref.ref(sandbox)

    def observe(*arguments: object) -> None:
        held = reference()
        if held is not None:
            act(held, *arguments)

    return observe


def _opened(path: str | None) -> JournalFile | None:
    if path is None:
        return None
    file = JournalFile(path)
    try:
        file.open()
    except OSError as error:
        allowed = f"the path of a file that can be written ({error.strerror or error})"
        raise SettingError("journal_file", path, allowed) from None
    return file
