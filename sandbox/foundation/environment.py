"""The environment variables of the sandbox: their values, values in files, and variables that others set.

Docker and Kubernetes hand a secret over as a file, so each secret can also come from the file that its variable with
``_FILE`` names. Kubernetes and older container engines describe each service by variables with the prefix of its name.
A service called ``patchworks-sandbox`` gets ``PATCHWORKS_SANDBOX_PORT=tcp://10.96.11.12:8025``, which is no setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sandbox.foundation.errors import InvalidValueError

ENV_PREFIX: Final = "PATCHWORKS_SANDBOX_"
FILE_SUFFIX: Final = "_FILE"
_MAX_BYTES: Final = 64 * 1024

_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://\S+")
_LINK: Final = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_LINK_OF_CONTAINER: Final = re.compile(r"(\w+?_)??(NAME|ENV_\w+)")


def is_service_link(name: str) -> bool:
    """Return whether a variable describes a service or a container, and so is not meant for the sandbox."""
    own = name.removeprefix(ENV_PREFIX)
    if own.endswith("PORT") and _ADDRESS.fullmatch(os.environ.get(name, "")):
        return True
    if _LINK.fullmatch(own):
        return True
    # Container engines set these two beside the address, and only beside it.
    linked = _LINK_OF_CONTAINER.fullmatch(own)
    return linked is not None and is_service_link(f"{ENV_PREFIX}{linked[1] or ''}PORT")


def variable(name: str) -> str | None:
    """Return the value of a variable; ``None`` for an empty one and for one that describes a service."""
    value = os.environ.get(name)
    return value if value and not is_service_link(name) else None


def without_proxy(hosts: Sequence[str]) -> dict[str, str]:
    """Return the variables with which clients reach these hosts without a proxy, and those that they name already.

    Libraries look at ``no_proxy`` first, and take ``*`` for all hosts where it stands alone.
    """
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    value = known if known.strip() == "*" else ",".join(filter(None, [known, *hosts]))
    return {"no_proxy": value, "NO_PROXY": value}


def secret_variable(name: str) -> str | None:
    """Return the value of a variable, or the text of the file that its variable with ``_FILE`` names.

    The end of the last line does not count. Raise ``InvalidValueError`` where both variables are set or the file
    cannot be used.
    """
    value, path = variable(name), variable(name + FILE_SUFFIX)
    if path is None:
        return value
    if value is not None:
        raise InvalidValueError(name + FILE_SUFFIX, path, f"one of the two: {name} is set as well")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _unusable(name, path, error.strerror or str(error)) from None
    if len(content) > _MAX_BYTES:
        raise _unusable(name, path, f"it is larger than {_MAX_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unusable(name, path, "it is not UTF-8") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise _unusable(name, path, "it is empty")
    return text


def _unusable(name: str, path: str, why: str) -> InvalidValueError:
    return InvalidValueError(name + FILE_SUFFIX, path, f"the path of a file that holds the value ({why})")
