"""The settings as a page of the documentation."""

from __future__ import annotations

from typing import Final

from sandbox.foundation.settings import ENV_PREFIX, SettingSpec, setting_specs

_HEAD: Final = f"""\
# Configuration

<!-- Written by `make specs` from sandbox/foundation/settings.py; do not edit. -->

Every setting can be given on the command line (`--wire-profile legacy`), in the environment
(`{ENV_PREFIX}WIRE_PROFILE=legacy`), in a YAML file named by `--config-file` (`wire_profile: legacy`) and under
`settings:` in a seed file. A flag wins over the environment, the environment over the configuration file, the file over
the seed.

Those marked *at run time* can be changed while it runs: `PATCH /_sandbox/settings {{"wire_profile": "legacy"}}`,
or `patchworks.configure(wire_profile="legacy")` in a test. A reset returns to the values of the start.

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

A variable whose name begins with `{ENV_PREFIX}` and that the sandbox does not read is refused, with the nearest known
name: the prefix is the sandbox's own. Those that Kubernetes sets on account of a service called `patchworks-sandbox`
may be there; one of them, `{ENV_PREFIX}PORT`, is a setting here, so set it in the pod or switch such variables off
(`enableServiceLinks: false`).
"""


def configuration_page() -> str:
    """Return the page ``docs/configuration.md``."""
    return "\n".join([_HEAD, *(_section(spec) for spec in setting_specs())])


def _section(spec: SettingSpec) -> str:
    lines = [
        f"## {spec.name}",
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
        case value:
            return f"`{value}`"
