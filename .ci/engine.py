"""Start what compose.yaml and the guides show, by podman: the engine's namespaces, its DNS and its socket are real.

Usage: engine.py FOLDER IMAGE BASE PODMAN_COMPOSE NODE_MODULES    (as root; FOLDER has the images, as buildah made them)

It runs in namespaces of its own, for mounts, processes and the network: no port, no bridge, no container outlives it,
and none meets those of the machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
KEY = "a-key-for-this-check"
SECRET = "a-secret-for-this-check"
WITHIN_S = 180
RELEASED = "ghcr.io/OWNER/patchworks-sandbox:0.1.0"

CONTAINERS = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[network]
network_backend = "cni"
network_config_dir = "{folder}/networks"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE = """
[storage]
driver = "vfs"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""

INTEGRATION = '''
"""An integration that knows nothing of a sandbox: its platform may not be there yet."""
import json, os, time, urllib.error, urllib.parse, urllib.request

def send(url, body, **headers):
    request = urllib.request.Request(url, body, {"Accept": "application/json", **headers})
    for attempt in range(100):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.load(response)
        except (OSError, ValueError) as error:
            if isinstance(error, urllib.error.HTTPError) or attempt == 99:
                raise
            time.sleep(0.3)

client = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}
form = urllib.parse.urlencode({"grant_type": "client_credentials", **client}).encode()
token = send(os.environ.get("TOKEN_URL", "https://inbound.pwks.co/oauth/token"), form)["access_token"]
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
inbound = os.environ.get("INBOUND_URL", "https://inbound.pwks.co/v1/acme/anything")
print(send(inbound, b'{"order": "from a neighbour"}', **headers))
'''


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"failed ({done.returncode}): {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _require(fact: str, holds: object) -> None:
    if not holds:
        raise SystemExit(f"not so: {fact}")
    print("holds:", fact)


def _ask(url: str, key: str | None = None) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as response:
        return json.load(response)


def _until(fact: str, holds: Any, container: str | None = None) -> None:
    """Wait for a fact; show the log of a container that never comes to it."""
    deadline = time.monotonic() + WITHIN_S
    while not (is_so := holds()) and time.monotonic() < deadline:
        time.sleep(0.2)
    if container and not is_so:
        subprocess.run(["podman", "logs", container], check=False)
    _require(fact, is_so)


