"""A request as it was received, as one value: the server, a mounted application and a test make the same."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sandbox.foundation.answer import Headers
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.refusals import RefusalError
from sandbox.foundation.strict_json import NotJsonError, parse_json


class Request(Struct, eq=False):
    """An HTTP request with its whole body, or with the reason why the body is not whole.

    ``path`` and ``query`` are text: ``path`` is percent-decoded, ``query`` is not. A request does not change after the
    server has made it.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    remote_addr: str = ""
    body: bytes = b""
    body_size: int = 0
    """Bytes of the body as announced or counted, also where they were not kept."""
    raw_path: str = ""
    """The path as it was sent, percent-encoded; the platform's messages quote it."""
    base_url: str = ""
    """Scheme and host that the client used, without a trailing slash."""
    problem: RefusalError | None = None
    """The reason why the body is not whole."""
    _fields: dict[str, str] | None = None
    """The last value of each header field by its name in lower case; ``None`` before the first call of ``header``."""
    _parsed: tuple[Any, str | None] | None = None
    """The body as JSON, or the reason why it is not JSON; ``None`` before the first call of ``json``."""

    def __repr__(self) -> str:
        return f"Request({self.method!r}, body_size={self.body_size})"  # any other part may hold secrets

    def json(self) -> JsonValue:
        """Return the body parsed as JSON; raise ``NotJsonError``. The body is parsed at the first call."""
        if self._parsed is None:
            try:
                self._parsed = parse_json(self.body), None
            except NotJsonError as error:
                self._parsed = None, str(error)
        document, problem = self._parsed
        if problem is not None:
            raise NotJsonError(problem)
        return document

    def header(self, name: str) -> str | None:
        """Return the value of a header field, the last one if it is repeated; case does not matter."""
        if self._fields is None:
            self._fields = {key.lower(): value for key, value in self.headers}
        return self._fields.get(name.lower())
