"""The tests, in the same rooms as the package."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
"""Of the repository."""
