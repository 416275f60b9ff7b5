"""What a sandbox is started with: its seed, its settings, and where each of them came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click
from click.core import ParameterSource

from sandbox.cli.options import CONFIG_FILE
from sandbox.cli.variables import refuse_unknown_variables
from sandbox.config import Settings, SettingSpec, setting_specs
from sandbox.errors import SettingError

if TYPE_CHECKING:
    from sandbox.seed import Seed

Source = Literal["flag", "environment", "config_file", "seed", "default"]
"""The ways in, the strongest first."""

_TITLES: Final[Mapping[Source, str]] = {
    "flag": "flag",
    "environment": "environment variable",
    "config_file": "configuration file",
    "seed": "seed file",
    "default": "default",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of a setting came from; ``where`` names the flag, the variable or the file."""

    source: Source
    where: str | None = None

    def __str__(self) -> str:
        return f"{_TITLES[self.source]} {self.where}" if self.where else _TITLES[self.source]


@dataclass(frozen=True, slots=True)
class Configuration:
    """A seed and settings; ``given`` are those of the options, as they were given."""

    seed: Seed
    given: Mapping[str, object]
    settings: Settings
    origins: Mapping[str, Origin]


def configured(seed_files: Sequence[str], options: Mapping[str, object]) -> Configuration:
    """Return what the command that is running was given; raise ``SeedError`` or ``click.ClickException``.

    Click has put flags before the environment and that before the configuration file; below them come the settings of
    the seed.
    """
    from sandbox.seed import demo_seed, load_seed

    refuse_unknown_variables()
    seed = load_seed(*map(Path, seed_files)) if seed_files else demo_seed()
    given = {name: value for name, value in options.items() if value is not None}
    context = click.get_current_context()
    origins = {spec.name: _origin(spec, context, seed) for spec in setting_specs()}
    in_seed = {name: Origin("seed", place) for name, place in seed.setting_places.items()}
    settings = _changed(_changed(Settings(), seed.settings, in_seed), given, origins)
    return Configuration(seed, given, settings, origins)


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
            return Origin("environment", spec.env)
        case ParameterSource.DEFAULT_MAP if context.params[spec.name] is not None:
            return Origin("config_file", context.meta[CONFIG_FILE][spec.name])
    if spec.name in seed.setting_places:
        return Origin("seed", seed.setting_places[spec.name])
    return Origin("default")
