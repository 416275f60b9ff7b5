"""Documents that people write: strict YAML or Python data as JSON values, each with its file and line.

It refuses what a YAML parser accepts: anchors and aliases (a small file that grows without end), tags, duplicate keys,
endless nesting. Values are those of YAML 1.2 with JSON's numbers: ``yes``, ``010`` and
``2026-01-31`` are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sandbox.foundation.errors import DocumentError, shorten
from sandbox.foundation.json_value import JsonValue

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return ``text`` with its references replaced; ``$${`` stands for a literal ``${``.

    As in a shell, the default also replaces a variable that is set but empty. Raise ``ValueError`` for a variable that
    is not set and has no default, and for a malformed reference.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise ValueError("${ must begin ${NAME} or ${NAME:-default}; write $${ for a literal ${")
        if default is None and name not in environ:
            raise ValueError(f"the environment variable {name} is not set; set it or write ${{{name}:-default}}")
        found = environ.get(name, "")
        if any("\ud800" <= character <= "\udfff" for character in found):
            raise ValueError(f"the environment variable {name} is not UTF-8; set it to text")
        return found or default or ""

    return _REFERENCE.sub(value, text) if "${" in text else text


MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 100
_SHOWN_PROBLEMS = 20

# At 1,000 levels, from 0.2.6 on. It parses ahead of its events, and so can fail before the levels here are counted.
_TOO_DEEP_FOR_LIBYAML = "exceeded maximum nesting depth"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_JSON_TYPES = "use mappings with text keys, lists, text, finite numbers, True, False and None"
Steps = tuple[str | int, ...]
"""The way from the top of a document to one of its values: ``("companies", 0, "name")``."""


class Problem(NamedTuple):
    """An error in a document; ``line`` is 0 in Python data."""

    file: str
    line: int
    text: str


def refuse(problems: Iterable[Problem]) -> None:
    """Raise one :class:`DocumentError` with all ``problems`` and their lines, if there are any."""
    ordered = sorted(problems, key=lambda problem: (problem.file, problem.line))
    if not ordered:
        return
    first, *others = ordered
    texts = [first.text, *(str(DocumentError(*other)) for other in others[: _SHOWN_PROBLEMS - 1])]
    if len(ordered) > _SHOWN_PROBLEMS:
        texts.append(f"… and {len(ordered) - _SHOWN_PROBLEMS} more")
    raise DocumentError(first.file, first.line, "\n".join(texts))


@dataclass(frozen=True, slots=True)
class Document:
    """One file, or Python data in its place; ``folder`` must hold the files that it names."""

    file: str
    content: Any
    lines: Mapping[Steps, int] = field(default_factory=dict)
    """The line of each value, which is that of its key if it has one; Python data has none."""
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a value in a document; ``place / "name"`` is the place of a value inside it."""

    document: Document
    steps: Steps = ()

    def __truediv__(self, step: str | int) -> Place:
        return Place(self.document, (*self.steps, step))

    def __str__(self) -> str:
        line = self.document.lines.get(self.steps)
        return f"{self.document.file}:{line}" if line else dotted(self.steps)

    def problem(self, text: str) -> Problem:
        """Return the problem that the value has."""
        line = self.document.lines.get(self.steps, 0)
        return Problem(self.document.file, line, f"{dotted(self.steps)}: {text}" if self.steps else text)

    def problem_within(self, path: str, text: str) -> Problem:
        """Return the problem of a value inside it, at a path such as ``match.headers[0]``, which may be missing."""
        lines, steps = self.document.lines, self.steps
        for name, index in _STEP.findall(path):
            inner = (*steps, int(index) if index else name)
            if inner not in lines:
                break
            steps = inner
        return Problem(self.document.file, lines.get(steps, 0), f"{dotted((*self.steps, path))}: {text}")


def dotted(steps: Iterable[str | int]) -> str:
    """Return ``steps`` as a person writes them: ``companies[0].name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file of at most ``MAX_BYTES``; raise ``ValueError`` with the reason."""
    try:
        if path.is_dir():
            raise ValueError("is a folder; give a file in it")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    return decoded(content)


