"""The requests of the vendor's MCP client, byte for byte, get what its tools need (FLOWS 8).

The scenario is one flow, one failed run with two lines of log, one payload, and the setting ``core_items = both``.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox import SandboxServer
from sandbox.platform.endpoints import violations_of
from sandbox.platform.flows.records import DataPool
from tests.web.core.conftest import Core

Answer = tuple[int, str, bytes]


class Client:
    """Sends requests as the client writes them."""

    def __init__(self, base_url: str, token: str) -> None:
        self._address = urlsplit(base_url)
        self._token = token

    def __call__(self, method: str, target: str, body: bytes | None = None) -> Answer:
        """Send a request and return status, content type and body; ``body`` of a POST without one is empty."""
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {self._address.netloc}",
            "Accept: application/json",
            "Accept-Encoding: gzip, deflate",
            "Connection: keep-alive",
            "User-Agent: python-httpx/0.28.1",
            f"Authorization: {self._token}",
            "Content-Type: application/json",
            *([] if method == "GET" else [f"Content-Length: {len(body or b'')}"]),
        ]
        with socket.create_connection((self._address.hostname, self._address.port), timeout=10) as sock:
            sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + (body or b""))
            response = http.client.HTTPResponse(sock, method=method)
            response.begin()
            return response.status, response.headers.get("Content-Type", ""), response.read()

    def json(self, method: str, target: str, body: bytes | None = None) -> Any:
        """Send a request and return the JSON of its answer, which is no error."""
        status, content_type, content = self(method, target, body)
        assert status < 400, content
        assert content_type == "application/json"
        return json.load(io.BytesIO(content))


@pytest.fixture
def scenario(make_core: Callable[..., Core]) -> Iterator[tuple[Client, Core, str]]:
    """A client of a server with the scenario, and the id of the failed run."""
    core = make_core(core_items="both")
    core.fail("The ERP refused the order.")
    run = core.start({"order": "1001"})
    with SandboxServer(core.sandbox) as server:
        yield Client(server.base_url, core.key), core, run.id
    for entry in core.sandbox.journal.snapshot():  # the client keeps to the contract, but for its largest page
        codes = [violation.code for violation in violations_of(entry)]
        assert codes == (["wrong_field"] if "per_page=500" in entry.query else []), entry.path


LOGS = "&page=1&sort=id&include=flowRunLogMetadata&fields%5BflowStep%5D=id%2Cname&load_payload_ids=true"


def test_reading_tools_get_what_they_need(scenario: tuple[Client, Core, str]) -> None:
    client, _, run_id = scenario

    assert client.json("GET", "/api/v1/flows?page=1&per_page=50")
    assert client.json("GET", "/api/v1/flows?page=1&per_page=50&include=versions")
    runs = client.json("GET", "/api/v1/flow-runs?page=1&per_page=50&sort=-started_at")
    assert [run["id"] for run in runs["data"]] == [run_id]
    filtered = "&include=flow&filter%5Bstatus%5D=3&filter%5Bstarted_after%5D=1700000000000"
    runs = client.json("GET", f"/api/v1/flow-runs?page=1&per_page=50&sort=-started_at{filtered}")
    assert [run["id"] for run in runs["data"]] == [run_id]
    logs = client.json("GET", f"/api/v1/flow-runs/{run_id}/flow-run-logs?per_page=10{LOGS}")
    assert len(logs["data"]) == 2
    assert client.json("GET", "/api/v1/data-pool/?page=1&per_page=50")["data"] == []


def test_summary_of_a_failed_run_names_its_first_error(scenario: tuple[Client, Core, str]) -> None:
    client, _, run_id = scenario

    lines = client.json("GET", f"/api/v1/flow-runs/{run_id}/flow-run-logs?per_page=500{LOGS}")["data"]

    assert [
        {"created_at", "log_level", "log_message", "flow_step_id", "payload_metadata_id"} <= {*line["attributes"]}
        for line in lines
    ] == [True, True]
    errors = [line["attributes"] for line in lines if line["attributes"]["log_level"] in ("ERROR", "FATAL")]
    assert (
        f"First error: [{errors[0]['log_level']}] {errors[0]['log_message']}"
        == "First error: [ERROR] The ERP refused the order."
    )


def test_triage_finds_the_failed_runs_and_their_logs(scenario: tuple[Client, Core, str]) -> None:
    client, core, run_id = scenario
    core.start()

    runs = client.json("GET", "/api/v1/flow-runs?page=1&per_page=20&sort=-started_at&filter%5Bstatus%5D=3")["data"]

    assert [run["id"] for run in runs] == [run_id]
    attributes = runs[0]["attributes"]
    assert attributes["status"] == 3
    assert all(attributes[name] for name in ("started_at", "finished_at", "flow_id", "flow_version_id"))
    assert len(client.json("GET", f"/api/v1/flow-runs/{run_id}/flow-run-logs?per_page=50{LOGS}")["data"]) == 2


def test_payload_is_downloaded_with_its_type(scenario: tuple[Client, Core, str]) -> None:
    client, _, run_id = scenario

    lines = client.json("GET", f"/api/v1/flow-runs/{run_id}/flow-run-logs?per_page=10{LOGS}")["data"]
    number = lines[0]["attributes"]["payload_metadata_id"]

    assert client("GET", f"/api/v1/payload-metadata/{number}/download") == (
        200,
        "application/json",
        b'{"order": "1001"}',
    )


@pytest.mark.parametrize("body", [b'{"order":"\\u00e9"}', b"{}", None], ids=["payload", "empty object", "no body"])
def test_flow_is_started(scenario: tuple[Client, Core, str], body: bytes | None) -> None:
    client, core, _ = scenario

    started = client.json("POST", f"/api/v1/flows/{core.flow.id}/start/raw", body)

    run = core.sandbox.platform.runs.run(started["flow_run_id"])
    assert core.sandbox.platform.runs.payload(run) == (body or b"")


def test_version_of_a_flow_is_started_in_an_environment_with_variables(scenario: tuple[Client, Core, str]) -> None:
    client, core, _ = scenario
    query = "virtual_environment_id=2&flow_variables=%7B%22x%22%3A+1%7D"

    started = client.json("POST", f"/api/v1/flows/{core.flow.id}/start/raw/{core.flow.deployed}?{query}", b"{}")

    run = core.sandbox.platform.runs.run(started["flow_run_id"])
    assert (run.version, run.environment, json.loads(run.variables or "")) == (core.flow.deployed, "2", {"x": 1})


def test_deduped_data_of_a_pool_is_listed(scenario: tuple[Client, Core, str]) -> None:
    client, core, _ = scenario
    pool = core.sandbox.platform.store.flows.records.add(DataPool, "acme", name="Order numbers", description=None)

    assert [each["id"] for each in client.json("GET", "/api/v1/data-pool/?page=1&per_page=50")["data"]] == [pool.id]
    assert client.json("GET", f"/api/v1/data-pool/{pool.id}/deduped-data?page=1&per_page=50")["data"] == []


def test_conversation_is_begun_listed_read_and_replied_to(scenario: tuple[Client, Core, str]) -> None:
    client, _, _ = scenario
    begun = client.json(
        "POST", "/api/v1/agents/conversations", b'{"feature":"flow-builder","prompt":"Hi","payload":{"flow_id":1}}'
    )
    number = begun["data"]["id"]

    listed = client.json("GET", "/api/v1/agents/conversations?page=1&per_page=50")
    assert [each["id"] for each in listed["data"]] == [number]
    assert client.json("POST", f"/api/v1/agents/conversations/{number}/reply", b'{"message":"And now?"}')
    whole = client.json("GET", f"/api/v1/agents/conversations/{number}")
    assert len(whole["data"]["messages"]) == 2


def test_commerce_tool_posts_to_the_url_of_a_callback(scenario: tuple[Client, Core, str]) -> None:
    client, core, _ = scenario
    callback = core.flow.callbacks[0]
    target = f"/api/v1/acme/{callback.id}?patchworks_signature={callback.signature}"

    assert client.json("POST", target, b'{"inputSchema":"{\\"pageSize\\": 10}"}')


def test_wrong_token_is_told_as_the_client_reports_it(scenario: tuple[Client, Core, str]) -> None:
    client, _, _ = scenario
    wrong = Client(f"http://{client._address.netloc}", "wrong")

    status, _, body = wrong("GET", "/api/v1/flows?page=1&per_page=50")

    assert f"Patchworks HTTP {status}: {body.decode()}" == 'Patchworks HTTP 401: {"message":"Unauthenticated."}'
