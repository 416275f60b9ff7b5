"""The log of ``serve``: one line a request, nothing secret, nothing deceptive, and nobody waits for it."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from werkzeug.test import Client

from sandbox.cli.log import LineQueue, LogWriter, logged
from sandbox.cli.log_lines import JsonLines, Lines, TextLines, lines_for, record_of
from sandbox.journal.entry import Entry
from sandbox.journal.filter import EntryFilter
from sandbox.journal.log_line import REQUESTS, printable
from tests.conftest import Integration

OWN = "patchworks_sandbox"
HOSTILE = "\r\n12:00 INFO \x1b[31mforged\u202e\x07"


class Stream(io.StringIO):
    """A stream without a file behind it, which may be a terminal."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def log(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[None]]:
    @contextmanager
    def alone(level: str = "info", form: str = "json", **more: Any) -> Iterator[None]:
        """Write the log without the handlers of pytest, because it is the only one where it is served."""
        with monkeypatch.context() as patched:
            patched.setattr(logging.getLogger(), "handlers", [])
            with logged(stream, level, form, **more):
                yield

    return alone


def test_request_to_the_emulated_api_is_one_line_of_json(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    token = integration.token()
    with log():
        integration.post({"order": 1}, path="/v1/acme/nothing", token=token)

    (line,) = stream.objects
    entry = list(integration.sandbox.journal.snapshot())[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert list(line.items()) == [
        ("level", "info"),
        ("logger", REQUESTS),
        ("message", "POST /v1/acme/nothing 404"),
        ("request_id", entry.id),
        ("api", "emulated"),
        ("method", "POST"),
        ("path", "/v1/acme/nothing"),
        ("status", 404),
        ("outcome", "rejected"),
        ("reason", "unknown_service"),
        ("duration_ms", entry.duration_ms),
        ("client_id", integration.client_id),
        ("journal_seq", 2),
    ]


def test_line_of_json_is_ascii_with_spaces(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    with log():
        integration.http.get("/caf\u00e9")
        integration.http.get("/cafe")

    assert len(stream.lines) == 2
    assert stream.lines == [json.dumps(each) for each in stream.objects]


def test_other_handlers_get_the_records_of_requests_too(
    integration: Integration,
    stream: Stream,
    log: Callable[..., AbstractContextManager[None]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with log():
        logging.getLogger(REQUESTS).addHandler(caplog.handler)
        integration.http.get("/nowhere")
        logging.getLogger(REQUESTS).removeHandler(caplog.handler)

    assert [record.getMessage() for record in caplog.records] == ["GET /nowhere 404"]
    assert [line["message"] for line in stream.objects] == ["GET /nowhere 404"]


def test_filter_of_the_logger_decides_about_requests(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    def not_the_token(record: logging.LogRecord) -> bool:
        return "/oauth/token" not in record.getMessage()

    logging.getLogger(REQUESTS).addFilter(not_the_token)
    with log():
        integration.request_token()
        integration.http.get("/nowhere")
    logging.getLogger(REQUESTS).removeFilter(not_the_token)

    assert [line["path"] for line in stream.objects] == ["/nowhere"]


def test_request_to_the_control_api_is_one_line_too(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    with log():
        response = integration.control("GET", "/clock")

    (line,) = stream.objects
    assert (line["api"], line["method"], line["path"], line["status"]) == ("control", "GET", "/_sandbox/clock", 200)
    assert line["request_id"] == response.headers["X-Request-Id"]


def test_fault_that_acted_is_named(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    integration.control("POST", "/faults", {"name": "outage", "fault": {"kind": "status", "code": 503}})
    with log():
        integration.request_token()

    (line,) = stream.objects
    assert (line["status"], line["outcome"], line["fault"]) == (503, "faulted", "outage")


@pytest.mark.parametrize(("form", "delay"), [("json", '"delay_ms": 2.0'), ("text", " ms + 2.0 ms ")])
def test_line_has_the_delay_of_a_fault(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], form: str, delay: str
) -> None:
    integration.control("POST", "/faults", {"fault": {"kind": "latency", "seconds": 0.002}})
    with log(form=form):
        integration.request_token()

    assert delay in stream.lines[0]


def test_line_for_people_has_the_same_on_one_line(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    with log(form="text"):
        integration.http.post("/v1/acme/orders", data="x")
        integration.control("GET", "/clock")

    emulated, control = stream.lines
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} INFO    POST /v1/acme/orders 401 rejected no_token \d+\.\d ms id=\w+-1", emulated
    )
    assert re.fullmatch(r"\S+ INFO    GET /_sandbox/clock 200 \d+\.\d ms id=[0-9a-f]{16}", control)


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics", "/static/style.css", "/docs/swagger-ui.css"])
def test_what_is_asked_all_the_time_is_for_debug_only(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], path: str
) -> None:
    with log():
        assert integration.http.get(f"/_sandbox{path}", buffered=True).status_code == 200
    with log("debug"):
        integration.http.get(f"/_sandbox{path}", buffered=True)

    assert [(line["level"], line["path"]) for line in stream.objects] == [("debug", f"/_sandbox{path}")]


@pytest.mark.parametrize("level", ["warning", "error"])
def test_requests_are_not_in_a_log_of_warnings(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], level: str
) -> None:
    with log(level):
        integration.post()
        integration.control("GET", "/clock")

    assert stream.lines == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_and_no_token_is_logged_wherever_they_come(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], form: str
) -> None:
    secret, token = integration.client_secret, integration.token()
    with log("debug", form):
        integration.http.get("/oauth/token", query_string=integration.credentials())
        integration.request_token(client_id=secret)
        integration.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(secret, secret))
        integration.post(token=token)
        for misplaced in (secret, token):
            integration.http.post(f"/v1/acme/{misplaced}", headers={"Authorization": f"Basic {misplaced}"})
            integration.http.get(f"/nowhere%3Fclient_secret={misplaced}")
            integration.http.get(f"/_sandbox/requests/{misplaced}")
        logging.getLogger(OWN).error("failed: %s", f"Authorization: Bearer {secret}, password={token}")

    assert len(stream.lines) == 11
    assert not [line for line in stream.lines if secret in line or token in line or token[:40] in line]


@pytest.mark.parametrize("form", ["text", "json"])
def test_secret_of_a_seed_is_not_logged_however_short(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], form: str
) -> None:
    sandbox, secret = integration.sandbox, "ci-s3cr3t"
    sandbox.store.add_client(sandbox.store.connectors()[0].id, "job", secret=secret)
    with log("debug", form, redact=sandbox.redact):
        for path in (f"/{secret}", f"/_sandbox/{secret}", "/_sandbox/health"):
            integration.http.get(path, headers={"X-Request-Id": secret})
        integration.http.open("/_sandbox/health", method=secret)
        logging.getLogger(OWN).error("failed on %s", secret, exc_info=ValueError(f"no {secret}"))

    assert len(stream.getvalue().splitlines()) >= 5
    assert secret not in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_of_a_client_reaches_the_terminal_raw(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], form: str
) -> None:
    with log(form=form):
        integration.http.get(f"/nowhere{HOSTILE}")
        integration.http.get(f"/_sandbox/nowhere{HOSTILE}")
        integration.request_token(client_id=HOSTILE)
        logging.getLogger(OWN).warning("heard %s", HOSTILE)

    assert len(stream.getvalue().split("\n")) == 5
    assert all(line.isprintable() for line in stream.lines)


