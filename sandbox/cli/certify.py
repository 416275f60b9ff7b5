"""``certify`` and ``storm``: run a client through failures, and judge what it did."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sandbox.cli.base import control_key_option
from sandbox.cli.compare import WRITTEN, seed_file_option
from sandbox.cli.health import ca_file_option
from sandbox.cli.output import UnusableError, json_text, printable, printable_lines, refusals, table

if TYPE_CHECKING:
    from sandbox.testing.certify.certify import Trial
    from sandbox.testing.certify.random_storms import Found
    from sandbox.testing.certify.report import Report
    from sandbox.testing.certify.run import Run
    from sandbox.testing.certify.storms import Storm
    from sandbox.testing.local import SandboxServer
    from sandbox.testing.remote.remote_sandbox import RemoteSandbox

_TAIL: Final = 2_000
"""Characters of the output of a client that sent nothing."""


_OPTIONS: Final = (
    click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND [ARG]..."),
    seed_file_option,
    click.option("--url", metavar="URL", help="Base URL of a sandbox that may be reset. [default: one of its own]"),
    control_key_option,
    ca_file_option,
    click.option(
        "--payloads",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="File that the client reads; its path is in PATCHWORKS_PAYLOADS.",
    ),
    click.option(
        "--json-path",
        metavar="QUERY",
        help="RFC 9535 query for the key of a payload, such as $.order. [default: the whole body]",
    ),
)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(context_settings={"ignore_unknown_options": False})
@_common
@click.option("--storms", metavar="NAME,...", help="Only these storms, after the calm one. [default: all]")
@click.option(
    "--storms-dir", type=click.Path(exists=True, file_okay=False), metavar="DIR", help="Folder with your own storms."
)
@click.option("--list", "lists", is_flag=True, help="List the storms with the checks that judge them.")
@click.option("--timeout", type=click.FloatRange(0.1, 3_600), metavar="S", help="Time-out of each run, in seconds.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, help="Seed of the random numbers. [default: 1]")
@click.option("--report", type=WRITTEN, metavar="FILE", help="Write the report as one HTML file.")
@click.option("--junit", type=WRITTEN, metavar="FILE", help="Write the verdicts as JUnit XML.")
@click.option("--sarif", type=WRITTEN, metavar="FILE", help="Write the verdicts as SARIF 2.1.0.")
@click.option("--json", "json_file", type=WRITTEN, metavar="FILE", help="Write the verdicts as JSON.")
def certify(
    argv: Sequence[str],
    *,
    storms: str | None,
    storms_dir: str | None,
    lists: bool,
    seed: int,
    **options: Any,
) -> None:
    """Judge a client by what it does when the platform fails.

    Runs COMMAND once in each storm and judges the requests that came. The command gets the variables
    PATCHWORKS_TOKEN_URL, PATCHWORKS_CLIENT_ID, PATCHWORKS_CLIENT_SECRET, PATCHWORKS_COMPANY, PATCHWORKS_INBOUND_URL (of
    the first service), PATCHWORKS_INBOUND_URL_<VANITY_URL> and PATCHWORKS_STORM.

    The exit code is 0 if no check failed and one passed, 1 if one failed, and 2 if nothing was reached or COMMAND
    cannot be run.
    """
    files: dict[str, str | None] = {form: options.pop(form) for form in ("report", "junit", "sarif", "json_file")}
    _end_by_signal()
    with refusals():
        from sandbox.testing.certify.storms import load_storms, select_storms

        chosen = select_storms([name for name in (storms or "").split(",") if name], load_storms(storms_dir))
        if lists:
            rows = [[storm.name, storm.title, " ".join(storm.judges)] for storm in chosen]
            click.echo(table(["STORM", "WHAT HAPPENS", "CHECKS"], rows))
            return
        if not argv:
            raise click.UsageError("give the command to run after two hyphens: certify -- python push.py")
        from dataclasses import replace

        from sandbox.testing.certify.certify import certify as certified

        with _trial(argv, seed, **options) as trial:
            found = replace(certified(trial, chosen, _progress), seed=seed)
            for form, path in files.items():
                if path is not None:
                    _save(path, _as(form, found, trial, argv))
    click.echo(printable_lines(str(found)))
    _hint(found)
    raise click.exceptions.Exit(found.exit_code)


def _end_by_signal() -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@contextmanager
def _trial(
    argv: Sequence[str],
    seed: int,
    *,
    json_path: str | None,
    timeout: float | None,
    payloads: str | None,
    seed_files: Sequence[str],
    url: str | None,
    control_key: str | None,
    ca_file: str | None,
) -> Iterator[Trial]:
    """Yield the command and the sandbox at a URL, or one that is served while the context lasts."""
    from sandbox.testing.certify.certify import Trial
    from sandbox.testing.certify.client import Command

    environment = {} if payloads is None else {"PATCHWORKS_PAYLOADS": str(Path(payloads).resolve())}
    place: RemoteSandbox | SandboxServer
    if url is not None:
        from sandbox.testing.remote.remote_sandbox import RemoteSandbox

        if seed_files:
            raise click.UsageError("--seed-file is for a sandbox of its own; the one at --url has its seed already")
        place = RemoteSandbox(url, control_key=control_key, ca_file=ca_file)
    else:
        from sandbox.state.sandbox import Sandbox
        from sandbox.state.seed import load_seed
        from sandbox.testing.local import SandboxServer

        loaded = load_seed(*seed_files) if seed_files else None
        place = SandboxServer(Sandbox(loaded, settings={"random_seed": seed}))
    with place:
        yield Trial(place.patchworks.backend, Command(argv), json_path, timeout, environment)


def _progress(number: int, total: int, storm: Storm, run: Run | None) -> None:
    """Show on standard error how far it is: on a terminal one line that changes, else a line a storm."""
    is_terminal = sys.stderr.isatty()
    if run is None:
        if is_terminal:
            click.echo(f"\r\x1b[K[{number}/{total}] {storm.name} …", nl=False, err=True)
        return
    if is_terminal:
        click.echo("\r\x1b[K", nl=number == total, err=True)
    elif run.outcome.exit_code is None and not run.stopped:
        click.echo(f"[{number}/{total}] {storm.name}: not run", err=True)
    else:
        end = "stopped" if run.stopped else f"exit {run.outcome.exit_code}"
        seconds, requests = run.outcome.seconds, len(run.entries)
        click.echo(f"[{number}/{total}] {storm.name}: {end} after {seconds:.1f} s, {requests} requests", err=True)


def _hint(found: Report) -> None:
    """Say why nothing was reached, or why little of it was."""
    calm = found.runs[0]
    if not calm.entries:
        _explain_silence(calm)
    elif refused := [entry for entry in calm.entries if entry.outcome == "rejected"]:
        reasons = ", ".join(dict.fromkeys(printable(entry.reason or entry.status) for entry in refused[:3]))
        click.echo(f"{len(refused)} requests were refused although nothing failed: {reasons[:300]}", err=True)


def _explain_silence(calm: Run) -> None:
    click.echo(
        "The client sent nothing, although nothing failed. It must take its URLs and credentials from the variables "
        "PATCHWORKS_TOKEN_URL, PATCHWORKS_INBOUND_URL, PATCHWORKS_CLIENT_ID and PATCHWORKS_CLIENT_SECRET.",
        err=True,
    )
    if tail := printable_lines(calm.outcome.output[-_TAIL:]).strip():
        click.echo(f"The end of its output:\n{tail}", err=True)


def _as(form: str, found: Report, trial: Trial, argv: Sequence[str]) -> str:
    """Return a report in the form of an option."""
    from sandbox.testing.certify import report as forms

    match form:
        case "report":
            from sandbox.testing.certify.html import as_html

            return as_html(found, trial.backend.journal.secrets)
        case "junit":
            return forms.as_junit(found)
        case "sarif":
            return f"{json_text(forms.as_sarif(found, forms.file_of(argv)), indent=2)}\n"
        case _:
            return f"{json_text(forms.as_json(found), indent=2)}\n"


def _save(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8", newline="\n")


@click.command()
@_common
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=1, help="Seed of the faults that are drawn. [default: 1]"
)
@click.option("--minutes", type=click.FloatRange(0.05, 1_440), default=1.0, help="Minutes to search. [default: 1]")
@click.option("--timeout", type=click.FloatRange(0.1, 3_600), default=30.0, help="Time-out of each run. [default: 30]")
@click.option("--output", "-o", type=WRITTEN, metavar="FILE", help="Also write the found storm to this file.")
def storm(
    argv: Sequence[str],
    *,
    seed: int,
    minutes: float,
    output: str | None,
    **options: Any,
) -> None:
    """Search for faults that break a client, and shrink them.

    Runs COMMAND in storms of random faults. In each the client must end, what its exit code 0 promises must be stored,
    and nothing may be stored twice unless an answer was lost. A storm in which something fails is shrunk to the fewest
    faults and printed as a file for 'certify --storms-dir'.

    The exit code is 0 if all held, 1 if something did not, and 2 if COMMAND sent nothing or cannot be run.
    """
    if not argv:
        raise click.UsageError("give the command to run after two hyphens: storm -- python push.py")
    _end_by_signal()
    with refusals():
        from sandbox.testing.certify.random_storms import search

        with _trial(argv, seed, **options) as trial:
            end = search(
                trial, seed=seed, seconds=60 * minutes, announce=lambda text: click.echo(printable(text), err=True)
            )
        if not end.calm.entries:
            _explain_silence(end.calm)
            raise click.exceptions.Exit(UnusableError.exit_code)
        if end.found is None:
            click.echo(f"{end.storms} storms with seed {seed}, and all held")
            return
        text = _storm_file(end.found)
        if output is not None:
            _save(output, text)
    click.echo(printable_lines(text))
    click.echo(f"{end.found.check}: {end.found.problem} (storm {end.storms} of seed {seed}, shrunk)", err=True)
    raise click.exceptions.Exit(1)


def _storm_file(found: Found) -> str:
    import yaml

    comments = [f"# {found.check}: {found.problem}"]
    comments += [f"#   {attempts.line}" for attempts in found.run.attempts[:10]]
    document = yaml.safe_dump(found.storm.document(), sort_keys=False, allow_unicode=True, width=110)
    return "\n".join([*map(printable, comments), document])
