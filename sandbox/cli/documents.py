"""Commands that print or write documents: the OpenAPI documents, the fidelity ledger, pages made from the code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import click

_FOLDER = click.Path(file_okay=False, exists=True)


@click.command()
@click.option("--output", type=_FOLDER, help="Write openapi.yaml and openapi-control.yaml into this folder.")
@click.option("--api", type=click.Choice(["emulated", "control"]), default="emulated", help="Which one to print.")
def openapi(output: str | None, api: str) -> None:
    """Print an OpenAPI document, or write both into a folder."""
    from sandbox.app import SandboxApp
    from sandbox.spec import CONTROL_FILE, EMULATED_FILE, documents
    from sandbox.state import Sandbox

    app = SandboxApp(Sandbox())
    written = documents(app.emulated, app.control)
    if output is None:
        click.echo(written[EMULATED_FILE if api == "emulated" else CONTROL_FILE], nl=False)
    else:
        _write(written, Path(output))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
def fidelity(as_json: bool) -> None:
    """Print how each behaviour is known.

    It is documented, the framework's, unconfirmed, undefined or ours.
    """
    from sandbox.fidelity import as_text, load_ledger

    ledger = load_ledger()
    click.echo(json.dumps(dataclasses.asdict(ledger), indent=2) if as_json else as_text(ledger))


@click.command(hidden=True)
@click.option("--output", type=_FOLDER, required=True)
def reference(output: str) -> None:
    """Write the pages of the documentation that are made from the code into a folder."""
    from sandbox.faults.page import faults_page
    from sandbox.faults.presets import load_presets
    from sandbox.fidelity import as_markdown, load_ledger
    from sandbox.reference import configuration_page

    pages = {
        "fidelity.md": as_markdown(load_ledger()),
        "configuration.md": configuration_page(),
        "faults.md": faults_page(load_presets()),
    }
    _write(pages, Path(output))


def _write(pages: Mapping[str, str], folder: Path) -> None:
    for name, text in pages.items():
        Path(folder, name).write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"wrote {Path(folder, name)}")
