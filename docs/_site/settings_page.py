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

Give a setting on the command line (`--wire-profile legacy`), in the environment
(`{ENV_PREFIX}WIRE_PROFILE=legacy`), in the YAML file of `--config-file` (`wire_profile: legacy`), or under `settings:`
in a seed file. A flag wins over the environment, the environment over the configuration file, and the file over the
seed.

You can change the settings marked *at run time* while the sandbox runs:
`PATCH /_sandbox/settings {{"wire_profile": "legacy"}}`, or `patchworks.configure(wire_profile="legacy")` in a test. A
reset returns to the values of the start.

The evidence is that of the default; see [how faithful is it?](fidelity.md).

## Values in force, and their origin

`patchworks-sandbox config show` takes the options of `serve`, reads the same environment and files, and starts nothing:

```console
$ PATCHWORKS_SANDBOX_THREADS=4 patchworks-sandbox config show --port 9000
SETTING              VALUE                         FROM
host                 127.0.0.1                     default
port                 9000                          flag --port
…
threads              4                             environment variable PATCHWORKS_SANDBOX_THREADS
```

`--json` prints an object for programs. The output never has a secret.

## Files, seeds and secrets

These options are no settings. They also have an environment variable. Separate several seed files in the variable by
`:`, on Windows by `;`.

| option | variable | value |
|---|---|---|
| `--seed-file` | `{ENV_PREFIX}SEED_FILE` | the path of a [seed file](how-to/seeds.md), or `-`: standard input |
| `--seed` | `{ENV_PREFIX}SEED` | the seed as text, YAML or JSON, on top of the files |
| `--config-file` | `{ENV_PREFIX}CONFIG_FILE` | the path of the configuration file |
| `--ready-file` | `{ENV_PREFIX}READY_FILE` | the path of the file that the sandbox writes when it is ready |

The commands that use a running sandbox, `RemoteSandbox` and the pytest plugin read `{ENV_PREFIX}URL`,
`{ENV_PREFIX}CONTROL_KEY` and `{ENV_PREFIX}CA_FILE`.

A file can hold a secret, as Docker and Kubernetes provide it: `{ENV_PREFIX}CLIENT_SECRET_FILE` and
`{ENV_PREFIX}CONTROL_KEY_FILE` take the path of a file with the value. The sandbox ignores a line break after the value.

The prefix `{ENV_PREFIX}` belongs to the sandbox. The sandbox refuses an unknown variable with this prefix, and names
the nearest known one. Kubernetes and container engines set variables for a service called `patchworks-sandbox`, such as
`{ENV_PREFIX}PORT=tcp://10.96.11.12:8025`. The sandbox ignores these, and writes a line about them to the log.
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
        f"- Allowed: {spec.type.allowed}",
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
        case int() as value if "byte" in spec.type.allowed and value % _MIB == 0:
            return f"`{value}` ({value // _MIB} MiB)"
        case value:
            return f"`{value}`"
