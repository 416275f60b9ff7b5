"""Data pools and conversations with agents, which clients of the Core API create (FLOWS 5).

No agent runs in the sandbox, so a conversation has the messages of its client only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from sandbox.foundation.bounds import Count, Number
from sandbox.foundation.errors import ConflictError

MAX_RECORDS: Final = 1_000
"""Data pools or conversations of all companies."""

MAX_MESSAGES: Final = 100
"""Messages of a conversation."""

_T = TypeVar("_T", "DataPool", "Conversation")


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
        self._lock = threading.RLock()
        self._records: dict[tuple[type, int], DataPool | Conversation] = {}
        self.last_id = 0
        """The highest id so far, also of what is gone."""

    def all(self, kind: type[_T], company: str | None = None) -> list[_T]:
        """Return the data pools or conversations, oldest first; of one company if one is given."""
        with self._lock:
            records = list(self._records.values())
        return [each for each in records if isinstance(each, kind) and company in (None, each.company)]

    def find(self, kind: type[_T], company: str, record_id: int) -> _T | None:
        """Return the data pool or conversation of a company with an id, or ``None``."""
        return next((each for each in self.all(kind, company) if each.id == record_id), None)

    def add(self, kind: type[_T], company: str, **fields: Any) -> _T:
        """Add a data pool or conversation; raise ``ConflictError`` where there are too many."""
        with self._lock:
            if len(self.all(kind)) >= MAX_RECORDS:
                raise ConflictError(f"there are {MAX_RECORDS} of them, and more are not possible; delete one first")
            self.last_id += 1
            now = self._now()
            made = kind(id=self.last_id, company=company, created_at=now, updated_at=now, **fields)
            self._records[kind, made.id] = made
            return made

    def change(self, record: _T, **fields: Any) -> _T:
        """Change a data pool or conversation; one that was deleted meanwhile stays so."""
        with self._lock:
            changed = replace(record, **fields, updated_at=self._now())
            if (type(record), record.id) in self._records:
                self._records[type(record), record.id] = changed
            return changed

    def delete(self, record: DataPool | Conversation) -> None:
        """Delete a data pool or conversation."""
        with self._lock:
            self._records.pop((type(record), record.id), None)

    def begin_conversation(self, company: str, feature: str, prompt: str, user_id: int | None) -> Conversation:
        """Begin a conversation with a prompt; raise ``ConflictError`` where there are too many."""
        messages = (Message(1, "user", prompt, self._now()),)
        title = prompt[:80]
        return self.add(Conversation, company, title=title, feature_type=feature, user_id=user_id, messages=messages)

    def reply(self, conversation: Conversation, text: str) -> Conversation:
        """Add a message to a conversation; raise ``ConflictError`` where it has too many."""
        with self._lock:
            newest = self.find(Conversation, conversation.company, conversation.id) or conversation
            if len(newest.messages) >= MAX_MESSAGES:
                raise ConflictError(f"the conversation has {MAX_MESSAGES} messages, and more are not possible")
            message = Message(len(newest.messages) + 1, "user", text, self._now())
            return self.change(newest, messages=(*newest.messages, message))

    def snapshot(self) -> RecordsSnapshot:
        """Return all of it as a value."""
        with self._lock:
            return RecordsSnapshot(tuple(self.all(DataPool)), tuple(self.all(Conversation)), self.last_id)

    def restore(self, snapshot: RecordsSnapshot) -> None:
        """Take over all of it from a value."""
        with self._lock:
            records: list[DataPool | Conversation] = [*snapshot.pools, *snapshot.conversations]
            self._records = {(type(each), each.id): each for each in records}
            self.last_id = snapshot.last_id
