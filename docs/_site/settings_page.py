"""The settings as a page of the documentation."""

from __future__ import annotations

from typing import Final

from sandbox.cli.options import GROUPS, OTHER
from sandbox.foundation.environment import ENV_PREFIX
from sandbox.foundation.settings import SettingSpec, setting_specs

_MIB: Final = 1 << 20
_HEAD: Final = f"""\
# Configuration

<!-- Written by `make specs` from sandbox/foundation/settings.py; do not edit. -->

Every setting can be given on the command line (`--wire-profile legacy`), in the environment
(`{ENV_PREFIX}WIRE_PROFILE=legacy`), in a YAML file named by `--config-file` (`wire_profile: legacy`) and under
`settings:` in a seed file. A flag wins over the environment, the environment over the configuration file, the file over
the seed.

You can change the settings marked *at run time* while the sandbox runs:
`PATCH /_sandbox/settings {{"wire_profile": "legacy"}}`, or `patchworks.configure(wire_profile="legacy")` in a test. A
reset returns to the values of the start.

The evidence says how the default is known; see [how faithful is it?](fidelity.md).

## What is in force, and from where

`patchworks-sandbox config show` takes the options of `serve`, reads the same environment and files, and starts nothing:

```console
$ PATCHWORKS_SANDBOX_THREADS=4 patchworks-sandbox config show --port 9000
SETTING              VALUE                         FROM
host                 127.0.0.1                     default
port                 9000                          flag --port
…
threads              4                             environment variable PATCHWORKS_SANDBOX_THREADS
```

With `--json` it is an object for programs. A secret is never shown.

## Files, seeds and secrets

These are no settings, and can stand in the environment as well. Of several seed files in the variable each is separated
from the next by `:`, on Windows by `;`.

| option | variable | what it gives |
|---|---|---|
| `--seed-file` | `{ENV_PREFIX}SEED_FILE` | the path of a [seed file](how-to/seeds.md), or `-`: standard input |
| `--seed` | `{ENV_PREFIX}SEED` | the seed as text, YAML or JSON, on top of the files |
| `--config-file` | `{ENV_PREFIX}CONFIG_FILE` | the path of the configuration file |
| `--ready-file` | `{ENV_PREFIX}READY_FILE` | the path of the file that the sandbox writes when it is ready |

The commands that act upon a running sandbox, `RemoteSandbox` and the pytest plugin read `{ENV_PREFIX}URL`,
`{ENV_PREFIX}CONTROL_KEY` and `{ENV_PREFIX}CA_FILE`.

A secret can stand in a file, as Docker and Kubernetes hand it over: `{ENV_PREFIX}CLIENT_SECRET_FILE` and
`{ENV_PREFIX}CONTROL_KEY_FILE` hold the path of a file with the value. A line's end after the value does not count.

A variable whose name begins with `{ENV_PREFIX}` and that the sandbox does not read is refused, with the nearest known
name: the prefix is the sandbox's own. Variables by which Kubernetes or a container engine describes a service called
`patchworks-sandbox` may be there. Such a `{ENV_PREFIX}PORT=tcp://10.96.11.12:8025` is ignored, and a line of the log
says so.
"""


def configuration_page() -> str:
    """Return the page ``docs/configuration.md``."""
    specs = {spec.name: spec for spec in setting_specs()}
    lines = [_HEAD]
    for title, names in GROUPS.items():
        if members := [name for name in names if name in specs]:
            lines += [f"## {title}", "", *(_section(specs.pop(name)) for name in members)]
    return "\n".join([*lines, *([f"## {OTHER}", ""] if specs else []), *map(_section, specs.values())])


def _section(spec: SettingSpec) -> str:
    lines = [
        f"### {spec.name}",
        "",
        spec.doc,
        "",
        f"- Default: {_default(spec)}",
        f"- Allowed: {spec.allowed}",
        f"- Set by: `{spec.flag}`, `{spec.env}`{', at run time' if spec.runtime else ''}",
        f"- Evidence: {spec.tag}",
        "",
    ]
    return "\n".join(lines)


def _default(spec: SettingSpec) -> str:
    match spec.default:
        case None:
            return "none"
        case bool() as value:
            return f"`{str(value).lower()}`"
        case tuple() as values:
            return f"`{','.join(values)}`"
        case int() as value if "byte" in spec.allowed and value % _MIB == 0:
            return f"`{value}` ({value // _MIB} MiB)"
        case value:
            return f"`{value}`"
