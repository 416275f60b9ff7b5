"""JSONPath whose regular expressions take time in proportion to the text.

``match`` and ``search`` of a query look at the texts of a client. Python's ``re`` backtracks: a short pattern and a
text of forty characters could hold the process for minutes. I-Regexp (RFC 9485), which RFC 9535 prescribes, needs no
backtracking; the engine is the one of the library that checks payloads. A pattern that the engine does not know, such
as a lookahead or a backreference, matches nothing, as RFC 9535 says of an invalid pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import jsonschema_rs
from jsonpath import JSONPathEnvironment
from jsonpath.function_extensions import Match, Search

from sandbox.foundation.json_value import equal


class _Pattern:
    """A pattern with the two methods of a compiled ``re`` pattern that the functions call."""

    def __init__(self, pattern: str) -> None:
        self.search = _check(pattern)  # first: a pattern such as `a)(b` is valid only within a group
        self.fullmatch = _check(f"^(?:{pattern})$")


def _check(pattern: str) -> Callable[[str], bool]:
    """Return a function that finds a pattern in a text; raise ``ValueError`` for an invalid or too large pattern."""
    validator = jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())

    def holds(text: str) -> bool:
        try:
            return validator.is_valid(text)
        except ValueError:  # half a character
            return False

    return holds


class _Linear:
    cache: Any

    def check_cache(self, pattern: str) -> Any:
        """Return the pattern, or ``None`` for an invalid one; the base class keeps the last few hundred."""
        try:
            return self.cache[pattern]
        except KeyError:
            try:
                found = _Pattern(pattern)
            except ValueError:
                found = None
            self.cache[pattern] = found
            return found


class _LinearMatch(_Linear, Match):
    pass


class _LinearSearch(_Linear, Search):
    pass


class _Environment(JSONPathEnvironment):
    """Compares lists and objects as the sandbox does everywhere: ``[true]`` is not ``[1]`` (RFC 9535 §2.3.5.2.2)."""

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Return whether a comparison of a filter holds."""
        if operator in ("==", "!=", "<=", ">=") and isinstance(left, (dict, list)) and isinstance(right, (dict, list)):
            return equal(left, right) is (operator != "!=")  # neither is less than the other
        return super().compare(left, operator, right)


def _environment() -> JSONPathEnvironment:
    environment = _Environment(strict=True)
    environment.function_extensions["match"] = _LinearMatch(thread_safe=True)
    environment.function_extensions["search"] = _LinearSearch(thread_safe=True)
    return environment


ENVIRONMENT: Final = _environment()
"""Compiles queries. Import it where one is compiled: the library takes long to import."""
