"""Acts of the pages: a form makes the call of the control API that a program would make, and shows its refusal.

A browser posts a form to a page, with or without JavaScript. The page makes the call within the process, so that the
checks, the messages and the log of an act are those of the control API. An act that went well leads back to the page
that it came from.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from flask import Response, current_app, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from sandbox.foundation.strict_json import NotJsonError, parse_json, write_json
from sandbox.web.dashboard.blueprint import PAGES, pages
from sandbox.web.dashboard.formats import sentence, zoned
from sandbox.web.environ import CONNECTION
from sandbox.web.paths import PREFIX

_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")
_NOT_OF_THE_CALL: Final = (CONNECTION, "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "werkzeug.request")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the control API to an act."""

    status: int
    body: Any
    """Its JSON; ``None`` where there is none."""

    @property
    def refusal(self) -> str:
        """The reason of a refusal as the API says it; empty where it was none."""
        if self.status < 400:
            return ""
        return str(self.body["detail"]) if isinstance(self.body, dict) else f"the sandbox answered {self.status}"

    @property
    def errors(self) -> dict[str, str]:
        """The messages of a refusal by the path of their field, which begins in the body."""
        listed = self.body.get("errors", ()) if isinstance(self.body, dict) and self.status >= 400 else ()
        return {
            error["field"].removeprefix("body").removeprefix("."): "; ".join(
                [*([f"{error['given']} is not allowed"] if "given" in error else []), error["message"]]
            )
            for error in listed
        }

    @property
    def problems(self) -> list[str]:
        """The messages of a refusal, each with its field where it has one."""
        said = [f"{path}: {message}" if path else message for path, message in self.errors.items()]
        return said or [sentence(self.refusal)]


def call(method: str, path: str, body: object = None) -> Answer:
    """Call the control API as the browser that posted the form.

    ``path`` is percent-encoded and may have a query; ``body`` is JSON, or bytes that are sent as they are.
    """
    sent = body if isinstance(body, bytes) else b"" if body is None else write_json(body).encode("utf-8", "replace")
    path, _, query = path.partition("?")
    environ = {name: value for name, value in request.environ.items() if name not in _NOT_OF_THE_CALL}
    environ |= {
        "REQUEST_METHOD": method,
        "PATH_INFO": PREFIX + unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_ACCEPT": "application/json",
        "CONTENT_TYPE": "" if body is None else "application/json",
        "CONTENT_LENGTH": str(len(sent)),
        "wsgi.input": io.BytesIO(sent),
    }
    with current_app.request_context(environ):
        response = current_app.full_dispatch_request()
        content = response.get_data()
    return Answer(response.status_code, parse_json(content) if response.is_json and content else None)


@pages.post(f"{PAGES}/act")
def act() -> AnyResponse | tuple[str, int]:
    """Do what a button says, and lead to the page ``back``, which must be one of the sandbox.

    ``act`` is a method and a path; the body is ``body``, or made of the typed fields.
    """
    method, _, path = request.form.get("act", "").partition(" ")
    if method not in _METHODS or not path.startswith("/"):
        return refused("the form names no act of the control API", 400)
    text = request.form.get("body")
    answer = call(method, path, (_fields() or None) if text is None else text.encode("utf-8", "replace"))
    if answer.refusal:
        return refused(answer.refusal, answer.status)
    back = request.form.get("back", "")
    is_here = back.startswith(f"{PREFIX}/") and back.isprintable() and "\\" not in back
    return redirect(back if is_here else f"{PREFIX}/", 303, Response)


def _fields() -> dict[str, Any]:
    """Return the fields of the form that have a type before their name.

    The types are ``text``, ``optional`` (null where it is empty), ``json`` and ``utc``.
    """
    body: dict[str, Any] = {}
    for name, value in request.form.items():
        kind, _, field = name.partition(".")
        match kind:
            case "text":
                body[field] = value
            case "optional":
                body[field] = value.strip() or None
            case "utc":
                body[field] = zoned(value)
            case "json":
                try:
                    body[field] = parse_json(value.encode())
                except (NotJsonError, UnicodeError):
                    body[field] = value
    return body


@pages.errorhandler(413)
def too_large(_: HTTPException) -> tuple[str, int]:
    """Show that a form is too large, as one with a large file is."""
    return refused(f"the form is larger than the sandbox takes, {request.max_content_length:,} bytes", 413)


def refused(detail: str, status: int) -> tuple[str, int]:
    """Show why the control API refused an act."""
    return render_template("refused.html", detail=detail), status


def form_page(
    template: str,
    back: str,
    act: Callable[[], Answer],
    *,
    shows: str = "",
    opens: Callable[[Any], str] | None = None,
    **shown: Any,
) -> AnyResponse | tuple[str, int]:
    """Show a form; when it is posted, act and lead back, or show it again with the refusal.

    ``shows`` is a template that shows the body of the answer in place of leading back; ``opens`` returns the page that
    the body leads to.
    """
    answer = act() if request.method == "POST" else None
    if answer is None or answer.refusal:
        status, problems = (200, []) if answer is None else (answer.status, answer.problems)
        return render_template(template, back=back, problems=problems, given=request.form, **shown), status
    if shows:
        return render_template(shows, back=back, made=answer.body, **shown), 200
    return redirect(opens(answer.body) if opens else back, 303)
