"""What the sandbox costs those who do not use it: ``import sandbox``, and the plugin in a session of pytest."""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.report import Outcome, Section, Table, Target
from benchmarks.rounds import interleaved

NAME = "imports"
TITLE = "Import and idle plugin"
TARGETS: tuple[Target, ...] = (
    Target("import sandbox", "≤ 20 ms", "≤ 5 ms"),
    Target("idle pytest plugin", "≤ 20 ms", "≤ 5 ms"),
)

_ROOT = Path(__file__).parents[2]
_IMPORT = "import time; began = time.perf_counter(); import sandbox; print((time.perf_counter() - began) * 1000)"
_PLUGIN = "patchworks_sandbox_pytest"


def run(plan: Plan) -> Section:
    """Import in fresh processes; run sessions of one empty test with and without the plugin, in turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_empty():\n    pass\n")
        turns = {
            "import": lambda: float(_python(folder, "-c", _IMPORT).stdout),
            "plugin": lambda: _imported_ms(folder),
            "with": lambda: _session_ms(folder, "-p", _PLUGIN),
            "without": lambda: _session_ms(folder),
        }
        interleaved(1, turns)  # fills the caches of the disk
        times = interleaved(plan.amount(31, 5), turns)
    package, plugin = statistics.median(times["import"]), statistics.median(times["plugin"])
    more = [a - b for a, b in zip(times["with"], times["without"], strict=True)]
    difference = statistics.median(more)
    spread = f"{min(more):.1f} to {max(more):.1f}"
    rows = [
        ["`import sandbox`", f"{package:.2f}"],
        ["the plugin's modules, by `-X importtime`", f"{plugin:.2f}"],
        [
            "a session of one empty test without the plugin, processor time",
            f"{statistics.median(times['without']):.0f}",
        ],
        [f"what the plugin adds to it, median of pairs ({spread})", f"{difference:.1f}"],
    ]
    return Section(
        [
            Outcome(TARGETS[0], f"{package:.2f} ms", package <= 20, package <= 5),
            Outcome(TARGETS[1], f"{difference:.1f} ms", difference <= 20, difference <= 5),
        ],
        [Table("", ["", "ms"], rows)],
    )


def _session_ms(folder: Path, *options: str) -> float:
    """Return the processor time of a session, which varies less than time on the wall: it waits for nothing."""
    before = _children_s()
    _python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_empty.py")
    return (_children_s() - before) * 1000


def _children_s() -> float:
    """Return the processor time of ended children; `os.times` would give it in steps of 10 ms."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _imported_ms(folder: Path) -> float:
    """Return what importing the plugin takes where pytest is there already."""
    trace = _python(folder, "-X", "importtime", "-c", f"import pytest; import {_PLUGIN}").stderr
    # The package comes first and for itself, the plugin after it: neither contains the other.
    lines = re.findall(rf"\|\s+(\d+) \| (?:sandbox|{re.escape(_PLUGIN)})$", trace, re.MULTILINE)
    return sum(map(int, lines)) / 1000


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # No other plugin is loaded: one of them may import what ours would, and hide its cost.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=60)
