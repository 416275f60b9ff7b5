"""``requests``, ``show`` and ``export``: the journal of a running sandbox."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sandbox.cli.base import answers, connected
from sandbox.cli.output import json_text, printable, printable_lines
from sandbox.journal.endpoint_kind import KINDS

if TYPE_CHECKING:
    from sandbox.journal.attempts import Repetition
    from sandbox.journal.filter import EntryFilter
    from sandbox.testing.remote.control_api import ControlApi


def read_filter(query: dict[str, Any]) -> EntryFilter:
    """Return the filter that the options of ``filters`` say; raise ``InvalidValueError``."""
    from sandbox.foundation.instants import parse_instant
    from sandbox.journal.filter import EntryFilter

    given = {name: value for name, value in query.items() if value is not None}
    given |= {name: parse_instant(given[name], name).timestamp() for name in ("since", "until") if name in given}
    return EntryFilter(**given)


def read_entries(path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Yield the matching entries of a journal file or an NDJSON export, as the control API shows them.

    A line that a kill cut off is left out, and a message counts it: its request was never answered. Raise
    ``InvalidValueError`` for a wrong filter, and ``click.ClickException`` for a file that is no journal.
    """
    from sandbox.journal.form import read_entry

    entry_filter = read_filter(query)
    cut_off = whole = 0
    with Path(path).open("rb") as lines:
        for line in filter(bytes.strip, lines):
            try:
                document = json.loads(line)
                if "event" in document:
                    continue
                entry = read_entry(document)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                cut_off += 1
                continue
            whole += 1
            if entry_filter.matches(entry):
                yield document
    if cut_off and not whole:
        raise click.ClickException(f"{path} is no journal file and no NDJSON export")
    if cut_off:
        click.echo(
            f"Not read: {cut_off} cut off when a sandbox was killed, whose requests were never answered.", err=True
        )


