"""``config``: what a sandbox would be started with."""

from __future__ import annotations

import click

from sandbox.cli.configuration import Configuration, configured
from sandbox.cli.connection import as_json_option, print_json
from sandbox.cli.options import GroupedCommand, serve_options, shown
from sandbox.cli.table import table
from sandbox.config import SettingSpec, setting_specs
from sandbox.errors import InputError

_MASK = "(not shown)"


@click.group()
def config() -> None:
    """Look at the configuration, without starting anything."""


@config.command(cls=GroupedCommand)
@as_json_option
@serve_options
def show(seed_files: tuple[str, ...], ready_file: str | None, as_json: bool, **settings: object) -> None:
    """Show every setting that 'serve' would run with, and where it comes from.

    Takes the options of 'serve' and reads the same environment, configuration file and seed files. Secrets are not
    shown.
    """
    try:
        configuration = configured(seed_files, settings)
    except InputError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        print_json({spec.name: _document(spec, configuration) for spec in setting_specs()})
    else:
        rows = [
            [spec.name, shown(_visible(spec, configuration)) or "-", configuration.origins[spec.name]]
            for spec in setting_specs()
        ]
        click.echo(table(["SETTING", "VALUE", "FROM"], rows))


def _visible(spec: SettingSpec, configuration: Configuration) -> object:
    value = getattr(configuration.settings, spec.name)
    return _MASK if spec.secret and value is not None else value


def _document(spec: SettingSpec, configuration: Configuration) -> dict[str, object]:
    origin = configuration.origins[spec.name]
    return {"value": _visible(spec, configuration), "source": origin.source, "where": origin.where}
