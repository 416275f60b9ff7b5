"""Errors, time, randomness, JSON, YAML, files and settings, without any knowledge of requests or Patchworks."""
