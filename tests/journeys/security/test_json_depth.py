"""However deep a body is nested, it is stored or refused, and never fails what reads it."""

from __future__ import annotations

import pytest

from sandbox.foundation.strict_json import compact_json, parse_json
from sandbox.web.control.base import MAX_DEPTH
from tests.conftest import Integration
from tests.web.control.problem import detail

READERS = {
    "connectors/1/entities": '{"type": "custom", "name": "deep", "sample": %s}',
    "faults": '{"fault": {"kind": "status", "code": 503, "body": %s}}',
    "requests/verify": '{"pattern": {"json": %s}}',
}
JSON = {"Content-Type": "application/json"}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("levels", [MAX_DEPTH, 512, 100_000])
@pytest.mark.parametrize("path", READERS)
def test_control_api_refuses_what_is_nested_too_deeply(integration: Integration, path: str, levels: int) -> None:
    answer = integration.http.post(f"/_sandbox/{path}", data=READERS[path] % nested(levels), headers=JSON)

    assert "nested deeper than 100 levels" in detail(answer, 400)


@pytest.mark.parametrize("path", READERS)
def test_control_api_takes_what_is_as_deep_as_it_may_be(integration: Integration, path: str) -> None:
    around = READERS[path].split("%s")[0].count("{")
    answer = integration.http.post(f"/_sandbox/{path}", data=READERS[path] % nested(MAX_DEPTH - around), headers=JSON)

    assert answer.status_code < 500
    assert "nested deeper" not in answer.text


def test_sample_on_the_page_is_refused_as_well(integration: Integration) -> None:
    answer = integration.http.post("/_sandbox/dashboard/detected-fields", data=nested(MAX_DEPTH + 1), headers=JSON)

    assert "nested deeper than 100 levels" in answer.text


@pytest.mark.parametrize("levels", [512, 513, 100_000])
def test_deep_payload_is_kept_and_fails_nobody_who_looks(integration: Integration, levels: int) -> None:
    payload = nested(levels)

    assert integration.post(payload).status_code == 200
    assert integration.post(payload, "/v1/acme/orders").status_code == 422
    assert integration.http.post("/oauth/token", data=payload, headers=JSON).status_code == 400

    pattern = {"pattern": {"json_contains": {"order": "1001"}}, "times": 1}
    looks = [
        integration.control("GET", "/requests"),
        integration.control("GET", "/requests", json_path="$..order"),
        integration.control("GET", "/requests/export", format="har"),
        integration.control("GET", "/requests/duplicates"),
        integration.control("GET", "/contract-violations"),
        integration.control("POST", "/requests/verify", pattern),
        integration.control("GET", "/"),
    ]
    assert [look.status_code for look in looks] == [200, 200, 200, 200, 200, 409, 200]
    assert integration.control("GET", "/requests/2/body").data == payload.encode()


@pytest.mark.parametrize("level", ["[%s]", '{"a": %s}'], ids=["lists", "objects"])
@pytest.mark.parametrize("inside", ["1", "1e400"])
def test_deep_payload_is_stored_and_shown_whatever_number_it_holds(
    integration: Integration, level: str, inside: str
) -> None:
    around, behind = level.split("%s")
    payload = around * 511 + inside + behind * 511
    assert integration.post(payload, **JSON).status_code == 200

    assert integration.control("GET", "/", open=2).status_code == 200
    assert compact_json(parse_json(payload.encode())).count("a" if "a" in level else "[") >= 511
