"""The emulated API: what stands for Patchworks, and nothing that steers the sandbox."""
