"""The addresses of the Core API (FLOWS 5)."""

from __future__ import annotations

from typing import Final

from sandbox.foundation.answer import Answer
from sandbox.platform.flows.core import created, models
from sandbox.platform.flows.core.endpoint import MESSAGE, Action, Call, CoreEndpoint, not_found, page
from sandbox.platform.flows.core.world import Record, World, content_type_of
from sandbox.platform.flows.endpoint import json_answer
from sandbox.platform.flows.run import FlowRun
from sandbox.platform.flows.store import number_in

_RUN: Final = "Flow run"
_PAYLOAD: Final = "Payload metadata"
_QUEUED: Final = "Scheduled flow"
_VERSION: Final = "Flow version"


# --- runs, their logs, payloads, and the queue ------------------------------------------------------------------------


def _run(call: Call) -> FlowRun:
    run = call.world.known_runs.get(call.values["flow_run_id"].lower())
    if run is None:
        raise not_found(_RUN, call.values["flow_run_id"])
    return run


def _numbered(call: Call, thing: str) -> FlowRun:
    """Return the run whose number is in the path; its payload and its place in the queue have the same number."""
    run = call.world.runs_by_number.get(number_in(call.values["id"]))
    if run is None:
        raise not_found(thing, call.values["id"])
    return run


def _retry(call: Call) -> Answer:
    platform, company = call.world.platform, call.world.company
    again = platform.runs.retry(_run(call).id, user_id=call.user_id)
    later = World(platform, company)  # which knows the new run
    return call._replace(world=later).item(later.run(again))


def _download(call: Call) -> Answer:
    runs, run = call.world.platform.runs, _numbered(call, _PAYLOAD)
    content = runs.payload(run)
    if content is None:
        raise not_found(_PAYLOAD, call.values["id"])
    return json_answer(content, content_type=content_type_of(runs.declared_type(run), content))


def _unqueue(call: Call) -> Answer:
    run = _numbered(call, _QUEUED)
    if not any(queued["id"] == run.number for queued in call.world.queue()):
        raise not_found(_QUEUED, call.values["id"])
    call.world.platform.runs.stop(run.id)
    return json_answer({"message": "Scheduled flow deleted successfully."})


def _steps(call: Call) -> list[Record]:
    version = number_in(call.values["flow_version_id"])
    if not any(version in flow.versions for flow in call.world.known_flows.values()):
        raise not_found(_VERSION, call.values["flow_version_id"])
    return call.world.steps(version)


def _logs(call: Call) -> list[Record]:
    return call.world.logs(_run(call))


def _payload(call: Call) -> Record:
    return call.world.payload(_numbered(call, _PAYLOAD))


def _none(call: Call) -> list[Record]:
    return []


ENDPOINTS: Final = (
    CoreEndpoint("/flows", GET=page("listFlows", "List the flows.", lambda call: call.world.flows(), models.FLOWS)),
    CoreEndpoint(
        "/flow-runs",
        GET=page(
            "listFlowRuns",
            "List the runs of flows, newest first unless sorted otherwise.",
            lambda call: call.world.runs(),
            models.RUNS,
        ),
    ),
    CoreEndpoint(
        "/flow-runs/{flow_run_id}",
        GET=Action("getFlowRun", "Get a run.", lambda call: call.world.run(_run(call)), models.RUNS, _RUN),
    ),
    CoreEndpoint(
        "/flow-runs/{flow_run_id}/retry",
        POST=Action(
            "retryFlowRun", "Run a flow again with the payload of a run; there is no body.", _retry, models.RUNS, _RUN
        ),
    ),
    CoreEndpoint(
        "/flow-runs/{flow_run_id}/flow-run-logs",
        GET=page(
            "listFlowRunLogs",
            "List the lines of the log of a run.",
            _logs,
            models.LOGS,
            _RUN,
            also=("load_payload_ids",),
        ),
    ),
    CoreEndpoint(
        "/payload-metadata",
        GET=page(
            "listPayloadMetadata", "List the descriptions of payloads.", lambda it: it.world.payloads(), models.PAYLOADS
        ),
    ),
    CoreEndpoint(
        "/payload-metadata/{id}",
        GET=Action("getPayloadMetadata", "Get the description of a payload.", _payload, models.PAYLOADS, _PAYLOAD),
    ),
    CoreEndpoint(
        "/payload-metadata/{id}/download",
        GET=Action(
            "downloadPayload",
            "Get the bytes of a payload, with their Content-Type.",
            _download,
            models.ITEM,
            _PAYLOAD,
            returns="",
        ),
    ),
    CoreEndpoint(
        "/scheduled-flows",
        GET=page(
            "listScheduledFlows",
            "List the queue: the runs that have no end yet.",
            lambda call: call.world.queue(),
            models.QUEUE,
        ),
    ),
    CoreEndpoint(
        "/scheduled-flows/{id}",
        DELETE=Action(
            "deleteScheduledFlow",
            "Take a run out of the queue, which stops it.",
            _unqueue,
            models.ITEM,
            _QUEUED,
            returns=MESSAGE,
        ),
    ),
    CoreEndpoint(
        "/flow-versions/{flow_version_id}/steps",
        GET=page(
            "listFlowSteps",
            "List the steps of a version of a flow.",
            _steps,
            models.STEPS,
            _VERSION,
            also=("to_tree", "load_notes_count"),
        ),
    ),
    CoreEndpoint(
        "/flow-version-deployments/packages",
        GET=page("listPackages", "List the packages of deployments; the sandbox has none.", _none, models.PACKAGES),
    ),
    CoreEndpoint(
        "/tracked-data",
        GET=page(
            "listTrackedData",
            "List the tracked data; the sandbox runs no steps that track data, so there are none.",
            _none,
            models.TRACKED,
        ),
    ),
    *created.ENDPOINTS,
)
