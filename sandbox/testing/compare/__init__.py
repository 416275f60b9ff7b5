"""Comparison: a recording of the real platform is replayed on a sandbox, and the answers that differ are reported."""
