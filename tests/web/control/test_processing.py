"""The sync report, resync and runs over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.platform.processing import sync_report as report
from tests.conftest import Integration
from tests.web.control.problem import detail


@pytest.fixture
def orders(integration: Integration) -> Integration:
    """Five orders: 1001 and 1003 arrived, 1002 failed, 1004 is pending, 1005 sent; and an order of another service."""
    integration.sandbox.clock.freeze()
    integration.sandbox.clock.travel_to("2026-11-27T10:03:00Z")
    integration.control("PATCH", "/services/3", {"destination": "NetSuite"})
    for reference, fault in (
        ("1002", {"kind": "failed", "message": "no stock"}),
        ("1004", {"kind": "pending", "attempts": 1}),
        ("1005", {"kind": "sent"}),
    ):
        rule = {"fault": fault, "match": {"endpoint": "processing", "reference": reference}, "times": 1}
        assert integration.control("POST", "/faults", rule).status_code == 201
    for number in range(1001, 1006):
        integration.post({"order": str(number)})
        integration.sandbox.clock.advance(1)
    integration.control("POST", "/services", {**OTHER, "vanity_url": "returns"})
    integration.post([{"id": "R1"}, {"id": "R2"}], "/v1/acme/returns")
    return integration


OTHER = {"company": "acme", "connector_id": 1, "entity": "anything"}


def references(integration: Integration, **query: Any) -> list[str]:
    response = integration.control("GET", "/sync-report", **query)
    assert response.status_code == 200, response.text
    return [row["reference"] for row in response.json["items"]]


def test_report_has_a_row_for_each_item(orders: Integration) -> None:
    page = orders.control("GET", "/sync-report", limit=2).json
    entries = orders.control("GET", "/requests", kind="inbound").json["entries"]

    assert page == {
        "items": [
            {
                "id": 1,
                "sync_id": "run-1",
                "reference": "1001",
                "status": "OK",
                "company": "acme",
                "vanity_url": "anything",
                "entity": "anything",
                "systems": "Acme web shop > NetSuite",
                "attempts": 1,
                "message": None,
                "created_at": "2026-11-27T10:03:00.000000Z",
                "updated_at": "2026-11-27T10:03:00.000000Z",
                "entry": entries[0]["id"],
            },
            {
                **page["items"][0],
                "id": 2,
                "sync_id": "run-2",
                "reference": "1002",
                "status": "Failed",
                "message": "no stock",
                "created_at": "2026-11-27T10:03:01.000000Z",
                "updated_at": "2026-11-27T10:03:01.000000Z",
                "entry": entries[1]["id"],
            },
        ],
        "next_after": 2,
        "dropped": 0,
        "waiting": 0,
    }


def test_report_is_read_page_by_page(orders: Integration) -> None:
    pages, after = [], 0
    while after is not None:
        page = orders.control("GET", "/sync-report", limit=3, after=after).json
        pages.append([row["reference"] for row in page["items"]])
        after = page["next_after"]

    assert pages == [["1001", "1002", "1003"], ["1004", "1005", "R1"], ["R2"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "Failed"}, ["1002"]),
        ({"status": "ok", "vanity_url": "anything"}, ["1001", "1003"]),
        ({"vanity_url": "returns"}, ["R1", "R2"]),
        ({"company": "beta"}, []),
        ({"entity": "anything", "reference": "R2"}, ["R2"]),
        ({"reference": "R"}, []),
        ({"search": "r"}, ["1001", "1002", "1003", "1004", "1005", "R1", "R2"]),
        ({"search": "netSUITE"}, ["1001", "1002", "1003", "1004", "1005"]),
        ({"search": "RUN-6"}, ["R1", "R2"]),
        ({"search": "00"}, ["1001", "1002", "1003", "1004", "1005"]),
        ({"system": "netsuite", "status": "Sent"}, ["1005"]),
        ({"since": "2026-11-27T10:03:03Z"}, ["1004", "1005", "R1", "R2"]),
        ({"until": "2026-11-27T10:03:00Z"}, ["1001"]),
    ],
)
def test_report_is_filtered(orders: Integration, query: dict[str, Any], found: list[str]) -> None:
    assert references(orders, **query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["1001", "1002", "1003", "1004", "1005"]),
        ({"descending": "true"}, ["1005", "1004", "1003", "1002", "1001"]),
        ({"sort": "status"}, ["1002", "1001", "1003", "1004", "1005"]),
        ({"sort": "created_at", "descending": "true"}, ["1005", "1004", "1003", "1002", "1001"]),
        ({"sort": "sync_id"}, ["1001", "1002", "1003", "1004", "1005"]),
        ({"sort": "systems"}, ["1001", "1002", "1003", "1004", "1005"]),
    ],
)
def test_report_is_sorted(orders: Integration, query: dict[str, str], found: list[str]) -> None:
    assert references(orders, vanity_url="anything", **query) == found


def test_sorted_report_is_read_page_by_page(orders: Integration) -> None:
    query = {"sort": "status", "vanity_url": "anything", "limit": 2}
    first = orders.control("GET", "/sync-report", **query).json
    second = orders.control("GET", "/sync-report", **query, after=first["next_after"]).json

    assert [row["reference"] for row in (*first["items"], *second["items"])] == ["1002", "1001", "1003", "1004"]
    told = detail(orders.control("GET", "/sync-report", **query, after=99), 422)
    assert "begin again without after" in told


def test_report_goes_back_five_days_unless_told_otherwise(orders: Integration) -> None:
    orders.control("POST", "/clock/advance", {"duration": "6d"})

    assert references(orders) == []
    assert len(references(orders, days=7)) == 7
    assert len(references(orders, since="2026-01-01T00:00:00Z")) == 7


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"days": 16}, "query.days: '16' is not allowed; use a number from 1 to 15"),
        ({"days": 0}, "use a number from 1 to 15"),
        ({"days": 2, "since": "2026-01-01T00:00:00Z"}, "either this or since, not both"),
        ({"status": "good"}, "use one of OK, Sent, Pending, Failed"),
        ({"sort": "age"}, "use one of id, created_at"),
        ({"limit": 1_001}, "use a number from 1 to 1000"),
        ({"since": "yesterday"}, "a time with a zone"),
        ({"referense": "1"}, "did you mean 'reference'?"),
    ],
)
def test_bad_query_is_refused(integration: Integration, query: dict[str, Any], told: str) -> None:
    assert told in detail(integration.control("GET", "/sync-report", **query), 422)


def test_report_counts_what_waits(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(processing="scheduled")
    integration.post([{"id": "1"}, {"id": "2"}])
    integration.control("POST", "/services/3/run")
    integration.post({"id": "3"})

    page = integration.control("GET", "/sync-report").json
    assert ([row["reference"] for row in page["items"]], page["waiting"]) == (["1", "2"], 1)
    assert integration.control("GET", "/sync-report", vanity_url="orders").json["waiting"] == 0
    told = detail(integration.control("GET", "/sync-report/3"), 422)
    assert "no run has pulled this item yet" in told


def test_report_is_downloaded_in_the_vendors_columns(orders: Integration) -> None:
    orders.post({"order": '=1+"2",x'})
    response = orders.control("GET", "/sync-report.csv", vanity_url="anything")

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="Sync Reports.csv"'
    lines = response.text.splitlines()
    assert lines[:3] == [
        "Company Group,Service Entity,Systems,Sync ID,Reference,Date,Status",
        "Acme Ltd,anything,Acme web shop > NetSuite,run-1,1001,27/11/2026 10:03:00,OK",
        "Acme Ltd,anything,Acme web shop > NetSuite,run-2,1002,27/11/2026 10:03:01,Failed",
    ]
    assert lines[-1] == 'Acme Ltd,anything,Acme web shop > NetSuite,run-7,"\'=1+""2"",x",27/11/2026 10:03:05,OK'


def test_row_shows_its_attempts(orders: Integration) -> None:
    assert orders.control("POST", "/sync-report/2/resync").json["status"] == "OK"

    row = orders.control("GET", "/sync-report/2").json
    assert row["history"] == [
        {"sync_id": "run-2", "at": "2026-11-27T10:03:01.000000Z", "status": "Failed", "message": "no stock"},
        {"sync_id": "run-7", "at": "2026-11-27T10:03:05.000000Z", "status": "OK", "message": None},
    ]
    assert (row["attempts"], row["sync_id"], row["created_at"]) == (2, "run-7", "2026-11-27T10:03:01.000000Z")


@pytest.mark.parametrize("body", [{"ids": [2]}, {"reference": "1002"}, {"company": "acme"}, {}, None])
def test_failed_rows_are_resynced_by_ids_or_conditions(orders: Integration, body: Any) -> None:
    response = orders.control("POST", "/sync-report/resync", body)

    assert [(row["reference"], row["status"]) for row in response.json["items"]] == [("1002", "OK")]


def test_answer_about_very_many_rows_has_the_first_and_their_count(
    orders: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_RESYNCED", 1)
    failing = {"fault": {"kind": "failed"}, "match": {"endpoint": "processing"}, "times": 2}
    assert orders.control("POST", "/faults", failing).status_code == 201
    orders.post([{"order": "2001"}, {"order": "2002"}])

    resynced = orders.control("POST", "/sync-report/resync").json
    assert ([row["reference"] for row in resynced["items"]], resynced["total"]) == (["1002"], 3)


def test_conditions_that_no_failed_row_meets_resync_nothing(orders: Integration) -> None:
    assert orders.control("POST", "/sync-report/resync", {"vanity_url": "returns"}).json == {
        "items": [],
        "total": 0,
    }


def test_resync_that_is_not_offered_is_refused(orders: Integration) -> None:
    def refused(path: str, body: Any, status: int) -> str:
        return detail(orders.control("POST", path, body), status)

    assert refused("/sync-report/1/resync", None, 409) == "item 1 is OK; only failed items can be resynced"
    assert "only failed items" in refused("/sync-report/resync", {"ids": [2, 4]}, 409)
    assert "known: 1 to 7" in refused("/sync-report/99/resync", None, 404)
    assert "either ids or conditions" in refused("/sync-report/resync", {"ids": [2], "company": "acme"}, 422)
    assert refused("/sync-report/resync", {"ids": ["2", 2, None]}, 422) == (
        "body.ids.0: '2' is not allowed; use a whole number; body.ids.2: null is not allowed; use a whole number"
    )
    assert "at most 1000 ids" in refused("/sync-report/resync", {"ids": [2] * 1_001}, 422)
    assert "only failed items" in refused("/sync-report/resync", {"ids": [*[2] * 999, 1]}, 409)
    orders.control("PATCH", "/settings", {"resync": "never"})
    assert "please contact support" in refused("/sync-report/2/resync", None, 409)
    assert orders.control("GET", "/sync-report/2").json["attempts"] == 1


def test_runs_are_listed_and_shown_with_their_logs(orders: Integration) -> None:
    runs = orders.control("GET", "/runs", vanity_url="returns").json
    first = orders.control("GET", "/runs", limit=1).json

    assert runs == {
        "runs": [
            {
                "id": "run-6",
                "service_id": 4,
                "company": "acme",
                "vanity_url": "returns",
                "requested_by": "event",
                "status": "complete",
                "due_at": "2026-11-27T10:03:05.000000Z",
                "started_at": "2026-11-27T10:03:05.000000Z",
                "finished_at": "2026-11-27T10:03:05.000000Z",
                "pulled": 2,
                "pushed": 2,
                "pending": 0,
                "failed": 0,
                "page_size": 100,
                "total_pages": 1,
            }
        ],
        "next_after": None,
        "dropped": 0,
    }
    assert orders.control("GET", "/runs/run-6").json == runs["runs"][0]
    assert ([run["id"] for run in first["runs"]], first["next_after"]) == (["run-1"], 1)
    log = orders.control("GET", "/runs/run-6/log").json["lines"]
    assert [line["message"] for line in log][1:-1] == [
        "Page 1 of 1: pulled 2",
        "R1 to Acme web shop: OK",
        "R2 to Acme web shop: OK",
    ]


@pytest.mark.parametrize("path", ["/runs/run-9", "/runs/9", "/runs/run-9/log", "/runs/x%20y/log"])
def test_unknown_run_is_not_found(integration: Integration, path: str) -> None:
    assert "there is no run" in detail(integration.control("GET", path), 404)


def test_service_is_run_by_hand(make_integration: Callable[..., Integration]) -> None:
    integration = make_integration(processing="scheduled")
    integration.post({"id": "1"})

    run = integration.control("POST", "/services/3/run")
    assert (run.status_code, run.json["requested_by"], run.json["pulled"]) == (201, "cli", 1)
    assert "there is no service 9" in detail(integration.control("POST", "/services/9/run"), 404)
    integration.control("PATCH", "/services/3", {"active": False})
    assert "service 3 is not active" in detail(integration.control("POST", "/services/3/run"), 409)


def test_report_survives_in_a_saved_state(orders: Integration, make_integration: Callable[..., Integration]) -> None:
    before = orders.control("GET", "/sync-report").json
    state = orders.control("GET", "/state").json
    other = make_integration()
    other.control("PUT", "/state", state)

    assert other.control("GET", "/sync-report").json == before
    assert other.control("GET", "/runs").json == orders.control("GET", "/runs").json
    other.control("POST", "/clock/advance", {"duration": "5m"})
    assert other.control("GET", "/sync-report/4").json["status"] == "OK"


@pytest.mark.parametrize("name", ["items", "runs"])
def test_state_with_gaps_in_its_numbers_is_refused(orders: Integration, name: str) -> None:
    orders.control("GET", "/sync-report")
    state = orders.control("GET", "/state").json
    del state["platform"]["processing"][name][1]

    assert f"platform.processing.{name}" in detail(orders.control("PUT", "/state", state), 422)


def test_state_with_an_item_of_no_system_is_refused(orders: Integration) -> None:
    orders.control("GET", "/sync-report")
    state = orders.control("GET", "/state").json
    state["platform"]["processing"]["items"][0]["systems"] = []

    assert "platform.processing" in detail(orders.control("PUT", "/state", state), 422)


def test_state_without_processing_is_read(orders: Integration) -> None:
    state = orders.control("GET", "/state").json
    del state["platform"]["processing"]
    for service in state["platform"]["store"]["services"]:
        del service["options"]

    assert orders.control("PUT", "/state", state).status_code == 200
    assert len(references(orders)) == 7
