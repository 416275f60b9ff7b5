"""A remote sandbox answers questions itself: each costs one small call, however many entries its journal has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import requests

from sandbox import NotReceivedError, Patchworks, RemoteSandbox, Sandbox
from sandbox.platform.keys import SigningKey
from sandbox.testing.mounting import WSGIAdapter
from sandbox.web.app import SandboxApp
from tests.journal.journals import exchange

ENTRIES = 20_000
URL = "http://127.0.0.1:8025"
SMALL = 8_000
"""Bytes of an answer; the journal takes twelve million."""


class Calls:
    """The calls that an application got, with the bytes of each answer."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.made: list[tuple[str, int]] = []

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        answer = b"".join(self._app(environ, start_response))
        self.made.append((environ["PATH_INFO"].removeprefix("/_sandbox"), len(answer)))
        return [answer]


@pytest.fixture(scope="module")
def app(signing_key: SigningKey) -> SandboxApp:
    """An application whose sandbox received an order 20,000 times, the last one twice."""
    sandbox = Sandbox(settings={"journal_entries": ENTRIES}, signing_key=signing_key)
    notes = {"company": "acme", "vanity_url": "orders", "accepted": True, "body_size": 0, "remote_addr": ""}
    for number in range(1, ENTRIES + 1):
        body = json.dumps({"order": min(number, ENTRIES - 1)}).encode()
        sandbox.journal.close(exchange(body=body, wall_time=1.0, **notes), 200, (), b"")
    return SandboxApp(sandbox)


@pytest.fixture
def calls(app: SandboxApp) -> Calls:
    return Calls(app)


@pytest.fixture
def remote(calls: Calls) -> Iterator[RemoteSandbox]:
    session = requests.Session()
    session.mount(URL, WSGIAdapter(calls))
    with RemoteSandbox(URL, session=session) as remote:
        yield remote


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(NotReceivedError) as failure:
        ask()
    return str(failure.value).splitlines()[0]


QUESTIONS: dict[str, tuple[Callable[[Patchworks], object], object]] = {
    "count": (lambda remote: len(remote.requests), ENTRIES),
    "first": (lambda remote: remote.requests[0].seq, 1),
    "newest": (lambda remote: remote.requests[-1].seq, ENTRIES),
    "far from both ends": (lambda remote: remote.requests[12_000].seq, 12_001),
    "slice": (lambda remote: [entry.seq for entry in remote.requests[12_000:12_003]], [12_001, 12_002, 12_003]),
    "newest two": (lambda remote: [entry.seq for entry in remote.requests[-2:]], [ENTRIES - 1, ENTRIES]),
    "dropped": (lambda remote: remote.requests.dropped, 0),
    "duplicates": (
        lambda remote: [entry.seq for group in remote.duplicates() for entry in group.entries],
        [19_999, 20_000],
    ),
    "tokens": (lambda remote: remote.tokens, []),
}
OF_A_SERVICE: dict[str, tuple[Callable[[Patchworks], object], object]] = {
    "last": (lambda remote: remote.inbound("orders").last.seq, ENTRIES),
    "received": (lambda remote: remote.inbound("orders").assert_received(json={"order": 5}, times=1), None),
    "in order": (lambda remote: remote.inbound("orders").assert_received_in_order([{"json_contains": {}}] * 2), None),
    "not received": (
        lambda remote: refused(lambda: remote.inbound("orders").assert_received(json={"order": 0})),
        "expected at least 1 accepted request to /v1/acme/orders with",
    ),
}


@pytest.mark.parametrize(("ask", "answer"), QUESTIONS.values(), ids=QUESTIONS)
def test_question_is_one_small_call(
    ask: Callable[[Patchworks], object], answer: object, remote: RemoteSandbox, calls: Calls
) -> None:
    assert ask(remote) == answer

    assert len(calls.made) == 1
    assert sum(size for _, size in calls.made) < SMALL


@pytest.mark.parametrize(("ask", "answer"), OF_A_SERVICE.values(), ids=OF_A_SERVICE)
def test_question_about_a_service_is_one_small_call_beside_those_that_find_the_service(
    ask: Callable[[Patchworks], object], answer: object, remote: RemoteSandbox, calls: Calls
) -> None:
    assert ask(remote) == answer

    asked = [path for path, _ in calls.made if path not in ("/companies", "/services")]
    assert len(asked) == 1
    assert sum(size for _, size in calls.made) < SMALL


def test_wait_in_vain_does_not_read_the_journal(remote: RemoteSandbox, calls: Calls) -> None:
    orders = remote.inbound("orders")

    said = refused(lambda: orders.wait_for(1, timeout=0.01, json_contains={"order": 0}))
    assert said == "expected at least 1 accepted request to /v1/acme/orders within 0.01 s with"
    assert sum(size for _, size in calls.made) < 2 * SMALL


def test_story_of_the_newest_requests_is_five_small_calls(remote: RemoteSandbox, calls: Calls) -> None:
    assert remote.story().splitlines()[0] == "(19980 earlier requests left out)"

    assert len(calls.made) == 5
    assert sum(size for _, size in calls.made) < 40_000
