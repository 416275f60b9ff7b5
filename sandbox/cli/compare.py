"""``compare`` and ``har``: whether the sandbox answers as the real platform did, by a recording of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from sandbox.cli.output import JSON_OPTION, UnusableError, print_json, printable, printable_lines, refusals

_SHOWN: Final = 50
"""Differing exchanges on a terminal."""


class _Written(click.Path):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; refuse one in no folder now, and not when there is a result to lose."""
        path = str(super().convert(value, param, ctx))
        if not Path(path).parent.is_dir():
            self.fail(f"{path}: No such file or directory; make the folder first", param, ctx)
        return path


WRITTEN: Final = _Written(dir_okay=False, writable=True)
"""A file that a command writes when it is done."""

seed_file_option = click.option(
    "--seed-file",
    "seed_files",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Seed file of the sandbox. Repeat it to merge several. [default: the demo seed]",
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@seed_file_option
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="Host of the platform in the recording. [default: those whose token endpoint was called, inbound.pwks.co]",
)
@click.option("--redact", is_flag=True, help="Redact a recording that still has secrets and tokens.")
@JSON_OPTION
@click.option("--report", type=WRITTEN, metavar="FILE", help="Write the whole report to FILE.")
def compare(
    file: str, *, seed_files: tuple[str, ...], hosts: tuple[str, ...], redact: bool, as_json: bool, report: str | None
) -> None:
    """Compare the sandbox with a recording of the platform.

    Replays the requests in FILE, a HAR, on a sandbox of its own and reports the answers that differ: status, headers
    and body by path. It proposes the settings that explain the differences, and prints the rows of the ledger that the
    recording confirms. Services and OAuth clients that the seed lacks are created.

    The exit code is 0 if all answers are the same, 1 if some differ, and 2 if FILE cannot be read or holds secrets.
    """
    with refusals():
        from sandbox.foundation.settings import Settings
        from sandbox.state.seed import demo_seed, load_seed
        from sandbox.testing.compare import report as forms
        from sandbox.testing.compare.har import read_har
        from sandbox.testing.compare.recording import recording_of
        from sandbox.testing.compare.redact import Redactor

        seed = load_seed(*seed_files) if seed_files else demo_seed()
        token_path = Settings().changed(seed.settings).token_path
        recording = recording_of(read_har(file), token_path, hosts, Redactor() if redact else None)
        if not recording.exchanges:
            left_out = ", ".join(f"{count} {why}" for why, count in recording.left_out.items()) or "it has no entries"
            raise UnusableError(f"{file}: no request to the platform is in it ({left_out}); name its host with --host")
        comparison = forms.compare(recording, seed)
        if report is not None:
            Path(report).write_text(f"{printable_lines(forms.as_text(comparison))}\n", encoding="utf-8", newline="\n")
    if as_json:
        print_json(forms.as_json(comparison))
    else:
        click.echo(printable_lines(forms.as_text(comparison, _SHOWN)))
    if comparison.different:
        raise click.exceptions.Exit(1)


@click.group()
def har() -> None:
    """Prepare a recording of the platform (HAR)."""


@har.command(name="redact")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--output", "-o", type=WRITTEN, metavar="FILE", help="The file to write. [default: beside it, as NAME.redacted.har]"
)
def redact_file(file: str, output: str | None) -> None:
    """Write a recording without its secrets and tokens.

    A fingerprint replaces each of them, the same one everywhere, so that 'compare' can still replay the requests.
    Payloads stay, apart from secrets in them: look through those before you share the file.
    """
    with refusals():
        from sandbox.testing.compare.har import read_har
        from sandbox.testing.compare.redact import redact_har

        target = Path(output) if output is not None else Path(file).with_suffix(".redacted.har")
        redactor = redact_har(read_har(file), target)
    places = f", such as {'; '.join(redactor.places)}" if redactor.places else ""
    click.echo(f"{printable(target)}: {redactor.count} secrets and tokens replaced{printable(places)}")
