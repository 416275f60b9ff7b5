"""Chromium for the tests: the system's own, without a word to anybody."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = (
    "these tests need Chromium or Chrome. Debian and Ubuntu: sudo apt-get install chromium; macOS: brew install --cask "
    "chromium; or name one: CHROMIUM=/path/to/chrome"
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PATHS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find_chromium() -> str | None:
    """Return the path of a browser, or ``None``."""
    if named := os.environ.get("CHROMIUM"):
        return named
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in (*found, *_PATHS) if path and Path(path).exists()), None)
