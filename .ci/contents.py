"""Check what is in a wheel and in a source distribution: all of what it needs, nothing that strayed in.

Usage: contents.py FILE...
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

PYTEST_PLUGIN = "patchworks_sandbox_pytest.py"
WHEEL_NEEDS = (
    PYTEST_PLUGIN,
    "sandbox/py.typed",
    "sandbox/_version.py",
    "sandbox/_fixtures/",
    ".dist-info/licenses/LICENSE",
)
WHEEL_HOLDS = ("sandbox/", PYTEST_PLUGIN, "patchworks_sandbox-")
SDIST_NEEDS = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "Makefile",
    "requirements.lock",
    "requirements-dev.lock",
    "openapi.yaml",
    "openapi-3.0.yaml",
    "openapi-flows.yaml",
    "openapi-control.yaml",
    PYTEST_PLUGIN,
    "fixtures/",
    "sandbox/py.typed",
    "tests/",
    ".ci/run",
)
NEVER = ("__pycache__", ".pyc", ".venv", "node_modules", ".coverage", ".DS_Store")


def _complaints(path: Path) -> list[str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
        needed = WHEEL_NEEDS
        strays = [name for name in names if not name.startswith(WHEEL_HOLDS)]
    else:
        with tarfile.open(path) as sdist:
            names = [name.partition("/")[2] for name in sdist.getnames()]
        needed, strays = SDIST_NEEDS, []
    strays += [name for name in names if any(part in name for part in NEVER)]
    missing = [need for need in needed if not any(need in name for name in names)]
    size_kib = path.stat().st_size // 1024
    print(f"{path.name}: {len(names)} files, {size_kib} KiB")
    return [f"{path.name}: {need} is missing" for need in missing] + [
        f"{path.name}: {name} strayed in" for name in strays
    ]


def main() -> int:
    """Print what is wrong with the given files; 1 if anything is."""
    complaints = [complaint for argument in sys.argv[1:] for complaint in _complaints(Path(argument))]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
