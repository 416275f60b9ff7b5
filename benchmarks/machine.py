"""What a run was made on, told with every result."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from pathlib import Path

_IDLE = 1.0
_STEP_S = 5.0


def load_of_others(patience_s: float = 0.0) -> float | None:
    """Return the load average where something else keeps the machine busy, after waiting so long for its end."""
    if not hasattr(os, "getloadavg"):
        return None
    until = time.monotonic() + patience_s
    while (load := os.getloadavg()[0]) >= _IDLE:
        if time.monotonic() >= until:
            return load
        time.sleep(_STEP_S)
    return None


def busy() -> str | None:
    """Return which figures stand where something else keeps the machine busy."""
    if load_of_others() is None:
        return None
    return (
        "Something else kept this machine busy. Ratios, processor times, sizes and counts stand; rates, latencies and "
        "starts are worse than on an idle machine."
    )


def machine() -> list[tuple[str, str]]:
    """Return what identifies the machine and its tools, as pairs of name and value."""
    facts = [
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", _memory()),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("Node.js", _said("node", "--version")),
        ("Java", _said("java", "-version")),
        ("wrk", _said("wrk", "-v")),
    ]
    if hasattr(os, "getloadavg"):
        facts.append(("load before the run", f"{os.getloadavg()[0]:.1f} (over one minute; 0 is an idle machine)"))
    return facts


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (match := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        return match[1]
    return platform.processor() or platform.machine()


def _memory() -> str:
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown"
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def _said(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        return "not installed"
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=30, check=False)
    match = re.search(r"v?\d+(?:\.\d+)+", done.stdout + done.stderr)
    return match[0].removeprefix("v") if match else "of unknown version"
