"""Load by wrk (https://github.com/wg/wrk): each connection sends its next request when the last one is answered."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import Request, cpu_seconds

MISSING = "wrk is not installed (apt-get install wrk, brew install wrk)"

_DONE = """
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What a run of wrk saw; percentiles of the latency in ms."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None = None
    """The processor time of the server for each request, where the system tells it."""


def is_installed() -> bool:
    """Return whether there is a wrk to run."""
    return shutil.which("wrk") is not None


def load(
    port: int, request: Request, *, connections: int, seconds: float, scheme: str = "http", pid: int | None = None
) -> Load:
    """Send a request again and again to process ``pid``; raise ``RuntimeError`` unless every answer is a success."""
    before = None if pid is None else cpu_seconds(pid)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "request.lua"
        script.write_text(_script(request))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s"]
        command += ["--latency", "-s", str(script), f"{scheme}://127.0.0.1:{port}{request.path}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 60)
    match = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$", done.stdout, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    requests, duration_us, p50_us, p99_us, refused, broken = map(int, match.groups())
    if refused or not requests:
        raise RuntimeError(f"{refused} of {requests} requests were refused at {connections} connections")
    if broken > requests / 100:
        raise RuntimeError(f"{broken} of {requests} connections broke at {connections} connections")
    after = None if pid is None else cpu_seconds(pid)
    cpu_us = None if before is None or after is None else (after - before) / requests * 1e6
    return Load(requests / duration_us * 1e6, p50_us / 1e3, p99_us / 1e3, cpu_us)


def _script(request: Request) -> str:
    lines = [f"wrk.method = {_lua(request.method)}", f"wrk.body = {_lua(request.body.decode())}"]
    lines += [f"wrk.headers[{_lua(name)}] = {_lua(value)}" for name, value in request.headers.items()]
    return "\n".join(lines) + _DONE


def _lua(text: str) -> str:
    """Return a string literal of Lua."""
    escaped = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\{byte:03d}" for byte in text.encode())
    return f'"{escaped}"'
