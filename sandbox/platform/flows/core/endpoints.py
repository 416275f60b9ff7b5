"""The addresses of the Core API (FLOWS 5)."""

from __future__ import annotations

from typing import Any, Final

from sandbox.foundation.answer import Answer
from sandbox.platform.flows.core import models
from sandbox.platform.flows.core.core_endpoint import Call, CoreEndpoint, answers, page
from sandbox.platform.flows.core.world import Record, World, conversation_record, pool_record
from sandbox.platform.flows.flow_endpoint import json_answer
from sandbox.platform.flows.model import FlowRun
from sandbox.platform.flows.records import Conversation, DataPool
from sandbox.platform.flows.store import number_in

# --- flows and their runs, logs, payloads, and the queue --------------------------------------------------------------


@page(models.FLOWS)
def list_flows(call: Call) -> list[Record]:
    """List the flows."""
    return [call.world.flow(flow) for flow in call.world.known_flows.values()]


@page(models.STEPS, also=("to_tree", "load_notes_count"))
def list_flow_steps(call: Call) -> list[Record]:
    """List the steps of a version of a flow."""
    versions = [version for flow in call.world.known_flows.values() for version in flow.versions]
    version = number_in(call.key)
    return call.world.steps(call.found(version if version in versions else None))


def _run(call: Call) -> FlowRun:
    return call.found(call.world.known_runs.get(call.key.lower()))


def _numbered(call: Call) -> FlowRun:
    """Return the run whose number is in the path; its payload and its place in the queue have the same number."""
    return call.found(call.world.runs_by_number.get(number_in(call.key)))


@page(models.RUNS)
def list_flow_runs(call: Call) -> list[Record]:
    """List the runs of flows, newest first unless sorted otherwise."""
    return [call.world.run(run) for run in call.world.known_runs.values()]


@answers(models.RUNS)
def get_flow_run(call: Call) -> Record:
    """Get a run."""
    return call.world.run(_run(call))


@answers(models.RUNS)
def retry_flow_run(call: Call) -> Answer:
    """Run a flow again with the payload of a run; there is no body."""
    platform, company = call.world.platform, call.world.company
    again = platform.runs.retry(_run(call).id, user_id=call.user_id)
    later = World(platform, company)  # which knows the new run
    return call._replace(world=later).item(later.run(again))


@page(models.LOGS, also=("load_payload_ids",))
def list_flow_run_logs(call: Call) -> list[Record]:
    """List the lines of the log of a run."""
    return call.world.logs(_run(call))


@page(models.PAYLOADS)
def list_payload_metadata(call: Call) -> list[Record]:
    """List the descriptions of payloads."""
    return [call.world.payload(run) for run in call.world.known_runs.values()]


@answers(models.PAYLOADS)
def get_payload_metadata(call: Call) -> Record:
    """Get the description of a payload."""
    return call.world.payload(_numbered(call))


@answers(models.ITEM, returns="bytes")
def download_payload(call: Call) -> Answer:
    """Get the bytes of a payload, with their Content-Type."""
    runs, run = call.world.platform.runs, _numbered(call)
    content = call.found(runs.payload(run))
    return json_answer(content, content_type=runs.content_type(run, content))


@page(models.QUEUE)
def list_scheduled_flows(call: Call) -> list[Record]:
    """List the queue: the runs that have no end yet."""
    return [call.world.queued(run) for run in call.world.known_runs.values() if call.world.is_queued(run)]


@answers(models.ITEM, returns="deleted")
def delete_scheduled_flow(call: Call) -> None:
    """Take a run out of the queue, which stops it."""
    run = _numbered(call)
    call.world.platform.runs.stop(call.found(run if call.world.is_queued(run) else None).id)


@page(models.PACKAGES)
def list_packages(call: Call) -> list[Record]:
    """List the packages of deployments; the sandbox has none."""
    return []


@page(models.TRACKED)
def list_tracked_data(call: Call) -> list[Record]:
    """List the tracked data; the sandbox runs no steps that track data, so there are none."""
    return []


# --- data pools -------------------------------------------------------------------------------------------------------


def _text(least: int, most: int, example: str) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most, "example": example}


_DESCRIPTION: Final = {"type": ["string", "null"], "maxLength": 255, "example": None}
_POOL_FIELDS: Final = {"name": _text(3, 100, "Order numbers"), "description": _DESCRIPTION}
_POOL_CHANGES: Final = {"type": "object", "properties": _POOL_FIELDS}
_POOL_BODY: Final = {"type": "object", "required": ["name"], "properties": _POOL_FIELDS}


def _pool(call: Call) -> DataPool:
    return call.found(call.world.records.find(DataPool, call.world.company, number_in(call.key)))


@page(models.POOLS)
def list_data_pools(call: Call) -> list[Record]:
    """List the data pools."""
    return [pool_record(pool) for pool in call.world.records.all(DataPool, call.world.company)]


