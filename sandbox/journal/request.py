"""A request as it was received, as one value: the server, a mounted application and a test make the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.foundation.answer import Headers
from sandbox.foundation.errors import RefusalError
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import NotJsonError, parse_json


@dataclass(slots=True, eq=False)
class Request:
    """An HTTP request with its whole body, or with the reason why the body is not whole.

    ``path`` and ``query`` are text: ``path`` is percent-decoded, ``query`` is not. A request does not change after the
    server has made it.
    """

    method: str
    path: str = field(repr=False)  # may hold secrets, as the next ones may
    query: str = field(default="", repr=False)
    headers: Headers = field(default=(), repr=False)
    remote_addr: str = ""
    body: bytes = field(default=b"", repr=False)
    body_size: int = 0
    """Bytes of the body as announced or counted, also where they were not kept."""
    raw_path: str = field(default="", repr=False)
    """The path as it was sent, percent-encoded; the platform's messages quote it."""
    base_url: str = ""
    """Scheme and host that the client used, without a trailing slash."""
    problem: RefusalError | None = None
    """The reason why the body is not whole."""
    _parsed: tuple[JsonValue, str | None] | None = field(default=None, init=False, repr=False)
    """The body as JSON, or the reason why it is not JSON; ``None`` before the first call of ``json``."""

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
        wanted, length = name.lower(), len(name)
        for key, value in reversed(self.headers):
            if len(key) == length and key.lower() == wanted:
                return value
        return None
