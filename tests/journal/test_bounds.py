"""The journal's bounds: how many entries, and how many bytes."""

from __future__ import annotations

from tests.journal.journals import ALL, close, exchange, journal_of, seqs


def test_oldest_are_dropped_beyond_the_count_and_counted() -> None:
    journal = journal_of(max_entries=3)
    for _ in range(5):
        close(journal)

    assert seqs(journal) == [3, 4, 5]
    assert (len(journal), journal.dropped) == (3, 2)
    assert journal.page(ALL).dropped == 2


def test_oldest_are_dropped_beyond_the_bytes_and_counted() -> None:
    journal = journal_of(max_bytes=350_000)
    for _ in range(5):
        close(journal, b"x" * 100_000)

    assert seqs(journal) == [3, 4, 5]
    assert journal.dropped == 2
    assert 300_000 < journal.bytes <= 350_000


def test_newest_entry_stays_however_large_it_is() -> None:
    journal = journal_of(max_bytes=1)
    close(journal, b"a")
    close(journal, b"x" * 100_000)

    assert seqs(journal) == [2]
    assert journal.get("abc123-2").body_size == 100_000


def test_bytes_count_bodies_answers_and_headers_and_come_back_when_dropped() -> None:
    journal = journal_of(max_entries=1)
    close(journal)
    smallest = journal.bytes
    made = exchange(body=b"x" * 10_000, headers=(("A", "b" * 1_000),), query="q" * 100_000)
    journal.close(made, 200, (("E", "f" * 1_000_000),), b"y" * 10_000_000)

    assert 11_111_000 <= journal.bytes - smallest < 11_200_000
    close(journal)
    assert journal.bytes - smallest < 1_100_000  # headers may stay, to be shared


def test_emptied_journal_keeps_nothing_that_it_does_not_count() -> None:
    journal = journal_of()
    close(journal, headers=(("A", "b" * 1_000),))
    before = journal.bytes
    journal.clear()
    close(journal, headers=(("A", "b" * 1_000),))

    assert journal.bytes == before


def test_bounds_that_change_hold_at_once() -> None:
    journal = journal_of(max_entries=5)
    for _ in range(5):
        close(journal)
    journal.bound(2, 10**9)

    assert seqs(journal) == [4, 5]
    close(journal)
    assert seqs(journal) == [5, 6]


def test_memory_of_dropped_entries_is_given_back() -> None:
    journal = journal_of(max_entries=10)
    for _ in range(2_100):
        close(journal)

    assert len(list(journal.snapshot())) == len(journal) == 10
    assert seqs(journal) == list(range(2_091, 2_101))
    assert seqs(journal, after=2_095) == list(range(2_096, 2_101))
    assert journal.get("abc123-2100").seq == 2_100
    assert journal.dropped == 2_090
