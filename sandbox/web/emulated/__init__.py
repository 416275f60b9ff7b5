"""The emulated API: what stands for Patchworks, and nothing that steers the sandbox."""

from sandbox.web import import_marshmallow

import_marshmallow()
