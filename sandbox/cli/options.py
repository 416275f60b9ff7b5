"""The options of ``serve``: files and every setting, shown in groups, with a YAML file as another source of values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sandbox.cli.variables import EnvOption
from sandbox.foundation.environment import ENV_PREFIX, FILE_SUFFIX
from sandbox.foundation.errors import DocumentError, did_you_mean, shorten
from sandbox.foundation.settings import SettingSpec, setting_specs
from sandbox.foundation.yaml_document import Place, read_document

_Command = TypeVar("_Command", bound=Callable[..., Any])

GROUPS: Final = {
    "Files": ("seed_files", "seed", "config_file", "ready_file"),
    "Credentials": ("client_id", "client_secret"),
    "Server": ("host", "port", "public_url", "allowed_hosts", "control_key", "no_control_key", "threads"),
    "TLS": ("tls", "tls_port", "tls_folder", "tls_names", "tls_cert_file", "tls_key_file"),
    "Access tokens": (
        "token_path",
        "token_methods",
        "token_lifetime",
        "required_scope",
        "default_scope",
        "scopes",
        "signing_key_file",
        "signing_key_bits",
    ),
    "Emulated platform": (
        "wire_profile",
        "accept",
        "inbound_auth",
        "check_order",
        "company_class",
        "endpoint_class",
        "success_status",
        "success_message",
        "inactive_service",
        "entity_check",
        "whole_numbers",
        "blank_payload",
        "body_limit",
    ),
    "Rate limit": ("rate_limit", "rate_limit_requests", "rate_limit_window", "rate_limit_key", "rate_limit_counters"),
    "Processing": ("processing", "processing_retry", "resync"),
    "Process flows": (
        "inactive_flow",
        "disabled_flow",
        "flow_payload",
        "flow_run_key",
        "flow_signature",
        "hmac_encoding",
        "core_items",
        "core_created_status",
        "core_unknown_query",
        "per_page_over_max",
        "flow_limits",
    ),
    "Faults": ("presets_dir",),
    "Log": ("log_level", "log_format"),
    "Journal": ("journal_entries", "journal_bytes", "journal_file"),
    "Saved states": ("state_limit",),
}
OTHER: Final = "Other options"
_FILES: Final[dict[str, str]] = {"seed_file": "seed_files", "ready_file": "ready_file"}
"""Names that a configuration file may hold beside settings, and their parameters."""
CONFIG_FILE: Final = "sandbox.config_file"
"""Key in the ``meta`` of a command's context: the place of each value in the configuration file."""
_FILE: Final = click.Path(dir_okay=False)


class _Switch(click.types.BoolParamType):
    """A switch on the command line. ``Settings`` reads its value from other sources, as that of any setting."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value as it was given; an empty variable counts as none."""
        return None if value == "" else value


class GroupedCommand(click.Command):
    """A command whose help shows its options in groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*GROUPS, OTHER)}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                title = next((title for title, names in GROUPS.items() if parameter.name in names), OTHER)
                sections[title].append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def serve_options(command: _Command) -> _Command:
    """Add the options of ``serve``: its files, and one for every setting."""
    for add in reversed((*_FILE_OPTIONS, *map(_setting_option, setting_specs()))):
        command = add(command)
    return command


def _setting_option(spec: SettingSpec) -> Callable[[_Command], _Command]:
    default = shown(spec.default)
    text = f"{spec.doc} [default: {default}]" if default else spec.doc
    if isinstance(spec.default, bool):
        # A flag that begins with --no- has no opposite.
        flags = spec.flag if spec.flag.startswith("--no-") else f"{spec.flag}/--no-{spec.flag[2:]}"
        return click.option(flags, spec.name, is_flag=True, default=None, type=_Switch(), envvar=spec.env, help=text)
    if spec.secret:
        text = f"{text} [env: {spec.env}, or the path of a file in {spec.env}{FILE_SUFFIX}]"
    return click.option(
        spec.flag,
        spec.name,
        cls=EnvOption,
        in_file=spec.secret,
        default=None,
        envvar=spec.env,
        metavar=_metavar(spec),
        help=text,
    )


def shown(value: object) -> str:
    """Return the value of a setting in the form of the command line."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


