"""The control API under ``/_sandbox``: it changes and shows the sandbox; Patchworks has nothing like it."""
