"""What the container image adds to its base: built and run by `.ci/checks/image`, with buildah."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.plan import Plan
from benchmarks.process import running
from benchmarks.report import Outcome, Section, Target, not_measured

NAME = "image"
TITLE = "Image"
TARGETS: tuple[Target, ...] = (Target("image, on top of its base", "≤ 60 MB", "≤ 35 MB"),)
_CHECK = Path(__file__).parents[2] / ".ci" / "checks" / "image"
_LIMIT_S = 600


def run(plan: Plan) -> Section:
    """Build the image where that can be done without asking for anything."""
    if plan.quick:
        return not_measured(TARGETS, "a quick run builds no image")
    missing = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    if missing or os.name != "posix" or os.geteuid() != 0:
        why = f"{' and '.join(missing)} not installed" if missing else "buildah needs root here"
        return not_measured(TARGETS, why)
    plan.tell("building the image")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with running([str(_CHECK)], log) as check, contextlib.suppress(subprocess.TimeoutExpired):
            check.wait(_LIMIT_S)
        said = log.read_text(errors="replace")
    match = re.search(r"added to the base: ([\d.]+) MB", said)
    if match is None:
        last = said.strip().splitlines() or ["no reason given"]
        return not_measured(TARGETS, f"the image was not built: {last[-1][:200]}")
    added = float(match[1])
    return Section([Outcome(TARGETS[0], f"{added:.1f} MB", added <= 60, added <= 35)])
