"""Commands that print or write documents: the OpenAPI documents, the fidelity ledger, completion scripts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from sandbox.cli import COMPLETE_VAR
from sandbox.cli.options import GroupedCommand, serve_options
from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import write_json

_FOLDER = click.Path(file_okay=False, exists=True)
_OWN = ("output", "api", "oas", "resolve")


@click.command(cls=GroupedCommand)
@click.option("--output", type=_FOLDER, help="Write all documents into this folder.")
@click.option(
    "--api", type=click.Choice(["emulated", "flows", "control"]), default="emulated", help="The API of the document."
)
@click.option("--oas", type=click.Choice(["3.1", "3.0"]), default="3.1", help="The version of OpenAPI. [default: 3.1]")
@click.option("--resolve", is_flag=True, help="Add a path for each service, with the schema of its entity.")
@serve_options
def openapi(
    *,
    output: str | None,
    api: str,
    oas: str,
    resolve: bool,
    seed_files: tuple[str, ...],
    seed: str | None,
    ready_file: str | None,
    **settings: object,
) -> None:
    """Print an OpenAPI document, or write all of them into a folder.

    Without --resolve it is the general contract, which has each answer that any setting can give. With --resolve it is
    the contract of your integration: it takes the seed files and the settings of 'serve', from the same sources.

    \b
    openapi --output .
    openapi --resolve --seed-file seed.yaml > contract.yaml
    """  # noqa: D301 - click reads the character that this escape stands for
    from sandbox.web.control.app import control_app
    from sandbox.web.spec import CONTROL_FILE, EMULATED_3_0_FILE, EMULATED_FILE, FLOWS_FILE, as_yaml, documents

    if api != "emulated" and (oas == "3.0" or resolve):
        raise click.UsageError(f"--oas 3.0 and --resolve are for the emulated API; leave --api {api} out")
    if not resolve and (given := _given(click.get_current_context())):
        raise click.UsageError(f"{', '.join(given)}: only with --resolve; the general contract has no settings")
    written = documents(control_app(), _resolved(seed_files, seed, settings) if resolve else None)
    if output is None:
        emulated = EMULATED_FILE if oas == "3.1" else EMULATED_3_0_FILE
        file = {"emulated": emulated, "flows": FLOWS_FILE, "control": CONTROL_FILE}[api]
        click.echo(as_yaml(written[file]), nl=False)
        return
    for name, document in written.items():
        path = Path(output, name)
        path.write_text(as_yaml(document), encoding="utf-8", newline="\n")
        click.echo(f"wrote {path}")


def _given(context: click.Context) -> list[str]:
    """Return the options of ``serve`` that stand on the command line."""
    options = {option.name: option.opts[0] for option in context.command.params if option.name not in _OWN}
    source = context.get_parameter_source
    return [flag for name, flag in options.items() if name and source(name) is ParameterSource.COMMANDLINE]


def _resolved(seed_files: tuple[str, ...], seed: str | None, options: Mapping[str, object]) -> dict[str, Any]:
    """Return the resolved document of the sandbox that ``serve`` would run."""
    from sandbox.cli.configuration import configured
    from sandbox.foundation.clock import Clock
    from sandbox.foundation.errors import InputError
    from sandbox.foundation.loopback import is_everywhere
    from sandbox.foundation.rng import Rng
    from sandbox.platform.store import Store
    from sandbox.state.seed_loading import load
    from sandbox.web.spec import document_of

    try:
        configuration = configured(seed_files, seed, options)
        store, settings = Store(Clock().now, Rng(None)), configuration.settings
        load(configuration.seed, store)
    except InputError as error:
        raise click.ClickException(str(error)) from None
    host = "127.0.0.1" if is_everywhere(settings.host) else settings.host
    address = f"[{host}]" if ":" in host else host
    base_url = settings.public_url or f"http://{address}:{settings.port or Settings().port}"
    return document_of(store, settings, base_url, resolve=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def fidelity(as_json: bool) -> None:
    """Print the evidence for each behaviour.

    A behaviour is documented, the framework's, unconfirmed, undefined or ours.
    """
    from sandbox.platform.fidelity import as_text, load_ledger

    ledger = load_ledger()
    click.echo(write_json(dataclasses.asdict(ledger), indent=2) if as_json else as_text(ledger))


_NAME = "patchworks-sandbox"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    zsh reads it from a folder of fpath, after compinit in ~/.zshrc; PowerShell 7 from its $PROFILE.
    """
    from click.shell_completion import get_completion_class

    if shell == "powershell":
        support_powershell()
    found = get_completion_class("pwsh" if shell == "powershell" else shell)
    assert found is not None
    # not source(): for bash it runs bash to find its version
    variables = {"complete_func": "_patchworks_sandbox_completion", "complete_var": COMPLETE_VAR}
    completer = found(context.find_root().command, {}, _NAME, COMPLETE_VAR)
    click.echo(completer.source_template % {**variables, "prog_name": _NAME})


def support_powershell() -> None:
    """Teach click the completion of PowerShell; raise ``ClickException`` where the package for it is missing."""
    try:
        from click_pwsh import support_pwsh_shell_completion
    except ImportError:
        raise click.ClickException("Completion in PowerShell needs a package: pip install click-pwsh") from None
    support_pwsh_shell_completion()
