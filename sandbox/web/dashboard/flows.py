"""Process flows: their URLs to copy, versions, webhooks, callbacks and API keys, and their runs with logs."""

from __future__ import annotations

from typing import Final

from flask import render_template

from sandbox.platform.flows.core.world import World
from sandbox.platform.flows.model import START_PATH, STATUSES, Flow, FlowRun, Hook
from sandbox.web.addresses import hook_address
from sandbox.web.control.base import base_url, current_sandbox
from sandbox.web.control.seed_views import may_know_secrets
from sandbox.web.dashboard.blueprint import PAGES, pages

_SHOWN: Final = 200
"""Runs of the page, the newest ones."""


@pages.get(f"{PAGES}/flows")
def flows() -> str:
    """List the flows with their URLs, the API keys by name, and the newest runs."""
    sandbox = current_sandbox()
    store, runs = sandbox.store.flows, sandbox.platform.runs.runs()
    signed = may_know_secrets()
    listed = [
        {
            "flow": flow,
            "start_url": base_url() + START_PATH.format(id=flow.id),
            "hooks": [(name, hook, hook_address(flow, hook, base_url(), signed=signed)) for name, hook in _hooks(flow)],
        }
        for flow in store.flows()
    ]
    return render_template(
        "flows.html",
        flows=listed,
        api_keys=store.api_keys(),
        users=store.users(),
        runs=[(run, _status(run)) for run in runs[: -_SHOWN - 1 : -1]],
        total=len(runs),
        dropped=sandbox.platform.runs.dropped,
        shows_signatures=signed,
    )


@pages.get(f"{PAGES}/flow-runs/<run_id>")
def flow_run(run_id: str) -> str:
    """Show a run of a flow with its log, line by line."""
    platform = current_sandbox().platform
    run = platform.runs.run(run_id)
    return render_template(
        "flow_run.html",
        run=run,
        status=_status(run),
        lines=World(platform, run.company).logs(run),
        payload=platform.runs.payload(run),
    )


def _hooks(flow: Flow) -> list[tuple[str, Hook]]:
    webhooks: list[tuple[str, Hook]] = [("Webhook", hook) for hook in flow.webhooks]
    return [*webhooks, *(("Callback", hook) for hook in flow.callbacks)]


def _status(run: FlowRun) -> str:
    return STATUSES[run.status(current_sandbox().clock.timestamp())]
