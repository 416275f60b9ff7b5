"""``python -m sandbox.cli``, the same as ``patchworks-sandbox``."""

from sandbox.cli import main

main(prog_name="patchworks-sandbox")
