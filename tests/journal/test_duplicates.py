"""Duplicates: the query is checked before any payload is looked at."""

from __future__ import annotations

import pytest

from sandbox.foundation.errors import InvalidValueError
from sandbox.journal.attempts import find_duplicates


def test_a_wrong_json_path_is_refused_where_nothing_was_received() -> None:
    with pytest.raises(InvalidValueError, match="json_path"):
        find_duplicates([], json_path="$.[")
