"""The cycle collector while `serve` runs."""

from __future__ import annotations

import gc

from sandbox.foundation.collector import RARELY, no_collections, rare_collections


def test_nothing_is_collected_while_it_starts() -> None:
    with no_collections(), no_collections():
        during = gc.isenabled()

    assert not during
    assert gc.isenabled()


def test_collections_are_rare_while_it_serves_and_as_before_afterwards() -> None:
    before = gc.get_threshold()

    with rare_collections():
        during, frozen = gc.get_threshold(), gc.get_freeze_count()

    assert during == RARELY
    assert frozen > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