@answers(models.POOL, statuses=(200, 201), sends=_POOL_BODY)
def create_data_pool(call: Call) -> Answer:
    """Create a data pool."""
    pool = call.world.records.add(DataPool, call.world.company, **{"description": None, **call.fields()})
    return call.item(pool_record(pool), call.world.platform.settings.core_created_status)


@answers(models.POOL)
def get_data_pool(call: Call) -> Record:
    """Get a data pool."""
    return pool_record(_pool(call))


@answers(models.POOL, sends=_POOL_CHANGES)
def change_data_pool(call: Call) -> Record:
    """Change a data pool."""
    return pool_record(call.world.records.change(_pool(call), **call.fields()))


@answers(models.POOL, returns="deleted")
def delete_data_pool(call: Call) -> None:
    """Delete a data pool."""
    call.world.records.delete(_pool(call))


@page(models.DEDUPED)
def list_deduped_data(call: Call) -> list[Record]:
    """List the values that a data pool remembers; the sandbox runs no deduplication, so there are none."""
    _pool(call)
    return []


# --- conversations with agents ----------------------------------------------------------------------------------------

_MAX_TEXT: Final = 10_000
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


def _conversation(call: Call) -> Conversation:
    return call.found(call.world.records.find(Conversation, call.world.company, number_in(call.key)))


@page(models.CONVERSATIONS)
def list_conversations(call: Call) -> list[Record]:
    """List the conversations with agents."""
    return [conversation_record(talk) for talk in call.world.records.all(Conversation, call.world.company)]


@page(models.AI_CONVERSATIONS)
def list_ai_conversations(call: Call) -> list[Record]:
    """List the conversations, with other filters."""
    return [conversation_record(talk) for talk in call.world.records.all(Conversation, call.world.company)]


@answers(models.CONVERSATIONS, statuses=(201,), sends=_PROMPT)
def begin_conversation(call: Call) -> Record:
    """Begin a conversation; no agent answers in the sandbox."""
    given = call.fields()
    begun = call.world.records.begin_conversation(call.world.company, given["feature"], given["prompt"], call.user_id)
    return conversation_record(begun)


@answers(models.CONVERSATIONS)
def get_conversation(call: Call) -> Answer:
    """Get a conversation with its messages."""
    include = tuple(dict.fromkeys((*call.wanted.include, "messages")))
    whole = call._replace(wanted=call.wanted._replace(include=include))
    return whole.item(conversation_record(_conversation(call)))


@answers(models.CONVERSATIONS, statuses=(202,), sends=_REPLY)
def reply_to_conversation(call: Call) -> Record:
    """Add a message to a conversation."""
    conversation = _conversation(call)
    return conversation_record(call.world.records.reply(conversation, call.fields()["message"]))


ENDPOINTS: Final = (
    CoreEndpoint("/flows", GET=list_flows),
    CoreEndpoint("/flow-runs", GET=list_flow_runs),
    CoreEndpoint("/flow-runs/{flow_run_id}", "Flow run", GET=get_flow_run),
    CoreEndpoint("/flow-runs/{flow_run_id}/retry", "Flow run", POST=retry_flow_run),
    CoreEndpoint("/flow-runs/{flow_run_id}/flow-run-logs", "Flow run", GET=list_flow_run_logs),
    CoreEndpoint("/payload-metadata", GET=list_payload_metadata),
    CoreEndpoint("/payload-metadata/{id}", "Payload metadata", GET=get_payload_metadata),
    CoreEndpoint("/payload-metadata/{id}/download", "Payload metadata", GET=download_payload),
    CoreEndpoint("/scheduled-flows", GET=list_scheduled_flows),
    CoreEndpoint("/scheduled-flows/{id}", "Scheduled flow", DELETE=delete_scheduled_flow),
    CoreEndpoint("/flow-versions/{flow_version_id}/steps", "Flow version", GET=list_flow_steps),
    CoreEndpoint("/flow-version-deployments/packages", GET=list_packages),
    CoreEndpoint("/tracked-data", GET=list_tracked_data),
    CoreEndpoint("/data-pool", also_with_slash=True, GET=list_data_pools, POST=create_data_pool),
    CoreEndpoint("/data-pool/{id}", "Data pool", GET=get_data_pool, PATCH=change_data_pool, DELETE=delete_data_pool),
    CoreEndpoint("/data-pool/{id}/deduped-data", "Data pool", GET=list_deduped_data),
    CoreEndpoint("/agents/conversations", GET=list_conversations, POST=begin_conversation),
    CoreEndpoint("/agents/conversations/{id}", "Conversation", GET=get_conversation),
    CoreEndpoint("/agents/conversations/{id}/reply", "Conversation", POST=reply_to_conversation),
    CoreEndpoint("/ai/conversations", GET=list_ai_conversations),
)
