"""Presets: YAML files of fault rules with a title and a story. The wheel has some; a folder can hold a user's own.

A file holds ``title``, ``story`` and ``rules``, and its name is the preset's. A user's preset replaces one of the wheel
with the same name. Files are read at each call, so they can be edited while the sandbox runs. An error names the file
and the key, and never shows a value: the file may be of another program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.faults.rules import FaultRule, Match, foreign_conditions, read_rule
from sandbox.foundation.errors import DocumentError, InvalidValueError, NotFoundError, UnknownNameError, Withheld
from sandbox.foundation.fields import read
from sandbox.foundation.yaml_document import fixtures_folder, read_document

_KEYS = ("title", "story", "rules")


@dataclass(frozen=True, slots=True)
class Preset:
    """A named group of fault rules."""

    name: str
    title: str
    story: str
    rules: tuple[FaultRule, ...]

    def narrowed(self, conditions: Mapping[str, Any]) -> list[FaultRule]:
        """Return the rules for only those requests that meet more conditions: ``{"vanity_url": "orders"}``.

        A condition that no request to a rule's endpoint can meet does not narrow that rule: the token endpoint has no
        vanity URL.
        """
        narrowed = []
        for rule in self.rules:
            foreign = foreign_conditions(rule.match.endpoint)
            given = {name: value for name, value in conditions.items() if name not in foreign}
            narrowed.append(replace(rule, match=read(Match, {**rule.match.document(), **given}, "match")))
        return narrowed


def load_presets(folder: str | None = None) -> dict[str, Preset]:
    """Return every preset by name: the wheel's, and those in a user's ``folder``; raise ``InvalidValueError``."""
    presets = _load_folder(fixtures_folder() / "faults")
    if folder is not None:
        try:
            presets.update(_load_folder(Path(folder)))
        except OSError as error:
            is_missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
            why = "does not exist" if is_missing else f"cannot be read ({error.strerror})"
            raise InvalidValueError("presets_dir", folder, f"a folder with YAML files; this one {why}") from None
    return dict(sorted(presets.items()))


def find_preset(name: str, folder: str | None = None) -> Preset:
    """Return a preset by its name, or raise ``NotFoundError``."""
    presets = load_presets(folder)
    if name not in presets:
        raise NotFoundError("fault preset", name, presets, named=True)
    return presets[name]


def _load_folder(folder: Path) -> dict[str, Preset]:
    return {path.stem: _load_file(path) for path in sorted(folder.iterdir()) if path.suffix in (".yaml", ".yml")}


def _load_file(path: Path) -> Preset:
    try:
        document = read_document(path).content
    except DocumentError as error:
        raise InvalidValueError(path.name, "this file", f"readable YAML ({error})") from None
    if not isinstance(document, dict):
        raise InvalidValueError(path.name, Withheld(), f"an object with the keys {', '.join(_KEYS)}")
    for key in document:
        if key not in _KEYS:
            raise UnknownNameError(f"{path.name}: {key}", Withheld(), "key", _KEYS)
    for key in ("title", "story"):
        if not isinstance(document.get(key), str) or not document[key].strip():
            raise InvalidValueError(f"{path.name}: {key}", Withheld(), "text")
    rules = document.get("rules")
    if not isinstance(rules, list) or not rules:
        raise InvalidValueError(f"{path.name}: rules", Withheld(), "a list of fault rules")
    named = tuple(_read_rule(path, index, rule) for index, rule in enumerate(rules))
    return Preset(path.stem, document["title"].strip(), document["story"].strip(), named)


def _read_rule(path: Path, index: int, document: object) -> FaultRule:
    try:
        rule = read_rule(document)
    except InvalidValueError as error:
        where = f"{path.name}: rules[{index}].{error.field}"
        raise error.at(where, Withheld()) from None
    return rule if rule.name is not None else replace(rule, name=path.stem)
