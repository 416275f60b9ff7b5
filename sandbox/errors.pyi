from sandbox.foundation.errors import *  # noqa: F403 - a stub exports what it imports so
