"""The control API under ``/_sandbox``: what steers the sandbox, and nothing that stands for Patchworks."""
