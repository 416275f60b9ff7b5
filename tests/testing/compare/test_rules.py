"""What of two answers is compared, and what differs by nature."""

from __future__ import annotations

import json

import pytest

from sandbox.foundation.answer import Answer
from sandbox.testing.compare.comparison_rules import answer_differences


def answer(body: object = "", status: int = 200, **headers: str) -> Answer:
    content = body if isinstance(body, str) else json.dumps(body)
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(status, named or (("Date", "now"),), content.encode())


@pytest.mark.parametrize(
    ("recorded", "here"),
    [
        ({"access_token": "a"}, {"access_token": "b"}),
        ({"jwt": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}, {"jwt": "sha256:0123456789ab"}),
        ({"id": "0b1c2d3e-4f50-4a6b-8c7d-9e0f1a2b3c4d"}, {"id": "9D3C6F0E-4B7A-4C59-8F21-5E0A1B2C3D4E"}),
        ({"run": "01HX3V9K2M8E5N7Q4R6S0T1W2Y"}, {"run": "01HX3V9K2M8E5N7Q4R6S0T1W2Z"}),
        ({"at": "2026-11-27T10:03:00Z"}, {"at": "2026-11-28 11:04:05"}),
        ({"2026-11-27T10:03:00.5+01:00": 1}, {"2026-11-27 10:03:00": 1}),
        ("Fri, 27 Nov 2026 10:03:00 GMT\nx", "Sat, 28 Nov 2026 10:03:00 GMT\nx"),
        ('{"a": 1,\n "b": 2.0}', '{"b":2,"a":1}'),
    ],
    ids=["token", "jwt", "uuid", "ulid", "time", "key", "text", "form"],
)
def test_values_that_differ_by_nature_are_alike(recorded: object, here: object) -> None:
    assert answer_differences(answer(recorded), answer(here)) == []


@pytest.mark.parametrize(
    ("recorded", "here", "found"),
    [
        ({"access_token": ""}, {"access_token": "b"}, '$.access_token: expected "", got "<token>"'),
        ({"expires_in": 86400}, {"expires_in": 3600}, "$.expires_in: expected 86400, got 3600"),
        ({"at": "2026-11-27"}, {"at": "2026-11-28"}, '$.at: expected "2026-11-27", got "2026-11-28"'),
        ("<h1>a</h1>\nx", "<h1>b</h1>\nx", '$[0]: expected "<h1>a</h1>", got "<h1>b</h1>"'),
        ({"a": 1}, "no JSON", '$: expected {"a": 1}, got ["no JSON"] (list, not object)'),
    ],
    ids=["empty-token", "number", "day", "line", "kind"],
)
def test_other_values_differ(recorded: object, here: object, found: str) -> None:
    assert [str(each) for each in answer_differences(answer(recorded), answer(here))] == [found]


@pytest.mark.parametrize(
    ("recorded", "here"),
    [
        ({"Retry_After": "3"}, {"retry_after": "60"}),
        ({"Content_Type": "application/json; charset=UTF-8"}, {"content_type": "application/json;charset=utf-8"}),
        ({"Cache_Control": "no-cache, private"}, {"cache_control": "private,no-cache"}),
        ({"Allow": "GET, HEAD, POST"}, {"Allow": "POST,GET,HEAD"}),
        ({"Server": "nginx", "X_Powered_By": "PHP", "Vary": "Origin"}, {"Date": "now"}),
    ],
    ids=["counter", "type", "cache", "allow", "others"],
)
def test_headers_are_alike_in_any_form(recorded: dict[str, str], here: dict[str, str]) -> None:
    assert answer_differences(answer(**recorded), answer(**here)) == []


@pytest.mark.parametrize(
    ("recorded", "here", "found"),
    [
        ({"Pragma": "no-cache"}, {}, 'headers.Pragma: missing, expected "no-cache"'),
        ({}, {"Allow": "POST"}, 'headers.Allow: unexpected "post"'),
        ({"Location": "/a"}, {"Location": "/b"}, 'headers.Location: expected "/a", got "/b"'),
        ({"Retry_After": "soon"}, {"Retry_After": "3"}, 'headers.Retry-After: expected "soon", got "<number>"'),
    ],
    ids=["missing", "unexpected", "other", "no-number"],
)
def test_headers_that_count_differ(recorded: dict[str, str], here: dict[str, str], found: str) -> None:
    assert [str(each) for each in answer_differences(answer(**recorded), answer(**here))] == [found]


def test_recording_without_headers_or_body_is_compared_by_what_it_has() -> None:
    here = answer({"a": 1}, Pragma="no-cache")

    assert answer_differences(Answer(200, (), b""), here, has_body=False) == []
    assert [each.path for each in answer_differences(Answer(401, (), b""), here, has_body=False)] == ["status"]
