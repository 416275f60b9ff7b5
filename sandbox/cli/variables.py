"""The environment variables of the sandbox: which there are, and that none is misspelled.

A name that nobody reads would be ignored without a word, and the sandbox run with other settings than were asked for.
"""

from __future__ import annotations

import difflib
import os
import re
from typing import Final

import click

from sandbox.config import ENV_PREFIX, setting_specs

_FILES: Final = ("SEED_FILE", "CONFIG_FILE", "READY_FILE")
_CLIENT: Final = ("URL", "CA_FILE")
"""What the other commands, ``RemoteSandbox`` and the pytest plugin read: where a sandbox is, and whom to trust."""
_SERVICE_LINK: Final = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
"""What Kubernetes tells the containers of a namespace of a service called patchworks-sandbox."""


def known_variables() -> list[str]:
    """Return every variable with the prefix that something here reads."""
    others = [ENV_PREFIX + name for name in (*_FILES, *_CLIENT)]
    return [*(spec.env for spec in setting_specs()), *others]


def refuse_unknown_variables() -> None:
    """Raise ``click.UsageError`` if the environment holds a name with the prefix that nobody reads."""
    known = known_variables()
    unknown = [name for name in sorted(os.environ) if name.startswith(ENV_PREFIX) and name not in known]
    problems = [_told(name, known) for name in unknown if not _SERVICE_LINK.fullmatch(name.removeprefix(ENV_PREFIX))]
    if problems:
        advice = "'patchworks-sandbox serve --help' lists the options; a variable of your own needs another prefix"
        raise click.UsageError("\n".join([*problems, f"{advice} than {ENV_PREFIX}."]))


def _told(name: str, known: list[str]) -> str:
    # Without the prefix: it is the same in all of them, and would make anything look near.
    given, names = name.removeprefix(ENV_PREFIX).upper(), [one.removeprefix(ENV_PREFIX) for one in known]
    near = difflib.get_close_matches(given, names, 1)
    hint = f"; did you mean {ENV_PREFIX}{near[0]}?" if near else ""
    return f"The environment variable {name} is unknown{hint}"
