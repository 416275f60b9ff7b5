"""Calls to a control API, with a timeout, and with errors that carry the problem details (RFC 9457)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException
from json import loads as json_of
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode

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
from sandbox.testing.remote.http_transport import Answer, OwnTransport, SessionTransport, Transport
from sandbox.web.paths import PREFIX

if TYPE_CHECKING:
    import requests

    from sandbox.testing.backend import Verb

KEY_VARIABLE: Final = f"{ENV_PREFIX}CONTROL_KEY"
TIMEOUT_S: Final = 10.0


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
        self.allowed = first.get("allowed", first.get("message", detail))
        super().__init__(status, detail, errors)


class ControlApi:
    """The control API of the sandbox at ``base_url``.

    ``control_key`` is the key that a sandbox beyond loopback asks for; if left out, that of the environment.
    ``ca_file`` is the PEM file of the authority to trust, for https; if left out, that of ``REQUESTS_CA_BUNDLE``, or
    those that ``requests`` trusts. ``session`` is a session with headers or hooks of its own, in place of a transport
    that no mock of a test catches and that goes by the environment's proxies.
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
        if key and not is_control_key(key):
            raise InvalidValueError("control_key", Withheld(), CONTROL_KEY_ALLOWED)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = timeout
        trusted = _checked(ca_file)
        self._transport: Transport = (
            OwnTransport(self.base_url, trusted) if session is None else SessionTransport(session, trusted)
        )

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
        with self._sent(method, path, json, query, self._timeout + longer, also=also) as answer:
            body = b"".join(answer.pieces())
            try:
                return json_of(body) if body else None
            except (ValueError, RecursionError):
                raise _foreign(self._url(path), answer.status) from None

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

        ``silence``: seconds without a byte after which to give up; each line then comes at once. Without it lines may
        come in larger pieces.
        """
        with self._sent("GET", path, None, query, silence or self._timeout) as answer:
            for line in answer.lines(at_once=silence is not None):
                yield line.decode("utf-8")

    def pieces(self, path: str, query: Mapping[str, object] | None = None) -> Iterator[bytes]:
        """GET and iterate over the bytes of an answer as they come."""
        with self._sent("GET", path, None, query, self._timeout) as answer:
            yield from answer.pieces()

    def close(self) -> None:
        self._transport.close()

    def _url(self, path: str) -> str:
        return f"{self.base_url}{PREFIX}{path}"

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        json: object,
        query: Mapping[str, object] | None,
        timeout: float,
        *,
        also: int | None = None,
    ) -> Iterator[Answer]:
        body = None if json is None else sent_json(json, "body").encode()
        url = self._url(path)
        given = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in (query or {}).items()
            if value is not None
        }
        target = f"{url}?{urlencode(given)}" if given else url
        headers = {**self._headers, **({} if body is None else {"Content-Type": "application/json"})}
        try:
            answer = self._transport.send(method, target, body, headers, (self._timeout, timeout))
        except TimeoutError:
            raise UnreachableError(f"no answer from {url} within {timeout:g} s") from None
        except ssl.SSLError as error:
            raise UnreachableError(
                f"the TLS of {self.base_url} fails ({_cause(error)}); name the authority to trust by ca_file "
                "(--ca-file, PATCHWORKS_SANDBOX_CA_FILE): the sandbox's own is at GET /_sandbox/ca.pem"
            ) from None
        except OSError as error:
            raise UnreachableError(
                f"no sandbox answers at {self.base_url} ({_cause(error)}); start one with: patchworks-sandbox serve"
            ) from None
        except HTTPException as error:  # it was not sent, or the answer is none of a sandbox
            raise UnreachableError(f"the call of {url} failed ({_cause(error)})") from None
        try:
            if not 200 <= answer.status < 300 and answer.status != also:
                _refuse(url, answer)
            yield answer
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"{self.base_url} stopped in mid-answer ({_cause(error)})") from None
        finally:
            answer.close()


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


def _cause(error: OSError | HTTPException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _foreign(url: str, status: int) -> ProblemError:
    return ProblemError(status, f"{url} answers {status}, not as a sandbox does")


def _refuse(url: str, answer: Answer) -> NoReturn:
    status = answer.status
    try:
        problem = json_of(b"".join(answer.pieces()))
        detail, errors = str(problem["detail"]), list(problem.get("errors", ()))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _foreign(url, status) from None
    if status == 409 and detail.startswith("the wait was interrupted"):
        raise WaitInterruptedError(detail.partition(": ")[2])
    kinds = {404: RemoteNotFoundError, 409: RemoteConflictError, 422: RemoteInvalidValueError}
    raise kinds.get(status, ProblemError)(status, detail, errors)
