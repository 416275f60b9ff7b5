"""JSONPath whose regular expressions take time in proportion to the text.

``match`` and ``search`` of a query look at the texts of a client. Python's ``re`` backtracks: a short pattern and a
text of forty characters could hold the process for minutes. I-Regexp (RFC 9485), which RFC 9535 prescribes, needs no
backtracking; the engine is the one of the library that checks payloads. A pattern that the engine does not know, such
as a lookahead or a backreference, matches nothing, as RFC 9535 says of an invalid pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import jsonschema_rs
from jsonpath import JSONPathEnvironment
from jsonpath.function_extensions import ExpressionType, FilterFunction

from sandbox.foundation.json_value import equal


def _check(*patterns: str) -> Callable[[str], bool] | None:
    """Return a function that finds all patterns in a text; ``None`` where one is invalid or too large."""
    schema = {"allOf": [{"pattern": pattern} for pattern in patterns]}
    try:
        return jsonschema_rs.validator_for(schema, pattern_options=jsonschema_rs.RegexOptions()).is_valid
    except ValueError:
        return None


class _Linear(FilterFunction):
    """A function of a text and a pattern, whose place in a pattern is ``form``; it keeps the last few hundred."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012 - as the library has them
    return_type = ExpressionType.LOGICAL

    def __init__(self, form: str) -> None:
        self._form = form
        self._check = lru_cache(300)(_check)

    def __call__(self, value: object, pattern: object) -> bool:
        if not isinstance(value, str) or not isinstance(pattern, str):
            return False
        check = self._check(pattern, self._form.format(pattern))  # `a)(b` is valid only within a group
        try:
            return check is not None and check(value)
        except ValueError:  # half a character
            return False


class _Environment(JSONPathEnvironment):
    """Compares lists and objects as the sandbox does everywhere: ``[true]`` is not ``[1]`` (RFC 9535 §2.3.5.2.2)."""

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Return whether a comparison of a filter holds."""
        if operator in ("==", "!=", "<=", ">=") and isinstance(left, (dict, list)) and isinstance(right, (dict, list)):
            return equal(left, right) is (operator != "!=")  # neither is less than the other
        return super().compare(left, operator, right)


ENVIRONMENT: Final = _Environment(strict=True)
"""Compiles queries. Import it where one is compiled: the library takes long to import."""
ENVIRONMENT.function_extensions.update(match=_Linear("^(?:{})$"), search=_Linear("{}"))
