"""Environment variables on the command line: which are read, and what happens to those that are not."""

from __future__ import annotations

import difflib
import os
from typing import Any, Final

import click

from sandbox.foundation.environment import ENV_PREFIX, FILE_SUFFIX, is_service_link, secret_variable, variable
from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.settings import setting_specs

_FILES: Final = ("SEED", "SEED_FILE", "CONFIG_FILE", "READY_FILE")
_CLIENT: Final = ("URL", "CA_FILE")
"""Read by the other commands, ``RemoteSandbox`` and the pytest plugin: the URL of a sandbox and its authority."""


def known_variables() -> list[str]:
    """Return every variable with the prefix that the sandbox reads."""
    specs = setting_specs()
    in_files = [spec.env + FILE_SUFFIX for spec in specs if spec.secret]
    return [*(spec.env for spec in specs), *in_files, *(ENV_PREFIX + name for name in (*_FILES, *_CLIENT))]


def refuse_unknown_variables() -> None:
    """Raise ``click.UsageError`` if the environment has an unknown variable with the prefix."""
    known = known_variables()
    unknown = [name for name in sorted(os.environ) if name.startswith(ENV_PREFIX) and name not in known]
    problems = [_problem(name, known) for name in unknown if not is_service_link(name)]
    if problems:
        advice = "'patchworks-sandbox serve --help' lists the options; a variable of your own needs another prefix"
        raise click.UsageError("\n".join([*problems, f"{advice} than {ENV_PREFIX}."]))


def _problem(name: str, known: list[str]) -> str:
    # Without the prefix, which is the same in all of them and would make each name look near.
    given, names = name.removeprefix(ENV_PREFIX).upper(), [one.removeprefix(ENV_PREFIX) for one in known]
    near = difflib.get_close_matches(given, names, 1)
    hint = f"; did you mean {ENV_PREFIX}{near[0]}?" if near else ""
    return f"The environment variable {name} is unknown{hint}"


def ignored_settings() -> list[str]:
    """Return the lines about variables that are settings by their name and describe a service by their value."""
    return [
        f"{name}={os.environ[name]} is the address of a service or a container of this name, and is ignored; "
        "to set the port, give another value; enableServiceLinks: false in a pod's spec removes it"
        for name in known_variables()
        if name in os.environ and is_service_link(name)
    ]


class EnvOption(click.Option):
    """An option that leaves variables of services alone; with ``in_file`` its value may stand in a file."""

    def __init__(self, *arguments: Any, in_file: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_file = in_file

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the value in the environment."""
        assert isinstance(self.envvar, str)
        try:
            return (secret_variable if self._in_file else variable)(self.envvar)
        except InvalidValueError as error:
            raise click.UsageError(str(error), ctx) from None
