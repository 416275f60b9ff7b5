"""Data pools and conversations with agents, which clients of the Core API create (FLOWS 5)."""

from __future__ import annotations

from typing import Any, Final

from sandbox.foundation.answer import Answer
from sandbox.foundation.refusals import InvalidPayloadError, Violation
from sandbox.platform.flows.core.endpoint import Call, json_answer, not_found
from sandbox.platform.flows.core.world import Record, moment
from sandbox.platform.flows.records import Conversation, DataPool
from sandbox.platform.flows.store import number_in

_MAX_TEXT: Final = 10_000


def pool_record(call: Call, pool: DataPool) -> Record:
    """Return a data pool as the API shows it."""
    return {
        "id": pool.id,
        "name": pool.name,
        "description": pool.description,
        "data_pool_template_id": None,
        "created_at": moment(pool.created_at),
        "updated_at": moment(pool.updated_at),
    }


def pool_of(call: Call) -> DataPool:
    """Return the data pool with the id in the path, or refuse."""
    wanted = number_in(call.values["id"])
    for pool in call.world.records.pools(call.world.company):
        if pool.id == wanted:
            return pool
    raise not_found("Data pool", call.values["id"])


def list_pools(call: Call) -> Answer:
    """List the data pools."""
    return call.page([pool_record(call, pool) for pool in call.world.records.pools(call.world.company)])


def add_pool(call: Call) -> Answer:
    """Create a data pool."""
    name, description = _pool_fields(call, {"description": None})
    pool = call.world.records.add_pool(call.world.company, name, description)
    return call.item(pool_record(call, pool), call.world.platform.settings.core_created_status)


def change_pool(call: Call) -> Answer:
    """Change the name or description of a data pool."""
    pool = pool_of(call)
    name, description = _pool_fields(call, {"name": pool.name, "description": pool.description})
    return call.item(pool_record(call, call.world.records.change_pool(pool, name, description)))


def delete_pool(call: Call) -> Answer:
    """Delete a data pool."""
    call.world.records.delete_pool(pool_of(call))
    return json_answer({"message": "Data pool deleted successfully."})


def list_deduped(call: Call) -> Answer:
    """List the values that a data pool remembers: none, since no step deduplicates."""
    pool_of(call)
    return call.page([])


def _pool_fields(call: Call, known: dict[str, Any]) -> tuple[str, str | None]:
    """Return the name and description that a body gives, or those that are known; raise ``InvalidPayloadError``."""
    given = {**known, **call.fields}
    violations = _text_violations(given, "name", 3, 100)
    if given["description"] is not None:
        violations += _text_violations(given, "description", 1, 255)
    if violations:
        raise InvalidPayloadError("invalid_record", violations)
    return given["name"], given["description"]


def _text_violations(given: dict[str, Any], name: str, least: int, most: int) -> list[Violation]:
    value = given.get(name)
    if value is None:
        return [Violation(name, "required")]
    if not isinstance(value, str):
        return [Violation(name, "string")]
    if len(value) < least:
        return [Violation(name, "min_length", str(least))]
    return [Violation(name, "max_length", str(most))] if len(value) > most else []


# --- conversations with agents ----------------------------------------------------------------------------------------


def _conversation_record(call: Call, conversation: Conversation) -> Record:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "feature_type": conversation.feature_type,
        "status": "open",
        "type": "agent",
        "user_id": conversation.user_id,
        "reported": False,
        "created_at": moment(conversation.created_at),
        "updated_at": moment(conversation.updated_at),
        "_messages": [
            {
                "id": message.id,
                "role": message.role,
                "content": message.content,
                "created_at": moment(message.created_at),
            }
            for message in conversation.messages
        ],
    }


def _conversation(call: Call) -> Conversation:
    wanted = number_in(call.values["id"])
    for conversation in call.world.records.conversations(call.world.company):
        if conversation.id == wanted:
            return conversation
    raise not_found("Conversation", call.values["id"])


def list_conversations(call: Call) -> Answer:
    """List the conversations."""
    found = call.world.records.conversations(call.world.company)
    return call.page([_conversation_record(call, conversation) for conversation in found])


def get_conversation(call: Call) -> Answer:
    """Show a conversation with its messages."""
    include = tuple(dict.fromkeys((*call.wanted.include, "messages")))
    whole = call._replace(wanted=call.wanted._replace(include=include))
    return whole.item(_conversation_record(call, _conversation(call)))


def begin_conversation(call: Call) -> Answer:
    """Begin a conversation."""
    feature, prompt = _texts(call, "feature", "prompt")
    begun = call.world.records.begin_conversation(call.world.company, feature, prompt, call.user_id)
    return call.item(_conversation_record(call, begun), 201)


def reply(call: Call) -> Answer:
    """Add a message to a conversation."""
    conversation = _conversation(call)
    (message,) = _texts(call, "message")
    return call.item(_conversation_record(call, call.world.records.reply(conversation.id, message)), 202)


def _texts(call: Call, *names: str) -> list[str]:
    given = {**call.fields}
    violations = [violation for name in names for violation in _text_violations(given, name, 1, _MAX_TEXT)]
    if violations:
        raise InvalidPayloadError("invalid_record", violations)
    return [given[name] for name in names]


def _text(least: int, most: int, example: str) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most, "example": example}


_DESCRIPTION: Final = {"type": ["string", "null"], "maxLength": 255, "example": None}
_POOL: Final = {"name": _text(3, 100, "Order numbers"), "description": _DESCRIPTION}
POOL_BODY: Final = {"type": "object", "required": ["name"], "properties": _POOL}
POOL_CHANGES: Final = {"type": "object", "properties": _POOL}
PROMPT: Final = {
    "type": "object",
    "required": ["feature", "prompt"],
    "properties": {
        "feature": _text(1, _MAX_TEXT, "flow_run_analysis"),
        "prompt": _text(1, _MAX_TEXT, "Why did the last run fail?"),
        "payload": {},
    },
}
REPLY: Final = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": _text(1, _MAX_TEXT, "And the one before?")},
}
