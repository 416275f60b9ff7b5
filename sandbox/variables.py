"""``${NAME}`` and ``${NAME:-default}`` in a text, filled in from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return ``text`` with its references replaced; ``$${`` stands for a literal ``${``.

    As in a shell, the default also replaces a variable that is set but empty. Raises ``ValueError`` for a
    variable that is not set and has no default, and for a reference that cannot be read.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise ValueError("${ must begin ${NAME} or ${NAME:-default}; write $${ for a literal ${")
        if default is None and name not in environ:
            raise ValueError(f"the environment variable {name} is not set; set it or write ${{{name}:-default}}")
        found = environ.get(name, "")
        if any("\ud800" <= character <= "\udfff" for character in found):
            raise ValueError(f"the environment variable {name} is not UTF-8; set it to text")
        return found or default or ""

    return _REFERENCE.sub(value, text) if "${" in text else text
