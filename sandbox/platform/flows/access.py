"""The API keys and users that may call the Start API and the Core API (FLOWS 2)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from msgspec.structs import replace

from sandbox.foundation.errors import ConflictError, InvalidValueError, NotFoundError
from sandbox.foundation.printable import is_printable
from sandbox.foundation.rng import Rng
from sandbox.journal.known_secrets import KnownSecrets
from sandbox.platform.flows.model import ApiKey, ApiKeySeed, Flow, User, UserSeed
from sandbox.platform.model import is_recognised, recognised_by
from sandbox.platform.names import checked_name

MAX_PARTS: Final = 100
"""Versions, webhooks or callbacks of a flow; API keys or users of a company."""

_T = TypeVar("_T")
_Owned = TypeVar("_Owned", ApiKey, User, Flow)


class NewApiKey(NamedTuple):
    """A key just made, with the only copy of its text there will ever be (FLOWS 2)."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewApiKey({self.key!r})"


class AccessStore:
    """The part of a store of process flows that holds API keys and users."""

    def __init__(self, now: Callable[[], datetime], rng: Rng, secrets: KnownSecrets) -> None:
        self._now = now
        self._rng = rng
        self._secrets = secrets
        self._lock = threading.RLock()
        self._keys: dict[int, ApiKey] = {}
        self._users: dict[int, User] = {}
        self._last_ids = {"flow": 0, "version": 0, "api_key": 0, "user": 0}

    def api_keys(self, company: str | None = None) -> list[ApiKey]:
        """Return the API keys, oldest first; of one company if one is given."""
        return self._listed(self._keys, company)

    def add_api_key(self, company: str, given: ApiKeySeed, *, replacing: bool = False) -> NewApiKey:
        """Add an API key; its text is generated unless given (by a seed).

        With ``replacing`` it takes the place of the company's key with this name, unless that has the same text.
        """
        name = checked_name("name", given.name)
        if given.key is not None and not (8 <= len(given.key) <= 255 and given.key.isascii() and given.key.isalnum()):
            raise InvalidValueError("key", "(not shown)", "8 to 255 letters and digits")
        with self._lock:
            found = next((key for key in self.api_keys(company) if key.name == name), None)
            if found is None:
                bounded("API keys", self.api_keys(company))
            elif not replacing:
                raise ConflictError(f"company {company!r} has an API key {name!r} already; choose another name")
            elif given.key is not None and is_recognised(given.key, found.secret):
                return NewApiKey(found, given.key)
            secret = given.key or self._rng.secret()
            if self.find_api_key(secret) is not None:
                raise ConflictError("another API key has this text already; choose another one")
            self._secrets.note(secret)
            key = ApiKey(
                id=self._next_id("api_key"),
                company=company,
                name=name,
                secret=recognised_by(secret, self._rng),
                revoked=False,
                created_at=self._now(),
            )
            if found is not None:
                del self._keys[found.id]
            self._keys[key.id] = key
            return NewApiKey(key, secret)

    def find_api_key(self, text: str) -> ApiKey | None:
        """Return the API key with this text, revoked or not; it takes as long for any text."""
        found = [key for key in self.api_keys() if is_recognised(text, key.secret)]
        return found[-1] if found else None

    def revoke_api_key(self, key_id: int) -> ApiKey:
        """Revoke an API key; it stays in the list (FLOWS 2)."""
        with self._lock:
            self._keys[key_id] = replace(self._get(self._keys, "API key", key_id), revoked=True)
            return self._keys[key_id]

    def delete_api_key(self, key_id: int) -> None:
        """Delete an API key."""
        with self._lock:
            self._get(self._keys, "API key", key_id)
            del self._keys[key_id]

    # --- users ------------------------------------------------------------------------------------------------------

    def users(self, company: str | None = None) -> list[User]:
        """Return the users, oldest first; of one company if one is given."""
        return self._listed(self._users, company)

    def put_user(self, company: str, given: UserSeed) -> User:
        """Add a user, or give the company's user with this email address another password."""
        if not is_printable(given.email) or not given.email.strip():
            raise InvalidValueError("email", given.email, "an email address")
        with self._lock:
            known = self.find_user(given.email)
            if known is None:
                bounded("users", self.users(company))
            elif known.company != company:
                raise ConflictError(f"user {given.email} belongs to company {known.company!r}; choose another address")
            self._secrets.note(given.password)
            user = User(
                id=known.id if known else self._next_id("user"),
                company=company,
                email=given.email,
                secret=recognised_by(given.password, self._rng),
                created_at=known.created_at if known else self._now(),
            )
            self._users[user.id] = user
            return user

    def find_user(self, email: str) -> User | None:
        """Return the user with an email address, or ``None``; case does not matter."""
        wanted = email.lower()
        return next((user for user in self.users() if user.email.lower() == wanted), None)

    def user_with(self, email: str, password: str) -> User | None:
        """Return the user with these credentials; it takes as long where there is no such user."""
        user = self.find_user(email)
        return user if is_recognised(password, user.secret if user else None) else None

    def delete_user(self, user_id: int) -> User:
        """Delete a user and return it."""
        with self._lock:
            user = self._get(self._users, "user", user_id)
            del self._users[user_id]
            return user

    def _next_id(self, kind: str) -> int:
        self._last_ids[kind] += 1
        return self._last_ids[kind]

    def _listed(self, table: Mapping[int, _Owned], company: str | None = None) -> list[_Owned]:
        with self._lock:
            return [each for each in table.values() if company in (None, each.company)]

    def _get(self, table: Mapping[int, _T], kind: str, key: int) -> _T:
        found = table.get(key)
        if found is None:
            raise NotFoundError(kind, key, list(table))
        return found


def bounded(what: str, known: Sequence[_T]) -> Sequence[_T]:
    """Return what is there, or raise ``ConflictError`` where no more may be added."""
    if len(known) >= MAX_PARTS:
        raise ConflictError(f"there are {MAX_PARTS} {what}, and more are not possible; delete one first")
    return known
