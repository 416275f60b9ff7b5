"""The command line: ``patchworks-sandbox serve`` and its companions.

A command imports its modules when it runs, so that ``--help`` and ``health`` answer at once.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from sandbox._version import __version__
from sandbox.cli.collector import no_collections

_COMMANDS: Final[Mapping[str, str]] = {
    "serve": "serve",
    "health": "health",
    "requests": "requests",
    "show": "requests",
    "export": "requests",
    "wait": "verification",
    "verify": "verification",
    "duplicates": "verification",
    "violations": "verification",
    "clock": "clock",
    "faults": "faults",
    "clients": "clients",
    "tokens": "listings",
    "services": "listings",
    "entities": "listings",
    "settings": "listings",
    "reset": "state",
    "state": "state",
    "config": "configuration",
    "openapi": "documents",
    "fidelity": "documents",
    "completion": "documents",
}
"""The module of each command, in the order of the help."""


class _Lazy(click.Group):
    """Imports the module of a command when the command is used."""

    def main(self, *args: Any, **options: Any) -> Any:
        # A Windows pipe is cp1252, which lacks most characters; a command prints them escaped and does not fail.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        return super().main(*args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        with no_collections():
            values = vars(import_module(f"sandbox.cli.{module}")).values()
        return next(value for value in values if isinstance(value, click.Command) and value.name == cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # Click looks for the nearest name among the imported commands, and none is imported.
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from sandbox.foundation.errors import did_you_mean

            ctx.fail(f"No such command {name!r}; {did_you_mean(name, _COMMANDS)}")
        return super().resolve_command(ctx, args)


_HELP: Final = """\
Patchworks Sandbox: an emulator of the Patchworks Inbound API for tests.

\b
Start it:         patchworks-sandbox serve
Look around:      http://127.0.0.1:8025/_sandbox/
See its options:  patchworks-sandbox serve --help
See its settings: patchworks-sandbox config show
What came in:     patchworks-sandbox requests --follow
Did it come:      patchworks-sandbox verify --service orders --times 1
Let a day pass:   patchworks-sandbox clock advance 24h
Make it fail:     patchworks-sandbox faults add status code=503 --times 2

Every setting of 'serve' can also stand in the environment (PATCHWORKS_SANDBOX_PORT=9000) or in a YAML file given by
--config-file (port: 9000). A flag wins over the environment, the environment over the file, the file over the
'settings' of a seed.
"""


@click.group(cls=_Lazy, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Run a command of ``patchworks-sandbox``."""
