"""The cycle collector while `serve` runs."""

from __future__ import annotations

import gc

import pytest

from sandbox.cli.collector import RARELY, rare_collections


def test_collections_are_rare_while_it_serves_and_as_before_afterwards() -> None:
    before = gc.get_threshold()

    with pytest.raises(KeyboardInterrupt), rare_collections():
        assert gc.get_threshold() == RARELY
        assert gc.get_freeze_count() > 0
        raise KeyboardInterrupt

    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
