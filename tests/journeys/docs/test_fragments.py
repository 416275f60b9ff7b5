"""Every Python block of the generated pages runs: the test functions in them are tests of this module."""

from __future__ import annotations

from tests.journeys.docs.blocks import run_python

for page in ("docs/faults.md", "docs/reasons.md", "docs/certify.md"):
    run_python(page, globals())
