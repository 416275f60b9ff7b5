"""The addresses of the Core API (FLOWS 5)."""

from __future__ import annotations

from typing import Any, Final

from sandbox.foundation.answer import Answer
from sandbox.foundation.refusals import InvalidPayloadError, Violation
from sandbox.platform.flows.core import models
from sandbox.platform.flows.core.endpoint import Action, Call, CoreEndpoint, json_answer, not_found
from sandbox.platform.flows.core.world import Record, World, content_type_of, moment
from sandbox.platform.flows.records import Conversation, DataPool
from sandbox.platform.flows.run import FlowRun

_NO_CACHE: Final = ("Cache-Control", "no-cache, private")
_MAX_TEXT: Final = 10_000


# --- runs, their logs, payloads, and the queue ------------------------------------------------------------------------


def _run(call: Call) -> FlowRun:
    run = call.world.known_runs.get(call.values["flow_run_id"].lower())
    if run is None:
        raise not_found("Flow run", call.values["flow_run_id"])
    return run


def _numbered(call: Call, name: str, thing: str) -> FlowRun:
    """Return the run whose number is in the path; its payload and its place in the queue have the same number."""
    run = call.world.runs_by_number.get(_number(call.values[name]))
    if run is None:
        raise not_found(thing, call.values[name])
    return run


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _retry(call: Call) -> Answer:
    platform, company = call.world.platform, call.world.company
    again = platform.runs.retry(_run(call).id, user_id=call.user_id)
    later = World(platform, company)  # which knows the new run
    return call._replace(world=later).item(later.run(again))


def _download(call: Call) -> Answer:
    runs, run = call.world.platform.runs, _numbered(call, "id", "Payload metadata")
    content = runs.payload(run)
    if content is None:
        raise not_found("Payload metadata", call.values["id"])
    return Answer(200, (("Content-Type", content_type_of(runs.declared_type(run), content)), _NO_CACHE), content)


def _unqueue(call: Call) -> Answer:
    run = _numbered(call, "id", "Scheduled flow")
    if not any(queued["id"] == run.number for queued in call.world.queue()):
        raise not_found("Scheduled flow", call.values["id"])
    call.world.platform.runs.stop(run.id)
    return json_answer({"message": "Scheduled flow deleted successfully."})


def _steps(call: Call) -> Answer:
    version = _number(call.values["flow_version_id"])
    if not any(version in flow.versions for flow in call.world.known_flows.values()):
        raise not_found("Flow version", call.values["flow_version_id"])
    return call.page(call.world.steps(version))


# --- data pools -------------------------------------------------------------------------------------------------------


def _pool_record(call: Call, pool: DataPool) -> Record:
    return {
        "id": pool.id,
        "name": pool.name,
        "description": pool.description,
        "data_pool_template_id": None,
        "created_at": moment(pool.created_at),
        "updated_at": moment(pool.updated_at),
    }


def _pool(call: Call) -> DataPool:
    wanted = _number(call.values["id"])
    for pool in call.world.records.pools(call.world.company):
        if pool.id == wanted:
            return pool
    raise not_found("Data pool", call.values["id"])


def _pools(call: Call) -> Answer:
    return call.page([_pool_record(call, pool) for pool in call.world.records.pools(call.world.company)])


def _add_pool(call: Call) -> Answer:
    name, description = _pool_fields(call, {"description": None})
    pool = call.world.records.add_pool(call.world.company, name, description)
    return call.item(_pool_record(call, pool), call.world.platform.settings.core_created_status)


def _change_pool(call: Call) -> Answer:
    pool = _pool(call)
    name, description = _pool_fields(call, {"name": pool.name, "description": pool.description})
    return call.item(_pool_record(call, call.world.records.change_pool(pool, name, description)))


def _delete_pool(call: Call) -> Answer:
    call.world.records.delete_pool(_pool(call))
    return json_answer({"message": "Data pool deleted successfully."})


