"""The addresses of the Core API (FLOWS 5)."""

from __future__ import annotations

from typing import Final

from sandbox.foundation.answer import Answer
from sandbox.platform.flows.core import models
from sandbox.platform.flows.core.created import (
    POOL_BODY,
    POOL_CHANGES,
    PROMPT,
    REPLY,
    add_pool,
    begin_conversation,
    change_pool,
    delete_pool,
    get_conversation,
    list_conversations,
    list_deduped,
    list_pools,
    pool_of,
    pool_record,
    reply,
)
from sandbox.platform.flows.core.endpoint import Action, Call, CoreEndpoint, json_answer, not_found
from sandbox.platform.flows.core.world import World, content_type_of
from sandbox.platform.flows.run import FlowRun
from sandbox.platform.flows.store import number_in

_NO_CACHE: Final = ("Cache-Control", "no-cache, private")


# --- runs, their logs, payloads, and the queue ------------------------------------------------------------------------


def _run(call: Call) -> FlowRun:
    run = call.world.known_runs.get(call.values["flow_run_id"].lower())
    if run is None:
        raise not_found("Flow run", call.values["flow_run_id"])
    return run


def _numbered(call: Call, name: str, thing: str) -> FlowRun:
    """Return the run whose number is in the path; its payload and its place in the queue have the same number."""
    run = call.world.runs_by_number.get(number_in(call.values[name]))
    if run is None:
        raise not_found(thing, call.values[name])
    return run


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
    version = number_in(call.values["flow_version_id"])
    if not any(version in flow.versions for flow in call.world.known_flows.values()):
        raise not_found("Flow version", call.values["flow_version_id"])
    return call.page(call.world.steps(version))


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
        GET=Action("listDataPools", "List the data pools.", list_pools, models.POOLS, "DataPoolPage"),
        POST=Action(
            "createDataPool",
            "Create a data pool.",
            add_pool,
            models.ITEM,
            "OneDataPool",
            statuses=("200", "201"),
            sends=POOL_BODY,
        ),
    ),
    CoreEndpoint(
        "/data-pool/{id}",
        GET=Action(
            "getDataPool",
            "Get a data pool.",
            lambda call: call.item(pool_record(call, pool_of(call))),
            models.ITEM,
            "OneDataPool",
            thing="Data pool",
        ),
        PATCH=Action(
            "changeDataPool",
            "Change a data pool.",
            change_pool,
            models.ITEM,
            "OneDataPool",
            thing="Data pool",
            sends=POOL_CHANGES,
        ),
        DELETE=Action("deleteDataPool", "Delete a data pool.", delete_pool, models.ITEM, "Message", thing="Data pool"),
    ),
    CoreEndpoint(
        "/data-pool/{id}/deduped-data",
        GET=Action(
            "listDedupedData",
            "List the values that a data pool remembers; the sandbox runs no deduplication, so there are none.",
            list_deduped,
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
            list_conversations,
            models.CONVERSATIONS,
            "ConversationPage",
        ),
        POST=Action(
            "beginConversation",
            "Begin a conversation; no agent answers in the sandbox.",
            begin_conversation,
            models.CONVERSATIONS,
            "OneConversation",
            statuses=("201",),
            sends=PROMPT,
        ),
    ),
    CoreEndpoint(
        "/agents/conversations/{id}",
        GET=Action(
            "getConversation",
            "Get a conversation with its messages.",
            get_conversation,
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
            reply,
            models.CONVERSATIONS,
            "OneConversation",
            statuses=("202",),
            thing="Conversation",
            sends=REPLY,
        ),
    ),
    CoreEndpoint(
        "/ai/conversations",
        GET=Action(
            "listAiConversations",
            "List the conversations, with other filters.",
            list_conversations,
            models.AI_CONVERSATIONS,
            "ConversationPage",
        ),
    ),
)
