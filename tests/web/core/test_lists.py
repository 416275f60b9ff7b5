"""Lists of the Core API: pages, filters, includes, fields and sorting (FLOWS 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.web.core.conftest import Core

MakeCore = Callable[..., Core]


def test_list_has_data_meta_and_links(core: Core) -> None:
    for number in range(4):
        core.add_flow(f"Flow {number}")

    page = core.get("/flows", page=2, per_page=2, sort="-name").json

    assert page is not None
    assert [flow["name"] for flow in page["data"]] == ["Flow 2", "Flow 1"]
    assert page["meta"] == {
        "current_page": 2,
        "from": 3,
        "last_page": 3,
        "path": "http://localhost/api/v1/flows",
        "per_page": 2,
        "to": 4,
        "total": 5,
    }
    numbers = {name: parse_qs(urlsplit(link).query) for name, link in page["links"].items()}
    assert {name: (query["page"], query["per_page"], query["sort"]) for name, query in numbers.items()} == {
        name: ([number], ["2"], ["-name"])
        for name, number in (("first", "1"), ("last", "3"), ("prev", "1"), ("next", "3"))
    }


def test_links_lead_through_all_pages_with_the_same_filter(core: Core) -> None:
    for number in range(5):
        core.add_flow(f"Flow {number}")
    core.add_flow("Other")

    link, names = "http://localhost/api/v1/flows?filter[name]=flow&per_page=2&sort=-name", []
    while link is not None:
        page = core.call("GET", f"{urlsplit(link).path.removeprefix('/api/v1')}?{urlsplit(link).query}").json
        assert page is not None
        names += [flow["name"] for flow in page["data"]]
        link = page["links"]["next"]

    assert names == ["Flow 4", "Flow 3", "Flow 2", "Flow 1", "Flow 0"]


def test_empty_page_begins_and_ends_nowhere(core: Core) -> None:
    page = core.get("/flow-runs").json

    assert page is not None
    assert page["data"] == []
    assert (page["meta"]["from"], page["meta"]["to"], page["meta"]["total"], page["meta"]["last_page"]) == (
        None,
        None,
        0,
        1,
    )
    assert (page["links"]["prev"], page["links"]["next"]) == (None, None)


def test_page_has_fifteen_items_and_a_hundred_at_most(core: Core) -> None:
    for number in range(110):
        core.add_flow(f"Flow {number}")

    assert [len(core.ids("/flows", **query)) for query in ({}, {"per_page": 100}, {"per_page": 500})] == [15, 100, 100]
    assert core.get("/flows", per_page=500).json["meta"]["per_page"] == 100  # type: ignore[index]


def test_too_many_items_a_page_are_refused_where_the_setting_says_so(make_core: MakeCore) -> None:
    core = make_core(per_page_over_max="422")

    refused = core.get("/flows", per_page=101)

    assert (refused.status_code, core.get("/flows", per_page=100).status_code) == (422, 200)
    message = "The per page field must not be greater than 100."
    assert refused.json == {"message": message, "errors": {"per_page": [message]}}


@pytest.mark.parametrize("name", ["page", "per_page"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "9" * 400, "\0", "\N{ARABIC-INDIC DIGIT ONE}", "1e3"])
def test_number_that_is_none_is_refused(core: Core, name: str, value: str) -> None:
    assert core.get("/flows", **{name: value}).status_code == 422


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("filter[colour]=red", "filter(s) `colour`"),
        ("filter[status][]=1&filter[a][b]=2", "filter(s) `status, a`"),
        ("include=versions,nothing", "include(s) `nothing`"),
        ("include=versions.flow", "include(s) `versions.flow`"),
        ("include=versions.", "include(s) `versions.`"),
        ("sort=-colour", "sort(s) `colour`"),
        ("include=" + ".".join(["versions"] * 5_000), "include(s) `versions.versions."),
    ],
    ids=["filter", "filters", "include", "nested include", "empty include", "sort", "deep include"],
)
def test_part_that_the_list_lacks_is_refused_and_those_it_has_are_named(core: Core, query: str, named: str) -> None:
    refused = core.call("GET", f"/flows?{query}")

    assert refused.status_code == 400
    assert f"Requested {named}" in refused.json["message"]  # type: ignore[index]
    assert "are not allowed. Allowed" in refused.json["message"]  # type: ignore[index]


def test_part_that_the_list_lacks_is_left_out_where_the_setting_says_so(make_core: MakeCore) -> None:
    core = make_core(core_unknown_query="ignore")

    response = core.call("GET", "/flows?filter[colour]=red&include=nothing,versions&sort=-colour")

    assert response.status_code == 200
    assert [flow["id"] for flow in response.json["data"]] == [core.flow.id]  # type: ignore[index]
    assert "versions" in response.json["data"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    "query",
    ["filter=x", "filter[id]=", "fields=x", "include[]=versions&include[]=labels", "sort[]=id", "filter[id][]=1"],
)
def test_other_shapes_of_a_query_are_read_too(core: Core, query: str) -> None:
    (flow,) = core.call("GET", f"/flows?{query}").json["data"]  # type: ignore[index]

    assert flow["id"] == core.flow.id


def test_flow_includes_its_parts_and_their_counts(core: Core) -> None:
    core.flows.add_version(core.flow.id)
    names = (
        "versions,latestVersion,deployedVersion,currentVersion,labels,webhooks,callbacks,notificationGroups,deployments"
    )

    (flow,) = core.get("/flows", include=f"{names},versions_count,webhooksCount,labelsExists,callbacks_exists").json[
        "data"
    ]  # type: ignore[index]

    first, second = (version["id"] for version in flow["versions"])
    assert (flow["latest_version"]["id"], flow["deployed_version"]["id"]) == (second, first)
    assert (flow["current_version"]["id"], [each["id"] for each in flow["deployments"]]) == (first, [first])
    assert (flow["labels"], flow["notification_groups"]) == ([], [])
    assert (flow["versions_count"], flow["webhooks_count"]) == (2, len(flow["webhooks"]))
    assert (flow["labels_exists"], flow["callbacks_exists"]) == (False, True)


def test_secrets_are_never_shown(core: Core) -> None:
    text = core.get("/flows", include="webhooks,callbacks").text

    hooks = (*core.flow.webhooks, *core.flow.callbacks)
    assert len(hooks) == 2
    assert [hook.signature for hook in hooks if (hook.signature or "") in text] == []
    assert text.count('"*****"') == 2


def test_include_follows_relations_and_fields_restrict_each_model(core: Core) -> None:
    core.start({"order": "1001"})

    (run,) = core.get(
        "/flow-runs", include="flow.versions.steps,flowVersion", fields__flow="id,name", fields__flowStep="id"
    ).json["data"]  # type: ignore[index]

    assert {*run["flow"]} == {"id", "name", "versions"}
    assert [{*step} for version in run["flow"]["versions"] for step in version["steps"]] == [{"id"}, {"id"}]
    assert run["flow_version"]["id"] == run["flow_version_id"]


@pytest.mark.parametrize(
    ("items", "keys"),
    [("flat", {"id", "name"}), ("attributes", {"id", "attributes"}), ("both", {"id", "name", "attributes"})],
)
def test_items_have_the_form_of_the_setting(make_core: MakeCore, items: str, keys: set[str]) -> None:
    core = make_core(core_items=items)

    (flow,) = core.get("/flows", fields__flow="id,name").json["data"]  # type: ignore[index]

    assert {*flow} == keys
    assert flow.get("attributes", {"name": "Orders in"}) == {"name": flow.get("name", "Orders in")}


def test_included_records_and_single_ones_have_the_form_of_the_setting_too(make_core: MakeCore) -> None:
    core = make_core(core_items="attributes")
    run = core.start()

    found: Any = core.get(f"/flow-runs/{run.id}", include="flow").json

    assert found["data"]["attributes"]["flow"]["attributes"]["name"] == "Orders in"


@pytest.mark.parametrize("query", ["page=1&per_page=50&sort=%00", "filter[name]=%ff%fe", "filter[name]=\ud800", "a=%"])
def test_odd_bytes_of_a_query_are_no_failure(core: Core, query: str) -> None:
    assert core.call(
        "GET", "/flows", query_string=query.encode("utf-8", "surrogatepass").decode("latin-1")
    ).status_code in (200, 400)


@pytest.mark.parametrize(
    ("profile", "time"), [("modern", "2026-11-23T18:00:00.000000Z"), ("legacy", "2026-11-23 18:00:00")]
)
def test_times_are_those_of_the_generation(make_core: MakeCore, profile: str, time: str) -> None:
    core = make_core(wire_profile=profile)
    core.sandbox.clock.change(now="2026-11-23T18:00:00Z", frozen=True)
    core.add_flow("Later")

    (flow,) = core.get("/flows", filter__name="Later").json["data"]  # type: ignore[index]

    assert (flow["created_at"], flow["updated_at"]) == (time, time)
