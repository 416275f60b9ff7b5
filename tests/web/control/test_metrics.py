"""The metrics: what Prometheus reads is what happened, in this sandbox and no other, and counts never go back."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox import Sandbox, SandboxServer, __version__
from sandbox.journal.metrics import BUCKETS_S
from tests.conftest import Integration

PREFIX = "patchworks_sandbox_"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def metrics(integration: Integration) -> Samples:
    """Return every sample by its name without the prefix, and its labels."""
    response = integration.control("GET", "/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(response.text)
    samples = [sample for family in families for sample in family.samples]
    assert all(sample.name.startswith(PREFIX) for sample in samples)
    return {(s.name.removeprefix(PREFIX), tuple(sorted(s.labels.items()))): s.value for s in samples}


def requests(samples: Samples) -> dict[tuple[str, ...], float]:
    """Return the requests by endpoint, outcome and status."""
    return {
        tuple(value for _, value in labels): count
        for (name, labels), count in samples.items()
        if name == "requests_total"
    }


def test_requests_are_counted_by_endpoint_outcome_and_status(integration: Integration) -> None:
    token = integration.token()
    integration.post(token=token)
    integration.post(token=token)
    integration.post(token="nonsense")
    integration.http.get("/nowhere")
    integration.control("GET", "/clock")

    assert requests(metrics(integration)) == {
        ("token", "accepted", "200"): 1,
        ("inbound", "accepted", "200"): 2,
        ("inbound", "rejected", "401"): 1,
        ("other", "rejected", "404"): 1,
    }


def test_tokens_and_faults_are_counted(integration: Integration) -> None:
    integration.token()
    integration.request_token(client_secret="wrong")
    integration.control("POST", "/faults", {"fault": {"kind": "status", "code": 503}, "times": 1})
    integration.request_token()
    integration.control("POST", "/faults", {"fault": {"kind": "connection_reset"}, "accept": True, "times": 1})
    with pytest.raises(ConnectionResetError):
        integration.request_token()

    samples = metrics(integration)
    assert samples["tokens_issued_total", ()] == 2
    assert samples["faults_acted_total", (("kind", "status"),)] == 1
    assert samples["faults_acted_total", (("kind", "connection_reset"),)] == 1
    assert requests(samples)["token", "faulted", "0"] == 1


def test_durations_are_a_histogram_of_each_endpoint(integration: Integration) -> None:
    integration.token()
    (entry,) = integration.sandbox.journal.snapshot()

    samples = metrics(integration)
    token = ("endpoint", "token")
    name = "request_duration_seconds"
    assert samples[f"{name}_count", (token,)] == 1
    assert samples[f"{name}_sum", (token,)] == pytest.approx(entry.duration_ms / 1000)
    buckets = {
        labels["le"]: count
        for (sample, pairs), count in samples.items()
        if sample == f"{name}_bucket" and (labels := dict(pairs))["endpoint"] == "token"
    }
    expected = {str(bound): float(entry.duration_ms / 1000 <= bound) for bound in BUCKETS_S}
    assert buckets == {**expected, "+Inf": 1}


def test_size_of_the_journal_and_its_drops_are_told(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(journal_entries=2)
    for _ in range(5):
        integration.http.get("/nowhere")

    samples = metrics(integration)
    assert samples["journal_entries", ()] == 2
    assert samples["journal_bytes", ()] == integration.sandbox.journal.bytes
    assert samples["journal_dropped_total", ()] == 3


@pytest.mark.parametrize(
    "request_",
    [("PATCH", "/settings", {"journal_entries": 2}), ("POST", "/seed", {"settings": {"journal_entries": 2}})],
)
def test_drops_for_a_lowered_bound_are_counted(
    make_integration: Callable[..., Integration], request_: tuple[str, str, dict[str, object]]
) -> None:
    integration = make_integration()
    for _ in range(5):
        integration.http.get("/nowhere")
    answer = integration.control(*request_)

    samples = metrics(integration)
    assert (answer.status_code // 100, samples["journal_dropped_total", ()]) == (2, 3)


def test_counts_do_not_go_back_when_the_journal_does(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(journal_entries=1)
    for _ in range(3):
        integration.token()
    integration.control("DELETE", "/requests")
    integration.token()
    integration.control("POST", "/reset")

    samples = metrics(integration)
    assert requests(samples) == {("token", "accepted", "200"): 4}
    assert samples["tokens_issued_total", ()] == 4
    assert samples["journal_dropped_total", ()] == 2
    assert samples["journal_entries", ()] == 0


def test_build_is_told(integration: Integration) -> None:
    python = ".".join(map(str, sys.version_info[:3]))

    assert metrics(integration)["build_info", (("python", python), ("version", __version__))] == 1


def test_two_sandboxes_of_a_process_count_apart(make_integration: Callable[..., Integration]) -> None:
    one, other = make_integration(), make_integration()
    one.token()

    assert (metrics(one)["tokens_issued_total", ()], metrics(other)["tokens_issued_total", ()]) == (1, 0)


def test_what_clients_send_is_no_label(integration: Integration) -> None:
    before = set(metrics(integration))
    for number in range(20):
        integration.http.get(f"/nowhere/{number}")
        integration.http.open(f"/oauth/token/{number}", method="PUT")

    new = set(metrics(integration)) - before
    assert new == {("requests_total", (("endpoint", "other"), ("outcome", "rejected"), ("status", "404")))}


def test_what_the_server_refuses_itself_is_counted(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"nonsense\r\n\r\n")
        client.recv(1000)

    assert sandbox.metrics.read().requests == {("other", 400, "rejected"): 1}


def test_library_is_imported_when_metrics_are_asked_for() -> None:
    code = (
        "import sys; from werkzeug.test import Client\n"
        "from sandbox import Sandbox; from sandbox.web.app import SandboxApp\n"
        "client = Client(SandboxApp(Sandbox())); client.get('/_sandbox/health')\n"
        "print('prometheus_client' in sys.modules)\n"
        "client.get('/_sandbox/metrics'); print('prometheus_client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == ["False", "True"]
