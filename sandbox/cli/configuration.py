"""The configuration that a sandbox starts with: its seed, its settings, and the origin of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

import click
from click.core import ParameterSource

from sandbox.cli.options import CONFIG_FILE, GroupedCommand, serve_options, shown
from sandbox.cli.output import JSON_OPTION, print_json, table
from sandbox.cli.variables import refuse_unknown_variables
from sandbox.foundation.environment import ENV_PREFIX, FILE_SUFFIX, variable
from sandbox.foundation.errors import InputError, SettingError, shorten
from sandbox.foundation.settings import Settings, SettingSpec, setting_specs

if TYPE_CHECKING:
    from sandbox.state.seed import Seed, SeedText

Source = Literal["flag", "environment", "config_file", "seed", "default"]
"""The sources of a setting, the strongest first."""

_TITLES: Final[Mapping[Source, str]] = {
    "flag": "flag",
    "environment": "environment variable",
    "config_file": "configuration file",
    "seed": "seed file",
    "default": "default",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a setting's value; ``where`` names the flag, the variable or the file."""

    source: Source
    where: str | None = None

    def __str__(self) -> str:
        return f"{_TITLES[self.source]} {self.where}" if self.where else _TITLES[self.source]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A seed and settings; ``given`` are the settings of options, as they were given."""

    seed: Seed
    given: Mapping[str, object]
    settings: Settings
    origins: Mapping[str, Origin]


def configured(seed_files: Sequence[str], seed_text: str | None, options: Mapping[str, object]) -> Configuration:
    """Return the configuration of the command that is running; raise ``SeedError`` or ``click.ClickException``.

    Click has applied flags, the environment and the configuration file in this order; the settings of the seed are
    weaker.
    """
    from sandbox.state.seed import SeedText, demo_seed, load_seed

    refuse_unknown_variables()
    sources: list[str | SeedText] = [_standard_input() if name == "-" else name for name in seed_files if name]
    if seed_text is not None and seed_text.strip():
        if seed_text.strip().endswith((".yaml", ".yml", ".json")):
            raise click.ClickException(
                f"{_place_of_seed_text()}: {shorten(seed_text)} is a path, and here stands the seed itself; "
                f"name a file by --seed-file or {ENV_PREFIX}SEED_FILE"
            )
        sources.append(SeedText(_place_of_seed_text(), seed_text))
    seed = load_seed(*sources) if sources else demo_seed()
    given = {name: value for name, value in options.items() if value is not None}
    context = click.get_current_context()
    origins = {spec.name: _origin(spec, context, seed) for spec in setting_specs()}
    in_seed = {name: Origin("seed", place) for name, place in seed.setting_places.items()}
    settings = _changed(_changed(Settings(), seed.settings, in_seed), given, origins)
    return Configuration(seed, given, settings, origins)


def _standard_input() -> SeedText:
    from sandbox.foundation.yaml_document import MAX_BYTES
    from sandbox.state.seed import SeedText

    with click.open_file("-", "rb") as stdin:
        return SeedText("standard input", stdin.read(MAX_BYTES + 1))


def _place_of_seed_text() -> str:
    in_flag = click.get_current_context().get_parameter_source("seed") is ParameterSource.COMMANDLINE
    return "--seed" if in_flag else f"{ENV_PREFIX}SEED"


def _changed(settings: Settings, values: Mapping[str, object], origins: Mapping[str, Origin]) -> Settings:
    try:
        return settings.changed(values)
    except SettingError as error:
        raise click.ClickException(f"{error} ({origins[error.field]})") from None


def _origin(spec: SettingSpec, context: click.Context, seed: Seed) -> Origin:
    match context.get_parameter_source(spec.name):
        case ParameterSource.COMMANDLINE:
            return Origin("flag", spec.flag)
        case ParameterSource.ENVIRONMENT:
            in_file = spec.secret and variable(spec.env) is None
            return Origin("environment", spec.env + FILE_SUFFIX if in_file else spec.env)
        case ParameterSource.DEFAULT_MAP if context.params[spec.name] is not None:
            return Origin("config_file", context.meta[CONFIG_FILE][spec.name])
    if spec.name in seed.setting_places:
        return Origin("seed", seed.setting_places[spec.name])
    return Origin("default")


_MASK = "(not shown)"


@click.group()
def config() -> None:
    """Show the configuration without a start."""


@config.command(cls=GroupedCommand)
@JSON_OPTION
@serve_options
def show(
    seed_files: tuple[str, ...], seed: str | None, ready_file: str | None, as_json: bool, **settings: object
) -> None:
    """Show every setting of 'serve' and its origin.

    Takes the options of 'serve' and reads the same environment, configuration file and seed files. Secrets are not
    shown.
    """
    try:
        configuration = configured(seed_files, seed, settings)
    except InputError as error:
        raise click.ClickException(str(error)) from None
    values = {spec.name: getattr(configuration.settings, spec.name) for spec in setting_specs()}
    masks = {spec.name: _MASK for spec in setting_specs() if spec.secret and values[spec.name] is not None}
    found = [(name, value, configuration.origins[name]) for name, value in {**values, **masks}.items()]
    if as_json:
        print_json({name: {"value": value, **asdict(origin)} for name, value, origin in found})
    else:
        rows = [(name, shown(value) or "-", origin) for name, value, origin in found]
        click.echo(table(["SETTING", "VALUE", "FROM"], rows))
