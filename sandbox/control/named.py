"""The host that a request names, also where there is an underscore in it.

Containers are often called so, and resolvers find them. Werkzeug, from 3.1.8 on, takes such a name for none at all:
under it nobody could be let in, and every URL that the control API tells would be without a host.
"""

from __future__ import annotations

import re
from typing import Final

from flask import request

_UNDERSCORED: Final = re.compile(r"[A-Za-z0-9.-]*_[A-Za-z0-9._-]*(?::[0-9]{1,5})?")


def take_host() -> None:
    """Let a request have the host that it names. Call it before ``guard``, which says whether it is served."""
    given = request.headers.get("Host", "")
    if _UNDERSCORED.fullmatch(given):
        request.host = given
