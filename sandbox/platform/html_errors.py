"""The redirects and pages in place of JSON errors, with the setting ``accept = laravel`` (WIRE B).

Without that setting the sandbox answers every client in JSON. With it, the sandbox does as the framework: only a client
that names JSON first in its ``Accept`` gets JSON. A 401 becomes a redirect to the login page, another error a page.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

from sandbox.foundation.answer import Answer
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


def as_page(answer: Answer, base_url: str) -> Answer:
    """Return the redirect or page in place of an error; ``base_url`` is scheme and host that the client used."""
    kept = tuple((name, value) for name, value in answer.headers if name != "Content-Type")
    if answer.status == 401:
        url = f"{base_url}/login"
        body = _REDIRECT.format(url=html.escape(url))
        return Answer(302, (("Content-Type", "text/html; charset=utf-8"), ("Location", url), *kept), body.encode())
    body = _PAGE.format(status=answer.status, title=_TITLES.get(answer.status, "Error"))
    return Answer(answer.status, (("Content-Type", "text/html; charset=UTF-8"), *kept), body.encode())


def _preferred_type(accept: str) -> str:
    """Return the first media type of the highest quality, in lower case, or an empty text."""
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