@pytest.mark.parametrize("path", ["/v1/acme/orders", "/_sandbox/reset"])
def test_nothing_of_a_client_passes_for_another_word_of_the_line(
    integration: Integration, stream: Stream, log: Callable[..., AbstractContextManager[None]], path: str
) -> None:
    with log(form="text"):
        integration.http.post(f"{path} 200 accepted 0.1 ms id=forged")

    (line,) = stream.lines
    assert f" POST {path}\\x20200\\x20accepted\\x200.1\\x20ms\\x20id=forged 40" in line


def test_long_value_is_cut() -> None:
    assert printable("x" * 300) == "x" * 199 + "…"


@pytest.mark.parametrize("form", ["text", "json"])
def test_failure_is_logged_with_the_request_id_and_without_secrets(
    integration: Integration,
    stream: Stream,
    log: Callable[..., AbstractContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(f"client_secret={integration.client_secret}{HOSTILE}")

    monkeypatch.setattr("sandbox.platform.endpoints.token.TokenEndpoint.handle", fail)
    monkeypatch.setattr(integration.sandbox, "reset", fail)
    with log("error", form):
        assert integration.request_token().status_code == 500
        Client(integration.http.application).post("/_sandbox/reset", headers={"X-Request-Id": "mine-7"})

    text = stream.getvalue()
    assert text.count("RuntimeError: client_secret=sha256:") == 2
    assert integration.client_secret not in text
    if form == "json":
        emulated, control = stream.objects
        assert (emulated["level"], emulated["request_id"], emulated["status"]) == (
            "error",
            next(integration.sandbox.journal.snapshot()).id,
            500,
        )
        assert (control["request_id"], control["path"]) == ("mine-7", "/_sandbox/reset")
        assert emulated["exception"].startswith("Traceback")
    else:
        heads = [line for line in stream.lines if not line.startswith("    ")]
        assert [line.split()[1] for line in heads] == ["ERROR", "ERROR"]
        assert heads[1].endswith("id=mine-7")
        assert "\x1b" not in text


@pytest.mark.parametrize(
    ("form", "terminal", "no_color", "shown"),
    [
        ("auto", True, "", "coloured text"),
        ("auto", True, "1", "text"),
        ("auto", False, "", "json"),
        ("text", False, "", "text"),
        ("json", True, "", "json"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="no colours on Windows")
def test_form_follows_the_setting_and_the_terminal(
    monkeypatch: pytest.MonkeyPatch, form: str, terminal: bool, no_color: str, shown: str
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    stream = Stream()
    stream.terminal = terminal

    line = lines_for(form, stream).format(_record("hello"))

    assert ("json" if line.startswith("{") else "coloured text" if "\x1b[" in line else "text") == shown


def test_colours_leave_other_levels_alone() -> None:
    record = logging.LogRecord(OWN, 25, "", 0, "hello", (), None)

    assert TextLines(colours=True).format(record).endswith("Level 25 hello")


def test_warnings_and_other_libraries_are_logged_from_warning_on(
    stream: Stream, log: Callable[..., AbstractContextManager[None]]
) -> None:
    with log("debug"), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.getLogger("somebody.else").info("not of interest")
        logging.getLogger("somebody.else").warning("of interest")
        warnings.warn("old", stacklevel=1)

    assert [(line["logger"], line["level"]) for line in stream.objects] == [
        ("somebody.else", "warning"),
        ("py.warnings", "warning"),
    ]


def test_logging_is_afterwards_as_it_was(log: Callable[..., AbstractContextManager[None]]) -> None:
    def state() -> list[object]:
        names = ("", OWN, REQUESTS, "sandbox")
        return [(logging.getLogger(name).level, list(logging.getLogger(name).handlers)) for name in names]

    before = state()
    with log():
        assert state() != before

    assert state() == before


def test_sandbox_in_a_process_configures_nothing_and_says_nothing_unasked(
    integration: Integration, caplog: pytest.LogCaptureFixture
) -> None:
    integration.post()
    integration.control("GET", "/clock")

    assert caplog.records == []
    assert [logging.getLogger(name).handlers for name in (OWN, REQUESTS, "sandbox")] == [[], [], []]


def test_program_that_asks_gets_the_lines_by_the_named_logger(
    integration: Integration, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, OWN)

    integration.request_token()

    assert [(record.name, record.getMessage()) for record in caplog.records] == [(REQUESTS, "POST /oauth/token 200")]


def test_nothing_is_put_into_words_where_nobody_listens(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("made a line")

    monkeypatch.setattr("sandbox.journal.log_line.EmulatedRequest", never)

    assert integration.request_token().status_code == 200


class Stuck(Stream):
    """A stream whose reader does not read until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.let = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.began.set()
        assert self.let.wait(10)
        return super().write(text)


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    stream = Stuck()
    yield stream
    stream.let.set()


def test_nobody_waits_for_a_log_that_is_not_read_and_drops_are_counted(stuck: Stuck) -> None:
    logger = logging.getLogger(OWN)
    with logged(stuck, "info", "json", queue_length=3):
        logger.info("first")
        assert stuck.began.wait(10)
        for number in range(10):
            logger.info("line %d", number)
        stuck.let.set()

    assert [line["message"] for line in stuck.objects] == [
        *("first", "line 0", "line 1", "line 2"),
        "7 lines were dropped: the log is read too slowly",
    ]
    assert stuck.objects[-1]["level"] == "warning"


def test_lines_are_written_at_any_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it has begun, the writer takes all lines that are there; it does not wait between batches."""
    handler, written, all_written = LineQueue(), [], threading.Event()

    def write(text: str) -> None:
        monkeypatch.setattr("sandbox.cli.log.GATHER_S", 600.0)
        written.extend(text.splitlines())
        if len(written) == 2_001:
            all_written.set()

    monkeypatch.setattr("sandbox.cli.log.GATHER_S", 0.0)
    for number in range(2_001):
        handler.handle(_record("%d", number))
    writer = LogWriter(handler, Messages(), write, 10)
    writer.start()

    assert all_written.wait(10)
    assert written == [str(number) for number in range(2_001)]
    writer.stop()


def test_stop_writes_every_line_that_waits() -> None:
    handler, written = LineQueue(), []
    writer = LogWriter(handler, Messages(), lambda text: written.extend(text.splitlines()), 10)
    writer.start()
    for number in range(20_000):
        handler.handle(_record("%d", number))
    writer.stop()

    assert written == [str(number) for number in range(20_000)]


def test_entries_wait_with_small_bodies_only(integration: Integration) -> None:
    integration.post(b"small")
    integration.post(b"x" * 5_000)
    _, small, _, large = integration.sandbox.journal.snapshot()
    handler = LineQueue()

    for entry in (small, large, *([small] * 1_000)):
        handler.take(entry)

    waiting = [handler.messages.get() for _ in range(1_002)]
    assert waiting[0] is small
    assert [entry.body for entry in waiting[1:3] if isinstance(entry, Entry)] == [b"", b"small"]
    assert waiting[-1] == replace(small, headers=(), body=b"", response_headers=(), response_body=b"")


def test_log_that_is_never_read_keeps_nobody_from_ending(stuck: Stuck) -> None:
    with logged(stuck, "info", "json", patience_s=0.01):
        logging.getLogger(OWN).info("first")
        assert stuck.began.wait(10)

    assert stuck.lines == []


def test_lines_reach_a_file_past_its_buffer(tmp_path: Any) -> None:
    with (tmp_path / "log.txt").open("w") as file, logged(file, "info", "json"):
        logging.getLogger(OWN).info("gr\u00fc\u00dfe")

    assert json.loads((tmp_path / "log.txt").read_text())["message"] == "gr\u00fc\u00dfe"


class Messages(Lines):
    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage()


def _record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(OWN, logging.INFO, "somewhere.py", 7, message, arguments, None)


def test_disk_that_is_full_is_survived() -> None:
    handler, written, failed = LineQueue(10), [], threading.Event()

    def write(text: str) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError("full")
        written.append(text)

    writer = LogWriter(handler, Messages(), write, 10)
    writer.start()
    handler.handle(_record("lost"))
    assert failed.wait(10)
    handler.handle(_record("kept"))
    writer.stop()

    assert "".join(written) == "kept\n"


def test_record_that_makes_no_line_is_told_of() -> None:
    handler, written = LineQueue(10), []
    writer = LogWriter(handler, Messages(), written.append, 10)
    writer.start()
    handler.handle(_record("%d", "no number"))
    writer.stop()

    assert written[0] == "a line could not be written: TypeError at somewhere.py:7\n"


def test_drops_are_told_once() -> None:
    handler = LineQueue(0)
    handler.handle(logging.LogRecord(OWN, logging.INFO, "", 0, "x", (), None))

    assert (handler.take_dropped(), handler.take_dropped()) == (1, 0)


@pytest.mark.parametrize("length", [36, 40])
def test_secret_in_a_path_is_shown_at_no_length_that_is_generated(length: int) -> None:
    """A generated secret has 40 letters and digits; none of a path of the usual form may pass for one."""
    path = f"/v1/acme/{'a1b2c3d4' * 5}"[: len("/v1/acme/") + length]

    assert (path in printable(path)) == (length != 40)


def test_secret_for_a_company_is_not_shown() -> None:
    assert "a1b2" not in printable(f"/v1/{'a1b2c3d4' * 5}/orders")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": 401},
        {"method": "PUT"},
        {"path": "/v1/\u202e\ud800"},
        {"outcome": "faulted", "fault": "a rule", "delay_ms": 2.5},
        {"delay_ms": 2.5},
        {"reason": "unknown_service: no service"},
        {"client_id": None},
        {"client_id": "other"},
        {"duration_ms": 1234.5, "wall_time": 5.4321},
    ],
)
def test_line_of_an_entry_is_that_of_its_fields_alone(integration: Integration, change: dict[str, Any]) -> None:
    assert integration.post(b"x").status_code == 200
    (first,) = integration.sandbox.journal.entries(EntryFilter(kind="inbound"))
    entry, lines = replace(first, seq=first.seq + 1, **change), JsonLines()
    lines.entry(first)

    expected = JsonLines().format(record_of(entry))
    assert [lines.entry(entry), lines.entry(entry)] == [expected, expected]


def test_parts_of_lines_are_kept_within_bounds(integration: Integration) -> None:
    assert integration.post(b"x").status_code == 200
    (entry,) = integration.sandbox.journal.entries(EntryFilter(kind="inbound"))
    lines = JsonLines()

    for number in range(600):
        lines.entry(replace(entry, path=f"/{number}"))
    lines.entry(replace(entry, path="/" + "a/" * 5_000))

    assert 0 < len(lines._alike) <= 256
