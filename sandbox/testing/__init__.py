"""The handles that tests hold, and the pytest plugin."""