_METAVARS: Final = {
    "bytes": "BYTES",
    "dir": "DIRECTORY",
    "file": "FILE",
    "folder": "DIRECTORY",
    "host": "HOST",
    "id": "UUID",
    "key": "KEY",
    "lifetime": "DURATION",
    "limit": "BYTES",
    "path": "PATH",
    "port": "PORT",
    "secret": "SECRET",
    "url": "URL",
    "window": "DURATION",
}
"""The kind of value by the last word of a setting's name."""


def _metavar(spec: SettingSpec) -> str:
    if values := spec.type.schema.get("enum"):
        return f"[{'|'.join(map(str, values))}]"
    kind = spec.type.schema["type"]
    if "array" in kind:
        return "NAME,…"
    return _METAVARS.get(spec.name.rpartition("_")[2], "NUMBER" if "integer" in kind else "TEXT")


def read_config_file(context: click.Context, option: click.Parameter, path: str | None) -> None:
    """Make the values in a YAML file the defaults of the options."""
    if path is None:
        return
    try:
        document = read_document(Path(path))
    except DocumentError as error:
        raise click.BadParameter(str(error)) from None
    values = document.content
    if not isinstance(values, dict):
        raise click.BadParameter(f"{path}: settings are 'name: value' lines, not {type(values).__name__}")
    known = {spec.name: spec.name for spec in setting_specs()} | _FILES
    places = {name: str(Place(document) / name) for name in values}
    for name, place in places.items():
        if name not in known:
            raise click.BadParameter(f"{place}: {name!r} is unknown; {did_you_mean(name, known)}")
        if name in _FILES and not _names_files(values[name], several=name == "seed_file"):
            allowed = "the path of a file, or a list of such" if name == "seed_file" else "the path of a file"
            raise click.BadParameter(f"{place}: {name}: {shorten(values[name])} is not allowed; use {allowed}")
    context.meta[CONFIG_FILE] = places
    context.default_map = {known[name]: _as_option(name, value) for name, value in values.items()}


def _names_files(value: object, *, several: bool) -> bool:
    if several and isinstance(value, list):
        return all(isinstance(part, str) for part in value)
    return value is None or isinstance(value, str)


def _as_option(name: str, value: object) -> object:
    """Return a value in the form of the command line: a list with commas; a list of files stays one."""
    if name == "seed_file":
        return [value] if isinstance(value, str) else value
    return ",".join(str(part) for part in value) if isinstance(value, list) else value


_FILE_OPTIONS: Final = (
    click.option(
        "--seed-file",
        "seed_files",
        multiple=True,
        type=_FILE,
        envvar=f"{ENV_PREFIX}SEED_FILE",
        help="YAML file with companies, connectors, clients and services; several are merged, and - is standard input. "
        "[default: the demo seed]",
    ),
    click.option(
        "--seed",
        envvar=f"{ENV_PREFIX}SEED",
        metavar="YAML",
        help=f"The seed as YAML or JSON text, on top of the files. [env: {ENV_PREFIX}SEED]",
    ),
    click.option(
        "--config-file",
        type=_FILE,
        envvar=f"{ENV_PREFIX}CONFIG_FILE",
        is_eager=True,
        expose_value=False,
        callback=read_config_file,
        help="YAML file with any of these options, as 'port: 9000'.",
    ),
    click.option(
        "--ready-file",
        type=_FILE,
        envvar=f"{ENV_PREFIX}READY_FILE",
        help="Write the URLs and the credentials to this file, as one JSON object, when the sandbox accepts "
        "connections.",
    ),
)
