"""One sandbox, from its seed to its saved state."""
