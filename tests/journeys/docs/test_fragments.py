"""Every Python block of the pages on faults runs: the test functions in them are tests of this module."""

from __future__ import annotations

from tests.journeys.docs.blocks import run_python

run_python("docs/faults.md", globals())
