"""The command line: ``patchworks-sandbox serve`` and its companions.

A command imports its modules when it runs, so that ``--help`` and ``health`` answer at once.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from sandbox._version import __version__
from sandbox.cli.examples import add_examples
from sandbox.foundation.collector import no_collections

GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "Run": {"serve": "serve", "health": "health", "config": "configuration"},
    "Look": {
        "requests": "requests",
        "show": "requests",
        "export": "requests",
        "trace": "trace",
        "report": "processing",
        "runs": "processing",
        "tokens": "listings",
        "services": "listings",
        "entities": "listings",
        "flows": "flows",
    },
    "Assert": dict.fromkeys(("wait", "verify", "duplicates", "attempts", "violations"), "verification"),
    "Certify": {"certify": "certify", "storm": "certify"},
    "Compare": {"compare": "compare", "har": "compare"},
    "Control": {
        "clock": "clock",
        "faults": "faults",
        "clients": "listings",
        "keys": "flows",
        "run-service": "processing",
        "resync": "processing",
        "settings": "listings",
        "reset": "state",
        "state": "state",
    },
    "Reference": {"openapi": "documents", "fidelity": "documents", "completion": "documents", "mcp": "agents"},
}
"""The module of each command, by the sections of the help."""

_COMMANDS: Final = {name: module for commands in GROUPS.values() for name, module in commands.items()}


COMPLETE_VAR: Final = "_PATCHWORKS_SANDBOX_COMPLETE"
"""The variable by which a shell asks for completions; click derives the same name from that of the program."""


class _Lazy(click.Group):
    """Imports the module of a command when the command is used."""

    def main(self, *args: Any, **options: Any) -> Any:
        # A Windows pipe is cp1252, which lacks most characters; a command prints them escaped and does not fail.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        if os.environ.get(COMPLETE_VAR, "").startswith("pwsh_"):
            from sandbox.cli.documents import support_powershell

            support_powershell()
        return super().main(*args, **options)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        with no_collections():
            values = vars(import_module(f"sandbox.cli.{module}")).values()
        command = next(value for value in values if isinstance(value, click.Command) and value.name == cmd_name)
        add_examples(command, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in GROUPS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name, command.get_short_help_str(80)) for name, command in commands if command is not None]
            with formatter.section(title):
                formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:  # as in `docker run IMAGE --port 1`
            name = error.option_name
            ctx.fail(f"No such option {name!r} before a command; it follows one, as in: {ctx.info_name} serve {name}")

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
  patchworks-sandbox serve
  patchworks-sandbox requests --follow
  patchworks-sandbox verify --service orders --accepted --times 1
  patchworks-sandbox clock advance 24h
  patchworks-sandbox faults add status code=503 --times 2

http://127.0.0.1:8025/_sandbox/ has the dashboard and the reference of both APIs.
"""
_EPILOG: Final = """\
\b
Settings:
  Each option of 'serve' is also an environment variable
  (PATCHWORKS_SANDBOX_PORT=9000) and a line of the YAML file that --config-file
  names (port: 9000). A flag wins over the environment, the environment over
  the file, and the file over the 'settings' of a seed.

\b
Environment of the other commands:
  PATCHWORKS_SANDBOX_URL          the sandbox, such as http://127.0.0.1:8025
  PATCHWORKS_SANDBOX_PORT         its port on this machine, without a URL
  PATCHWORKS_SANDBOX_CONTROL_KEY  its control key; with _FILE at the end of the
                                  name: the path of a file that holds the key
  PATCHWORKS_SANDBOX_CA_FILE      the CA certificate to trust, for an https URL

\b
Exit codes:
  0  done
  1  the sandbox refused the command, or an assertion failed;
     'health': not ready; 'compare': answers differ
  2  wrong usage, or a file that cannot be read
  3  no sandbox answers, or an assertion has nothing to check
"""


@click.group(
    cls=_Lazy,
    help=_HELP,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
def main() -> None:
    """Run a command of ``patchworks-sandbox``."""
