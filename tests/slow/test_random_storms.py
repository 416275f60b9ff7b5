"""The search for faults that break a client finds planted defects that take many storms."""

from __future__ import annotations

import pytest

from sandbox.testing.handle import Patchworks
from tests.testing.certify.test_random_storms import check_planted, served

__all__ = ["served"]  # a fixture


@pytest.mark.parametrize("defect", ["an order is lost on a reset", "a 401 is tried for ever"])
def test_planted_defect_is_found_and_shrunk_to_one_fault(served: Patchworks, defect: str) -> None:
    check_planted(served, defect)
