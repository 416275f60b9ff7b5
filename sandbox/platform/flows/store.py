"""The process flows of one emulated platform with their triggers, API keys and users, and the rules for changes.

Every method is safe to call from several threads. Values are frozen, and look-ups on the way of a request take no
lock. The caller checks that a company exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec.structs import asdict, replace

from sandbox.foundation.errors import ConflictError, InvalidValueError, NotFoundError, UnknownNameError
from sandbox.foundation.rng import Rng
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.platform.flows.access import AccessStore, bounded
from sandbox.platform.flows.model import Flow, FlowSeed, FlowsSnapshot, Hook, LastFlowIds, Webhook
from sandbox.platform.model import is_recognised
from sandbox.platform.names import checked_name

if TYPE_CHECKING:
    from sandbox.platform.flows.records import Records

MAX_FLOWS: Final = 1_000

_H = TypeVar("_H", bound=Hook)
_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def ulid(now: float, rng: Rng) -> str:
    """Return a new ULID in lower case, as the platform's ids of webhooks, callbacks and runs; ``now`` in seconds."""
    number = (int(now * 1000) % (1 << 48)) << 80 | int(rng.hex(20), 16)
    return "".join(_DIGITS[number >> shift & 31] for shift in range(125, -1, -5))


class FlowStore(AccessStore):
    """The flows, API keys and users."""

    def __init__(self, now: Callable[[], datetime], rng: Rng, secrets: KnownSecrets) -> None:
        super().__init__(now, rng, secrets)
        self._flows: dict[int, Flow] = {}
        self._hooks: dict[str, tuple[Flow, Hook]] = {}
        self._records: Records | None = None

    @property
    def records(self) -> Records:
        """The records that clients of the Core API created. The first use makes them, and imports their module."""
        if self._records is None:
            from sandbox.platform.flows.records import Records

            with self._lock:
                self._records = self._records or Records(self._now)
        return self._records

    @property
    def known_records(self) -> Records | None:
        """The records that clients of the Core API created; ``None`` where they created none."""
        return self._records if self._records and self._records.last_id else None

    def copy(self, rng: Rng) -> FlowStore:
        """Return an independent store with the same content, but for ``records``: a seed has none."""
        with self._lock:
            twin = FlowStore(self._now, rng, self._secrets)
            for name, table in vars(self).items():
                if isinstance(table, dict):
                    setattr(twin, name, dict(table))
            return twin

    # --- flows ------------------------------------------------------------------------------------------------------

    def flows(self, company: str | None = None) -> list[Flow]:
        """Return the flows, oldest first; of one company if one is given."""
        return self._listed(self._flows, company)

    def flow(self, flow_id: int) -> Flow:
        """Return a flow or raise ``NotFoundError``."""
        return self._get(self._flows, "flow", flow_id)

    def find_flow(self, flow_id: str) -> Flow | None:
        """Return the flow with the id in a path, or ``None``."""
        return self._flows.get(number_in(flow_id))

    def find_hook(self, kind: type[_H], company: str, hook: str) -> tuple[Flow, _H] | None:
        """Return the webhook or callback with the id in a path, and its flow, or ``None``."""
        flow, found = self._hooks.get(hook, (None, None))
        return (flow, found) if flow and flow.company == company and isinstance(found, kind) else None

    def add_flow(self, company: str, given: FlowSeed, *, replacing: bool = False) -> Flow:
        """Add a flow; raise ``ConflictError`` where the company has one with this name.

        With ``replacing`` it changes that one: what is not given stays or is generated.
        """
        name = checked_name("name", given.name)
        with self._lock:
            known = next((flow for flow in self.flows(company) if flow.name == name), None)
            if known is not None and not replacing:
                raise ConflictError(f"company {company!r} has a flow {name!r} already; choose another name")
            if known is None and len(self._flows) >= MAX_FLOWS:
                raise ConflictError(f"there are {MAX_FLOWS} flows, and more are not possible; delete one first")
            versions = self._versions(given, known)
            flow = Flow(
                id=known.id if known else self._next_id("flow"),
                company=company,
                name=name,
                enabled=given.enabled,
                versions=versions,
                deployed=_deployed(given.deployed, versions),
                webhooks=self._completed(given.webhooks, known.webhooks if known else (), known),
                callbacks=self._completed(given.callbacks, known.callbacks if known else (), known),
                created_at=known.created_at if known else self._now(),
                updated_at=self._now(),
            )
            return self._put(flow)

    def copy_flow(self, flow_id: int, company: str) -> Flow:
        """Copy a flow into a company, with new ids and signatures; raise ``ConflictError`` where its name is taken."""
        with self._lock:
            flow = self.flow(flow_id)
            versions = tuple(self._next_id("version") for _ in flow.versions)
            deployed = False if flow.deployed is None else versions[flow.versions.index(flow.deployed)]
            flow = _with_hooks(flow, lambda hook: replace(hook, id=None, signature=None))
            seed = FlowSeed(flow.name, flow.enabled, deployed, versions, flow.webhooks, flow.callbacks)
            return self.add_flow(company, seed)

    def change_flow(self, flow_id: int, **changes: bool | int | None) -> Flow:
        """Enable or disable a flow (``enabled``), and deploy a version or none (``deployed``)."""
        with self._lock:
            flow = self.flow(flow_id)
            for name, value in changes.items():
                if name not in ("enabled", "deployed"):
                    raise UnknownNameError(name, value, "field of a flow", ("enabled", "deployed"))
            version = changes.get("deployed")
            if version is not None and version not in flow.versions:
                raise InvalidValueError("deployed", version, f"null, or {_one_of(flow.versions)}")
            return self._changed(flow_id, **changes)

    def add_version(self, flow_id: int) -> Flow:
        """Add a version to a flow; it is not deployed."""
        with self._lock:
            known = bounded("versions", self.flow(flow_id).versions)
            return self._changed(flow_id, versions=(*known, self._next_id("version")))

    def add_hook(self, flow_id: int, given: _H) -> _H:
        """Add a webhook or callback to a flow; id and signature are generated unless given."""
        with self._lock:
            field = "webhooks" if isinstance(given, Webhook) else "callbacks"
            known = bounded(field, getattr(self.flow(flow_id), field))
            [added] = self._completed([given], ())
            self._changed(flow_id, **{field: (*known, added)})
            return added

    def delete_hook(self, flow_id: int, hook_id: str) -> None:
        """Delete a webhook or callback of a flow."""
        with self._lock:
            flow = self.flow(flow_id)
            known = [hook.id for hook in flow.hooks]
            if hook_id not in known:
                raise NotFoundError("webhook or callback", hook_id, known)
            webhooks = tuple(hook for hook in flow.webhooks if hook.id != hook_id)
            callbacks = tuple(hook for hook in flow.callbacks if hook.id != hook_id)
            self._changed(flow_id, webhooks=webhooks, callbacks=callbacks)

    def delete_flow(self, flow_id: int) -> None:
        """Delete a flow with its webhooks and callbacks."""
        with self._lock:
            self._forget_hooks(self.flow(flow_id))
            del self._flows[flow_id]

    def _versions(self, given: FlowSeed, known: Flow | None) -> tuple[int, ...]:
        if not given.versions:
            return known.versions if known else (self._next_id("version"),)
        taken = {version for flow in self._flows.values() if flow is not known for version in flow.versions}
        for version in given.versions:
            if version in taken:
                raise ConflictError(f"version {version} belongs to another flow; choose another number")
        self._last_ids["version"] = max(self._last_ids["version"], *given.versions)
        return given.versions

    def _completed(self, given: Sequence[_H], known: Sequence[_H], flow: Flow | None = None) -> tuple[_H, ...]:
        """Return webhooks or callbacks with their ids and signatures: those given, those known, or new ones."""
        done = []
        by_id = {each.id: each for each in known}
        for at, hook in enumerate(given):
            before = by_id.get(hook.id) or (known[at] if hook.id is None and at < len(known) else hook)
            hook_id = hook.id or before.id or ulid(self._now().timestamp(), self._rng)
            taken = self._hooks.get(hook_id)
            if taken is not None and (flow is None or taken[0].id != flow.id):
                raise ConflictError(f"there is a webhook or callback {hook_id} already; choose another id")
            signature = hook.signature or before.signature or self._rng.secret()
            done.append(replace(hook, id=hook_id, signature=signature))
        return tuple(done)

    def _changed(self, flow_id: int, **changes: object) -> Flow:
        with self._lock:
            return self._put(replace(self.flow(flow_id), **changes, updated_at=self._now()))

    def _put(self, flow: Flow) -> Flow:
        known, self._flows[flow.id] = self._flows.get(flow.id), flow
        for hook in flow.hooks:
            assert hook.id is not None
            self._hooks[hook.id] = flow, hook
            self._secrets.note(hook.signature or "")
            if isinstance(hook, Webhook) and hook.hmac is not None:
                self._secrets.note(hook.hmac.key or "")
        self._forget_hooks(known, flow)
        return flow

    def _forget_hooks(self, flow: Flow | None, now: Flow | None = None) -> None:
        """Forget the webhooks and callbacks that a flow has no longer; a request meanwhile finds the others."""
        kept = {hook.id for hook in now.hooks} if now else ()
        for hook in flow.hooks if flow else ():
            if hook.id not in kept:
                self._hooks.pop(hook.id or "", None)

    # --- as a value -------------------------------------------------------------------------------------------------

    def snapshot(self, *, secrets: bool) -> FlowsSnapshot:
        """Return all of it; without ``secrets`` no signature and nothing by which a secret could be recognised."""
        with self._lock:
            return FlowsSnapshot(
                flows=tuple(flow if secrets else _with_hooks(flow, _without_secrets) for flow in self._flows.values()),
                api_keys=tuple(key if secrets else replace(key, secret=None) for key in self._keys.values()),
                users=tuple(user if secrets else replace(user, secret=None) for user in self._users.values()),
                last_ids=LastFlowIds(**self._last_ids),
            )

    def restore(self, snapshot: FlowsSnapshot, here: FlowStore | None) -> None:
        """Take the place of the store that held this; it is taken as checked.

        A secret that the snapshot lacks is that of the same thing in ``here``; a signature or HMAC key that is in
        neither is generated, and an API key or password that is in neither matches nothing.
        """
        with self._lock:
            here = here or FlowStore(self._now, self._rng, self._secrets)
            hooks = {hook.id: hook for flow in here.flows() for hook in flow.hooks}
            for flow in snapshot.flows:
                self._put(_with_hooks(flow, lambda hook: self._with_secrets(hook, hooks.get(hook.id))))
            keys = {(key.company, key.name): key.secret for key in here.api_keys()}
            for key in snapshot.api_keys:
                self._keys[key.id] = replace(key, secret=key.secret or keys.get((key.company, key.name)))
            for user in snapshot.users:
                known = here.find_user(user.email)
                self._users[user.id] = replace(user, secret=user.secret or (known and known.secret))
            for kept in [key.secret for key in self.api_keys()] + [user.secret for user in self.users()]:
                if kept is not None:
                    self._secrets.add(kept.hash, kept.last_four, partial(is_recognised, kept=kept))
            self._last_ids = asdict(snapshot.last_ids)

    def _with_secrets(self, hook: Hook, here: Hook | None) -> Hook:
        known = here if type(here) is type(hook) else None
        if hook.signature is None:
            hook = replace(hook, signature=known.signature if known else self._rng.secret())
        if isinstance(hook, Webhook) and hook.hmac is not None and hook.hmac.key is None:
            before = known.hmac if isinstance(known, Webhook) else None
            key = before.key if before else self._rng.secret()
            hook = replace(hook, hmac=replace(hook.hmac, key=key))
        return hook


def _with_hooks(flow: Flow, change: Callable[[Any], Any]) -> Flow:
    """Return a flow with each of its webhooks and callbacks changed."""
    return replace(flow, webhooks=tuple(map(change, flow.webhooks)), callbacks=tuple(map(change, flow.callbacks)))


def _without_secrets(hook: Hook) -> Hook:
    if isinstance(hook, Webhook) and hook.hmac is not None:
        hook = replace(hook, hmac=replace(hook.hmac, key=None))
    return replace(hook, signature=None)


def _deployed(given: int | bool, versions: Sequence[int]) -> int | None:
    if isinstance(given, bool):
        return versions[-1] if given else None
    if given not in versions:
        raise InvalidValueError("deployed", given, f"true, false, or {_one_of(versions)}")
    return given


def _one_of(versions: Iterable[int]) -> str:
    return f"the id of a version of the flow: {', '.join(map(str, versions))}"


def number_in(text: str) -> int:
    """Return the number that a part of a path holds; 0, which no id is, where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0
