"""Run the built image as its users do, without Docker: buildah starts it, and once more with a read-only root.

Usage: container.py IMAGE BASE BUILDAH [OPTION...]    (as root)
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import smoke

ADDED_MB_LIMIT = 60
HEALTHY_WITHIN_S = 30
STOPPED_WITHIN_S = 1.0

READ_ONLY = """
root=$1 data=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$data" "$root/data"
if touch "$root/opt/probe" 2>/dev/null; then echo "the root file system is writable" >&2; exit 70; fi
cd "$root"
exec chroot --userspec="$user" "$root" env -i -C /data "$@"
"""


class Image(NamedTuple):
    """What an image says of itself."""

    config: dict[str, Any]
    size_mb: float


class Runner:
    """Starts programs in a container of the image, on the network of this machine, at a port of its own."""

    def __init__(self, image: str, buildah: list[str]) -> None:
        self._buildah = buildah
        self.name = self._output("from", "--pull-never", image)
        self.root = self._output("mount", self.name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def _output(self, *arguments: str) -> str:
        return subprocess.run([*self._buildah, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def inspect(self, image: str) -> Image:
        """Return the configuration of an image and the size of its layers, unpacked."""
        document = json.loads(self._output("inspect", "--type", "image", image))
        layers = json.loads(document["Manifest"])["layers"]
        return Image(document["Docker"]["config"], sum(layer["size"] for layer in layers) / 1e6)

    def command(self, *command: str, data: str | None = None) -> list[str]:
        """Return the command line that runs a command with what the image asks for: user, folder and environment."""
        options = ["--isolation", "chroot", "--env", f"PATCHWORKS_SANDBOX_PORT={self.port}"]
        if data:
            options += ["--volume", f"{data}:/data"]
        return [*self._buildah, "run", *options, self.name, "--", *command]

    def read_only(self, config: dict[str, Any], *command: str, data: str) -> list[str]:
        """Return the same where nothing of the root file system can be written, as `docker run --read-only` has it."""
        environment = [*config["Env"], f"PATCHWORKS_SANDBOX_PORT={self.port}"]
        script = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", READ_ONLY, "sh"]
        return [*script, self.root, data, config["User"], *environment, *command]


def _require(fact: str, holds: object) -> None:
    if not holds:
        raise SystemExit(f"not so: {fact}")
    print("holds:", fact)


def _check_configuration(config: dict[str, Any], root: Path) -> None:
    user, health = config["User"], config["Healthcheck"]["Test"]
    _require(f"the user is a number other than 0: {user}", user.partition(":")[0].strip("0").isdigit())
    _require("no shell starts it", config["Entrypoint"] == ["patchworks-sandbox"] and config["Cmd"] == ["serve"])
    _require("Docker asks the sandbox itself for its health", health == ["CMD", "patchworks-sandbox", "health"])
    _require("it is stopped by SIGTERM", config["StopSignal"] == "SIGTERM")
    _require("it says what it is", config["Labels"]["org.opencontainers.image.title"] == "Patchworks Sandbox")
    strays = [str(path.relative_to(root)) for path in (root / "opt/patchworks-sandbox").glob("bin/pip*")]
    strays += [name for name in ("src", "build", "dist", "etc/pip.conf", "root/.cache") if (root / name).exists()]
    strays += [name for name in config["Env"] if "PIP_" in name or "CERT" in name]
    _require(f"nothing of the build is left in it: {strays}", not strays)


def _parents(pid: int) -> Iterator[int]:
    while pid > 1:
        yield pid
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        pid = int(next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1])


@contextmanager
def _data_folder(user: str) -> Iterator[str]:
    """A folder for /data that the image's user may write to, as a named volume would be."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, *map(int, user.split(":")))
        yield folder


