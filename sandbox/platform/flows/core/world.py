"""The records of the Core API, made of the flows and runs of one company (FLOWS 6).

A record has each documented field, ``null`` where the sandbox has no value for it. A key that begins with ``_`` is for
filters and is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any, Final, TypeAlias

from msgspec.structs import asdict

from sandbox.platform.flows.model import FAILURE, STARTED, STOPPED, Flow, FlowRun, Hook, Webhook
from sandbox.platform.flows.records import Conversation, DataPool, Records
from sandbox.platform.platform import Platform

Record: TypeAlias = dict[str, Any]

_STEPS: Final = ("Trigger", "Destination")


class Moment(float):
    """A time in Unix seconds, which is written as the framework writes times."""


def moment(at: datetime | float | None) -> Moment | None:
    """Return a time of a record."""
    return None if at is None else Moment(at.timestamp() if isinstance(at, datetime) else at)


def _times(created: datetime | float, updated: datetime | float) -> Record:
    return {"created_at": moment(created), "updated_at": moment(updated)}


def pool_record(pool: DataPool) -> Record:
    """Return a data pool."""
    return {
        "id": pool.id,
        "name": pool.name,
        "description": pool.description,
        "data_pool_template_id": None,
        **_times(pool.created_at, pool.updated_at),
    }


def conversation_record(conversation: Conversation) -> Record:
    """Return a conversation with an agent."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "feature_type": conversation.feature_type,
        "status": "open",
        "type": "agent",
        "user_id": conversation.user_id,
        "reported": False,
        **_times(conversation.created_at, conversation.updated_at),
        "_messages": [
            {**asdict(message), "created_at": moment(message.created_at)} for message in conversation.messages
        ],
    }


class World:
    """The process flows of a company at one moment."""

    def __init__(self, platform: Platform, company: str) -> None:
        self.platform = platform
        self.company = company
        self.records: Records = platform.store.flows.records
        self.now = platform.clock.timestamp()

    # --- flows ------------------------------------------------------------------------------------------------------

    @cached_property
    def known_flows(self) -> dict[int, Flow]:
        """The flows of the company by id."""
        return {flow.id: flow for flow in self.platform.store.flows.flows(self.company)}

    def flow(self, flow: Flow) -> Record:
        """Return a flow."""
        return {
            "id": flow.id,
            "name": flow.name,
            "description": None,
            "status": None,
            "is_enabled": flow.enabled,
            "enabled_at": moment(flow.created_at) if flow.enabled else None,
            "deployed_at": None if flow.deployed is None else moment(flow.updated_at),
            "format": "json",
            **_times(flow.created_at, flow.updated_at),
        }

    def versions(self, flow: Flow) -> list[Record]:
        """Return the versions of a flow, oldest first."""
        return [self.version(flow, version) for version in flow.versions]

    def deployed_version(self, flow: Flow) -> Record | None:
        """Return the version of a flow that is deployed."""
        return None if flow.deployed is None else self.version(flow, flow.deployed)

    def version(self, flow: Flow, version: int) -> Record:
        """Return a version of a flow."""
        return {
            "id": version,
            "flow_id": flow.id,
            "version": flow.versions.index(version) + 1 if version in flow.versions else None,
            "is_deployed": version == flow.deployed,
            **_times(flow.created_at, flow.updated_at),
        }

    def hooks(self, flow: Flow, hooks: Iterable[Hook]) -> list[Record]:
        """Return webhooks or callbacks of a flow, without their secrets."""
        return [
            {
                "id": hook.id,
                "flow_id": flow.id,
                "signature": "*****",  # shown in the place of a secret
                **({"hmac_algorithm": hook.hmac and hook.hmac.algorithm} if isinstance(hook, Webhook) else {}),
                **_times(flow.created_at, flow.updated_at),
            }
            for hook in hooks
        ]

    def steps(self, version: int) -> list[Record]:
        """Return the steps of a version: the trigger, and the rest of the flow as one step."""
        first = 10 * version + 1
        return [
            {"id": first + at, "flow_version_id": version, "name": name, "parent_id": first + at - 1 if at else None}
            for at, name in enumerate(_STEPS)
        ]

    # --- runs -------------------------------------------------------------------------------------------------------

    @cached_property
    def known_runs(self) -> dict[str, FlowRun]:
        """The runs of the company by id, oldest first."""
        return {run.id: run for run in self.platform.runs.runs() if run.company == self.company}

    @cached_property
    def runs_by_number(self) -> dict[int, FlowRun]:
        """The runs of the company by number."""
        return {run.number: run for run in self.known_runs.values()}

    def run(self, run: FlowRun) -> Record:
        """Return a run."""
        status = run.status(self.now)
        finished = run.ends_at if status != STARTED else None
        return {
            "id": run.id,
            "name": run.flow,
            "status": status,
            **_times(run.started_at, run.started_at if finished is None else finished),
            "flow_id": run.flow_id,
            "flow_version_id": run.version,
            "virtual_environment_version": None,
            "user_id": run.user_id,
            "trigger": run.trigger,
            "summary": None,
            "started_at": moment(run.started_at),
            "finished_at": moment(finished),
            "duration": None if finished is None else round(finished - run.started_at),
            "retry_flow_run_id": run.retries,
            "has_warnings": False,
            "_environment": run.environment,
            "_retried": run.retries is not None,
        }

    def logs(self, run: FlowRun) -> list[Record]:
        """Return the log of a run: its start, and its end where that has come."""
        status, (trigger, rest) = run.status(self.now), self.steps(run.version)
        by = f", a retry of {run.retries}" if run.retries else ""
        lines: list[tuple[str, str, Record, float | None]] = [
            ("INFO", f"Flow run started by {run.trigger}{by}.", trigger, run.started_at)
        ]
        if status == FAILURE:
            lines.append(("ERROR", run.message or "The flow run failed.", rest, run.ends_at))
        elif status != STARTED:
            lines.append(("INFO", f"Flow run {'stopped' if status == STOPPED else 'succeeded'}.", rest, run.ends_at))
        return [
            {
                "id": 10 * run.number + at,
                "flow_run_id": run.id,
                "created_at": moment(when),
                "log_level": level,
                "log_message": message,
                "flow_step_id": step["id"],
                "payload_metadata_id": run.number,
                "_step": step,
            }
            for at, (level, message, step, when) in enumerate(lines, start=1)
        ]

    def payload(self, run: FlowRun) -> Record:
        """Return the description of the payload of a run, which ``with_size`` completes."""
        return {
            "id": run.number,
            **_times(run.started_at, run.started_at),
            "flow_version_id": run.version,
            "flow_step_id": self.steps(run.version)[0]["id"],
            "flow_run_id": run.id,
            "payload_store_reference": f"{run.flow_id}/{run.id}",
        }

    def with_size(self, payload: Record) -> Record:
        """Return the description of a payload with its size, and whether it is gone: texts, as documented."""
        content = self.platform.runs.payload(self.known_runs[payload["flow_run_id"]])
        size, dropped = ("0", "1") if content is None else (str(len(content)), "0")
        return {**payload, "payload_size": size, "dropped": dropped}

    def is_queued(self, run: FlowRun) -> bool:
        """Return whether a run waits: it was queued and has no end yet."""
        return run.trigger != "Manual" and run.status(self.now) == STARTED

    def queued(self, run: FlowRun) -> Record:
        """Return the place of a run in the queue."""
        return {
            "id": run.number,
            "flow_id": run.flow_id,
            "flow_version_id": run.version,
            "payload_metadata_id": run.number,
            "trigger": run.trigger,
            "status": "pending",
            **_times(run.started_at, run.started_at),
        }
