"""Calls to a control API, with a timeout, and with errors that carry the problem details (RFC 9457)."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

import requests

from sandbox.foundation.environment import ENV_PREFIX, secret_variable
from sandbox.foundation.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    ProblemError,
    UnreachableError,
    WaitInterruptedError,
    Withheld,
)
from sandbox.foundation.settings import CONTROL_KEY_ALLOWED, is_control_key, is_web_url
from sandbox.foundation.strict_json import sent_json
from sandbox.web.paths import PREFIX

if TYPE_CHECKING:
    from sandbox.testing.backend import Verb

KEY_VARIABLE: Final = f"{ENV_PREFIX}CONTROL_KEY"
TIMEOUT_S: Final = 10.0
_PIECE: Final = 64 * 1024
_CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that ``requests`` reads when it trusts the environment."""
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class RemoteNotFoundError(ProblemError, NotFoundError):
    """404: there is no such thing."""

    kind, given, known = "thing", "", []


class RemoteConflictError(ProblemError, ConflictError):
    """409: it exists already, or is in use."""


class RemoteInvalidValueError(ProblemError, InvalidValueError):
    """422: a field holds a value that is not allowed."""

    def __init__(self, status: int, detail: str, errors: list[Mapping[str, str]]) -> None:
        first = errors[0] if errors else {}
        self.field = first.get("field", "").removeprefix("body.").removeprefix("query.")
        self.given = first.get("given")
        self.allowed = first.get("message", detail)
        super().__init__(status, detail, errors)