def _wait_until_healthy(server: subprocess.Popen[bytes], check: list[str]) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        if subprocess.run(check, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    raise SystemExit(f"not healthy within {HEALTHY_WITHIN_S} s; exit status so far: {server.poll()}")


def _drive(command: list[str], folder: str, health: list[str], user: str, inside: list[str] | None = None) -> None:
    """Start it, wait until it is healthy, do the main job from outside, run a command inside of it, stop it."""
    started = time.monotonic()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_healthy(server, health)
        print(f"healthy after {time.monotonic() - started:.1f} s")
        ready = smoke.wait_until_ready(server, Path(folder, "ready.json"))
        smoke.main_job(ready)
        _require("it listens beyond its loopback, so it made itself a key", len(ready["control_key"] or "") == 40)
        # Not just any process: were the number one of the container's own, it would be a stranger's out here.
        _require("the process that serves is ours", server.pid in _parents(ready["pid"]))
        if inside:
            listed = subprocess.run(inside, check=False, capture_output=True, text=True)
            _require(f"a command in the container needs no key: {listed.stderr}", "/v1/acme/anything" in listed.stdout)
        runs_as = Path(f"/proc/{ready['pid']}").stat()
        _require(f"it runs as {user}", f"{runs_as.st_uid}:{runs_as.st_gid}" == user)

        started = time.monotonic()
        os.kill(ready["pid"], signal.SIGTERM)
        status = server.wait(timeout=10)
        elapsed = time.monotonic() - started
        _require(f"SIGTERM stopped it with {status} after {elapsed:.2f} s", status == 0 and elapsed < STOPPED_WITHIN_S)
    finally:
        server.terminate()
        server.wait(timeout=10)


def main() -> None:
    """Check what the image says of itself, then what it does."""
    image, base, *buildah = sys.argv[1:]
    with suppress(PermissionError):
        os.nice(-10)  # other checks run beside this one: only with precedence is a second a second
    runner = Runner(image, buildah)
    built = runner.inspect(image)
    config, user = built.config, built.config["User"]
    _check_configuration(config, Path(runner.root))
    health = runner.command(*config["Healthcheck"]["Test"][1:])
    serve = [*config["Entrypoint"], *config["Cmd"], "--ready-file", "/data/ready.json"]

    print("\nas it is:")
    with _data_folder(user) as folder:
        inside = runner.command("patchworks-sandbox", "requests")
        _drive(runner.command(*serve, data=folder), folder, health, user, inside)
    print("\nwith a read-only root file system:")
    with _data_folder(user) as folder:
        _drive(runner.read_only(config, *serve, data=folder), folder, health, user)

    print("\nas OpenShift runs it, with a user that the image does not know and the group 0:")
    own = Path(runner.root, "data", "tls").stat()
    _require(
        f"the group 0 may write to /data/tls: {own.st_gid} {own.st_mode & 0o777:o}",
        (own.st_gid, own.st_mode & 0o070) == (0, 0o070),
    )
    with _data_folder("1000650000:0") as folder:
        shifted = {**config, "User": "1000650000:0"}
        _drive(runner.read_only(shifted, *serve, data=folder), folder, health, "1000650000:0")

    print("\nwith a read-only root file system, over TLS:")
    with _data_folder(user) as folder:
        tls = ["--tls", "--tls-port", "0", "--tls-folder", "/data/tls"]
        _drive(runner.read_only(config, *serve, *tls, data=folder), folder, health, user)
        modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in Path(folder, "tls").iterdir()}
        _require(
            f"the authority is kept, its key is its owner's: {modes}", modes == {"ca.pem": "644", "ca-key.pem": "600"}
        )

    added = built.size_mb - runner.inspect(base).size_mb
    print(f"\nadded to the base: {added:.1f} MB (limit {ADDED_MB_LIMIT}; {built.size_mb:.0f} MB with this base)")
    _require(f"it adds less than {ADDED_MB_LIMIT} MB", added < ADDED_MB_LIMIT)


if __name__ == "__main__":
    main()
