"""The control API under ``/_sandbox``: it changes and shows the sandbox; Patchworks has nothing like it."""

from sandbox.web import import_marshmallow

import_marshmallow()