def _deduped(call: Call) -> Answer:
    _pool(call)
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
    wanted = _number(call.values["id"])
    for conversation in call.world.records.conversations(call.world.company):
        if conversation.id == wanted:
            return conversation
    raise not_found("Conversation", call.values["id"])


def _conversations(call: Call) -> Answer:
    found = call.world.records.conversations(call.world.company)
    return call.page([_conversation_record(call, conversation) for conversation in found])


def _one_conversation(call: Call) -> Answer:
    include = tuple(dict.fromkeys((*call.wanted.include, "messages")))
    whole = call._replace(wanted=call.wanted._replace(include=include))
    return whole.item(_conversation_record(call, _conversation(call)))


def _begin_conversation(call: Call) -> Answer:
    feature, prompt = _texts(call, "feature", "prompt")
    begun = call.world.records.begin_conversation(call.world.company, feature, prompt, call.user_id)
    return call.item(_conversation_record(call, begun), 201)


def _reply(call: Call) -> Answer:
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
_POOL_BODY: Final = {"type": "object", "required": ["name"], "properties": _POOL}
_POOL_CHANGES: Final = {"type": "object", "properties": _POOL}
_PROMPT: Final = {
    "type": "object",
    "required": ["feature", "prompt"],
    "properties": {
        "feature": _text(1, _MAX_TEXT, "flow_run_analysis"),
        "prompt": _text(1, _MAX_TEXT, "Why did the last run fail?"),
        "payload": {},
    },
}
_REPLY: Final = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": _text(1, _MAX_TEXT, "And the one before?")},
}


