"""Processes under measurement: started, asked, weighed, and gone when the run is, however it ends."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POLL_S = 0.002
"""How often a starting process is asked; what a start costs is known to this much."""


@dataclass(frozen=True)
class Request:
    """A request, without the place it goes to."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Connection:
    """A connection to one port of loopback that is kept, and made anew where the server ends it."""

    def __init__(self, port: int, timeout: float = 30) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, request: Request) -> tuple[int, bytes]:
        """Return status and body of the answer; raise ``OSError`` or ``HTTPException``."""
        self._http.request(request.method, request.path, request.body or None, dict(request.headers))
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close it."""
        self._http.close()


def send(port: int, request: Request, timeout: float = 30) -> tuple[int, bytes]:
    """Send one request over a connection of its own."""
    with contextlib.closing(Connection(port, timeout)) as connection:
        return connection.send(request)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, in the folder of its log; all of it ends with the block."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=log.parent,
            env={**os.environ, **(environment or {})},
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            continue
        break
    with contextlib.suppress(ProcessLookupError, PermissionError):  # what it may have left behind
        os.killpg(child.pid, signal.SIGKILL)


def resident_mb(pid: int) -> float:
    """Return the memory of a process and its children, in MB of 10^6 bytes."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,rss="], check=True, capture_output=True, text=True).stdout
    processes = [tuple(map(int, line.split())) for line in listing.splitlines()]
    return sum(rss for _, group, rss in processes if group == pid) * 1024 / 1e6


def cpu_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used, or ``None`` where the system does not tell (not Linux)."""
    status = Path(f"/proc/{pid}/stat")
    if not status.exists():
        return None
    fields = status.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until(answers: object, child: subprocess.Popen[bytes], log: Path, timeout: float = 90) -> None:
    """Call ``answers()`` until it returns true; raise ``RuntimeError`` with what the process said when it does not."""
    assert callable(answers)
    deadline = time.perf_counter() + timeout
    while time.perf_counter() < deadline and child.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if answers():
                return
        time.sleep(POLL_S)
    said = log.read_text(errors="replace")[-500:].strip()
    raise RuntimeError(f"{' '.join(map(str, child.args))[:80]} does not answer: {said}")  # type: ignore[arg-type]
