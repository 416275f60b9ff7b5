"""Storms: YAML files of fault rules, acts upon the sandbox, and the checks that judge a client after them.

The wheel has some in ``fixtures/storms``; a folder can hold a user's own, and one with the same name replaces one of
the wheel. An error names the file and the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sandbox.faults.rules import FaultRule, read_rule
from sandbox.foundation import value_types as types
from sandbox.foundation.errors import DocumentError, InvalidValueError, NotFoundError, SettingError, did_you_mean
from sandbox.foundation.fields import Described, field, read
from sandbox.foundation.instants import parse_duration
from sandbox.foundation.settings import Settings
from sandbox.foundation.value_types import ValueType
from sandbox.foundation.yaml_document import fixtures_folder, read_document
from sandbox.testing.certify.checks import CHECKS

CALM: Final = "calm"
"""The storm that is run first: it shows how many payloads the client pushes."""

MAX_TIMEOUT_S: Final = 3_600.0
_SUFFIXES: Final = (".yaml", ".yml")


def _duration(value: object) -> timedelta:
    try:
        return parse_duration(value)
    except InvalidValueError:
        raise types.NotAllowedError from None


@contextmanager
def _in(place: str) -> Iterator[None]:
    """Put the place of a field in front of its name in an error."""
    try:
        yield
    except InvalidValueError as error:
        raise error.at(f"{place}{error.field.removeprefix('storm.')}") from None


def _list_of(name: str, kind: type, make: Callable[[object], Any]) -> ValueType:
    """Return the type of a list whose items are of a kind, or plain data that one is made of."""

    def parse(value: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise types.NotAllowedError
        found = []
        for index, each in enumerate(value):
            with _in(f"{name}[{index}]."):
                found.append(each if isinstance(each, kind) else make(each))
        return tuple(found)

    return ValueType(
        f"a list of {name}", {"type": "array"}, keep=parse, dump=lambda parts: [part.document() for part in parts]
    )


_DURATION: Final = ValueType(
    "a duration such as 24h or PT24H", {"type": "string"}, keep=_duration, dump=lambda step: step.total_seconds()
)


@dataclass(frozen=True, slots=True)
class Step(Described):
    """An act upon the sandbox once so many payloads were received; their answers may leave meanwhile.

    A rule ``latency`` on the request holds its answer back until the act is done.
    """

    after_payloads: int = field(types.integer(1, 10**6), "Number of payloads received.")
    advance: timedelta | None = field(_DURATION, "Duration that the sandbox clock moves by.", None)  # noqa: RUF009
    revoke_tokens: bool = field(types.boolean(), "Whether every token is revoked.", False)

    def check(self) -> None:
        """Refuse a step that does nothing."""
        if self.advance is None and not self.revoke_tokens:
            raise InvalidValueError("advance", None, "a duration, or revoke_tokens: true")


@dataclass(frozen=True, slots=True)
class Storm(Described):
    """Faults and acts that one run of the client meets."""

    name: str = field(types.printable(100, 1), "Name of the file.")
    title: str = field(types.text(200, 1), "Name that people read.")
    story: str = field(types.text(2_000, 1), "What happens, and what a good client does.")
    judges: Sequence[str] = field(types.names(), "Checks that judge the run.")
    rules: Sequence[FaultRule] = field(_list_of("rules", FaultRule, read_rule), "Fault rules.", ())
    steps: Sequence[Step] = field(
        _list_of("steps", Step, lambda step: read(Step, step, "step")), "Acts upon the sandbox.", ()
    )
    settings: Mapping[str, Any] = field(types.json_object(), "Settings of the sandbox during the run.", {})
    payloads: int | None = field(
        types.integer(1, 10**6), "Payloads that the client is to push; as many as in the calm run when left out.", None
    )
    timeout_s: float = field(types.seconds(MAX_TIMEOUT_S, 0.1), "Seconds after which the client is stopped.", 30.0)

    def check(self) -> None:
        """Refuse checks that do not exist, and settings that cannot change while a sandbox runs."""
        for name in self.judges:
            if name not in CHECKS:
                raise InvalidValueError("judges", name, f"a check; {did_you_mean(name, CHECKS)}")
        try:
            Settings().changed(self.settings, runtime=True)
        except SettingError as error:
            raise error.at(f"settings.{error.field}") from None

    def document(self) -> dict[str, Any]:
        """Return the storm as the YAML of its file holds it."""
        document = Described.document(self)
        document.pop("name")
        first = {name: document.pop(name) for name in ("title", "story", "judges")}
        return {**first, "timeout_s": self.timeout_s, **document}


def load_storms(folder: str | Path | None = None) -> dict[str, Storm]:
    """Return every storm by name, the calm one first: the wheel's, and a user's own; raise ``InvalidValueError``."""
    storms = _load_folder(fixtures_folder() / "storms")
    if folder is not None:
        if not Path(folder).is_dir():
            raise InvalidValueError("storms_dir", str(folder), "a folder with YAML files; this one does not exist")
        storms.update(_load_folder(Path(folder)))
    return {name: storms[name] for name in sorted(storms, key=lambda name: (name != CALM, name))}


def select_storms(names: Sequence[str], storms: Mapping[str, Storm]) -> list[Storm]:
    """Return the calm storm and those named, in the order of the files; all without names.

    Raise ``NotFoundError``, which lists the storms.
    """
    for name in names:
        if name not in storms:
            raise NotFoundError("storm", name, storms, named=True)
    return [storm for name, storm in storms.items() if not names or name in names or name == CALM]


def read_storm_file(path: Path) -> Storm:
    """Return the storm of a file; raise ``InvalidValueError`` with the file and the key."""
    try:
        document = read_document(path).content
    except (DocumentError, OSError) as error:
        raise InvalidValueError(path.name, "this file", f"readable YAML ({error})") from None
    if not isinstance(document, dict):
        raise InvalidValueError(path.name, document, "an object with the keys title, story, rules and judges")
    with _in(f"{path.name}: "):
        storm = read(Storm, {**document, "name": path.stem}, "storm")
    named = [rule if rule.name is not None else replace(rule, name=path.stem) for rule in storm.rules]
    return replace(storm, rules=named)


def _load_folder(folder: Path) -> dict[str, Storm]:
    return {path.stem: read_storm_file(path) for path in sorted(folder.iterdir()) if path.suffix in _SUFFIXES}
