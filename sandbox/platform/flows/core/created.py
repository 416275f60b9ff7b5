"""Data pools and conversations with agents, which clients of the Core API create (FLOWS 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from sandbox.foundation.answer import Answer
from sandbox.foundation.refusals import InvalidPayloadError, Violation
from sandbox.platform.flows.core import models
from sandbox.platform.flows.core.endpoint import MESSAGE, Action, Call, CoreEndpoint, not_found, page
from sandbox.platform.flows.core.world import Record, conversation_record, pool_record
from sandbox.platform.flows.endpoint import json_answer
from sandbox.platform.flows.records import Conversation, DataPool
from sandbox.platform.flows.store import number_in

_T = TypeVar("_T", DataPool, Conversation)

_MAX_TEXT: Final = 10_000
_POOL: Final = "Data pool"
_CONVERSATION: Final = "Conversation"


def _pools(call: Call) -> list[DataPool]:
    return call.world.records.pools(call.world.company)


def _pool(call: Call) -> DataPool:
    return _named_in_path(call, _pools(call), _POOL)


def _named_in_path(call: Call, known: Sequence[_T], thing: str) -> _T:
    wanted = number_in(call.values["id"])
    for record in known:
        if record.id == wanted:
            return record
    raise not_found(thing, call.values["id"])


def _add_pool(call: Call) -> Answer:
    name, description = _pool_fields(call, {"description": None})
    pool = call.world.records.add_pool(call.world.company, name, description)
    return call.item(pool_record(pool), call.world.platform.settings.core_created_status)


def _change_pool(call: Call) -> Record:
    pool = _pool(call)
    name, description = _pool_fields(call, {"name": pool.name, "description": pool.description})
    return pool_record(call.world.records.change_pool(pool, name, description))


def _delete_pool(call: Call) -> Answer:
    call.world.records.delete_pool(_pool(call))
    return json_answer({"message": "Data pool deleted successfully."})


def _deduped(call: Call) -> list[Record]:
    _pool(call)
    return []


def _pool_fields(call: Call, known: dict[str, Any]) -> tuple[str, str | None]:
    """Return the name and description that a body gives, or those that are known; raise ``InvalidPayloadError``."""
    given = {**known, **call.fields}
    violations = _text_violations(given, "name", 3, 100)
    if given["description"] is not None:
        violations += _text_violations(given, "description", 1, 255)
    if violations:
        raise InvalidPayloadError("invalid_record", violations)
    return given["name"], given["description"]


def _text_violations(given: Mapping[str, Any], name: str, least: int, most: int) -> list[Violation]:
    value = given.get(name)
    if value is None:
        return [Violation(name, "required")]
    if not isinstance(value, str):
        return [Violation(name, "string")]
    if len(value) < least:
        return [Violation(name, "min_length", str(least))]
    return [Violation(name, "max_length", str(most))] if len(value) > most else []


# --- conversations with agents ----------------------------------------------------------------------------------------


def _conversation(call: Call) -> Conversation:
    return _named_in_path(call, call.world.records.conversations(call.world.company), _CONVERSATION)


def _conversations(call: Call) -> list[Record]:
    return [conversation_record(each) for each in call.world.records.conversations(call.world.company)]


def _whole_conversation(call: Call) -> Answer:
    include = tuple(dict.fromkeys((*call.wanted.include, "messages")))
    whole = call._replace(wanted=call.wanted._replace(include=include))
    return whole.item(conversation_record(_conversation(call)))


def _begin_conversation(call: Call) -> Record:
    feature, prompt = _texts(call, "feature", "prompt")
    begun = call.world.records.begin_conversation(call.world.company, feature, prompt, call.user_id)
    return conversation_record(begun)


def _reply(call: Call) -> Record:
    conversation = _conversation(call)
    (message,) = _texts(call, "message")
    return conversation_record(call.world.records.reply(conversation.id, message))


def _texts(call: Call, *names: str) -> list[str]:
    given = call.fields
    violations = [violation for name in names for violation in _text_violations(given, name, 1, _MAX_TEXT)]
    if violations:
        raise InvalidPayloadError("invalid_record", violations)
    return [given[name] for name in names]


def _text(least: int, most: int, example: str) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most, "example": example}


_DESCRIPTION: Final = {"type": ["string", "null"], "maxLength": 255, "example": None}
_POOL_FIELDS: Final = {"name": _text(3, 100, "Order numbers"), "description": _DESCRIPTION}
_POOL_BODY: Final = {"type": "object", "required": ["name"], "properties": _POOL_FIELDS}
_POOL_CHANGES: Final = {"type": "object", "properties": _POOL_FIELDS}
_PROMPT: Final = {
    "type": "object",
    "required": ["feature", "prompt"],
    "properties": {
        "feature": _text(1, _MAX_TEXT, "flow_run_analysis"),
        "prompt": _text(1, _MAX_TEXT, "Why did the last run fail?"),
        "payload": {},
    },
}
_REPLY_BODY: Final = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": _text(1, _MAX_TEXT, "And the one before?")},
}

ENDPOINTS: Final = (
    CoreEndpoint(
        "/data-pool",
        GET=page(
            "listDataPools",
            "List the data pools.",
            lambda call: [pool_record(pool) for pool in _pools(call)],
            models.POOLS,
            also_with_slash=True,
        ),
        POST=Action(
            "createDataPool",
            "Create a data pool.",
            _add_pool,
            models.POOL,
            statuses=("200", "201"),
            sends=_POOL_BODY,
            also_with_slash=True,
        ),
    ),
    CoreEndpoint(
        "/data-pool/{id}",
        GET=Action("getDataPool", "Get a data pool.", lambda call: pool_record(_pool(call)), models.POOL, _POOL),
        PATCH=Action("changeDataPool", "Change a data pool.", _change_pool, models.POOL, _POOL, sends=_POOL_CHANGES),
        DELETE=Action("deleteDataPool", "Delete a data pool.", _delete_pool, models.POOL, _POOL, MESSAGE),
    ),
    CoreEndpoint(
        "/data-pool/{id}/deduped-data",
        GET=page(
            "listDedupedData",
            "List the values that a data pool remembers; the sandbox runs no deduplication, so there are none.",
            _deduped,
            models.DEDUPED,
            _POOL,
        ),
    ),
    CoreEndpoint(
        "/agents/conversations",
        GET=page("listConversations", "List the conversations with agents.", _conversations, models.CONVERSATIONS),
        POST=Action(
            "beginConversation",
            "Begin a conversation; no agent answers in the sandbox.",
            _begin_conversation,
            models.CONVERSATIONS,
            statuses=("201",),
            sends=_PROMPT,
        ),
    ),
    CoreEndpoint(
        "/agents/conversations/{id}",
        GET=Action(
            "getConversation",
            "Get a conversation with its messages.",
            _whole_conversation,
            models.CONVERSATIONS,
            _CONVERSATION,
        ),
    ),
    CoreEndpoint(
        "/agents/conversations/{id}/reply",
        POST=Action(
            "replyToConversation",
            "Add a message to a conversation.",
            _reply,
            models.CONVERSATIONS,
            _CONVERSATION,
            statuses=("202",),
            sends=_REPLY_BODY,
        ),
    ),
    CoreEndpoint(
        "/ai/conversations",
        GET=page(
            "listAiConversations",
            "List the conversations, with other filters.",
            _conversations,
            models.AI_CONVERSATIONS,
        ),
    ),
)
