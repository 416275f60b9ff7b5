"""Start a sandbox in the background, wait until it is ready, and tell the job's further steps where it is.

Run by the Python of the environment in which the sandbox is installed; the inputs of the action are in the environment.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def _start(folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the ready file says; end the step with the sandbox's own words where it does not start."""
    ready_file, log_file = folder / "ready.json", folder / "log.txt"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", environment["PORT"]]
    command += ["--ready-file", str(ready_file)]
    if seed_file := environment["SEED_FILE"]:
        command += ["--seed-file", seed_file]
    command += shlex.split(environment["OPTIONS"])
    # In the environment: a command line is in the list of processes.
    own = {"PATCHWORKS_SANDBOX_CONTROL_KEY": key} if (key := environment["CONTROL_KEY"]) else {}
    # A session of its own: it goes on when this step's shell ends. The runner ends it with the job.
    with log_file.open("wb") as log:
        server = subprocess.Popen(
            command,
            env={**environment, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + float(environment["TIMEOUT_S"])
    while not ready_file.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            said = log_file.read_text(encoding="utf-8", errors="replace")
            server.kill()
            raise SystemExit(f"::error::The sandbox did not start (status {server.wait()})\n{said}")
        time.sleep(0.05)
    ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
    if ready["tls_base_url"] and not ready["tls_ca_file"]:
        ready["tls_ca_file"] = _authority(ready["control_url"], folder / "ca.pem")
    return {**ready, "ready_file": str(ready_file), "log_file": str(log_file)}


def _authority(control_url: str, file: Path) -> str | None:
    """Fetch the authority that the sandbox keeps in memory; return its path, or nothing for a certificate of yours."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{control_url}/ca.pem", timeout=10) as answer:
            file.write_bytes(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        return None
    return str(file)


def _variable(vanity_url: str) -> str:
    return "PATCHWORKS_INBOUND_URL_" + re.sub(r"\W", "_", vanity_url, flags=re.ASCII).upper()


def _append(path: str, values: Mapping[str, str | None]) -> None:
    with Path(path).open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items() if value is not None)


def main() -> None:
    """Start it and write the outputs and the environment variables."""
    if given := os.environ["CONTROL_KEY"]:
        print(f"::add-mask::{given}")
    ready = _start(Path(os.environ["FOLDER"]), os.environ)
    for secret in (ready["client_secret"], ready["control_key"]):
        if secret and secret != given:
            print(f"::add-mask::{secret}")
    names = (
        "base_url",
        "control_url",
        "control_key",
        "token_url",
        "company",
        "client_id",
        "client_secret",
        "ready_file",
        "log_file",
        "tls_base_url",
        "tls_ca_file",
    )
    outputs = {name.replace("_", "-"): ready[name] for name in names}
    _append(os.environ["GITHUB_OUTPUT"], {**outputs, "inbound-urls": json.dumps(ready["inbound_urls"])})
    variables = {
        "PATCHWORKS_SANDBOX_URL": ready["base_url"],
        "PATCHWORKS_SANDBOX_CONTROL_KEY": ready["control_key"],
        "PATCHWORKS_TOKEN_URL": ready["token_url"],
        "PATCHWORKS_COMPANY": ready["company"],
        "PATCHWORKS_CLIENT_ID": ready["client_id"],
        "PATCHWORKS_CLIENT_SECRET": ready["client_secret"],
        "PATCHWORKS_SANDBOX_CA_FILE": ready["tls_ca_file"],
    }
    inbound = {_variable(name): url for name, url in ready["inbound_urls"].items()}
    _append(os.environ["GITHUB_ENV"], {**variables, **inbound})
    print(f"Patchworks Sandbox {ready['version']} is ready at {ready['base_url']}")


if __name__ == "__main__":
    main()
