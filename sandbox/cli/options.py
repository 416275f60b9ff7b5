"""The options of ``serve``: one for every setting, shown in groups, with a YAML file as another source of values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import yaml

from sandbox.config import SettingSpec, setting_specs
from sandbox.seed.schema import did_you_mean

_Command = TypeVar("_Command", bound=Callable[..., Any])

GROUPS: Final = {
    "Files": ("seed_files", "config_file", "ready_file"),
    "Server": ("host", "port", "public_url", "allowed_hosts", "control_key", "no_control_key", "threads"),
    "TLS": ("tls", "tls_port", "tls_folder", "tls_names", "tls_cert_file", "tls_key_file"),
    "Access tokens": (
        "token_path",
        "token_methods",
        "token_lifetime",
        "required_scope",
        "scopes",
        "signing_key_file",
        "signing_key_bits",
    ),
    "Emulated platform": (
        "wire_profile",
        "accept",
        "success_status",
        "success_message",
        "inactive_service",
        "entity_check",
        "body_limit",
    ),
    "Rate limit": ("rate_limit", "rate_limit_requests", "rate_limit_window", "rate_limit_key"),
    "Faults": ("presets_dir",),
    "Log": ("log_level", "log_format"),
    "Journal": ("journal_entries", "journal_bytes", "journal_file", "state_limit"),
}
OTHER: Final = "Other options"
_FILES: Final[dict[str, str]] = {"seed_file": "seed_files", "ready_file": "ready_file"}
"""What a configuration file may hold beside settings, and the parameter that takes it."""


class GroupedCommand(click.Command):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*GROUPS, OTHER)}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                sections[_group_of(parameter.name)].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _group_of(name: str | None) -> str:
    return next((title for title, names in GROUPS.items() if name in names), OTHER)


def setting_options(command: _Command) -> _Command:
    """Add an option for every setting."""
    for spec in reversed(setting_specs()):
        command = _setting_option(spec)(command)
    return command


def _setting_option(spec: SettingSpec) -> Callable[[_Command], _Command]:
    default = ",".join(spec.default) if isinstance(spec.default, tuple) else spec.default
    shown = (
        "" if default in (None, "") else f" [default: {str(default).lower() if isinstance(default, bool) else default}]"
    )
    text = f"{spec.doc}{shown}"
    if isinstance(spec.default, bool):
        # What is a "no" already has no other side on the command line.
        flags = spec.flag if spec.flag.startswith("--no-") else f"{spec.flag}/--no-{spec.flag[2:]}"
        return click.option(flags, spec.name, is_flag=True, default=None, envvar=spec.env, help=text)
    return click.option(spec.flag, spec.name, default=None, envvar=spec.env, metavar=_metavar(spec), help=text)


def _shown(default: object) -> str:
    """Return a default as it would be given on the command line."""
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case tuple():
            return ",".join(map(str, default))
        case _:
            return str(default)


def _metavar(spec: SettingSpec) -> str:
    if values := spec.json_schema.get("enum"):
        return f"[{'|'.join(map(str, values))}]"
    kind = spec.json_schema["type"]
    if "integer" in kind:
        return "NUMBER"
    return "NAME,…" if "array" in kind else "TEXT"


def read_config_file(context: click.Context, option: click.Parameter, path: str | None) -> None:
    """Make the values in a YAML file the defaults of the options."""
    if path is None:
        return
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise click.BadParameter(f"{path} is not YAML: {error}") from None
    if not isinstance(values, (dict, type(None))):
        raise click.BadParameter(f"{path}: settings are 'name: value' lines, not {type(values).__name__}")
    known = {spec.name: spec.name for spec in setting_specs()} | _FILES
    for name in values or {}:
        if name not in known:
            raise click.BadParameter(f"{path}: {name!r} is unknown{did_you_mean(str(name), known)}")
    context.default_map = {known[name]: _as_option(name, value) for name, value in (values or {}).items()}


def _as_option(name: str, value: object) -> object:
    """Return a value as the command line would give it: lists with commas, but of files as they are."""
    if name == "seed_file":
        return value if isinstance(value, list) else [value]
    return ",".join(str(part) for part in value) if isinstance(value, list) else value
