"""Events have places between entries, and a bound."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sandbox.faults import status
from sandbox.foundation.clock import Clock
from sandbox.foundation.errors import InvalidValueError
from sandbox.journal.assertions.story import story
from sandbox.journal.event import MAX_EVENTS, Event, interleaved, read_event, shown_event
from sandbox.state.sandbox import Sandbox
from tests.journal.journals import exchange, journal_of

TIMES = (2000.0, 1000.0)


def test_events_stand_between_the_entries_that_they_came_between() -> None:
    journal = journal_of()
    journal.note("faults", "before all", TIMES)
    journal.close(exchange(), 200, (), b"")
    journal.note("clock", "between", TIMES)
    journal.note("tokens", "between too", TIMES)
    journal.close(exchange(), 200, (), b"")
    journal.note("clock", "after all", TIMES)

    rows = interleaved(journal.entries(), journal.events())
    texts = [row.text if isinstance(row, Event) else row.seq for row in rows]
    assert texts == ["before all", 1, "between", "between too", 2, "after all"]
    assert [event.text for event in journal.events(after=2)] == ["after all"]


def test_journal_holds_the_newest_events_only() -> None:
    journal = journal_of()
    for number in range(MAX_EVENTS + 5):
        journal.note("clock", str(number), TIMES)

    held = journal.events()
    assert [held[0].text, held[-1].text, len(held)] == ["5", str(MAX_EVENTS + 4), MAX_EVENTS]
    assert [event.text for event in journal.events_since(MAX_EVENTS + 3)[0]] == ["1003", "1004"]
    assert journal.events_since(MAX_EVENTS + 5) == ([], MAX_EVENTS + 5)


def test_text_of_an_event_is_one_line_of_bounded_length() -> None:
    journal = journal_of()
    journal.note("faults", "a\x1b[2J\n" + "b" * 10_000, TIMES)

    (event,) = journal.events()
    assert event.text.isprintable()
    assert len(event.text) <= 300


def test_event_shown_as_json_is_read_back_whole() -> None:
    event = Event(3, "faults", "fault rule fault-1 on: status at inbound", *TIMES, "acme", None)

    assert read_event(json.loads(json.dumps(shown_event(event)))) == event


def test_clear_forgets_the_events() -> None:
    journal = journal_of()
    journal.note("clock", "moved", TIMES)

    journal.clear()

    assert journal.events() == []


def texts(sandbox: Sandbox) -> list[str]:
    return [event.text for event in sandbox.journal.events()]


def test_each_act_upon_a_sandbox_is_an_event() -> None:
    sandbox = Sandbox(clock=Clock(lambda: 1_000_000_000.0))
    client_id = next(iter(sandbox.credentials))
    sandbox.clock.advance(hours=24)
    sandbox.clock.advance(timedelta(hours=-1))
    sandbox.clock.change(now="2020-01-01T00:00:00Z", frozen=True)
    sandbox.clock.change(frozen=False, rate=60)
    sandbox.clock.reset()
    sandbox.clock.reset()
    sandbox.platform.faults.remove(_add(sandbox))
    _add(sandbox)
    sandbox.platform.faults.clear()
    sandbox.revoke_tokens()
    sandbox.revoke_tokens(client_id)
    sandbox.rotate_keys()
    sandbox.change_settings({"wire_profile": "legacy"})

    assert texts(sandbox) == [
        "1 d later on the sandbox clock",
        "1 h earlier on the sandbox clock",
        "6686 d 23 h later on the sandbox clock, the clock is frozen",
        "the clock runs 60 times as fast as the machine's, the clock runs on",
        "the clock returned to the machine's time",
        "fault rule fault-1 on: status at inbound",
        "fault rule fault-1 removed: status at inbound",
        "fault rule fault-2 on: status at inbound",
        "fault rule fault-2 removed: status at inbound",
        "tokens of all clients revoked: 0",
        f"tokens of client {client_id} revoked: 0",
        "signing key rotated",
        "settings changed: wire_profile",
    ]


def _add(sandbox: Sandbox) -> str:
    from sandbox.faults.rules import make_rule

    return sandbox.platform.faults.add(make_rule(status(503), endpoint="inbound")).id


def test_refused_change_is_no_event() -> None:
    sandbox = Sandbox()
    with pytest.raises(InvalidValueError, match="rate"):
        sandbox.clock.set_rate(-1)

    assert texts(sandbox) == []


def test_reset_begins_the_new_journal_and_stands_in_no_story() -> None:
    sandbox = Sandbox()
    sandbox.clock.advance(hours=1)
    sandbox.reset()

    assert texts(sandbox) == ["the sandbox was reset"]
    assert story(sandbox.journal) == "no request was received"


def test_story_shows_events_where_no_request_came() -> None:
    sandbox = Sandbox()
    sandbox.clock.freeze()

    assert story(sandbox.journal) == "(the clock is frozen)\nno request was received"


def test_events_are_part_of_a_saved_state() -> None:
    sandbox, other = Sandbox(), Sandbox()
    sandbox.clock.freeze()
    other.load_state(sandbox.state(secrets=True))

    assert texts(other) == ["the clock is frozen"]


def test_clock_does_not_keep_a_sandbox_alive() -> None:
    import gc
    import weakref

    clock = Clock()
    held = weakref.ref(Sandbox(clock=clock))
    gc.collect()

    clock.advance(1)
    assert held() is None
