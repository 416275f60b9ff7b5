"""JSONPath queries of RFC 9535. The library is imported when the first query is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_value import JsonValue

if TYPE_CHECKING:
    from jsonpath import JSONPath

Query: TypeAlias = "JSONPath"
"""A compiled JSONPath."""

MAX_JSON_PATH_LENGTH: Final = 500
"""Characters of a JSONPath: its evaluation takes stack for each step."""


def compile_json_path(expression: str) -> Query:
    """Compile an RFC 9535 query or raise ``InvalidValueError``."""
    import jsonpath

    from sandbox.foundation.i_regexp import ENVIRONMENT

    try:
        if len(expression) > MAX_JSON_PATH_LENGTH:
            raise ValueError(f"longer than {MAX_JSON_PATH_LENGTH} characters")
        query = ENVIRONMENT.compile(expression)
    # the last three: an empty query, an infinite number, deeply nested filters
    except (jsonpath.JSONPathError, ValueError, OverflowError, RecursionError) as error:
        problem = str(error.args[0]).partition("\n")[0]  # `str(error)` adds a drawing of the place, and can fail
        raise InvalidValueError(
            "json_path", expression, f"an RFC 9535 JSONPath such as $.lines[*].sku ({problem})"
        ) from None
    assert isinstance(query, jsonpath.JSONPath)
    return query


def select(query: Query, document: JsonValue) -> list[JsonValue]:
    """Return the values that a query selects; none in a document that is nested deeper than the query can follow."""
    return _asked(query, query.findall, document) or []


def selects(query: Query, document: JsonValue) -> bool:
    """Return whether a query selects anything, without looking for more than one value; see ``select``."""
    return _asked(query, query.match, document) is not None


def _asked(query: Query, question: Callable[[Any], Any], document: JsonValue) -> Any:
    import jsonpath

    if not isinstance(document, (dict, list)):  # the library takes a text for JSON
        return None if query.segments or document is None else [document]
    try:
        return question(document)
    except (jsonpath.JSONPathError, RecursionError):
        return None