def _exits_well(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _block(page: str, language: str, holds: str) -> str:
    """Return the one block of a page, in a language, that has a text in it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    (block,) = (code for _, code in found if holds in code)
    return str(block)


# --- compose.yaml ---------------------------------------------------------------------------------------------------


def _integration(folder: Path, base: str) -> None:
    folder.mkdir(parents=True)
    (folder / "push.py").write_text(INTEGRATION, encoding="utf-8")
    dockerfile = f'FROM {base}\nCOPY push.py /\nCMD ["python3", "/push.py"]\n'
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")


def _neighbour(folder: Path, base: str) -> Path:
    """Write the override that docs/how-to/tls.md shows, and the integration that it builds; return the override."""
    _integration(folder / "integration", base)
    services = yaml.safe_load(_block("docs/how-to/tls.md", "yaml", "# compose.test.yaml"))
    services["services"]["integration"]["environment"] |= {
        "CLIENT_ID": "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e",
        "CLIENT_SECRET": SECRET,
    }
    override = folder / "compose.test.yaml"
    override.write_text(yaml.safe_dump(services), encoding="utf-8")
    return override


def compose(program: str, base: str, folder: Path) -> None:
    """Start both services of compose.yaml; call the second from a neighbour that knows but the platform's name."""
    project = folder / "project"
    shutil.copytree(ROOT / "fixtures", project / "fixtures")
    shutil.copy(ROOT / "compose.yaml", project)
    override = _neighbour(project, base)
    command = [program, "--profile", "tls", "-f", str(project / "compose.yaml"), "-f", str(override)]
    secrets = {"PATCHWORKS_SANDBOX_CONTROL_KEY": KEY, "PATCHWORKS_SANDBOX_CLIENT_SECRET": SECRET}
    _run(*command, "build", "integration", BUILDAH_ISOLATION="chroot", **secrets)
    _run(*command, "up", "--detach", "--no-build", **secrets)

    for service in ("sandbox", "platform"):
        name = f"project_{service}_1"
        _until(f"{service} is healthy", lambda name=name: _exits_well("podman", "healthcheck", "run", name), name)
    received = _ask("http://127.0.0.1:8025/_sandbox/requests")
    _require("the first is steered without a key, from this machine", received["entries"] == [])
    try:
        _ask("http://127.0.0.1:8026/_sandbox/requests")
        status = 200
    except urllib.error.HTTPError as error:
        status = error.code
    _require(f"the second wants its key: {status}", status == 401)

    asked = "http://127.0.0.1:8026/_sandbox/requests?kind=inbound"
    _until("a neighbour's call arrived", lambda: _ask(asked, KEY)["entries"])
    entry = _ask(asked, KEY)["entries"][-1]
    _require(f"it was accepted: {entry['status']}", entry["status"] == 200)
    _require("it was sent to inbound.pwks.co", {"name": "Host", "value": "inbound.pwks.co"} in entry["headers"])
    _run(*command, "down", "--volumes", **secrets)


def compose_of_the_guide(program: str, image: str, base: str, folder: Path) -> None:
    """Run the tests of the file that docs/how-to/compose.md shows."""
    project = folder / "guide"
    _integration(project, base)
    text = (ROOT / "deploy/compose.yaml").read_text(encoding="utf-8")
    (project / "compose.yaml").write_text(text.replace(RELEASED, _as_released(image)), encoding="utf-8")
    command = [program, "-f", str(project / "compose.yaml")]
    _run(*command, "build", "tests", BUILDAH_ISOLATION="chroot")
    said = _run(*command, "run", "--rm", "tests")
    _require("the tests of the guide's file pass", "Payload stored successfully." in said)
    _run(*command, "down")


def _as_released(image: str) -> str:
    """Give the image the name that the guides have, with an owner."""
    name = RELEASED.lower()
    _run("podman", "tag", image, name)
    return name


# --- Testcontainers -------------------------------------------------------------------------------------------------


@contextmanager
def _socket(folder: Path) -> Iterator[str]:
    path = folder / "podman.sock"
    service = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{path}"], stderr=subprocess.DEVNULL)
    try:
        _until("podman serves Docker's API", path.exists)
        yield f"unix://{path}"
    finally:
        service.terminate()
        service.wait(timeout=10)


def testcontainers(image: str, node_modules: Path, folder: Path) -> None:
    """Run the test that docs/how-to/testcontainers.md shows for Node."""
    project = folder / "node"
    project.mkdir()
    (project / "node_modules").symlink_to(node_modules)
    shutil.copy(ROOT / "clients/patchworks-sandbox.mjs", project)
    shown = _block("docs/how-to/testcontainers.md", "js", "GenericContainer")
    (project / "order.test.mjs").write_text(shown.replace(RELEASED, _as_released(image)), encoding="utf-8")
    with _socket(folder) as url:
        environment = {"DOCKER_HOST": url, "TESTCONTAINERS_RYUK_DISABLED": "true"}
        command = ["node", "--test", str(project / "order.test.mjs")]
        said = _run(*command, **environment)
    _require("the test in Node passes", re.search(r"^. pass [1-9]", said, re.MULTILINE))


def main() -> None:
    """Fail on the first thing that is not so."""
    folder, image, base, podman_compose, node_modules = sys.argv[1:]
    for state in ("/run/containers", "/var/lib/cni"):
        Path(state).mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "tmpfs", state)
    _run("ip", "link", "set", "lo", "up")
    for name, text in (("CONTAINERS_CONF", CONTAINERS), ("CONTAINERS_STORAGE_CONF", STORAGE)):
        path = Path(folder, name)
        path.write_text(text.format(folder=folder), encoding="utf-8")
        os.environ[name] = str(path)
    print("\nby compose.yaml:", flush=True)
    compose(podman_compose, base, Path(folder))
    compose_of_the_guide(podman_compose, image, base, Path(folder))
    print("\nby Testcontainers:", flush=True)
    testcontainers(image, Path(node_modules).resolve(), Path(folder))


if __name__ == "__main__":
    main()