_PAGE: Final = 1_000
_SILENCE_S: Final = 60.0
"""How long a stream may be silent; the sandbox sends a sign of life every 15 seconds."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


_FILTERS: Final = {
    "kind": click.option("--kind", type=click.Choice(KINDS), help="Only requests of this kind."),
    "company": click.option("--company", help="Only requests to URLs of this company."),
    "service": click.option("--service", "vanity_url", metavar="VANITY_URL", help="Only requests to this vanity URL."),
    "flow": click.option("--flow", metavar="NAME", help="Only requests to this process flow."),
    "client_id": click.option("--client-id", metavar="ID", help="Only requests of this OAuth client."),
    "outcome": click.option(
        "--outcome", type=click.Choice(["accepted", "rejected", "faulted"]), help="Only requests with this outcome."
    ),
    "status": click.option(
        "--status",
        type=click.IntRange(0, 599),
        metavar="STATUS",
        help="Only requests answered with this status; 0: with none.",
    ),
    "reason": click.option("--reason", metavar="CODE", help="Only requests with this reason, such as token_expired."),
    "fault": click.option("--fault", metavar="NAME", help="Only requests on which the fault rule of this name acted."),
    "since": click.option(
        "--since", metavar="INSTANT", help="Only requests received at or after it, on the sandbox clock."
    ),
    "until": click.option("--until", metavar="INSTANT", help="Only requests received at or before it."),
    "json_path": click.option(
        "--json-path", metavar="QUERY", help="Only requests with a body in which this RFC 9535 query selects something."
    ),
}


def filters(*names: str) -> Callable[[_Command], _Command]:
    """Return a decorator that adds filters of the journal as options: those named, or all."""

    def decorate(command: _Command) -> _Command:
        for name in reversed(names or [*_FILTERS]):
            command = _FILTERS[name](command)
        return command

    return decorate


def limited(least: int, most: int | None, text: str) -> Callable[[_Command], _Command]:
    """Return the option for the number of things to show."""
    number = click.IntRange(least, most)
    return click.option("--limit", type=number, default=50, show_default=True, metavar="N", help=text)


@click.command("requests")
@filters()
@limited(0, None, "Show the N newest requests; 0 shows all.")
@click.option("--follow", "-f", is_flag=True, help="Keep printing new requests until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False),
    help="Read a journal file instead of asking a running sandbox.",
)
@connected
def list_requests(api: ControlApi, limit: int, follow: bool, as_json: bool, file: str | None, **query: object) -> None:
    """List the requests received, and why they were refused.

    The newest comes last.
    """
    from sandbox.journal.attempts import Repetitions
    from sandbox.journal.form import read_entry

    if file is not None and follow:
        raise click.UsageError("--file is read once; follow it with tail -f, or a running sandbox without --file")
    found = _received(api, query, limit) if file is None else read_entries(file, **query)
    entries: deque[dict[str, Any]] = deque(found, limit or None)
    if not as_json:
        click.echo(HEADING)
    first = entries[0]["seq"] - 1 if entries and len(entries) == limit else 0
    repetitions = Repetitions()
    wants_events = not (as_json or file or any(value is not None for value in query.values()))
    events = api.get("/events", after=first)["events"] if wants_events else []
    for entry in entries:
        while events and events[0]["after"] < entry["seq"]:
            print_event(events.pop(0))
        print_entry(entry, as_json=as_json, repetition=None if as_json else repetitions.mark(read_entry(entry)))
    for event in events:
        print_event(event)
    if follow:
        try:
            _follow(api, {**query, "after": entries[-1]["id"] if entries else None}, as_json=as_json)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(0) from None  # Ctrl-C ends it


def _received(api: ControlApi, query: dict[str, object], limit: int) -> Iterator[dict[str, Any]]:
    """Yield the newest entries, by one call where a page holds that many."""
    newest = 0 < limit <= _PAGE
    after: int | None = 0
    dropped = 0
    while after is not None:
        page = api.get("/requests", **query, after=after, limit=limit if newest else _PAGE, newest=newest)
        yield from page["entries"]
        after, dropped = page["next_after"], page["dropped"]
    if dropped:
        click.echo(f"{dropped} older requests were dropped because the journal was full.", err=True)


def _follow(api: ControlApi, query: dict[str, object], *, as_json: bool) -> None:
    event = ""
    for line in api.lines("/requests/stream", query, silence=_SILENCE_S):
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            data = json.loads(value)
            match event:
                case "request":
                    print_entry(data, as_json=as_json)
                case "event" if not as_json:
                    print_event(data)
                case "reset":
                    click.echo("The sandbox was reset; numbers begin at 1 again.", err=True)
                case "dropped":
                    click.echo(f"{data['missed']} requests were missed: the journal was full or cleared.", err=True)


HEADING: Final = f"{'#':>6}  {'TIME':8}  {'STATUS':6}  {'REQUEST':40}  WHAT"


def print_entry(entry: dict[str, Any], *, as_json: bool, repetition: Repetition | None = None) -> None:
    """Print an entry as a line below ``HEADING``, or as JSON on one line."""
    if as_json:
        click.echo(json_text(entry))
        return
    request = printable(f"{entry['method']} {entry['path']}")
    when = entry["received_at"][11:19]
    what = _what(entry) if repetition is None else f"{_what(entry)} ({repetition})"
    click.echo(f"{entry['seq']:>6}  {when}  {entry['status'] or 'none':<6}  {request:40}  {printable(what)}")


def print_event(event: dict[str, Any]) -> None:
    """Print an event as a line below ``HEADING``, between those of entries."""
    click.echo(f"{'':>6}  {event['at'][11:19]}  {'':6}  ({printable(event['text'])})")


def _what(entry: dict[str, Any]) -> str:
    if entry["fault"] is not None:
        left = entry.get("closed_after_ms")
        hung_up = "" if left is None else f", client hung up after {left / 1000:.1f} s"
        return f"fault {entry['fault']}" + (", though accepted" if entry["accepted"] else "") + hung_up
    return str(entry["reason"] or entry["outcome"])


def _show_whole(entry: dict[str, Any]) -> None:
    from sandbox.journal.reasons import find_reason

    query = f"?{entry['query']}" if entry["query"] else ""
    reason = find_reason(entry["reason"])
    click.echo(printable(f"#{entry['seq']} {entry['method']} {entry['path']}{query}"))
    for title, value in (
        ("received", f"{entry['received_at']} on the sandbox clock, {entry['wall_time']} on the machine's"),
        ("answered", _answered(entry)),
        ("outcome", entry["outcome"] + ("" if entry["reason"] is None else f": {entry['reason']}")),
        ("", reason and reason.text),
        ("token", entry["token_note"]),
        ("client", entry["client_id"]),
        ("fault", entry["fault"] and f"{entry['fault']} ({entry['effect']})"),
    ):
        if value is not None:
            click.echo(f"{title:9} {printable(value)}")
    body = entry["body"] if entry["body_encoding"] == "utf-8" else f"({entry['body_size']} bytes that are no text)"
    for title, headers, text in (
        ("Request", entry["headers"], body),
        ("Answer", entry["response_headers"], entry["response_body"]),
    ):
        click.echo(f"\n{title}\n")
        for header in headers:
            click.echo(f"  {printable(header['name'])}: {printable(header['value'])}")
        if text:
            click.echo("\n  " + printable_lines(text).replace("\n", "\n  "))


def _answered(entry: dict[str, Any]) -> str:
    answer, handled, delay = entry["status"] or "nothing", entry["duration_ms"], entry.get("delay_ms")
    answered = f"{answer} after {handled} ms" if not delay else f"{answer}, handled in {handled} ms, {delay} ms late"
    left = entry.get("closed_after_ms")
    return answered if left is None else f"{answered}; the client hung up after {left} ms"


@click.command()
@click.argument("request_id", metavar="ID")
@answers(_show_whole)
def show(api: ControlApi, request_id: str) -> Any:
    """Show one request whole, by its number or id.

    It prints the request, the answer and the reason.
    """
    from urllib.parse import quote

    return api.get(f"/requests/{quote(request_id, safe='')}")


@click.command()
@filters()
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "har", "curl"]),
    default="ndjson",
    show_default=True,
    help="A JSON object a line; HAR 1.2 for a browser's network panel; a shell script that sends them again.",
)
@click.option("--output", "-o", type=click.File("wb", lazy=True), default="-", help="Write to this file.")
@connected
def export(api: ControlApi, form: str, output: Any, **query: object) -> None:
    """Export the journal, without secrets.

    The default is standard output.
    """
    for piece in api.pieces("/requests/export", {"format": form, **query}):
        output.write(piece)
