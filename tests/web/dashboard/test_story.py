"""The rows of a list: the attempts of a payload in one, with events and dates between them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.journal.attempts import chained
from sandbox.journal.entry import Entry, TokenLink
from sandbox.journal.event import Event
from sandbox.journal.journal import Journal
from sandbox.web.dashboard.story import Day, Row, payload_name, story
from tests.journal.journals import exchange

ORDER = b'{"number": "ACME-1002"}'


@pytest.fixture
def journal() -> Journal:
    return Journal("test", 1_000, 100_000_000)


def put(
    journal: Journal, status: int = 200, *, at: float = 0.0, body: bytes = ORDER, token: str = "", **notes: Any
) -> Entry:
    link = TokenLink(token, 1, 0.0, 60.0) if token else None
    facts = {"accepted": status == 200, "reason": None if status == 200 else "x", "token": link}
    made = exchange(
        **{"received_at": at, "wall_time": at, "company": "acme", "vanity_url": "orders", **facts, **notes}, body=body
    )
    return journal.close(made, status, (), b"")


def shown(journal: Journal) -> list[str]:
    """Return the rows in a word or two each."""
    found = story(journal.entries(), journal.events())
    return [
        row.date if isinstance(row, Day) else row.text if isinstance(row, Event) else f"#{row.entry.seq} {row.name}"
        for row in found
    ]


def test_attempts_of_a_payload_are_one_row_at_the_place_of_the_newest(journal: Journal) -> None:
    put(journal, 503, at=1)
    put(journal, 200, at=1.5, body=b'{"number": "ACME-1003"}')
    put(journal, 503, at=2)
    put(journal, 200, at=4)

    assert shown(journal) == ["1970-01-01", "#4 ACME-1002", "#2 ACME-1003"]
    row = next(row for row in story(journal.entries()) if isinstance(row, Row))
    assert [entry.seq for entry in row.attempts.entries] == [1, 3, 4]
    assert row.attempts.line == "503 ·1.0 s· 503 ·2.0 s· 200 stored"
    assert row.key == "test-1"


def test_same_payload_to_another_service_or_without_a_body_is_a_row_of_its_own(journal: Journal) -> None:
    put(journal)
    put(journal, vanity_url="returns")
    put(journal, body=b"")
    put(journal, body=b"")
    put(journal, kind="token")

    assert len(chained(journal.entries())) == 5


@pytest.mark.parametrize(
    ("attempts", "marks"),
    [
        ([(200, "a")], ()),
        ([(422, "a")], ()),
        ([(503, "a"), (200, "a")], ()),
        ([(503, "a"), (503, "b")], ("gave up", "2 tokens")),
        ([(401, "a"), (401, "b"), (200, "c")], ("3 tokens",)),
    ],
)
def test_chain_is_marked_with_its_end(
    journal: Journal, attempts: list[tuple[int, str]], marks: tuple[str, ...]
) -> None:
    for number, (status, token) in enumerate(attempts):
        put(journal, status, at=number, token=token)

    (chain,) = chained(journal.entries())
    assert chain.marks == marks


def test_date_stands_above_the_rows_of_its_day_on_the_sandbox_clock(journal: Journal) -> None:
    put(journal, body=b'{"no": 1}')
    put(journal, body=b'{"no": 2}')
    journal.note("clock", "a day later", (86_400.0, 1.0))
    put(journal, at=86_400, wall_time=2.0, body=b'{"no": 3}')

    assert shown(journal) == ["1970-01-02", "#3 3", "a day later", "1970-01-01", "#2 2", "#1 1"]


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"id": 7, "number": "ACME-1002"}, "ACME-1002"),
        ({"currency": "EUR", "orderNumber": "A-1"}, "A-1"),
        ({"customer": {"number": "C-1"}, "order_id": 17}, "17"),
        ({"stock": [{"level": 4, "sku": "TEA-01"}, {"sku": "TEA-02"}]}, "TEA-01"),
        ([{"order": "1001"}], "1001"),
        ({"colour": "red"}, "red"),
        ({"active": True, "none": None, "empty": "", "deep": {"deep": {"deep": {"id": 1}}}}, None),
        ("text", None),
        ({"id": "x" * 20_000}, None),
    ],
)
def test_payload_is_named_by_the_value_that_tells_it_from_others(
    journal: Journal, payload: object, name: str | None
) -> None:
    assert payload_name(put(journal, body=json.dumps(payload).encode())) == name


@pytest.mark.parametrize("notes", [{"kind": "token"}, {"body": b"\xff"}, {"body": b"{"}])
def test_any_other_request_has_no_name(journal: Journal, notes: dict[str, Any]) -> None:
    assert payload_name(put(journal, **notes)) is None


def test_row_of_a_chain_stays_the_same_as_others_follow(journal: Journal) -> None:
    first = put(journal, 503)
    before = next(row for row in story([first]) if isinstance(row, Row))
    after = next(row for row in story([first, put(journal)]) if isinstance(row, Row))

    assert before.key == after.key
    assert after.entry.seq == 2


def test_payload_that_is_sent_again_after_a_success_is_a_row_of_its_own_and_a_duplicate(journal: Journal) -> None:
    for status in (200, 503, 200, 422, 200):
        put(journal, status)

    chains = chained(journal.entries())
    assert [[entry.status for entry in chain.entries] for chain in chains] == [[200], [503, 200], [422, 200]]
    assert [chain.marks for chain in chains] == [(), ("duplicate",), ("duplicate",)]


def test_payload_whose_answer_was_lost_is_a_duplicate_within_its_chain(journal: Journal) -> None:
    put(journal, 503, accepted=True, fault="lost")
    put(journal, 200)

    (chain,) = chained(journal.entries())
    assert (chain.line, chain.marks) == ("503 stored ·0.0 s· 200 stored", ("duplicate",))


def test_attempts_beyond_the_page_belong_to_the_row_of_the_newest(journal: Journal) -> None:
    for at in (1, 2, 3):
        put(journal, 503, at=at)
    put(journal, 200, at=4, body=b'{"number": "ACME-1003"}')
    put(journal, 200, at=5)
    entries = list(journal.entries())

    newest = [row for row in story(entries[4:], older=entries[:4]) if isinstance(row, Row)]
    oldest = [row for row in story(entries[:4], newer=entries[4:]) if isinstance(row, Row)]

    assert [[entry.seq for entry in row.attempts.entries] for row in newest] == [[1, 2, 3, 5]]
    assert [row.name for row in oldest] == ["ACME-1003"]


def test_many_events_of_one_kind_are_counted_after_the_newest(journal: Journal) -> None:
    put(journal, at=1)
    for number in range(30):
        journal.note("faults", f"rule {number} on", (2.0 + number, 2.0 + number))
    journal.note("clock", "frozen", (40.0, 40.0))
    put(journal, at=41)

    rows = shown(journal)

    assert rows[:4] == ["1970-01-01", "#2 ACME-1002", "frozen", "rule 29 on"]
    assert rows[10:] == ["rule 22 on", "and 22 more before", "#1 ACME-1002"]
