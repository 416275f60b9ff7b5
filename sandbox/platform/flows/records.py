"""Data pools and conversations with agents, which clients of the Core API create (FLOWS 5).

No agent runs in the sandbox, so a conversation has the messages of its client only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from sandbox.foundation.bounds import Count, Number
from sandbox.foundation.errors import ConflictError

MAX_RECORDS: Final = 1_000
"""Data pools or conversations of all companies."""

MAX_MESSAGES: Final = 100
"""Messages of a conversation."""

_T = TypeVar("_T", bound="DataPool | Conversation")


class DataPool(Struct, frozen=True, kw_only=True):
    """A data pool, which remembers values for the deduplication of data."""

    id: Number
    company: str
    name: Annotated[str, Meta(min_length=3, max_length=100)]
    description: Annotated[str, Meta(max_length=255)] | None
    created_at: datetime
    updated_at: datetime


class Message(Struct, frozen=True):
    """A message of a conversation."""

    id: Number
    role: Literal["user"]
    content: str
    created_at: datetime


class Conversation(Struct, frozen=True, kw_only=True):
    """A conversation with an agent."""

    id: Number
    company: str
    title: str
    feature_type: str
    user_id: Number | None
    messages: tuple[Message, ...]
    created_at: datetime
    updated_at: datetime


class RecordsSnapshot(Struct, frozen=True):
    """Data pools and conversations, oldest first, and the highest number given so far."""

    pools: tuple[DataPool, ...] = ()
    conversations: tuple[Conversation, ...] = ()
    last_id: Count = 0


class Records:
    """The data pools and conversations of one emulated platform; safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._pools: dict[int, DataPool] = {}
        self._conversations: dict[int, Conversation] = {}
        self._last_id = 0

    def pools(self, company: str) -> list[DataPool]:
        """Return the data pools of a company, oldest first."""
        with self._lock:
            return [pool for pool in self._pools.values() if pool.company == company]

    def conversations(self, company: str) -> list[Conversation]:
        """Return the conversations of a company, oldest first."""
        with self._lock:
            return [each for each in self._conversations.values() if each.company == company]

    def add_pool(self, company: str, name: str, description: str | None) -> DataPool:
        """Add a data pool; raise ``ConflictError`` where there are too many."""
        with self._lock:
            now = self._now()
            pool = DataPool(
                id=self._next_id(self._pools),
                company=company,
                name=name,
                description=description,
                created_at=now,
                updated_at=now,
            )
            self._pools[pool.id] = pool
            return pool

    def change_pool(self, pool: DataPool, name: str, description: str | None) -> DataPool:
        """Change a data pool; one that was deleted meanwhile stays so."""
        with self._lock:
            changed = replace(pool, name=name, description=description, updated_at=self._now())
            if pool.id in self._pools:
                self._pools[pool.id] = changed
            return changed

    def delete_pool(self, pool: DataPool) -> None:
        """Delete a data pool."""
        with self._lock:
            self._pools.pop(pool.id, None)

    def begin_conversation(self, company: str, feature: str, prompt: str, user_id: int | None) -> Conversation:
        """Begin a conversation with a prompt; raise ``ConflictError`` where there are too many."""
        with self._lock:
            now = self._now()
            begun = Conversation(
                id=self._next_id(self._conversations),
                company=company,
                title=prompt[:80],
                feature_type=feature,
                user_id=user_id,
                messages=(Message(1, "user", prompt, now),),
                created_at=now,
                updated_at=now,
            )
            self._conversations[begun.id] = begun
            return begun

    def reply(self, conversation_id: int, text: str) -> Conversation:
        """Add a message to a conversation; raise ``ConflictError`` where it has too many."""
        with self._lock:
            known = self._conversations[conversation_id]
            if len(known.messages) >= MAX_MESSAGES:
                raise ConflictError(f"the conversation has {MAX_MESSAGES} messages, and more are not possible")
            now = self._now()
            message = Message(len(known.messages) + 1, "user", text, now)
            changed = replace(known, messages=(*known.messages, message), updated_at=now)
            self._conversations[conversation_id] = changed
            return changed

    def _next_id(self, table: dict[int, _T]) -> int:
        if len(table) >= MAX_RECORDS:
            raise ConflictError(f"there are {MAX_RECORDS} of them, and more are not possible; delete one first")
        self._last_id += 1
        return self._last_id

    def copy(self) -> Records:
        """Return independent records with the same content."""
        twin = Records(self._now)
        twin.restore(self.snapshot())
        return twin

    def snapshot(self) -> RecordsSnapshot:
        """Return all of it as a value."""
        with self._lock:
            return RecordsSnapshot(tuple(self._pools.values()), tuple(self._conversations.values()), self._last_id)

    def restore(self, snapshot: RecordsSnapshot) -> None:
        """Take over all of it from a value."""
        with self._lock:
            self._pools = {pool.id: pool for pool in snapshot.pools}
            self._conversations = {each.id: each for each in snapshot.conversations}
            self._last_id = snapshot.last_id
