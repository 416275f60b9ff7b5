"""The redirects and pages in place of JSON errors, with the setting ``accept = laravel`` (WIRE B, FACTS 1.35).

By default the sandbox answers every client in JSON. With that setting and the two like it, the sandbox does as the
framework: only a client that names JSON first in its ``Accept`` gets JSON. Another gets a page, and in place of 401 a
redirect to the login page. An application without that page answers 500, or from Laravel 13.4 an empty 401.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

from sandbox.foundation.answer import Answer, Headers
from sandbox.journal.request import Request

_TITLES: Final[Mapping[int, str]] = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Server Error",
    503: "Service Unavailable",
}
_HTML: Final = ("Content-Type", "text/html; charset=UTF-8")
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
    <head>
        <meta charset="utf-8">
        <title>{title}</title>
    </head>
    <body>
        {status} | {title}
    </body>
</html>
"""
_REDIRECT: Final = """\
<!DOCTYPE html>
<html>
    <head>
        <meta charset="UTF-8" />
        <meta http-equiv="refresh" content="0;url='{url}'" />

        <title>Redirecting to {url}</title>
    </head>
    <body>
        Redirecting to <a href="{url}">{url}</a>.
    </body>
</html>"""


def expects_json(request: Request) -> bool:
    """Return whether the framework answers this request with JSON.

    It does when the client prefers a JSON type, and for an XMLHttpRequest that takes any type.
    """
    preferred = _preferred_type(request.header("Accept") or "")
    if request.header("X-Requested-With") == "XMLHttpRequest" and preferred in ("", "*", "*/*"):
        return True
    return "/json" in preferred or "+json" in preferred


def as_page(answer: Answer, base_url: str, accept: str) -> Answer:
    """Return the redirect or page in place of an error; ``base_url`` is scheme and host that the client used.

    ``accept`` is the setting: the answer to a 401 depends on the application's routes and the framework's version.
    """
    kept = tuple((name, value) for name, value in answer.headers if name != "Content-Type")
    if answer.status == 401:
        match accept:
            case "laravel":
                url = f"{base_url}/login"
                body = _REDIRECT.format(url=html.escape(url))
                return Answer(
                    302, (("Content-Type", "text/html; charset=utf-8"), ("Location", url), *kept), body.encode()
                )
            case "laravel_without_login":  # the redirect fails, for want of a route called "login"
                return _page(500, kept)
            case _:
                return Answer(401, (_HTML, *kept), b"")
    return _page(answer.status, kept)


def _page(status: int, headers: Headers) -> Answer:
    body = _PAGE.format(status=status, title=_TITLES.get(status, "Error"))
    return Answer(status, (_HTML, *headers), body.encode())


def _preferred_type(accept: str) -> str:
    ranges = [media_range.strip().lower() for media_range in accept.split(",") if media_range.strip()]
    return max(ranges, key=_quality, default="").partition(";")[0].strip()


def _quality(media_range: str) -> float:
    for parameter in media_range.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
