"""Proposals: the settings with which the sandbox answers as the recording does.

Each setting that changes the wire is tried with its other values, then pairs of those that helped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, Final

from sandbox.foundation.errors import SettingError
from sandbox.foundation.settings import Settings, setting_specs
from sandbox.testing.compare.recording import Exchange, Recording, header_in
from sandbox.testing.compare.replay import Replayed, Stage, member_of

MAX_PAIRS: Final = 200
MAX_PROPOSALS: Final = 5
_SAMPLED: Final = 200
"""Exchanges beyond which a first trial replays only some of each kind."""

UNSEEN: Final = frozenset({"processing", "resync"})
"""The settings with few values that change no answer: they are about what comes after it."""

_FIXED: Final = frozenset({"whole_numbers"})
"""The settings of the start only that change an answer."""


def enumerated() -> dict[str, Sequence[Any]]:
    """Return the settings that change an answer and have few values, with these values."""
    found: dict[str, Sequence[Any]] = {}
    for spec in setting_specs():
        if (spec.runtime or spec.name in _FIXED) and spec.name not in UNSEEN:
            values = (False, True) if spec.type.schema.get("type") == "boolean" else spec.type.schema.get("enum", ())
            found |= {spec.name: values} if values else {}
    return found


def _from_message(prefix: str) -> Callable[[Exchange], object]:
    def read(exchange: Exchange) -> object:
        message = member_of(exchange.answer, "message")
        if not isinstance(message, str) or not message.startswith(prefix):
            return None
        return message.removeprefix(prefix).partition("]")[0]

    return read


def _limit(exchange: Exchange) -> object:
    value = header_in(exchange.answer.headers, "x-ratelimit-limit")
    return int(value) if value.isdecimal() else None


def _methods(exchange: Exchange) -> object:
    allowed = header_in(exchange.answer.headers, "allow")
    methods = [name for name in ("GET", "POST") if name in allowed.upper()]
    return methods or None


READ: Final[Mapping[str, Callable[[Exchange], object]]] = {
    "success_message": lambda exchange: (
        member_of(exchange.answer, "message") if exchange.answer.status in (200, 201) else None
    ),
    "token_lifetime": lambda exchange: member_of(exchange.answer, "expires_in"),
    "rate_limit_requests": _limit,
    "token_methods": _methods,
    "body_limit": lambda exchange: exchange.request.body_size - 1 if exchange.answer.status == 413 else None,
    "company_class": _from_message("No query results for model ["),
    "endpoint_class": _from_message("No query results for model ["),
}
"""The settings that change the wire and have many values: the recorded answers say which to try."""

_MAX_READ: Final = 5
"""Values that are read from a recording for one setting."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings, the number of differing exchanges that they explain, and of those that differ only with them."""

    settings: Mapping[str, Any]
    explained: int
    of: int
    broken: int

    def __str__(self) -> str:
        said = " and ".join(f"{name} {shown_value(value)}" for name, value in self.settings.items())
        cost = f", and {self.broken} others differ then" if self.broken else ""
        return f"{said} explains {self.explained} of {self.of}{cost}"


def shown_value(value: object) -> str:
    """Return the value of a setting as the command line takes it."""
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def candidates(recording: Recording, settings: Settings) -> list[tuple[str, Any]]:
    """Return the values to try: of each setting that changes the wire all others than the one in force."""
    found = [(name, value) for name, values in enumerated().items() for value in values]
    for name, read in READ.items():
        values: list[object] = []
        for exchange in recording.exchanges:
            value = read(exchange)
            if value is not None and value not in values and len(values) < _MAX_READ:
                values.append(value)
        found += [(name, value) for value in values]
    return [(name, value) for name, value in found if _is_other(settings, name, value)]


def _is_other(settings: Settings, name: str, value: object) -> bool:
    try:
        return settings.changed({name: value}) != settings
    except SettingError:
        return False


def proposals(stage: Stage, found: Sequence[Replayed]) -> list[Proposal]:
    """Return the settings that explain differing exchanges, the best first; ``found`` is the replay without them."""
    before = _facts(found)
    differing = {number for number, texts in before.items() if texts}
    if not differing:
        return []
    sample = _sample(found)
    limited = any(each.exchange.answer.status == 429 for each in found)
    helpful: list[dict[str, Any]] = []
    tried: list[Proposal] = []
    for name, value in candidates(stage.recording, stage.settings):
        numbers = before.keys() if limited and name.startswith("rate_limit") else sample
        trial = _facts(stage.replay({name: value}, numbers))
        if any(before[number] - texts for number, texts in trial.items()):
            helpful.append({name: value})
            tried.append(_proposal({name: value}, before, trial))
    pairs = (one | other for one, other in combinations(helpful, 2) if one.keys() != other.keys())
    if not any(each.explained == each.of and not each.broken for each in tried):
        tried += [_proposal(pair, before, _facts(stage.replay(pair, sample))) for pair in islice(pairs, MAX_PAIRS)]
    best = _best(tried)[:MAX_PROPOSALS]
    if sample != before.keys():
        best = _best([_proposal(each.settings, before, _facts(stage.replay(each.settings))) for each in best])
    return best


def _sample(found: Sequence[Replayed]) -> AbstractSet[int]:
    """Return the numbers of the exchanges with which settings are tried: a few of each kind, where there are many."""
    if len(found) <= _SAMPLED:
        return {each.exchange.number for each in found}
    kinds: dict[object, list[int]] = {}
    for each in found:
        answers = each.exchange.answer.status, each.answer.status, each.kind, each.reason
        kinds.setdefault((answers, frozenset(map(str, each.differences))), []).append(each.exchange.number)
    return {number for numbers in kinds.values() for number in numbers[: max(1, _SAMPLED // len(kinds))]}


def _best(tried: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals that explain more than they break, without pairs that are no better than one of the two."""
    gains = {str(each.settings): each.explained - each.broken for each in tried}
    good = []
    for each in tried:
        alone = [gains.get(str({name: value}), 0) for name, value in each.settings.items() if len(each.settings) > 1]
        if gains[str(each.settings)] > max(alone, default=0):
            good.append(each)
    return sorted(good, key=lambda each: (each.broken - each.explained, len(each.settings)))


def _proposal(
    settings: Mapping[str, Any], before: Mapping[int, frozenset[str]], after: Mapping[int, frozenset[str]]
) -> Proposal:
    differing = [number for number in after if before[number]]
    explained = sum(not after[number] for number in differing)
    broken = sum(bool(texts) for number, texts in after.items() if not before[number])
    return Proposal(dict(settings), explained, len(differing), broken)


def _facts(found: Iterable[Replayed]) -> dict[int, frozenset[str]]:
    """Return the differences by the number of the exchange, as texts."""
    return {each.exchange.number: frozenset(map(str, each.differences)) for each in found}
