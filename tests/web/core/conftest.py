"""A client of the Core API with a flow that it can start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sandbox import Sandbox, faults
from sandbox.faults.rules import make_rule
from sandbox.platform.flows.model import ApiKeySeed, Flow, FlowRun, FlowSeed
from sandbox.web.app import SandboxApp
from tests.contract import ContractClient


class Core:
    """A client with an API key; every response is held against the document of process flows."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = ContractClient(SandboxApp(sandbox))
        self.flows = sandbox.platform.store.flows
        self.key = self.flows.add_api_key("acme", ApiKeySeed("tests")).secret
        self.flow: Flow = self.flows.flows("acme")[0]

    def call(self, method: str, path: str, *, key: str | None = None, **options: Any) -> TestResponse:
        """Send a request."""
        headers = {"Authorization": key or self.key, "Accept": "application/json", **options.pop("headers", {})}
        return self.http.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        """GET a path; names of the query are written with two underscores for brackets: ``filter__status``."""
        names = {name: f"{name.replace('__', '[')}]" if "__" in name else name for name in query}
        return self.call("GET", path, query_string={names[name]: value for name, value in query.items()})

    def ids(self, path: str, **query: Any) -> list[Any]:
        """Return the ids of a list."""
        response = self.get(path, **query)
        assert response.status_code == 200, response.text
        return [item["id"] for item in response.json["data"]]  # type: ignore[index]

    def start(self, body: Any = None, flow: Flow | None = None, path: str = "start/raw", **options: Any) -> FlowRun:
        """Start a flow, and return its run."""
        given = {"json": body} if body is not None else {}
        response = self.call("POST", f"/flows/{(flow or self.flow).id}/{path}", **given, **options)
        assert response.status_code == 200, response.text
        return self.sandbox.platform.runs.run(response.json["flow_run_id"])  # type: ignore[index]

    def add_flow(self, name: str, **fields: Any) -> Flow:
        """Add a flow of the company."""
        return self.flows.add_flow("acme", FlowSeed(name, **fields))

    def fail(self, message: str = "The ERP refused the order.", **match: Any) -> None:
        """Let the next run fail."""
        self.sandbox.platform.faults.add(make_rule(faults.failed(message), endpoint="processing", times=1, **match))


@pytest.fixture
def core(sandbox: Sandbox) -> Core:
    """A client with the demo flow."""
    return Core(sandbox)


@pytest.fixture
def make_core(make_sandbox: Callable[..., Sandbox]) -> Callable[..., Core]:
    """Make clients of sandboxes with the given settings."""
    return lambda **settings: Core(make_sandbox(**settings))
