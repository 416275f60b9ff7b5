"""The control API under ``/_sandbox``: it changes and shows the sandbox, and stands for nothing of Patchworks."""
