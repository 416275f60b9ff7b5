"""The WSGI applications: the emulated API, the control API, the dashboard, and their documents."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def import_marshmallow() -> None:
    """Import marshmallow without its patch of ``datetime``: a process under test must behave as in production.

    On Python 3.10 marshmallow replaces ``datetime.fromisoformat`` for the whole process, by that of a backport. Here it
    is given the functions of the backport for its own fields. A program that has imported marshmallow has that patch
    from there, and keeps it.
    """
    if sys.version_info >= (3, 11) or "marshmallow.fields" in sys.modules:
        return
    from unittest.mock import patch

    backport: Any = import_module("backports.datetime_fromisoformat")
    with patch.object(backport.MonkeyPatch, "patch_fromisoformat"):
        fields: Any = import_module("marshmallow.fields")
    for kind in (fields.DateTime, fields.Time, fields.Date):
        read = getattr(backport, f"{kind.OBJ_TYPE}_fromisoformat")
        kind.DESERIALIZATION_FUNCS.update(iso=read, iso8601=read)
