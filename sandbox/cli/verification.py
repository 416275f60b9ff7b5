"""``wait``, ``verify``, ``duplicates`` and ``violations``: assertions on the journal, for shells and CI jobs.

A command ends with exit code 1 where the requests did not come, ``violations`` only if that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from sandbox.cli.base import answers, connected, performs
from sandbox.cli.output import JSON_OPTION, print_json, printable_lines, table
from sandbox.cli.requests import HEADING, filters, print_entry, read_filter
from sandbox.foundation.strict_json import parse_json
from sandbox.testing import verbs
from sandbox.testing.backend import Verb

if TYPE_CHECKING:
    from sandbox.journal.attempts import Attempts, Likeness
    from sandbox.testing.remote.control_api import ControlApi

_after = click.option("--after", metavar="ID", default="0", help="Only requests after the one with this number or id.")


@click.command()
@filters()
@_after
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Wait for N requests.")
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait at most this many real seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@connected
def wait(api: ControlApi, after: str, count: int, timeout: float, as_json: bool, **query: Any) -> None:
    """Wait until matching requests come, and print them.

    Requests of the past count too, unless --after leaves them out.
    """
    from sandbox.journal.filter import parse_cursor
    from sandbox.journal.form import shown
    from sandbox.testing.remote.journal import RemoteJournal

    found = RemoteJournal(api).wait(read_filter(query), count, timeout, after=parse_cursor(after))
    if not as_json:
        click.echo(HEADING)
    for entry in found:
        print_entry(shown(entry), as_json=as_json)
    if len(found) < count:
        raise click.ClickException(f"{len(found)} of {count} requests came within {timeout:g} s")


def _read_json(context: click.Context, parameter: click.Parameter, text: str | None) -> Any:
    try:
        return None if text is None else [parse_json(text.encode("utf-8", "surrogateescape"))]
    except ValueError as error:
        raise click.BadParameter(f"it is not JSON: {error}") from None


def _read_headers(context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, str] | None:
    if wrong := [text for text in given if "=" not in text]:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE such as X-Trace=1")
    return {name: value for name, _, value in (text.partition("=") for text in given)} or None


@click.command()
@filters()
@_after
@click.option("--accepted", "only_accepted", is_flag=True, help="Count accepted requests only.")
@click.option("--contains", "json_contains", metavar="JSON", callback=_read_json, help="The body holds this JSON.")
@click.option("--body", "json", metavar="JSON", callback=_read_json, help="The body is this JSON.")
@click.option("--text", help="The body is this text.")
@click.option(
    "--header",
    "headers",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_read_headers,
    help="The request has this header.",
)
@click.option("--method", help="The HTTP method.")
@click.option("--times", type=click.IntRange(0), metavar="N", help="Exactly N requests. [default: at least one]")
@click.option("--at-least", type=click.IntRange(0), metavar="N", help="N requests or more.")
@click.option("--at-most", type=click.IntRange(0), metavar="N", help="N requests or fewer.")
@JSON_OPTION
@connected
def verify(api: ControlApi, after: str, only_accepted: bool, as_json: bool, **options: Any) -> None:
    """Verify that requests came, or print the nearest ones.

    The verification fails also when the journal has dropped entries that could have matched.
    """
    given = {name: value for name, value in options.items() if value is not None}
    counts: dict[str, int] = {name: given.pop(name) for name in ("times", "at_least", "at_most") if name in given}
    pattern: dict[str, Any] = {
        name: given.pop(name) for name in ("text", "headers", "method", "reason", "fault") if name in given
    }
    pattern |= {name: given.pop(name)[0] for name in ("json", "json_contains") if name in given}
    question = {"filter": given, "after": after, "only_accepted": only_accepted, "pattern": pattern, **counts}
    answer = api.call("POST", "/requests/verify", question, also=409)
    is_good = "detail" not in answer
    if as_json:
        print_json(answer)
    else:
        click.echo(
            f"verified: {answer['count']} found" if is_good else printable_lines(answer["detail"]), err=not is_good
        )
    if not is_good:
        raise click.exceptions.Exit(1)


def _target(found: Any) -> str:
    """Return the inbound URL, or the company and the name of the flow, that payloads are for."""
    return f"{found['company']}/{found['flow']}" if found["flow"] else f"/v1/{found['company']}/{found['vanity_url']}"


def _show_duplicates(answer: Any) -> None:
    rows = [
        [found["count"], _target(found), found["key"], " ".join(found["requests"])] for found in answer["duplicates"]
    ]
    click.echo(table(["TIMES", "URL", "KEY", "REQUESTS"], rows) if rows else "no duplicates")


_by = click.option("--by", type=click.Choice(["bytes", "json"]), help="Compare the bytes, or the JSON. [default: json]")
_key = click.option("--json-path", metavar="QUERY", help="Compare the selection of this RFC 9535 query, as $.order.")
_where = filters("company", "service", "flow")


@click.command()
@_by
@_key
@_where
@performs(_show_duplicates)
def duplicates(by: Likeness | None, json_path: str | None, **where: str | None) -> Verb[list[Attempts]]:
    """List the payloads that were accepted more than once."""
    verb = verbs.duplicates(by, json_path, **where)
    return replace(verb, query={**verb.query, "entries": None})


def _read_codes(context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> frozenset[str]:
    from sandbox.foundation.errors import InvalidValueError
    from sandbox.testing.contract import read_codes

    try:
        return frozenset(read_codes(given))
    except InvalidValueError as error:
        raise click.BadParameter(str(error)) from None


UNJUDGED: Final = 3
"""Exit code where nothing is known: no request came, or the journal has dropped some."""


def _show_attempts(answer: Any) -> None:
    rows = [[found["requests"][0].rpartition("-")[2], _target(found), found["line"]] for found in answer["attempts"]]
    click.echo(table(["FIRST", "URL", "ATTEMPTS"], rows) if rows else "no payload was sent more than once")


@click.command()
@_by
@_key
@_where
@click.option(
    "--at-least", type=click.IntRange(1), default=2, show_default=True, help="Show only payloads sent N times or more."
)
@answers(_show_attempts)
def attempts(api: ControlApi, **query: object) -> Any:
    """List the payloads that were sent more than once.

    With each come its answers and the time that the client waited between the attempts.
    """
    return api.get("/requests/attempts", **query)


@click.command()
@filters("company", "client_id")
@click.option("--allow", metavar="CODE", multiple=True, callback=_read_codes, help="Ignore violations of this code.")
@click.option("--fail", is_flag=True, help="Exit with 1 if there are violations, with 3 if the check is impossible.")
@click.option("--fail-if-none-received", is_flag=True, help="Exit with 3 if no request came.")
@JSON_OPTION
@connected
def violations(
    api: ControlApi, allow: frozenset[str], fail: bool, fail_if_none_received: bool, as_json: bool, **where: Any
) -> None:
    """List the violations of the published contract.

    With --fail, the exit code is 1 if there are any. It is 3 if there are none but that proves nothing, because no
    request came or the journal has dropped some.
    """
    pages = api.ask(verbs.contract_violations(**where))
    received, lost = pages[0]["received"], pages[0]["lost"]
    found = [
        {**request, "violations": kept}
        for page in pages
        for request in page["requests"]
        if (kept := [violation for violation in request["violations"] if violation["code"] not in allow])
    ]
    if as_json:
        print_json(found)
    else:
        rows = [
            [request["seq"], f"{request['method']} {request['path']}", violation["code"], violation["message"]]
            for request in found
            for violation in request["violations"]
        ]
        click.echo(table(["#", "REQUEST", "CODE", "WHAT"], rows) if rows else "no violations")
    if found and fail:
        raise click.exceptions.Exit(1)
    if not received and (fail or fail_if_none_received):
        click.echo("no request was received, so nothing was held against the contract", err=True)
        raise click.exceptions.Exit(UNJUDGED)
    if lost and fail:
        click.echo(
            f"up to {lost} requests were not held against the contract, because the journal was full: raise the "
            "setting journal_entries or journal_bytes, or reset more often",
            err=True,
        )
        raise click.exceptions.Exit(UNJUDGED)