ENDPOINTS: Final = (
    CoreEndpoint(
        "/flows",
        GET=Action(
            "listFlows",
            "List the flows.",
            lambda call: call.page(call.world.flows()),
            models.FLOWS,
            "FlowPage",
        ),
    ),
    CoreEndpoint(
        "/flow-runs",
        GET=Action(
            "listFlowRuns",
            "List the runs of flows, newest first unless sorted otherwise.",
            lambda call: call.page(call.world.runs()),
            models.RUNS,
            "FlowRunPage",
        ),
    ),
    CoreEndpoint(
        "/flow-runs/{flow_run_id}",
        GET=Action(
            "getFlowRun",
            "Get a run.",
            lambda call: call.item(call.world.run(_run(call))),
            models.RUNS,
            "OneFlowRun",
            thing="Flow run",
        ),
    ),
    CoreEndpoint(
        "/flow-runs/{flow_run_id}/retry",
        POST=Action(
            "retryFlowRun",
            "Run a flow again with the payload of a run; there is no body.",
            _retry,
            models.RUNS,
            "OneFlowRun",
            thing="Flow run",
        ),
    ),
    CoreEndpoint(
        "/flow-runs/{flow_run_id}/flow-run-logs",
        GET=Action(
            "listFlowRunLogs",
            "List the lines of the log of a run.",
            lambda call: call.page(call.world.logs(_run(call))),
            models.LOGS,
            "FlowRunLogPage",
            thing="Flow run",
            also=("load_payload_ids",),
        ),
    ),
    CoreEndpoint(
        "/payload-metadata",
        GET=Action(
            "listPayloadMetadata",
            "List the descriptions of payloads.",
            lambda call: call.page(call.world.payloads()),
            models.PAYLOADS,
            "PayloadMetadataPage",
        ),
    ),
    CoreEndpoint(
        "/payload-metadata/{id}",
        GET=Action(
            "getPayloadMetadata",
            "Get the description of a payload.",
            lambda call: call.item(call.world.payload(_numbered(call, "id", "Payload metadata"))),
            models.PAYLOADS,
            "OnePayloadMetadata",
            thing="Payload metadata",
        ),
    ),
    CoreEndpoint(
        "/payload-metadata/{id}/download",
        GET=Action(
            "downloadPayload",
            "Get the bytes of a payload, with their Content-Type.",
            _download,
            models.ITEM,
            "",
            thing="Payload metadata",
        ),
    ),
    CoreEndpoint(
        "/scheduled-flows",
        GET=Action(
            "listScheduledFlows",
            "List the queue: the runs that have no end yet.",
            lambda call: call.page(call.world.queue()),
            models.QUEUE,
            "ScheduledFlowPage",
        ),
    ),
    CoreEndpoint(
        "/scheduled-flows/{id}",
        DELETE=Action(
            "deleteScheduledFlow",
            "Take a run out of the queue, which stops it.",
            _unqueue,
            models.ITEM,
            "Message",
            thing="Scheduled flow",
        ),
    ),
    CoreEndpoint(
        "/flow-versions/{flow_version_id}/steps",
        GET=Action(
            "listFlowSteps",
            "List the steps of a version of a flow.",
            _steps,
            models.STEPS,
            "FlowStepPage",
            thing="Flow version",
            also=("to_tree", "load_notes_count"),
        ),
    ),
    CoreEndpoint(
        "/flow-version-deployments/packages",
        GET=Action(
            "listPackages",
            "List the packages of deployments; the sandbox has none.",
            lambda call: call.page([]),
            models.PACKAGES,
            "RecordPage",
        ),
    ),
    CoreEndpoint(
        "/data-pool",
        GET=Action("listDataPools", "List the data pools.", _pools, models.POOLS, "DataPoolPage"),
        POST=Action(
            "createDataPool",
            "Create a data pool.",
            _add_pool,
            models.ITEM,
            "OneDataPool",
            statuses=("200", "201"),
            sends=_POOL_BODY,
        ),
    ),
    CoreEndpoint(
        "/data-pool/{id}",
        GET=Action(
            "getDataPool",
            "Get a data pool.",
            lambda call: call.item(_pool_record(call, _pool(call))),
            models.ITEM,
            "OneDataPool",
            thing="Data pool",
        ),
        PATCH=Action(
            "changeDataPool",
            "Change a data pool.",
            _change_pool,
            models.ITEM,
            "OneDataPool",
            thing="Data pool",
            sends=_POOL_CHANGES,
        ),
        DELETE=Action("deleteDataPool", "Delete a data pool.", _delete_pool, models.ITEM, "Message", thing="Data pool"),
    ),
    CoreEndpoint(
        "/data-pool/{id}/deduped-data",
        GET=Action(
            "listDedupedData",
            "List the values that a data pool remembers; the sandbox runs no deduplication, so there are none.",
            _deduped,
            models.STEPS,
            "RecordPage",
            thing="Data pool",
        ),
    ),
    CoreEndpoint(
        "/tracked-data",
        GET=Action(
            "listTrackedData",
            "List the tracked data; the sandbox runs no steps that track data, so there are none.",
            lambda call: call.page([]),
            models.TRACKED,
            "RecordPage",
        ),
    ),
    CoreEndpoint(
        "/agents/conversations",
        GET=Action(
            "listConversations",
            "List the conversations with agents.",
            _conversations,
            models.CONVERSATIONS,
            "ConversationPage",
        ),
        POST=Action(
            "beginConversation",
            "Begin a conversation; no agent answers in the sandbox.",
            _begin_conversation,
            models.CONVERSATIONS,
            "OneConversation",
            statuses=("201",),
            sends=_PROMPT,
        ),
    ),
    CoreEndpoint(
        "/agents/conversations/{id}",
        GET=Action(
            "getConversation",
            "Get a conversation with its messages.",
            _one_conversation,
            models.CONVERSATIONS,
            "OneConversation",
            thing="Conversation",
        ),
    ),
    CoreEndpoint(
        "/agents/conversations/{id}/reply",
        POST=Action(
            "replyToConversation",
            "Add a message to a conversation.",
            _reply,
            models.CONVERSATIONS,
            "OneConversation",
            statuses=("202",),
            thing="Conversation",
            sends=_REPLY,
        ),
    ),
    CoreEndpoint(
        "/ai/conversations",
        GET=Action(
            "listAiConversations",
            "List the conversations, with other filters.",
            _conversations,
            models.AI_CONVERSATIONS,
            "ConversationPage",
        ),
    ),
)
