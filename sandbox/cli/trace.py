"""``trace``: a journal as one HTML file for people, which opens without a sandbox."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

import click

from sandbox.cli.base import connected
from sandbox.cli.output import printable

if TYPE_CHECKING:
    from sandbox.testing.remote.control_api import ControlApi

_STDIO: Final = "-"


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--output",
    "-o",
    type=click.File("w", encoding="utf-8", lazy=True),
    default="trace.html",
    show_default=True,
    metavar="FILE",
    help="Write to this file; - is standard output.",
)
@click.option("--title", help="Title of the page. [default: the file, or the URL]")
@connected
def trace(api: ControlApi, file: str | None, output: IO[str], title: str | None) -> None:
    """Write a journal as one HTML file, without secrets.

    FILE is an NDJSON export or a journal file; - reads standard input. Without FILE the journal is that of the running
    sandbox, with its fault rules and settings.

    The page holds the newest 1,000 requests and is smaller than 1 MB. It opens in a browser without a network.
    """
    from sandbox.foundation.errors import DocumentError
    from sandbox.testing.remote.remote_sandbox import Remote
    from sandbox.testing.trace_recording import of_lines, of_sandbox
    from sandbox.web.dashboard.trace import Trace, as_html

    if file is None:
        recordings = [of_sandbox(Remote(api, None))]
    else:
        try:
            with click.open_file(file, "rb") as lines:
                recordings = of_lines(lines, "standard input" if file == _STDIO else file)
        except DocumentError as error:
            raise click.UsageError(printable(error)) from None
    output.write(as_html(Trace(title or file or api.base_url, recordings)))
    requests = sum(len(recording.entries) for recording in recordings)
    name = "standard output" if output.name == _STDIO else printable(output.name)
    click.echo(f"{name}: {requests} {'request' if requests == 1 else 'requests'}", err=True)
