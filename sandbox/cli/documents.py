"""Commands that print or write documents: the OpenAPI documents, the fidelity ledger, completion scripts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from sandbox.foundation.strict_json import write_json

_FOLDER = click.Path(file_okay=False, exists=True)


@click.command()
@click.option("--output", type=_FOLDER, help="Write openapi.yaml and openapi-control.yaml into this folder.")
@click.option("--api", type=click.Choice(["emulated", "control"]), default="emulated", help="Which one to print.")
def openapi(output: str | None, api: str) -> None:
    """Print an OpenAPI document, or write both into a folder."""
    from sandbox.state.sandbox import Sandbox
    from sandbox.web.app import SandboxApp
    from sandbox.web.spec import CONTROL_FILE, EMULATED_FILE, documents

    app = SandboxApp(Sandbox())
    written = documents(app.emulated, app.control)
    if output is None:
        click.echo(written[EMULATED_FILE if api == "emulated" else CONTROL_FILE], nl=False)
    else:
        for name, text in written.items():
            path = Path(output, name)
            path.write_text(text, encoding="utf-8", newline="\n")
            click.echo(f"wrote {path}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
def fidelity(as_json: bool) -> None:
    """Print the evidence for each behaviour.

    A behaviour is documented, the framework's, unconfirmed, undefined or ours.
    """
    from sandbox.platform.fidelity import as_text, load_ledger

    ledger = load_ledger()
    click.echo(write_json(dataclasses.asdict(ledger), indent=2) if as_json else as_text(ledger))


_NAME = "patchworks-sandbox"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    zsh reads it from a folder of fpath, after compinit in ~/.zshrc.
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    command = context.find_root().command
    # not source(): for bash it runs bash to find its version
    variables = {"complete_func": "_patchworks_sandbox_completion", "complete_var": "_PATCHWORKS_SANDBOX_COMPLETE"}
    completer = found(command, {}, _NAME, variables["complete_var"])
    click.echo(completer.source_template % {**variables, "prog_name": _NAME})
