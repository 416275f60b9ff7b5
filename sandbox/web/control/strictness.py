"""Refuses a query or a body that a view would silently ignore.

A filter on a route that has none, or settings sent as a form, would otherwise look as if they had worked.
"""

from __future__ import annotations

from typing import Final

from flask import Response, current_app, request

from sandbox.foundation.errors import shorten
from sandbox.web.control.base import READS, Blueprint
from sandbox.web.control.problems import problem, refusal

_NOTHING: Final = (b"", b"{}", b"null")
"""Bodies that count as none: some clients cannot send a POST without a body."""

_MORE_THAN_NOTHING: Final = 64
"""Bytes of a body that are read to compare it with ``_NOTHING``."""


def refuse_unread() -> Response | None:
    """Answer a request whose query or body its view does not read; return ``None`` to let it pass."""
    if not isinstance(current_app.blueprints.get(request.blueprint or ""), Blueprint):
        return None  # a page, or no route at all
    reads: frozenset[str] = getattr(current_app.view_functions[request.endpoint or ""], READS, frozenset())
    return _refuse_query(reads) or (_refuse_not_json() if "json" in reads else _refuse_body())


def _refuse_query(reads: frozenset[str]) -> Response | None:
    given = request.args.to_dict(flat=False)
    if "query" in reads:
        wrong = {name: "given more than once; give it once" for name, values in given.items() if len(values) > 1}
    else:
        wrong = dict.fromkeys(given, f"unknown; {request.method} {request.path} takes no query parameters")
    errors = [{"field": f"query.{name}", "message": message} for name, message in wrong.items()]
    return refusal(*errors) if errors else None


def _refuse_not_json() -> Response | None:
    """Refuse a body that is not sent as JSON: the view would find it empty."""
    if not _has_body():
        return None
    coding = request.headers.get("Content-Encoding", "identity")
    if coding.strip().lower() not in ("identity", ""):
        detail = f"the body must be sent as it is, without Content-Encoding; not {shorten(coding)}"
        return problem(415, detail, headers={"Accept-Encoding": "identity"})  # RFC 9110 §15.5.16
    if request.is_json:
        return None
    given = f"not {shorten(request.content_type)}" if request.content_type else "there is none"
    return problem(415, f"the body must be JSON: send it with Content-Type: application/json; {given}")


def _refuse_body() -> Response | None:
    if not _has_body():
        return None
    large = (request.content_length or 0) > _MORE_THAN_NOTHING
    if not large and request.stream.read(_MORE_THAN_NOTHING).strip() in _NOTHING:
        return None
    return refusal({"field": "body", "message": f"{request.method} {request.path} takes no body; leave it out"})


def _has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers
