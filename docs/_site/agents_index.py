"""The end of ``llms.txt``: every page, every operation of the control API and every command, a line a group."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_METHODS = ("get", "put", "post", "delete", "patch")
_PREFIX = "/_sandbox"


class _Nav(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the faster one, where it is there
    """Reads ``mkdocs.yml``, whose tags name Python objects."""


_Nav.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def agents_index() -> str:
    """Return the lines."""
    return "\n".join([*_pages(), "", *_operations(), "", *_commands(), ""])


def _pages() -> Iterator[str]:
    yield from ("## Pages", "", "Files below docs/ in the repository; the documentation site has them as .html.", "")
    navigation = _read(ROOT / "mkdocs.yml")["nav"]
    for section in navigation:
        for title, pages in section.items():
            names = [f"{name} ({path})" for page in pages for name, path in page.items()]
            yield f"- {title}: {'; '.join(names)}"


def _operations() -> Iterator[str]:
    yield from ("## Operations of the control API", "", f"Paths are below {_PREFIX}.", "")
    document = _read(ROOT / "openapi-control.yaml")
    by_tag: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                by_tag.setdefault(item[method]["tags"][0], []).append(f"{method.upper()} {path.removeprefix(_PREFIX)}")
    yield from (f"- {tag}: {', '.join(operations)}" for tag, operations in by_tag.items())


def _commands() -> Iterator[str]:
    from sandbox.cli import GROUPS

    yield from ("## Commands", "", "`patchworks-sandbox COMMAND --help` has options and examples.", "")
    yield from (f"- {title}: {', '.join(commands)}" for title, commands in GROUPS.items())


def _read(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Nav)
