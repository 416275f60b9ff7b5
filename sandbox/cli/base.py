"""The base of the commands that act upon a running sandbox: its address, the verb that they perform, and their errors.

Exit codes: 0 done, 1 the sandbox refused, 2 the command was not understood, 3 no sandbox answers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import click

from sandbox.cli.health import ca_file_option, url_option
from sandbox.cli.output import JSON_OPTION, print_json
from sandbox.cli.variables import EnvOption
from sandbox.foundation.environment import ENV_PREFIX, FILE_SUFFIX
from sandbox.foundation.errors import InvalidValueError, ProblemError, UnreachableError, shorten

if TYPE_CHECKING:
    from sandbox.testing.backend import Verb
    from sandbox.testing.remote.control_api import ControlApi

UNREACHABLE: Final = 3


class _UnreachableError(click.ClickException):
    exit_code = UNREACHABLE


control_key_option = click.option(
    "--control-key",
    cls=EnvOption,
    in_file=True,
    envvar=f"{ENV_PREFIX}CONTROL_KEY",
    metavar="KEY",
    help="Control key. Required where the sandbox listens on any address but loopback. "
    f"[env: {ENV_PREFIX}CONTROL_KEY, or the path of a file in {ENV_PREFIX}CONTROL_KEY{FILE_SUFFIX}]",
)


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options ``--url``, ``--control-key``, ``--ca-file`` and, first, the control API there.

    A refusal of the sandbox ends the command with a message and an exit code.
    """

    @url_option
    @control_key_option
    @ca_file_option
    @functools.wraps(command)
    def with_api(url: str, control_key: str | None, ca_file: str | None, **arguments: Any) -> None:
        from sandbox.cli.made_key import find
        from sandbox.testing.remote.control_api import ControlApi

        try:
            with closing(ControlApi(url, control_key=control_key or find(url), ca_file=ca_file)) as api:
                command(api, **arguments)
        except UnreachableError as error:
            raise _UnreachableError(str(error)) from None
        except ProblemError as error:
            raise click.ClickException("\n".join(map(_in_own_words, error.errors)) or str(error)) from None
        except InvalidValueError as error:
            given = {"code": error.code, "given": shorten(error.given), "allowed": error.allowed}
            raise click.UsageError(_in_own_words({"field": error.field, **given})) from None
        except BrokenPipeError:  # as in `requests | head`
            raise click.exceptions.Exit(0) from None

    return with_api


def _in_own_words(error: Mapping[str, str]) -> str:
    """Return the message of a wrong field with the command's own name for it: DURATION for ``body.duration``."""
    context = click.get_current_context()
    hints = {parameter.name: parameter.get_error_hint(context) for parameter in context.command.params}
    field = error["field"].rpartition(".")[2]
    name = hints.get(field, field).strip("'[]")
    match error:
        case {"code": "not_allowed", "given": given, "allowed": allowed}:
            return f"{name} {given} is not allowed. Use {allowed}."
        case {"code": "missing", "allowed": allowed}:
            return f"{name} is missing. Give {allowed}."
        case {"code": "unknown", "allowed": allowed}:
            return f"{name} is unknown; {allowed}"
        case _:  # also where the sandbox does not show the given value
            return f"{error['field']}: {error['message']}"


def answers(show: Callable[[Any], None], *, json: bool = True) -> Callable[[Callable[..., Any]], Any]:
    """Make a command of a function that returns an answer of the control API: show it, or print it with ``--json``.

    Without ``json`` the command has no such option.
    """

    def decorate(command: Callable[..., Any]) -> Any:
        @functools.wraps(command)
        def perform(api: ControlApi, *, as_json: bool = False, **arguments: Any) -> None:
            answer = command(api, **arguments)
            print_json(answer) if as_json else show(answer)

        return (JSON_OPTION if json else lambda same: same)(connected(perform))

    return decorate


def performs(show: Callable[[Any], None], *, json: bool = True) -> Callable[[Callable[..., Verb[Any]]], Any]:
    """Make a command of a function that returns a verb, as ``answers`` does of one that returns the answer to it."""

    def decorate(command: Callable[..., Verb[Any]]) -> Any:
        @functools.wraps(command)
        def ask(api: ControlApi, **arguments: Any) -> Any:
            return api.ask(command(**arguments))

        return answers(show, json=json)(ask)

    return decorate
