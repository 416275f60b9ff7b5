"""A page as one HTML file, which opens without a server and loads nothing: style and scripts are in it.

The policy in the file allows these by their hashes and nothing else, so what a client sent cannot act in it either.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox._version import __version__
from sandbox.web.dashboard.formats import FILTERS

_HERE: Final = Path(__file__).parent
_POLICY: Final = (
    "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_MODULES: Final = ("status", "copy", "tabs", "tree")
"""The scripts of the pages that a file has, each after those that it imports from."""

_APART: Final = re.compile(r"^import .*\n|^export (?=async|function|const)|^ *//.*\n|^ +", re.MULTILINE)
"""The parts of a module that it does not need beside the others: imports, exports, comments and indentation."""

_COMMENT: Final = re.compile(r"^/\*.*\n|^\n|^ +", re.MULTILINE)


def templates_of_files(style_sheet: str, *folders: Path) -> Environment:
    """Return the templates of the dashboard and of ``folders``, with what ``file.html`` needs.

    The style is that of the pages, and that of a further sheet.
    """
    loader = FileSystemLoader([*folders, _HERE / "templates"])
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    style = "".join(_COMMENT.sub("", _static(name)) for name in ("style.css", style_sheet))
    script = "".join(_APART.sub("", _static(f"js/{name}.js")) for name in _MODULES)
    policy = _POLICY.format(_hash(style), _hash(script))
    environment.filters.update(FILTERS)
    environment.globals.update(style=style, script=script, policy=policy, version=__version__)
    return environment


def _static(name: str) -> str:
    return (_HERE / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"