def decoded(content: bytes) -> str:
    """Return UTF-8 as text; raise ``ValueError`` with the reason where it is none, or larger than ``MAX_BYTES``."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES // 2**20} MiB; split it into several files")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"is not UTF-8 (line {line}, byte {error.start}); save it as UTF-8") from error


def read_document(path: Path, environ: Mapping[str, str] | None = None) -> Document:
    """Read a YAML file, an empty one as an empty mapping; raise :class:`DocumentError`.

    ``${NAME}`` in text comes from ``environ``, without which it stays as it is.
    """
    return _document(str(path), lambda: read_text(path), environ, path.parent)


def document_of_text(name: str, content: str | bytes, environ: Mapping[str, str] | None = None) -> Document:
    """Read YAML that is in no file; ``name`` stands for one in messages. Raise :class:`DocumentError`."""
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return _document(name, lambda: decoded(data), environ)


def _document(
    name: str, read: Callable[[], str], environ: Mapping[str, str] | None, folder: Path | None = None
) -> Document:
    try:
        text = read()
    except ValueError as error:
        raise DocumentError(name, 0, f"{error}") from error
    reader = _YamlReader(name, text, environ)
    return Document(name, reader.content(), reader.lines, folder)


class _YamlReader:
    """Reads values from parser events.

    ``yaml.compose`` would be shorter, but it hides anchors and tags, and its C version crashes Python on deep
    nesting.
    """

    def __init__(self, name: str, text: str, environ: Mapping[str, str] | None) -> None:
        self._name = name
        self._text = text
        self._environ = environ
        self._problems: list[Problem] = []
        self._events: Iterator[yaml.Event] = iter(())
        self.lines: dict[Steps, int] = {}

    def content(self) -> JsonValue:
        if match := _UNPRINTABLE.search(self._text):
            line = self._text.count("\n", 0, match.start()) + 1
            raise DocumentError(self._name, line, f"the character {match[0]!r} is not allowed in YAML; remove it")
        self._events = yaml.parse(self._text, Loader=_Loader)
        try:
            roots = [(event, self._value(event, ())) for event in self._events if isinstance(event, yaml.NodeEvent)]
        except yaml.MarkedYAMLError as error:
            line = _line(error.problem_mark)
            if error.problem == _TOO_DEEP_FOR_LIBYAML:
                raise self._too_deep(line) from error
            context = f" ({error.context})" if error.context else ""
            raise DocumentError(self._name, line, f"is not YAML: {error.problem}{context}{self._hint(line)}") from error
        if len(roots) > 1:
            self._refuse_at(_line(roots[1][0].start_mark), "a second document begins here; remove the --- above it")
        refuse(self._problems)
        if roots and roots[0][1] is not None:
            return roots[0][1]
        self.lines[()] = 1
        return {}

    def _hint(self, line: int) -> str:
        """Return advice where a reference may be what is wrong: its braces are those of a mapping in YAML."""
        near = self._text.splitlines()[max(0, line - 2) : line]
        return "; put ${NAME} in quotes inside { } and [ ]" if any("${" in text for text in near) else ""

    def _refuse_at(self, line: int, text: str) -> None:
        self._problems.append(Problem(self._name, line, text))

    def _too_deep(self, line: int) -> DocumentError:
        return DocumentError(self._name, line, f"is nested deeper than {MAX_DEPTH} levels; make it flatter")

    def _value(self, event: yaml.Event, steps: Steps, key_line: int | None = None) -> JsonValue:
        line = key_line or _line(event.start_mark)
        if len(steps) > MAX_DEPTH:
            raise self._too_deep(line)
        self._refuse_oddities(event, line)
        self.lines[steps] = line
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, line)
            case yaml.SequenceStartEvent():
                items: list[JsonValue] = []
                while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                    items.append(self._value(event, (*steps, len(items))))
                return items
            case yaml.MappingStartEvent():
                return self._entries(steps)
            case _:
                return None  # an alias, which is refused above

    def _refuse_oddities(self, event: Any, line: int) -> None:
        if anchor := getattr(event, "anchor", None):
            self._refuse_at(line, f"anchors and aliases (&{anchor}, *{anchor}) are not allowed; write the value out")
        if tag := getattr(event, "tag", None):
            self._refuse_at(line, f"tags ({tag}) are not allowed; remove it, quotes make a value text")
        if _SURROGATE.search(getattr(event, "value", "")):
            self._refuse_at(line, "a text holds half a character (\\ud800 to \\udfff); remove it")

    def _entries(self, steps: Steps) -> dict[str, JsonValue]:
        entries: dict[str, JsonValue] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line, key = _line(event.start_mark), ""
            if isinstance(event, yaml.ScalarEvent):
                self._refuse_oddities(event, line)
                key = event.value
            else:
                self._refuse_at(line, "a key must be text, not a list or a mapping; quotes make it text")
                self._value(event, (*steps, 0))  # reads past it
            at = (*steps, key)
            if key in entries:
                self._refuse_at(line, f"{key!r} is already on line {self.lines[at]}; remove one of them")
            entries[key] = self._value(next(self._events), at, line)
        return entries

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> JsonValue:
        try:
            value = _plain(event.value) if event.implicit[0] else event.value
            return value if self._environ is None or not isinstance(value, str) else expand(value, self._environ)
        except ValueError as error:
            self._refuse_at(line, str(error))
            return None


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 0


def _plain(text: str) -> JsonValue:
    """Return what unquoted ``text`` means in YAML 1.2, numbers as JSON writes them."""
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if not number:
        return text
    return finite(text) if number["fraction"] else int(text)


def finite(text: str) -> float:
    """Return the number that ``text`` writes; raise ``ValueError`` if JSON has no such number."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number in JSON; write a finite one")
    return number


def document_of(data: object) -> Document:
    """Return Python data as a document without lines; raise :class:`DocumentError` if it is not JSON."""
    try:
        return Document("seed", json_copy(data))
    except ValueError as error:
        raise DocumentError("seed", 0, str(error)) from error


def json_copy(data: object, steps: Steps = ()) -> JsonValue:
    """Return a copy of ``data``; raise ``ValueError`` where it is not JSON."""
    if len(steps) > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels; make it flatter")
    match data:
        case None | bool() | int():
            return data
        case float() if math.isfinite(data):
            return data
        case str() if not _SURROGATE.search(data):
            return data
        case list() | tuple():
            return [json_copy(item, (*steps, index)) for index, item in enumerate(data)]
        case Mapping() if all(isinstance(key, str) and not _SURROGATE.search(key) for key in data):
            return {key: json_copy(value, (*steps, key)) for key, value in data.items()}
    where = f"{dotted(steps)}: " if steps else ""
    raise ValueError(f"{where}{shorten(data)} is not JSON; {_JSON_TYPES}")


def fixtures_folder() -> Path:
    """Return the folder of the demo seed and the fault presets, in an installation or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_fixtures"
    return installed if installed.is_dir() else package.parent / "fixtures"
