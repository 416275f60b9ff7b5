"""An example or two for each command, shown at the end of its help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "serve": ("serve --port 9000 --seed-file my-seed.yaml", "serve --port 0 --ready-file ready.json"),
    "health": ("health --url http://127.0.0.1:9000",),
    "requests": ("requests --outcome rejected", "requests --service orders --json --limit 0"),
    "show": ("show 2",),
    "export": ("export --format har -o requests.har", "export --service orders > orders.ndjson"),
    "trace": ("trace -o run.html", "trace journal.ndjson -o run.html"),
    "report": ("report --service orders --status failed", "report --csv > report.csv"),
    "runs": ("runs --service orders", "runs --json"),
    "wait": ("wait --service orders --count 3 --timeout 30",),
    "verify": (
        """verify --service orders --accepted --contains '{"order": "1001"}'""",
        "verify --outcome rejected --times 0",
    ),
    "duplicates": ("duplicates --json-path '$.order'",),
    "certify": (
        "certify -- python push_orders.py",
        "certify --storms answer-lost -- php push_orders.php",
    ),
    "storm": ("storm --seed 7 --minutes 1 -- python push_orders.py",),
    "compare": ("compare recorded.redacted.har", "compare recorded.har --redact --seed-file my-seed.yaml"),
    "har redact": ("har redact recorded.har",),
    "attempts": ("attempts --json-path '$.order'",),
    "violations": ("violations --fail", "violations --fail --allow no_accept_json"),
    "clock advance": ("clock advance 24h", "clock advance -- -90s"),
    "clock set": ("clock set 2026-11-27T09:00:00Z",),
    "clock rate": ("clock rate 3600",),
    "faults add": (
        "faults add status code=503 --endpoint inbound --times 2",
        "faults add latency seconds=0.5 --service orders",
        "faults add connection_reset --accept",
    ),
    "faults preset": ("faults preset maintenance-window --service orders",),
    "faults remove": ("faults remove fault-1",),
    "clients create": ("clients create 'Order export'",),
    "clients list": ("clients list --json",),
    "tokens list": ("tokens list --limit 5",),
    "tokens revoke": ("tokens revoke --client-id 9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e",),
    "entities list": ("entities list --connector 1",),
    "flows set": ("flows set 1 --disabled", "flows set 1 --undeploy"),
    "flows runs": ("flows runs 1",),
    "keys create": ("keys create 'CI job'",),
    "keys list": ("keys list --json",),
    "keys revoke": ("keys revoke 1",),
    "settings show": ("settings show --json",),
    "settings set": ("settings set rate_limit=true rate_limit_requests=10",),
    "run-service": ("run-service orders",),
    "resync": ("resync --service orders",),
    "state save": ("state save state.json --with-secrets",),
    "state load": ("state load state.json",),
    "config show": ("config show --seed-file my-seed.yaml",),
    "openapi": ("openapi --api control > openapi-control.yaml",),
    "fidelity": ("fidelity --json",),
    "mcp": ("mcp --url http://127.0.0.1:8025",),
    "completion": (
        'eval "$(patchworks-sandbox completion bash)"',
        'patchworks-sandbox completion zsh > "${fpath[1]}/_patchworks-sandbox"',
        "patchworks-sandbox completion fish > ~/.config/fish/completions/patchworks-sandbox.fish",
        "patchworks-sandbox completion powershell >> $PROFILE",
    ),
}
"""The examples by command. The name of the program comes before each line that lacks it."""


def examples_of(path: str) -> tuple[str, ...]:
    """Return the examples of a command: the command as it is unless others are known."""
    return EXAMPLES.get(path, (path,))


def add_examples(command: click.Command, path: str) -> None:
    """Let the help of a command, or of the commands of a group, end with its examples."""
    if isinstance(command, click.Group):
        for name, part in command.commands.items():
            add_examples(part, f"{path} {name}")
    else:
        lines = (line if "patchworks-sandbox" in line else f"patchworks-sandbox {line}" for line in examples_of(path))
        command.epilog = "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