class _Bearer(requests.auth.AuthBase):
    """Sends the key. A header of the session would yield to a ``.netrc``, and a redirect would leak it."""

    def __init__(self, key: str) -> None:
        if not is_control_key(key):
            raise InvalidValueError("control_key", Withheld(), CONTROL_KEY_ALLOWED)
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class ControlApi:
    """The control API of the sandbox at ``base_url``.

    ``control_key`` is the key that a sandbox beyond loopback asks for; if left out, that of the environment.
    ``ca_file`` is the PEM file of the authority to trust, for https; if left out, requests chooses, by its
    ``REQUESTS_CA_BUNDLE``. ``session`` is a session with a proxy or headers of its own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        control_key: str | None = None,
        timeout: float = TIMEOUT_S,
        session: requests.Session | None = None,
        ca_file: str | PathLike[str] | None = None,
    ) -> None:
        if not is_web_url(base_url):
            raise InvalidValueError("url", base_url, "an http or https URL such as http://127.0.0.1:8025")
        self.base_url = base_url.rstrip("/").removesuffix(PREFIX)
        key = control_key or secret_variable(KEY_VARIABLE)
        self._auth = _Bearer(key) if key else None
        self._timeout = timeout
        self._session = session or requests.Session()
        self._trusted = _checked(ca_file)
        if session is None and urlsplit(base_url).hostname in _LOOPBACK:
            self._session.trust_env = False  # a proxy cannot reach this machine's loopback
            self._trusted = self._trusted or next(filter(None, map(os.environ.get, _CA_VARIABLES)), None)

    def get(self, path: str, **query: object) -> Any:
        """GET and return the JSON of the answer; raise ``ProblemError`` or ``UnreachableError``."""
        return self.call("GET", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        query: Mapping[str, object] | None = None,
        longer: float = 0.0,
        also: int | None = None,
    ) -> Any:
        """Call and return the JSON of the answer; raise ``ProblemError`` or ``UnreachableError``.

        ``longer``: seconds more than usual that it may take. ``also``: a status that is an answer, no error.
        """
        with self._sent(method, path, json, query, self._timeout + longer, also=also) as response:
            try:
                return response.json() if response.content else None
            except requests.JSONDecodeError:
                raise _foreign(response) from None

    def ask(self, verb: Verb[Any]) -> Any:
        """Send the request of a verb and return the JSON of the answer; of a verb with pages, the list of all."""
        method, path = verb.route.split(" ")
        send = partial(self.call, method, path, json=verb.body, longer=verb.longer_s)
        pages = [send(query=verb.query)]
        if verb.more is None:
            return pages[0]
        while (more := verb.more(pages)) is not None:
            pages.append(send(query={**verb.query, **more}))
        return pages

    def lines(
        self, path: str, query: Mapping[str, object] | None = None, *, silence: float | None = None
    ) -> Iterator[str]:
        """GET and iterate over the lines of an answer as they come.

        ``silence``: seconds without a byte after which to give up; each line then comes at once. Without it lines come
        in larger pieces, which is faster.
        """
        # urllib3 waits until a piece is full.
        size = _PIECE if silence is None else 1
        with self._sent("GET", path, None, query, silence or self._timeout, stream=True) as response:
            for line in response.iter_lines(size):
                yield line.decode("utf-8")

    def pieces(self, path: str, query: Mapping[str, object] | None = None) -> Iterator[bytes]:
        """GET and iterate over the bytes of an answer as they come."""
        with self._sent("GET", path, None, query, self._timeout, stream=True) as response:
            yield from response.iter_content(_PIECE)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        json: object,
        query: Mapping[str, object] | None,
        timeout: float,
        *,
        stream: bool = False,
        also: int | None = None,
    ) -> Iterator[requests.Response]:
        body = None if json is None else sent_json(json, "body").encode()
        url = f"{self.base_url}{PREFIX}{path}"
        given = {name: _as_text(value) for name, value in (query or {}).items() if value is not None}
        try:
            response = self._session.request(
                method,
                url,
                params=given,
                data=body,
                headers=None if body is None else {"Content-Type": "application/json"},
                auth=self._auth,
                timeout=(self._timeout, timeout),
                stream=stream,
                verify=self._trusted,  # here: that of the session yields to the environment
            )
        except requests.Timeout:
            raise UnreachableError(f"no answer from {url} within {timeout:g} s") from None
        except requests.exceptions.SSLError as error:
            raise UnreachableError(
                f"the TLS of {self.base_url} fails ({_cause(error)}); name the authority to trust by ca_file "
                "(--ca-file, PATCHWORKS_SANDBOX_CA_FILE): the sandbox's own is at GET /_sandbox/ca.pem"
            ) from None
        except requests.ConnectionError as error:
            raise UnreachableError(
                f"no sandbox answers at {self.base_url} ({_cause(error)}); start one with: patchworks-sandbox serve"
            ) from None
        except requests.RequestException as error:  # it was not sent, or the answer is none of a sandbox
            raise UnreachableError(f"the call of {url} failed ({_cause(error)})") from None
        with response:
            if not response.ok and response.status_code != also:
                _refuse(response)
            try:
                yield response
            except requests.RequestException as error:
                raise UnreachableError(f"{self.base_url} stopped in mid-answer ({_cause(error)})") from None


def _checked(ca_file: str | PathLike[str] | None) -> str | None:
    """Return the path of a file that can be trusted; the error of ``requests`` about another is hard to read."""
    if ca_file is None:
        return None
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # among them ssl.SSLError
        why = "no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise InvalidValueError("ca_file", str(ca_file), f"a PEM file with a certificate authority ({why})") from None
    return str(ca_file)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cause(error: requests.RequestException) -> str:
    """Return the innermost cause of an error; each layer above it adds a paragraph."""
    found: BaseException = error
    seen = {id(found)}
    while (inner := _inner(found)) is not None and id(inner) not in seen:
        seen.add(id(inner))
        found = inner
    return getattr(found, "strerror", None) or type(found).__name__


def _inner(error: BaseException) -> BaseException | None:
    return error.__cause__ or next((arg for arg in error.args if isinstance(arg, BaseException)), error.__context__)


def _foreign(response: requests.Response) -> ProblemError:
    status = response.status_code
    return ProblemError(status, f"{response.url.partition('?')[0]} answers {status}, not as a sandbox does")


def _refuse(response: requests.Response) -> NoReturn:
    status = response.status_code
    try:
        problem = response.json()
        detail, errors = str(problem["detail"]), list(problem.get("errors", ()))
    except (ValueError, KeyError, TypeError):
        raise _foreign(response) from None
    match status:
        case 404:
            raise RemoteNotFoundError(status, detail, errors)
        case 409 if detail.startswith("the wait was interrupted"):
            raise WaitInterruptedError(detail.partition(": ")[2])
        case 409:
            raise RemoteConflictError(status, detail, errors)
        case 422:
            raise RemoteInvalidValueError(status, detail, errors)
        case _:
            raise ProblemError(status, detail, errors)
