"""Every error that the sandbox raises on purpose."""

from sandbox.foundation.errors import *  # noqa: F403 - the public name of that module
