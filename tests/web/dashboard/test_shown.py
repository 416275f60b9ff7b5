"""How entries are found, pictured, explained and written as curl."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.foundation.answer import Headers
from sandbox.foundation.instants import span
from sandbox.journal.entry import Entry
from sandbox.journal.event import Event
from sandbox.journal.export.curl import MAX_INLINE, curl
from sandbox.journal.journal import Journal
from sandbox.journal.metrics import BUCKET_S, BUCKETS, Recent
from sandbox.web.control.request_views import RequestFilterSchema
from sandbox.web.dashboard.connectors import MAX_FIELDS, DetectedField, detected_fields
from sandbox.web.dashboard.formats import breakable, glimpse, legible, milliseconds, size, visible
from sandbox.web.dashboard.opened import explain
from sandbox.web.dashboard.requests import rows
from sandbox.web.dashboard.selection import WINDOW, Selection, window
from sandbox.web.dashboard.story import Day
from sandbox.web.dashboard.timeline import timeline
from tests.journal.journals import exchange as made

Record = Callable[..., Entry]


@pytest.fixture
def recent() -> Recent:
    return Recent([])


@pytest.fixture
def journal() -> Journal:
    return Journal("test", 1_000, 100_000_000)


@pytest.fixture
def record(journal: Journal) -> Record:
    """Put an entry into the journal."""

    def put(
        *,
        path: str = "/v1/acme/orders",
        body: bytes = b"",
        method: str = "POST",
        headers: Headers = (),
        reason: str | None = None,
        wall_time: float = 1_000.0,
        **notes: object,
    ) -> Entry:
        facts = {"method": method, "path": path, "headers": headers, "body": body, "wall_time": wall_time}
        exchange = made(**{**facts, "reason": reason, "accepted": reason is None, **notes})
        return journal.close(
            exchange, 401 if reason else 200, (("Content-Type", "application/json"),), b'{"no":1}' if reason else b"{}"
        )

    return put


# --- the list -------------------------------------------------------------------------------------------------------


def test_a_window_is_newest_first_and_tells_where_the_next_begins(journal: Journal, record: Record) -> None:
    for _ in range(WINDOW + 5):
        record()

    first = window(journal, Selection())
    second = window(journal, Selection(before=first.older))

    assert [first.entries[0].seq, first.entries[-1].seq, first.older] == [105, 6, 6]
    assert [entry.seq for entry in second.entries] == [5, 4, 3, 2, 1]
    assert second.older is None


@pytest.mark.parametrize(
    "text", ["ORDERS", "wrong_secret", "x-trace", "needle", "401", "test-1", '"no"', "client-9", "müll", "lost"]
)
def test_text_is_found_wherever_it_stands_in_an_entry(journal: Journal, record: Record, text: str) -> None:
    record(
        body="a Needle and müll".encode(),
        headers=(("X-Trace", "abc"),),
        reason="wrong_secret",
        client_id="client-9",
        fault="lost",
    )
    record(path="/other", method="GET")

    assert [entry.seq for entry in window(journal, Selection(text=text)).entries] == [1]


@pytest.mark.parametrize(
    ("query", "conditions", "before"),
    [
        ({"kind": "token", "text": " x ", "unknown": "1"}, {"kind": "token", "text": "x"}, None),
        ({"before": "17"}, {}, 17),
        ({"before": "-1"}, {}, None),
        ({"before": "9" * 30}, {}, None),
    ],
)
def test_a_query_string_that_makes_no_sense_is_no_error(
    query: dict[str, str], conditions: dict[str, str], before: int | None
) -> None:
    selection = Selection.read(query)

    assert (selection.conditions, selection.before) == (conditions, before)


def test_every_filter_of_the_control_api_is_one_of_the_page(journal: Journal, record: Record) -> None:
    record(
        body=b'{"qty": 2}',
        client_id="c1",
        company="acme",
        vanity_url="orders",
        flow="Orders in",
        hook="01h",
        reason="blank_payload: x",
    )
    record(kind="token", path="/oauth/token")
    given = {
        "kind": "inbound",
        "company": "acme",
        "vanity_url": "orders",
        "flow": "Orders in",
        "hook": "01h",
        "client_id": "c1",
        "outcome": "rejected",
        "status": "401",
        "accepted": "false",
        "reason": "blank_payload",
        "since": "1969-12-31T00:00",
        "until": "2999-12-31T00:00:01Z",
        "json_path": "$[?@ > 1]",
        "fault": "unwell",
    }
    assert given.keys() == RequestFilterSchema().load_fields.keys()

    for name, value in given.items():
        shown = window(journal, Selection.read({name: value}))

        assert shown.problems == {}
        assert [entry.seq for entry in shown.entries] in (
            [[1]] if name not in ("since", "until", "fault") else [[2, 1], []]
        ), name


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("status", "4", "4 is not allowed; use a number from 100 to 599"),
        ("status", "ok", "ok is not allowed; use a whole number"),
        ("kind", "nonsense", "nonsense is not allowed; use "),
        ("since", "yesterday", "yesterday"),
        ("json_path", "$.[", "an RFC 9535 JSONPath"),
    ],
)
def test_filter_that_the_control_api_refuses_is_left_out_and_told(
    journal: Journal, record: Record, name: str, value: str, said: str
) -> None:
    record()

    shown = window(journal, Selection.read({name: value}))

    assert list(shown.problems) == [name]
    assert said in shown.problems[name]
    assert len(shown.entries) == 1


def test_requests_behind_a_bar_are_those_between_two_numbers(journal: Journal, record: Record) -> None:
    for _ in range(6):
        record()

    selection = Selection.read({"after": "2", "before": "5"})

    assert [entry.seq for entry in window(journal, selection).entries] == [4, 3]
    assert _rows(journal, selection) == [4, 3]
    assert "after=2" in selection.query(open="test-3")


def test_search_by_a_jsonpath_ends_after_some_megabytes(
    journal: Journal, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.web.dashboard.selection.SEARCHED_BYTES", 50)
    for _ in range(5):
        record(body=b'{"text": "01234567890123"}')

    shown = window(journal, Selection(json_path="$.number"))

    assert (shown.entries, shown.older, shown.searched) == ((), 4, 2)


def test_a_company_and_a_service_chosen_must_both_be_the_ones(journal: Journal, record: Record) -> None:
    record(company="acme", vanity_url="orders")

    assert window(journal, Selection(company="acme", service="acme/orders")).entries != ()
    assert window(journal, Selection(service="acme/orders")).entries != ()
    assert window(journal, Selection(company="beta", service="acme/orders")).entries == ()


def test_a_search_ends_after_some_thousand_entries_and_continues_on_the_next_page(
    journal: Journal, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.web.dashboard.selection.SEARCHED", 5)
    for number in range(12):
        record(body=b"needle" if number == 1 else b"")

    first = window(journal, Selection(text="needle"))
    second = window(journal, Selection(text="needle", before=first.older))
    third = window(journal, Selection(text="needle", before=second.older))

    assert (first.entries, first.older, first.searched) == ((), 8, 5)
    assert (second.entries, second.older, second.searched) == ((), 3, 5)
    assert ([entry.seq for entry in third.entries], third.older, third.searched) == ([2], None, None)


# --- the picture ----------------------------------------------------------------------------------------------------


def test_the_picture_counts_by_outcome_and_ends_now(recent: Recent, journal: Journal, record: Record) -> None:
    now = 10_000.0
    record(wall_time=now - BUCKETS * BUCKET_S - 1)
    record(wall_time=now)
    record(wall_time=now, reason="no_token")
    record(wall_time=now, fault="lost")

    picture = timeline(recent.read(journal), now)

    assert dict(picture.totals) == {"accepted": 1, "rejected": 1, "faulted": 1}
    assert picture.bars[-1].counts == (1, 1, 1)
    (counted,) = ((bar, blocks) for bar, blocks in picture.counted(60) if blocks)
    assert [(block.style, block.y, block.height) for block in counted[1]] == [
        ("accepted", 40, 20),
        ("rejected", 20, 20),
        ("faulted", 0, 20),
    ]
    assert (counted[0].first, counted[0].last) == (2, 4)
    assert counted[0].title.startswith("02:46:40: 1 accepted, 1 rejected, 1 faulted; median ")
    assert [block.style for _, blocks in picture.timed(60) for block in blocks] == ["slowest", "median"]
    assert [tick - now for tick in picture.ticks] == [-590, -290, 10]
    assert (picture.peak, picture.total, picture.minutes) == (3, 3, 10)


def test_the_delay_of_a_fault_is_in_the_picture(recent: Recent, journal: Journal, record: Record) -> None:
    record(wall_time=10_000.0, fault="late", delay_ms=2_000.0)

    assert (timeline(recent.read(journal), 10_000.0).slowest_ms or 0) >= 2_000


def test_a_request_from_before_the_machines_clock_was_set_back_is_not_in_the_picture(
    recent: Recent, journal: Journal, record: Record
) -> None:
    record(wall_time=10_000.0)
    record(wall_time=10_000.0 + BUCKET_S)

    assert timeline(recent.read(journal), 10_000.0).total == 1


def test_the_picture_has_nothing_of_an_emptied_or_another_journal(
    recent: Recent, journal: Journal, record: Record
) -> None:
    record(wall_time=10_000.0)
    other = Journal("other", 1, 100_000_000)
    of_another = timeline(recent.read(other), 10_000.0)
    journal.clear()

    assert of_another.total == 0
    assert timeline(recent.read(journal), 10_000.0).total == 0


def test_the_picture_counts_a_request_once_however_often_it_is_drawn(
    recent: Recent, journal: Journal, record: Record
) -> None:
    totals = []
    for _ in range(3):
        record(wall_time=10_000.0)
        totals.append(timeline(recent.read(journal), 10_000.0).total)

    assert totals == [1, 2, 3]


def test_the_picture_holds_the_last_minutes_only(recent: Recent, journal: Journal, record: Record) -> None:
    for number in range(BUCKETS + 5):
        record(wall_time=10_000.0 + number * BUCKET_S)

    assert len(recent.read(journal)) == BUCKETS


def test_an_empty_picture_can_be_drawn() -> None:
    picture = timeline([], 10_000.0)

    blocks = [blocks for _, blocks in (*picture.counted(60), *picture.timed(60))]
    assert (picture.peak, blocks) == (1, [[]] * 2 * BUCKETS)
    assert (picture.median_ms, picture.slowest_ms) == (None, None)


# --- in words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ({}, "The payload was stored."),
        ({"kind": "token"}, "The credentials were good and an access token was issued."),
        ({"reason": "token_expired: 5 s ago"}, "the trigger to request a new one"),
        ({"reason": "something_new: 1"}, "The request was answered with 401."),
        ({"fault": "two 503s"}, "A fault acted on this request: two 503s."),
        ({"reason": "entity_mismatch: id required", "accepted": True}, "does not have the structure"),
    ],
)
def test_an_outcome_is_explained(record: Record, notes: dict[str, object], words: str) -> None:
    assert words in explain(record(**notes))


# --- curl -----------------------------------------------------------------------------------------------------------


def test_curl_is_for_the_address_that_clients_use(record: Record) -> None:
    command = curl(record(body=b"{}", headers=(("Authorization", "Bearer abc"),)), "http://sandbox.example:8025")

    first, line = command.splitlines()
    assert first == "BASE_URL=http://sandbox.example:8025"
    assert line.startswith('curl -sS --globoff --path-as-is -X POST "$BASE_URL"/v1/acme/orders ')
    assert '"$TOKEN"' in line
    assert line.endswith("--data-raw '{}'")


def test_curl_takes_a_large_body_from_the_file_that_the_page_offers(record: Record) -> None:
    command = curl(record(body=b"x" * (MAX_INLINE + 1)), "http://h")

    assert command.endswith(" --data-binary @test-1")
    assert len(command) < 1_000


# --- fields and formats ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (None, []),
        ({"properties": {"a": True}}, [DetectedField("a", "anything", required=False)]),
        (
            {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": ["integer", "null"]}}}]},
            [DetectedField("a", "integer or null", required=False)],
        ),
        (
            {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}, "required": ["a"]},
            [DetectedField("a", "string or integer", required=True)],
        ),
    ],
    ids=["free-form", "anything", "any of", "union"],
)
def test_the_fields_of_a_schema(schema: dict[str, object] | None, fields: list[DetectedField]) -> None:
    assert detected_fields(schema) == fields


def test_no_more_fields_are_listed_than_can_be_read() -> None:
    schema = {"properties": {f"field{number}": {} for number in range(MAX_FIELDS + 10)}}

    assert len(detected_fields(schema)) == MAX_FIELDS


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (3_600, "1 h"), (86_399, "23 h 59 min"), (-90, "1 min 30 s"), (90_061, "1 d 1 h")],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (legible("token_expired: 501.590791 s ago, at noon"), "token_expired: 8 min 21 s ago, at noon"),
        (legible("token_expired: 0 s ago"), "token_expired: 0 s ago"),
        (legible("entity_mismatch: 5 s agony"), "entity_mismatch: 5 s agony"),
        (size(812), "812 B"),
        (size(65_536), "64.0 KiB"),
        (size(5_000_000), "4.8 MiB"),
        (milliseconds(0.25), "0.2 ms"),
        (milliseconds(1_234), "1,234 ms"),
        (milliseconds(61_000), "61.0 s"),
        (glimpse(b" a\n\tb "), "a b"),
        (glimpse(b"\xff"), ""),
        (glimpse(b"x" * 1_000), "x" * 160),
        (breakable("a/<b>"), "a/<wbr>&lt;b&gt;<wbr>"),
        (visible("<\u200b\n"), '&lt;<span class="unseen">U+200B</span>\n'),
    ],
)
def test_values_as_people_read_them(shown: str, expected: str) -> None:
    assert shown == expected


def _rows(journal: Journal, selection: Selection) -> list[object]:
    shown = rows(window(journal, selection), journal, selection)
    return [row.text if isinstance(row, Event) else row.entry.seq for row in shown if not isinstance(row, Day)]


def test_events_stand_between_the_rows_of_their_page_newest_first(journal: Journal, record: Record) -> None:
    for number in range(WINDOW + 2):
        journal.note("clock", f"before {number + 1}", (1.0, 1.0))
        record()
    journal.note("clock", "last", (1.0, 1.0))

    first, older = Selection(), Selection(before=3)
    assert _rows(journal, first)[:3] == ["last", WINDOW + 2, f"before {WINDOW + 2}"]
    assert _rows(journal, first)[-2:] == ["before 4", 3]
    assert _rows(journal, older) == ["before 3", 2, "before 2", 1, "before 1"]
