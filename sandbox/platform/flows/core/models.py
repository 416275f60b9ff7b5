"""The models of the Core API with the relations that ``include`` names, and its lists with their filters (FLOWS 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Final

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.instants import parse_instant
from sandbox.platform.flows.core.listing import Filter, Listing, Model, Related, Relation, contains, is_equal
from sandbox.platform.flows.core.world import Record, World
from sandbox.platform.flows.model import Flow

_MILLISECONDS_FROM: Final = 100_000_000_000
"""A number from here on is a time in milliseconds; as seconds it would be in the year 5138."""


def _seconds(text: str) -> float:
    """Return the Unix seconds of a time that a filter gives: milliseconds, seconds, or ISO 8601."""
    if text.isascii() and text.isdecimal():
        number = int(text[:18])
        return number / 1000 if number >= _MILLISECONDS_FROM else float(number)
    try:
        return parse_instant(text).timestamp()
    except InvalidValueError:
        return datetime.fromisoformat(text.replace(" ", "T")).replace(tzinfo=timezone.utc).timestamp()


def _on(record: Record, text: str) -> bool:
    day = datetime.fromtimestamp(record["started_at"], timezone.utc).date()
    return day == datetime.fromtimestamp(_seconds(text), timezone.utc).date()


def _of_flow(model: Model, find: Callable[[World, Flow], Related]) -> Relation:
    return Relation(model, lambda world, record: find(world, world.known_flows[record["id"]]))


def _flow_of(world: World, record: Record) -> Record | None:
    flow = world.known_flows.get(record["flow_id"])
    return None if flow is None else world.flow(flow)


def _version_of(world: World, record: Record) -> Record | None:
    flow = world.known_flows.get(record["flow_id"])
    return None if flow is None else world.version(flow, record["flow_version_id"])


def _retried(world: World, record: Record) -> Record | None:
    run = world.known_runs.get(record["retry_flow_run_id"] or "")
    return None if run is None else world.run(run)


def _payload_size(world: World, record: Record) -> str:
    return str(world.with_size(world.payload(world.known_runs[record["id"]]))["payload_size"])


def _none(world: World, record: Record) -> list[Record]:
    return []


PLAIN: Final = Model("record")
"""A model without relations."""

STEP: Final = Model("flowStep")
HOOK: Final = Model("trigger")
PAYLOAD: Final = Model("payloadMetadata", whole=World.with_size)
VERSION: Final = Model("flowVersion", {"steps": Relation(STEP, lambda world, record: world.steps(record["id"]))})
FLOW: Final = Model(
    "flow",
    {
        "versions": _of_flow(VERSION, World.versions),
        "latestVersion": _of_flow(VERSION, lambda world, flow: world.version(flow, flow.versions[-1])),
        "deployedVersion": _of_flow(VERSION, World.deployed_version),
        "currentVersion": _of_flow(VERSION, lambda world, flow: world.version(flow, flow.current)),
        "labels": Relation(PLAIN, _none),
        "webhooks": _of_flow(HOOK, lambda world, flow: world.hooks(flow, flow.webhooks)),
        "callbacks": _of_flow(HOOK, lambda world, flow: world.hooks(flow, flow.callbacks)),
        "notificationGroups": Relation(PLAIN, _none),
        "deployments": _of_flow(VERSION, lambda world, flow: [*filter(None, [world.deployed_version(flow)])]),
    },
)
_TO_FLOW: Final = {"flow": Relation(FLOW, _flow_of), "flowVersion": Relation(VERSION, _version_of)}
LOG: Final = Model(
    "flowRunLog",
    {
        "flowRunLogMetadata": Relation(PLAIN, _none),
        "flowStep": Relation(STEP, lambda _, record: record["_step"]),
    },
)
RUN: Final = Model(
    "flowRun",
    {
        **_TO_FLOW,
        "payloadSize": Relation(PLAIN, _payload_size),
        "retriedFlowRun": Relation(None, _retried),
        "flowRunLogs": Relation(LOG, lambda world, record: world.logs(world.known_runs[record["id"]])),
    },
)
_OF_PLACE: Final = Relation(PAYLOAD, lambda world, record: world.payload(world.runs_by_number[record["id"]]))
QUEUED: Final = Model("scheduledFlow", {**_TO_FLOW, "payloadMetadata": _OF_PLACE})
CONVERSATION: Final = Model("conversation", {"messages": Relation(Model("message"), lambda _, talk: talk["_messages"])})


def _equal(*names: str) -> dict[str, Filter]:
    return {name: is_equal(name) for name in names}


ITEM: Final = Listing(PLAIN)
DEDUPED: Final = Listing(PLAIN, sorts=("id", "name"))
POOL: Final = Listing(Model("dataPool"))

FLOWS: Final = Listing(
    FLOW,
    {"search": contains("name"), "name": contains("name"), **_equal("id", "is_enabled")},
    ("id", "name", "created_at", "updated_at"),
)
RUNS: Final = Listing(
    RUN,
    {
        **_equal("status", "user_id", "flow_id", "flow_version_id", "trigger"),
        "started_after": lambda record, text: record["started_at"] >= _seconds(text),
        "started_before": lambda record, text: record["started_at"] <= _seconds(text),
        "started_on": _on,
        "search": contains("id", "name"),
        "virtual_environment_id": is_equal("_environment"),
        "has_warnings": is_equal("has_warnings"),
        "retried": is_equal("_retried"),
    },
    ("started_at", "finished_at", "created_at", "updated_at", "duration", "status", "name", "id"),
    "-started_at",
)
LOGS: Final = Listing(LOG, _equal("log_level", "flow_step_id"))
PAYLOADS: Final = Listing(
    PAYLOAD,
    {
        **_equal("id", "flow_run_id", "flow_step_id"),
        "flow_log_id": lambda record, text: text == str(10 * record["id"] + 1),
    },
)
QUEUE: Final = Listing(QUEUED, _equal("status", "flow_version_id", "flow_id"))
STEPS: Final = Listing(STEP, sorts=("id", "name"))
POOLS: Final = Listing(POOL.model, {"name": contains("name")}, ("id", "name", "created_at", "updated_at"))
PACKAGES: Final = Listing(PLAIN, {"name": contains("name")}, ("name",), "name")
TRACKED: Final = Listing(
    PLAIN,
    {
        **_equal("flow_id", "flow_run_id", "step_id", "entity_type_id", "value"),
        "created_before": lambda record, text: record["created_at"] <= _seconds(text),
        "created_after": lambda record, text: record["created_at"] >= _seconds(text),
    },
)
CONVERSATIONS: Final = Listing(
    CONVERSATION,
    {"title": contains("title"), "feature_type": is_equal("feature_type")},
    ("id", "title", "created_at"),
)
AI_CONVERSATIONS: Final = Listing(
    CONVERSATION, _equal("status", "type", "user_id", "reported"), ("id", "title", "created_at")
)
