"""Runs of flows in the Core API: their logs and payloads, the queue, and retries (FLOWS 5 to 7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from sandbox import faults
from sandbox.faults.rules import make_rule
from sandbox.platform.flows.model import ApiKeySeed
from tests.web.core.conftest import Core

MakeCore = Callable[..., Core]


def test_run_of_a_start_is_listed_with_its_fields(core: Core) -> None:
    run = core.start({"order": "1001"})

    (found,) = core.get("/flow-runs").json["data"]  # type: ignore[index]

    assert (found["id"], found["name"], found["status"], found["trigger"]) == (run.id, "Orders in", 2, "API")
    assert (found["flow_id"], found["flow_version_id"]) == (core.flow.id, core.flow.deployed)
    assert (found["user_id"], found["retry_flow_run_id"], found["has_warnings"]) == (None, None, False)
    assert found["started_at"] == found["finished_at"] == found["created_at"]


def test_failed_run_has_two_lines_of_log_and_its_payload(core: Core) -> None:
    core.fail("The ERP refused the order.")
    run = core.start({"order": "1001"})

    logs = core.get(
        f"/flow-runs/{run.id}/flow-run-logs", include="flowRunLogMetadata,flowStep", load_payload_ids="true"
    ).json

    assert core.get(f"/flow-runs/{run.id}").json["data"]["status"] == 3  # type: ignore[index]
    assert logs is not None
    assert [(line["log_level"], line["log_message"]) for line in logs["data"]] == [
        ("INFO", "Flow run started by API."),
        ("ERROR", "The ERP refused the order."),
    ]
    assert [line["flow_step"]["name"] for line in logs["data"]] == ["Trigger", "Destination"]
    payload = logs["data"][0]["payload_metadata_id"]
    assert core.get(f"/payload-metadata/{payload}/download").data == b'{"order": "1001"}'


def test_runs_of_every_trigger_are_listed(core: Core) -> None:
    core.start({"order": "1001"})
    core.start(path="manual/raw")
    webhook, callback = core.flow.webhooks[0], core.flow.callbacks[0]
    for hook in (webhook, callback):
        started = core.call("POST", f"/acme/{hook.id}?patchworks_signature={hook.signature}", json={"order": "1002"})
        assert started.status_code == 200

    triggers = [run["trigger"] for run in core.get("/flow-runs", sort="id,started_at").json["data"]]  # type: ignore[index]
    assert sorted(triggers) == ["API", "Callback", "Manual", "Webhook"]


@pytest.fixture
def several(make_core: MakeCore) -> tuple[Core, dict[str, str]]:
    """A client, and runs by name: a good one, one that failed an hour later, its retry, and one of another flow."""
    core = make_core()
    clock = core.sandbox.clock
    clock.travel_to("2026-11-23T18:00:00Z")
    good = core.start({"order": "1"})
    clock.advance(timedelta(hours=1))
    core.fail()
    failed = core.start({"order": "2"}, query_string={"virtual_environment_id": "2"})
    clock.advance(timedelta(hours=23))
    retry = core.call("POST", f"/flow-runs/{failed.id}/retry").json["data"]["id"]  # type: ignore[index]
    other = core.start({"order": "3"}, core.add_flow("Products"))
    return core, {"good": good.id, "failed": failed.id, "retry": retry, "other": other.id}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"filter__status": "3"}, ["failed"]),
        ({"filter__status": "2,3"}, ["other", "retry", "failed", "good"]),
        ({"filter__status": "2", "filter__search": "products"}, ["other"]),
        ({"filter__started_after": "1795460400000"}, ["other", "retry", "failed"]),
        ({"filter__started_after": "1795460400"}, ["other", "retry", "failed"]),
        ({"filter__started_after": "2026-11-23T19:00:00Z"}, ["other", "retry", "failed"]),
        ({"filter__started_before": "2026-11-23T18:30:00+00:00"}, ["good"]),
        ({"filter__started_before": "2026-11-23 18:30:00"}, ["good"]),
        ({"filter__started_on": "2026-11-24"}, ["other", "retry"]),
        ({"filter__trigger": "Retry"}, ["retry"]),
        ({"filter__retried": "true"}, ["retry"]),
        ({"filter__has_warnings": "true"}, []),
        ({"filter__virtual_environment_id": "2"}, ["retry", "failed"]),
        ({"filter__user_id": "1"}, []),
        ({"sort": "started_at", "per_page": "1"}, ["good"]),
        ({"sort": "-status,started_at"}, ["failed", "good", "retry", "other"]),
    ],
    ids=str,
)
def test_filters_choose_runs(several: tuple[Core, dict[str, str]], query: dict[str, str], names: list[str]) -> None:
    core, ids = several

    found = core.ids("/flow-runs", **query)
    if "sort" not in query:  # equal times keep their order
        found, names = sorted(found), sorted(names, key=lambda name: ids[name])

    assert found == [ids[name] for name in names]


def test_flows_of_runs_are_filtered_by_their_ids(several: tuple[Core, dict[str, str]]) -> None:
    core, ids = several
    other = next(flow for flow in core.flows.flows("acme") if flow.name == "Products")

    assert core.ids("/flow-runs", filter__flow_id=other.id) == [ids["other"]]
    assert core.ids("/flow-runs", filter__flow_version_id=other.deployed) == [ids["other"]]


@pytest.mark.parametrize(
    "query",
    [
        {"filter__started_after": "soon"},
        {"filter__started_on": "9" * 18},
        {"filter__started_before": "2026-13-40"},
        {"filter__has_warnings": "perhaps"},
    ],
    ids=str,
)
def test_value_that_cannot_be_read_is_refused(several: tuple[Core, dict[str, str]], query: dict[str, str]) -> None:
    core, _ = several

    assert core.get("/flow-runs", **query).status_code == 422


def test_retry_runs_the_payload_again_and_names_the_first(several: tuple[Core, dict[str, str]]) -> None:
    core, ids = several

    retry: Any = core.get(f"/flow-runs/{ids['retry']}", include="retriedFlowRun,payloadSize").json

    assert (retry["data"]["status"], retry["data"]["retry_flow_run_id"]) == (2, ids["failed"])
    assert (retry["data"]["retried_flow_run"]["id"], retry["data"]["payload_size"]) == (ids["failed"], "14")


def test_retry_includes_what_is_known_of_the_new_run(core: Core) -> None:
    run = core.start({"order": "1001"})

    retry: Any = core.call("POST", f"/flow-runs/{run.id}/retry?include=payloadSize,flowRunLogs,retriedFlowRun").json

    assert (retry["data"]["payload_size"], len(retry["data"]["flow_run_logs"])) == ("17", 2)
    assert retry["data"]["retried_flow_run"]["id"] == run.id


def test_download_has_the_bytes_and_the_type_of_the_payload(core: Core) -> None:
    payloads = [
        core.start({"order": "é"}).number,
        core.start(path="start", body={"payload": "plain text"}).number,
        core.start(path="start", body={"payload": '{"order":"1"}'}).number,
        core.start().number,
    ]
    webhook = core.flow.webhooks[0]
    core.call(
        "POST",
        f"/acme/{webhook.id}?patchworks_signature={webhook.signature}",
        data=b"<order/>",
        headers={"Content-Type": "application/xml"},
    )

    numbers, client = core.ids("/payload-metadata"), Client(core.http.application)  # OpenAPI has no empty binary body
    headers = {"Authorization": core.key}
    found = [client.get(f"/api/v1/payload-metadata/{number}/download", headers=headers) for number in numbers]

    assert numbers[:4] == payloads
    assert [(each.data, each.content_type) for each in found] == [
        (b'{"order": "\\u00e9"}', "application/json"),
        (b"plain text", "text/plain"),
        (b'{"order":"1"}', "application/json"),
        (b"", "text/plain"),
        (b"<order/>", "application/xml"),
    ]


def test_description_of_a_payload_is_found_by_each_filter(core: Core) -> None:
    run, other = core.start({"order": "1001"}), core.start()
    (step, _) = core.get(f"/flow-versions/{run.version}/steps").json["data"]  # type: ignore[index]

    by_run = core.get("/payload-metadata", filter__flow_run_id=run.id).json["data"]  # type: ignore[index]

    assert [(each["id"], each["payload_size"], each["dropped"]) for each in by_run] == [(run.number, "17", "0")]
    assert core.ids("/payload-metadata", filter__id=f"{other.number}") == [other.number]
    assert core.ids("/payload-metadata", filter__flow_step_id=step["id"]) == [run.number, other.number]
    (log, *_) = core.ids(f"/flow-runs/{other.id}/flow-run-logs")
    assert core.ids("/payload-metadata", filter__flow_log_id=log) == [other.number]
    assert core.get(f"/payload-metadata/{run.number}").json["data"]["flow_run_id"] == run.id  # type: ignore[index]


def test_payloads_are_kept_for_72_hours_and_logs_for_7_days(core: Core) -> None:
    run = core.start({"order": "1001"})

    core.sandbox.clock.advance(timedelta(hours=73))
    assert core.get(f"/payload-metadata/{run.number}/download").status_code == 404
    assert core.get(f"/payload-metadata/{run.number}").json["data"]["dropped"] == "1"  # type: ignore[index]

    core.sandbox.clock.advance(timedelta(days=4))
    assert core.get(f"/flow-runs/{run.id}/flow-run-logs").status_code == 404
    assert core.ids("/flow-runs") == []


def test_run_without_an_end_is_in_the_queue_and_is_stopped_by_its_deletion(core: Core) -> None:
    core.sandbox.platform.faults.add(make_rule(faults.pending(), endpoint="processing"))
    run, manual = core.start({"order": "1001"}), core.start(path="manual/raw")

    (queued,) = core.get("/scheduled-flows", include="flow,flowVersion,payloadMetadata", filter__status="pending").json[
        "data"
    ]  # type: ignore[index]
    deleted = core.call("DELETE", f"/scheduled-flows/{queued['id']}")

    assert (queued["flow"]["id"], queued["payload_metadata"]["id"]) == (core.flow.id, run.number)
    assert deleted.status_code == 200
    assert core.ids("/scheduled-flows") == []
    assert core.ids("/flow-runs", filter__status="4") == [run.id]
    assert core.ids("/flow-runs", filter__status="1") == [manual.id]
    assert core.get(f"/flow-runs/{run.id}/flow-run-logs").json["data"][-1]["log_message"] == "Flow run stopped."  # type: ignore[index]
    assert core.call("DELETE", f"/scheduled-flows/{queued['id']}").status_code == 404


def test_run_of_a_deleted_flow_includes_no_flow(core: Core) -> None:
    run = core.start()
    core.flows.delete_flow(core.flow.id)

    found: Any = core.get(f"/flow-runs/{run.id}", include="flow,flowVersion").json

    assert (found["data"]["flow"], found["data"]["flow_version"]) == (None, None)


@pytest.mark.parametrize(
    ("method", "path", "thing"),
    [
        ("GET", "/flow-runs/nothing", "Flow run"),
        ("GET", "/flow-runs/%00", "Flow run"),
        ("POST", "/flow-runs/nothing/retry", "Flow run"),
        ("GET", "/flow-runs/nothing/flow-run-logs", "Flow run"),
        ("GET", "/payload-metadata/99", "Payload metadata"),
        ("GET", "/payload-metadata/x/download", "Payload metadata"),
        ("DELETE", f"/scheduled-flows/{'9' * 400}", "Scheduled flow"),
        ("GET", "/flow-versions/0/steps", "Flow version"),
        ("GET", "/data-pool/-1", "Data pool"),
        ("GET", "/agents/conversations/%D9%A1", "Conversation"),
    ],
)
def test_id_that_names_nothing_is_not_found(core: Core, method: str, path: str, thing: str) -> None:
    refused = core.call(method, path)

    assert (refused.status_code, refused.json) == (404, {"message": f"{thing} not found"})


def test_company_sees_nothing_of_another(core: Core) -> None:
    core.sandbox.store.add_company("Other Ltd", slug="other")
    key = core.flows.add_api_key("other", ApiKeySeed("theirs")).secret
    run = core.start({"order": "1001"})

    lists = [core.call("GET", path, key=key).json["data"] for path in ("/flows", "/flow-runs", "/payload-metadata")]  # type: ignore[index]

    assert lists == [[], [], []]
    assert core.call("GET", f"/flow-runs/{run.id}", key=key).status_code == 404
    assert core.call("GET", f"/payload-metadata/{run.number}/download", key=key).status_code == 404
    assert core.call("POST", f"/flow-runs/{run.id}/retry", key=key).status_code == 404


def test_steps_are_those_of_the_version(core: Core) -> None:
    steps = core.get(f"/flow-versions/{core.flow.deployed}/steps", to_tree="1", load_notes_count="0").json["data"]  # type: ignore[index]

    assert [(step["name"], step["parent_id"]) for step in steps] == [("Trigger", None), ("Destination", steps[0]["id"])]


@pytest.mark.parametrize("path", ["/flow-version-deployments/packages", "/tracked-data"])
def test_list_of_what_the_sandbox_has_not_is_empty(core: Core, path: str) -> None:
    assert core.ids(path, per_page=50) == []


def test_runs_survive_a_saved_state_with_their_numbers(core: Core) -> None:
    run = core.start({"order": "1001"})
    state = core.http.get("/_sandbox/state?secrets=true").json

    assert core.http.put("/_sandbox/state", json=state).status_code == 200
    assert core.ids("/payload-metadata") == [run.number]
    assert core.get(f"/payload-metadata/{run.number}/download").data == b'{"order": "1001"}'
