"""The host and the path of a request decide which endpoint of process flows it reaches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from sandbox import Sandbox
from sandbox.faults.fault import Act
from sandbox.foundation.answer import Answer
from sandbox.foundation.settings import Settings
from sandbox.journal.endpoint_kind import EndpointKind
from sandbox.journal.entry import Exchange
from sandbox.platform.endpoints.endpoint import Operation
from sandbox.platform.flows import HOSTS, routes
from sandbox.platform.flows.flow_endpoint import FlowEndpoint
from sandbox.platform.flows.routes import flow_endpoint
from sandbox.platform.platform import Platform
from tests import ROOT


class _Endpoint(FlowEndpoint[None]):
    operations: ClassVar[Mapping[str, Operation]] = {"GET": {}, "POST": {}}
    in_subject: ClassVar[Mapping[str, str]] = {"company": "company", "id": "id"}

    def __init__(self, kind: str, path: str, ids: tuple[str, ...] = ()) -> None:
        self.kind = EndpointKind(kind, "requests", "Accepted.", surface="flows")  # type: ignore[misc]
        self.path = path  # type: ignore[misc]
        self._ids = ids
        super().__init__()

    def knows(self, subject: Mapping[str, str], platform: Platform) -> bool:
        return not self._ids or subject["id"] in self._ids

    def admit(self, exchange: Exchange, platform: Platform) -> None:
        raise NotImplementedError

    def handle(self, exchange: Exchange, platform: Platform, admitted: None, act: Act | None) -> Answer:
        raise NotImplementedError

    def responses(self, method: str, settings: Settings) -> Mapping[str, Any]:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = (
        _Endpoint("login", "/api/v1/login"),
        _Endpoint("core", "/api/v1/flows"),
        _Endpoint("core", "/api/v1/flow-runs/{id}"),
        _Endpoint("start", "/api/v1/flows/{id}/start"),
        _Endpoint("webhook", "/api/v1/{company}/{id}", ("w",)),
        _Endpoint("callback", "/api/v1/{company}/{id}", ("c",)),
    )
    monkeypatch.setattr(routes, "ENDPOINTS", endpoints)


OWN = "http://127.0.0.1:8025"
CORE = "https://core.wearepatchworks.com"
START = "https://start.wearepatchworks.com"
WEBHOOKS = "https://webhooks.wearepatchworks.com"
CALLBACKS = "https://callbacks.wearepatchworks.com:443"
APP = "https://app.wearepatchworks.com"


@pytest.mark.parametrize(
    ("base_url", "path", "kind"),
    [
        (OWN, "/api/v1/login", "login"),
        (OWN, "/api/v1/flows", "core"),
        (OWN, "/api/v1/flows/7/start", "start"),
        (OWN, "/api/v1/acme/w", "webhook"),
        (OWN, "/api/v1/acme/c", "callback"),
        (OWN, "/api/v1/acme/unknown", "webhook"),
        (OWN, "/api/v1/flow-runs/w", "core"),
        (OWN, "/fabric/api/v1/login", "login"),
        (OWN, "/core-main/api/v1/flows", "core"),
        (OWN, "/core-start/api/v1/flow-runs/w", "webhook"),
        (OWN, "/core-start/api/v1/flows", None),
        (OWN, "/elsewhere/api/v1/flows", None),
        (CORE, "/api/v1/flows", "core"),
        (CORE, "/api/v1/acme/w", None),
        (CORE, "/core-main/api/v1/flows", None),
        (START, "/api/v1/flows/7/start", "start"),
        (START, "/api/v1/flows", None),
        (START, "/api/v1/acme/c", "callback"),
        (WEBHOOKS, "/api/v1/acme/w", "webhook"),
        (WEBHOOKS, "/api/v1/acme/c", "webhook"),
        (WEBHOOKS, "/api/v1/flow-runs/w", "webhook"),
        (WEBHOOKS, "/api/v1/flows/7/start", "start"),
        (CALLBACKS, "/api/v1/acme/w", "callback"),
        (CALLBACKS.upper().replace("HTTPS", "https"), "/api/v1/acme/c", "callback"),
        ("https://svc-fabric.pwks.co", "/api/v1/login", "login"),
        ("https://svc-fabric.pwks.co", "/api/v1/flows", None),
        ("https://svc-fabric.wearepatchworks.com", "/api/v1/login", "login"),
        (APP, "/fabric/api/v1/login", "login"),
        (APP, "/core-main/api/v1/flows", "core"),
        (APP, "/core-start/api/v1/acme/c", "callback"),
        (APP, "/api/v1/flows", None),
        (APP, "/fabric/api/v1/flows", None),
    ],
)
def test_host_and_path_decide_on_the_endpoint(sandbox: Sandbox, base_url: str, path: str, kind: str | None) -> None:
    found = flow_endpoint(sandbox.platform, base_url, path)

    assert (found and found[0].kind.name) == kind


def test_values_in_the_path_are_returned_without_the_prefix(sandbox: Sandbox) -> None:
    found = flow_endpoint(sandbox.platform, APP, "/core-start/api/v1/acme/w")

    assert found is not None
    assert found[1] == {"company": "acme", "id": "w"}


def test_hosts_are_those_of_the_platform() -> None:
    assert [host for host in HOSTS if not host.endswith((".wearepatchworks.com", ".pwks.co"))] == []


def test_inbound_requests_and_unknown_paths_import_no_endpoint_of_process_flows() -> None:
    code = """if True:
        import sys
        from sandbox.journal.request import Request
        from sandbox.platform.serve import serve
        from sandbox.state.sandbox import Sandbox
        platform = Sandbox().platform
        for path in ("/oauth/token", "/v1/acme/orders", "/favicon.ico", "/v1/acme/nothing", "/"):
            serve(platform, Request("POST", path, remote_addr="127.0.0.1"))
        values = {f"sandbox.platform.flows.{name}" for name in ("model", "store", "access")}  # the demo seed has a flow
        print([name for name in sys.modules if name.startswith("sandbox.platform.flows.") and name not in values])
        serve(platform, Request("POST", "/api/v1/flows", remote_addr="127.0.0.1"))
        print("sandbox.platform.flows.routes" in sys.modules)"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "[]\nTrue\n"
