"""No text that somebody chooses can end a header field and begin another."""

from __future__ import annotations

import pytest

from tests.conftest import Integration

SPLITTING = ["a\r\nSet-Cookie: x=1", "a\nSet-Cookie: x=1", "a\rSet-Cookie: x=1", "a\x00b"]
CASES = pytest.mark.parametrize("text", SPLITTING, ids=ascii)


@CASES
def test_fault_with_such_a_header_is_refused(integration: Integration, text: str) -> None:
    for headers in ({"X-Fault": text}, {text: "x"}):
        fault = {"kind": "status", "code": 503, "headers": headers}

        assert integration.control("POST", "/faults", {"fault": fault}).status_code == 422


@CASES
def test_name_of_an_entity_stays_within_the_name_of_its_file(integration: Integration, text: str) -> None:
    entity = {"type": "custom", "name": f'{text}"; evil="', "sample": {"a": 1}}
    made = integration.control("POST", "/connectors/1/entities", entity)
    if made.status_code == 422:
        return

    path = f"/dashboard/connectors/1/entities/{made.get_json()['id']}/sample"
    answer = integration.control("GET", path)

    assert "Set-Cookie" not in answer.headers
    assert set(answer.headers.get("Content-Disposition", "")) <= set(
        'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."=; '
    )


@CASES
def test_message_of_two_lines_is_refused(integration: Integration, text: str) -> None:
    answer = integration.control("PATCH", "/settings", {"success_message": text})

    assert answer.status_code == (200 if "\x00" in text else 422)  # a NUL is escaped in the JSON


@pytest.mark.parametrize("path", ["/%0d%0aSet-Cookie:%20x=1", "/_sandbox/%0d%0aSet-Cookie:%20x=1"])
def test_path_is_in_no_header_of_its_answer(integration: Integration, path: str) -> None:
    for headers in ({}, {"Accept": "text/html"}):
        answer = integration.http.post(path, headers=headers)

        assert answer.status_code == 404
        assert "Set-Cookie" not in answer.headers
