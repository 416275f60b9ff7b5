"""The journal: complete, bounded, paged, and without secrets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.foundation.errors import InvalidValueError, NotFoundError
from sandbox.journal.filter import EntryFilter, parse_cursor
from sandbox.journal.journal import Journal
from sandbox.journal.known_secrets import fingerprint
from tests.journal.journals import ALL, close, exchange, journal_of, seqs

SECRET = "Tea-and-Biscuits-4711"


@pytest.fixture
def journal() -> Journal:
    return journal_of()


# --- entries --------------------------------------------------------------------------------------------------------


def test_entry_holds_what_came_what_was_noted_and_what_was_answered(journal: Journal) -> None:
    noted = exchange(
        query="a=b",
        headers=(("X-Trace", "1"), ("x-trace", "2")),
        body=b'{"a": 1}',
        body_size=8,
        client_id="c1",
        company="acme",
        vanity_url="orders",
        accepted=True,
    )
    entry = journal.close(noted, 200, (("Content-Type", "application/json"),), b'{"message":"ok"}')

    told = msgspec.structs.asdict(entry)
    assert entry.id == "abc123-1"
    assert told.pop("duration_ms") >= 0
    assert told == {
        "journal": "abc123",
        "seq": 1,
        "kind": "inbound",
        "received_at": 1000.0,
        "wall_time": 2000.0,
        "method": "POST",
        "path": "/v1/acme/orders",
        "query": "a=b",
        "headers": (("X-Trace", "1"), ("x-trace", "2")),
        "body": b'{"a": 1}',
        "body_size": 8,
        "client_id": "c1",
        "subject": {"company": "acme", "vanity_url": "orders"},
        "outcome": "accepted",
        "accepted": True,
        "reason": None,
        "status": 200,
        "fault": None,
        "effect": None,
        "delay_ms": 0.0,
        "closed_after_ms": None,
        "token": None,
        "structured": False,
        "response_headers": (("Content-Type", "application/json"),),
        "response_body": b'{"message":"ok"}',
    }


@pytest.mark.parametrize(
    ("notes", "outcome"),
    [
        ({"accepted": True}, "accepted"),
        ({"accepted": False, "reason": "no_token"}, "rejected"),
        ({"accepted": False, "fault": "status"}, "faulted"),
        ({"accepted": True, "fault": "status"}, "faulted"),
    ],
    ids=str,
)
def test_outcome_follows_from_the_notes(journal: Journal, notes: dict[str, Any], outcome: str) -> None:
    assert close(journal, **notes).outcome == outcome


@pytest.mark.parametrize(
    ("body", "json", "text"),
    [
        (b'{"a": [1]}', {"a": [1]}, '{"a": [1]}'),
        (b"null", None, "null"),
        (b"{", None, "{"),
        (b"", None, ""),
        ("ü".encode(), None, "ü"),
        (b"\xff", None, None),
        (b"[" * 100_000, None, "[" * 100_000),
    ],
    ids=lambda value: repr(value)[:15],
)
def test_body_is_told_as_json_and_text_where_it_is(journal: Journal, body: bytes, json: Any, text: str | None) -> None:
    entry = close(journal, body)

    assert (entry.body, entry.json, entry.text) == (body, json, text)


def test_header_is_found_whatever_its_case_the_last_one_if_repeated() -> None:
    made = exchange(headers=(("X-A", "1"), ("x-a", "2"), ("B", "3"))).request

    assert (made.header("X-a"), made.header("b"), made.header("C")) == ("2", "3", None)


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["token", "other"])
def test_no_secret_is_in_an_entry_or_its_repr(journal: Journal, kind: str) -> None:
    made = exchange(
        kind=kind,
        path=f"/oauth/token?client_secret={SECRET}",
        query=f"client_secret={SECRET}",
        headers=(("Authorization", f"Bearer {SECRET}"), ("Cookie", SECRET)),
        body=f"client_secret={SECRET}".encode(),
    )
    entry = journal.close(made, 200, (("Set-Cookie", SECRET),), b"{}")

    assert SECRET not in repr(entry)
    assert SECRET not in repr(made)
    assert repr(entry).count(fingerprint(SECRET)) == 6


def test_access_token_in_an_answer_of_the_token_endpoint_is_redacted(journal: Journal) -> None:
    answer = f'{{"token_type":"Bearer","expires_in":86400,"access_token":"{SECRET}"}}'.encode()
    entry = journal.close(exchange(kind="token"), 200, (), answer)

    assert entry.response_body == answer.replace(SECRET.encode(), fingerprint(SECRET).encode())


def test_answer_that_quotes_a_path_with_a_secret_is_redacted(journal: Journal) -> None:
    answer = f'{{"message": "The route oauth?client_secret={SECRET} could not be found."}}'.encode()
    entry = journal.close(exchange(kind="other"), 404, (), answer)

    assert SECRET.encode() not in entry.response_body


def test_inbound_body_and_its_answer_are_kept_byte_for_byte_whatever_they_hold(journal: Journal) -> None:
    body = f'{{"client\\u005fsecret": "{SECRET}"}}&password={SECRET}'.encode() + b"\0\xff"
    entry = journal.close(exchange(body=body), 422, (), body)

    assert entry.body == entry.response_body == body


def test_size_is_that_of_the_body_as_sent(journal: Journal) -> None:
    body = b"client_secret=12345678"
    entry = close(journal, body, kind="token")

    assert entry.body_size == len(body) != len(entry.body)


# --- numbers --------------------------------------------------------------------------------------------------------


def test_entries_are_numbered_without_gaps_in_the_order_of_closing(journal: Journal) -> None:
    first, second = exchange(), exchange()

    assert journal.close(second, 200, (), b"").id == "abc123-1"
    assert journal.close(first, 200, (), b"").id == "abc123-2"


# --- reading --------------------------------------------------------------------------------------------------------


def test_empty_journal_has_an_empty_page(journal: Journal) -> None:
    page = journal.page(ALL)

    assert (list(page.entries), page.next_after, page.dropped, len(journal)) == ([], None, 0, 0)


def test_page_tells_the_cursor_of_the_next_until_the_last(journal: Journal) -> None:
    for _ in range(4):
        close(journal)
    first, second = journal.page(ALL, limit=2), journal.page(ALL, after=2, limit=2)

    assert ([e.seq for e in first.entries], first.next_after) == ([1, 2], 2)
    assert ([e.seq for e in second.entries], second.next_after) == ([3, 4], None)
    assert seqs(journal, after=4) == []
    assert seqs(journal, after=400) == []


def test_filter_applies_before_the_limit(journal: Journal) -> None:
    for number in range(6):
        close(journal, kind="token" if number % 2 else "inbound")
    page = journal.page(EntryFilter(kind="token"), limit=2)

    assert ([entry.seq for entry in page.entries], page.next_after) == ([2, 4], 4)
    assert [e.seq for e in journal.page(EntryFilter(kind="token"), after=4).entries] == [6]


@given(total=st.integers(0, 60), limit=st.integers(1, 20), bound=st.integers(1, 70), odd_only=st.booleans())
@settings(deadline=None, max_examples=80)
def test_pages_together_are_every_matching_entry_once(total: int, limit: int, bound: int, odd_only: bool) -> None:
    journal = journal_of(max_entries=bound)
    for number in range(1, total + 1):
        close(journal, company="odd" if number % 2 else "even")
    wanted = EntryFilter(company="odd") if odd_only else ALL
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = journal.page(wanted, after=after, limit=limit)
        assert len(page.entries) <= limit
        seen += [entry.seq for entry in page.entries]
        after = page.next_after

    kept = range(max(1, total - bound + 1), total + 1)
    assert seen == [seq for seq in kept if seq % 2 or not odd_only]


def test_paging_goes_on_where_it_was_although_entries_were_dropped_meanwhile() -> None:
    journal = journal_of(max_entries=4)
    for _ in range(4):
        close(journal)
    cursor = journal.page(ALL, limit=2).next_after
    for _ in range(3):
        close(journal)

    assert seqs(journal, after=cursor) == [4, 5, 6, 7]


def test_snapshot_does_not_see_what_comes_after_it(journal: Journal) -> None:
    close(journal)
    snapshot = journal.snapshot()
    close(journal)
    journal.clear()

    assert [entry.seq for entry in snapshot] == [1]


@pytest.mark.parametrize("entry_id", ["abc123-2", "2"])
def test_entry_is_found_by_id_or_number(journal: Journal, entry_id: str) -> None:
    close(journal)
    wanted = close(journal)

    assert journal.get(entry_id) is wanted


@pytest.mark.parametrize(
    "entry_id", ["abc123-1", "abc123-5", "abc123-0", "other-3", "", "x", "abc123-", "abc123-٣", "3" * 30, "3.0", "-"]
)
def test_unknown_or_dropped_entry_is_not_found_and_the_known_range_is_told(entry_id: str) -> None:
    journal = journal_of(max_entries=3)
    for _ in range(4):
        close(journal)
    with pytest.raises(NotFoundError) as caught:
        journal.get(entry_id)

    assert caught.value.known == ["abc123-2 to abc123-4"]


def test_empty_journal_knows_no_range(journal: Journal) -> None:
    with pytest.raises(NotFoundError, match="there is no journal entry 'abc123-1'; known: none"):
        journal.get("abc123-1")


def test_clear_empties_and_numbering_goes_on() -> None:
    journal = journal_of(max_entries=2)
    for _ in range(3):
        close(journal)

    assert journal.clear() == 2
    assert (len(journal), journal.bytes, journal.dropped) == (0, 0, 0)
    assert journal.clear() == 0
    assert close(journal).id == "abc123-4"
    assert seqs(journal) == seqs(journal, after=3) == [4]
    with pytest.raises(NotFoundError):
        journal.get("abc123-3")


@pytest.mark.parametrize(("value", "seq"), [(0, 0), (7, 7), ("7", 7), ("abc123-7", 7)], ids=repr)
def test_cursor_is_a_number_or_an_id(value: object, seq: int) -> None:
    assert parse_cursor(value) == seq


@pytest.mark.parametrize(
    "value", [-1, "-1", "", "x", "abc-", "a-b-1", "1.5", 1.5, None, True, " 1", "٣", "9" * 20], ids=repr
)
def test_cursor_that_is_neither_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match=r"^after: .*the seq or id of an entry"):
        parse_cursor(value)


# --- threads --------------------------------------------------------------------------------------------------------


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run work in threads that start at once."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_entries_of_several_threads_are_neither_lost_nor_doubled(journal: Journal) -> None:
    ids = together(4, lambda number: [close(journal, company=str(number)).id for _ in range(100)])

    assert sorted(entry.seq for entry in journal.snapshot()) == list(range(1, 401))
    assert [entry.seq for entry in journal.snapshot()] == list(range(1, 401))
    assert {entry.id for entry in journal.snapshot()} == {entry_id for batch in ids for entry_id in batch}


def test_reader_following_the_cursor_misses_nothing_while_threads_write() -> None:
    journal = journal_of(max_entries=10_000)
    seen: list[int] = []

    def work(number: int) -> None:
        if number:
            for _ in range(100):
                close(journal)
            return
        while len(seen) < 300:
            seen.extend(entry.seq for entry in journal.page(ALL, after=seen[-1] if seen else 0, limit=50).entries)

    together(4, work)

    assert seen == list(range(1, 301))


def test_entries_kept_dropped_and_cleared_add_up_although_threads_write() -> None:
    journal = journal_of(max_entries=7)

    def work(number: int) -> int:
        sizes = [len(journal) for _ in range(200) if close(journal)]
        assert 0 <= min(sizes) <= max(sizes) <= 7
        return journal.clear() if number == 0 else 0

    cleared = sum(together(3, work))

    assert len(journal) + journal.dropped + cleared <= 600
    assert [entry.seq for entry in journal.snapshot()] == list(range(601 - len(journal), 601))


def test_hang_up_is_noted_in_every_list_that_holds_the_entry() -> None:
    journal = journal_of(max_entries=3)
    for number in range(4):
        journal.close(exchange(company="acme", vanity_url=f"orders-{number}", accepted=True), 200, (), b"")

    journal.note_hang_up(3, 1.5)

    assert journal.get("3").closed_after_ms == 1500.0
    for condition in ({"company": "acme"}, {"vanity_url": "orders-2"}, {"outcome": "accepted"}, {"kind": "inbound"}):
        found = [entry.seq for entry in journal.entries(EntryFilter(**condition)) if entry.closed_after_ms is not None]
        assert found == [3]


@pytest.mark.parametrize("seq", [1, 9])
def test_hang_up_of_an_entry_that_is_gone_changes_nothing(seq: int) -> None:
    journal = journal_of(max_entries=3)
    for _ in range(4):
        journal.close(exchange(), 200, (), b"")

    journal.note_hang_up(seq, 1.5)

    assert all(entry.closed_after_ms is None for entry in journal.entries())


# --- values that entries share --------------------------------------------------------------------------------------


def test_value_that_was_no_secret_is_redacted_once_it_is_one(journal: Journal) -> None:
    def closed() -> list[object]:
        made = exchange(
            path=f"/v1/acme/{SECRET}", query=SECRET, headers=(("X-Note", SECRET),), reason=f"unknown: {SECRET}"
        )
        entry = journal.close(made, 404, (("X-Note", SECRET),), SECRET.encode())
        return [entry.path, entry.query, entry.headers, entry.reason, entry.response_headers, entry.response_body]

    before = [closed() for _ in range(3)]
    journal.secrets.note(SECRET)
    after = [closed() for _ in range(3)]

    assert all(SECRET in str(part) for parts in before for part in parts)
    assert not any(SECRET in str(part) for parts in after for part in parts)


def test_redacted_values_are_shared_too(journal: Journal) -> None:
    journal.secrets.note(SECRET)
    first, second = (
        close(journal, headers=(("X-Note", "".join(SECRET)),), path=f"/v1/acme/{SECRET}") for _ in range(2)
    )

    assert first.headers == (("X-Note", fingerprint(SECRET)),)
    assert first.headers is second.headers
    assert first.path is second.path


def test_body_that_comes_again_at_a_path_is_kept_once(journal: Journal) -> None:
    sent = [("/a", b"one"), ("/b", b"two"), ("/a", b"one"), ("/b", b"one"), ("/a", b"two"), ("/a", b"two")]
    entries = [close(journal, path=path, body=bytes(bytearray(body))) for path, body in sent]

    assert [entry.body for entry in entries] == [body for _, body in sent]
    assert entries[2].body is entries[0].body
    assert entries[5].body is entries[4].body
    restored = Journal("other", 100, 10**6)
    restored.restore(journal.export())
    bodies = [entry.body for entry in restored.entries()]
    assert bodies == [body for _, body in sent]
    assert bodies[2] is bodies[0]


def test_known_credentials_stand_for_one_value_only(journal: Journal) -> None:
    value = f"Bearer {SECRET}"
    headers = (("Authorization", "Bearer another"), ("Authorization", value))
    entry = close(journal, headers=headers, credentials=(value, "Bearer shown"))

    assert entry.headers == (("Authorization", f"Bearer {fingerprint('another')}"), ("Authorization", "Bearer shown"))


def test_time_that_redaction_takes_is_not_the_requests(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1, 1000))
    monkeypatch.setattr("sandbox.journal.journal.perf_counter", lambda: next(ticks))
    monkeypatch.setattr("sandbox.journal.journal.redact_body", lambda body, *_, **__: bytes([next(ticks)]) + body)

    assert close(journal, kind="token", started=0.0).duration_ms == 1_000
