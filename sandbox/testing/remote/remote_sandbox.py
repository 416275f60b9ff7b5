"""``RemoteSandbox``: the handle that a test holds, for a sandbox behind a URL, in a container for example."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

from typing_extensions import Self

from sandbox.foundation.errors import NotFoundError, NotInProcessError
from sandbox.journal.contract import ContractViolation
from sandbox.platform.tokens import IssuedToken
from sandbox.state.restore import LoadedClient
from sandbox.testing.backend import Credentials
from sandbox.testing.handle import Patchworks
from sandbox.testing.remote.clock import RemoteClock
from sandbox.testing.remote.control_api import TIMEOUT_S, ControlApi
from sandbox.testing.remote.directory import RemoteDirectory
from sandbox.testing.remote.faults import RemoteFaults
from sandbox.testing.remote.journal import RemoteJournal
from sandbox.testing.remote.reading import read_token

if TYPE_CHECKING:
    import requests

CLIENT_NAME = "Remote sandbox"
_PAGE = 1_000
STATE_S: Final = 300.0
"""Seconds more than usual that a state may take: it holds the whole journal."""


class Remote:
    """A ``Backend`` over a control API.

    A secret is shown once only, when its client is made. So unless credentials are given, a client is made when they
    are first asked for, and again after a reset, which removes it.
    """

    def __init__(self, api: ControlApi, credentials: Credentials | None = None) -> None:
        self.api = api
        self._given = credentials
        self._made: Credentials | None = None
        self.directory = RemoteDirectory(api)
        self.journal = RemoteJournal(api)
        self.clock = RemoteClock(api)
        self.faults = RemoteFaults(api)

    @property
    def sandbox(self) -> NoReturn:
        """Refuse: raise ``NotInProcessError``."""
        self._refuse("is not an object here")

    @property
    def wsgi(self) -> NoReturn:
        """Refuse: raise ``NotInProcessError``."""
        self._refuse("has no WSGI application here")

    def served_by_tls(self, context: object) -> NoReturn:
        """Refuse: raise ``NotInProcessError``."""
        self._refuse("cannot be served from here, so nothing can be intercepted for it")

    def _refuse(self, what: str) -> NoReturn:
        raise NotInProcessError(
            f"the sandbox at {self.base_url} runs elsewhere and {what}; use verbs of the handle that work everywhere"
        )

    @property
    def base_url(self) -> str:
        """Base URL, without a trailing slash."""
        return self.api.base_url

    @property
    def token_url(self) -> str:
        """URL of the token endpoint: its path, at the address that this process knows."""
        for connector in self.api.get("/connectors"):
            return f"{self.base_url}{urlsplit(connector['token_endpoint']).path}"
        raise NotFoundError("connector", "whose token endpoint to use")

    @property
    def company(self) -> str:
        """Slug of the first company."""
        for company in self.directory.companies():
            return company.slug
        raise NotFoundError("company", "in the sandbox")

    @property
    def credentials(self) -> Credentials:
        """Those given, or an OAuth client made for this handle."""
        if self._given is not None:
            return self._given
        if self._made is None:
            slug = self.company
            connectors = [connector.id for connector in self.directory.connectors() if connector.company == slug]
            if not connectors:
                raise NotFoundError("connector", f"of company {slug}")
            new = self.directory.add_client(connectors[0], CLIENT_NAME)
            self._made = Credentials(new.client.id, new.secret)
        return self._made

    def tokens(self) -> list[IssuedToken]:
        """Return the tokens issued since the last reset."""
        newest_first: dict[str, dict[str, Any]] = {}
        skip, total = 0, 1
        while skip < total:
            page = self.api.get("/tokens", limit=_PAGE, skip=skip)
            newest_first |= {given["jti"]: given for given in reversed(page["tokens"])}  # more may come meanwhile
            skip, total = skip + _PAGE, page["total"]
        return [read_token(given) for given in reversed(newest_first.values())]

    def revoke_tokens(self, client_id: str | None = None) -> int:
        """Revoke the tokens of an OAuth client, or of all; return how many."""
        body = {} if client_id is None else {"client_id": client_id}
        revoked: int = self.api.call("POST", "/tokens/revoke", body)["revoked"]
        return revoked

    def contract_violations(self) -> list[ContractViolation]:
        """Return every way in which a request did not conform to the published contract."""
        found: list[ContractViolation] = []
        after: int | None = 0
        while after is not None:
            page = self.api.get("/contract-violations", after=after, limit=_PAGE)
            found += [
                ContractViolation(report["request"], report["method"], report["path"], **violation)
                for report in page["requests"]
                for violation in report["violations"]
            ]
            after = page["next_after"]
        return found

    def configure(self, settings: Mapping[str, object]) -> None:
        """Change run-time settings; raise ``InvalidValueError``."""
        self.api.call("PATCH", "/settings", dict(settings))

    def reset(self) -> None:
        """Return to the seed."""
        self.api.call("POST", "/reset")
        self._made = None

    def state(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return everything the sandbox holds as JSON values."""
        document: dict[str, Any] = self.api.call("GET", "/state", query={"secrets": secrets}, longer=STATE_S)
        return document

    def load_state(self, document: Mapping[str, Any]) -> list[LoadedClient]:
        """Become what a saved state describes; raise ``InvalidValueError`` and stay as it is."""
        loaded = self.api.call("PUT", "/state", dict(document), longer=STATE_S)
        clients = [LoadedClient(**client) for client in loaded["clients"]]
        unchanged = {client.client_id for client in clients if client.client_secret is None}
        if self._made is not None and self._made.client_id not in unchanged:
            self._made = None
        return clients


class RemoteSandbox(Patchworks):
    """The handle of the sandbox at ``url``; a context manager that closes its connections.

    ``control_key`` is what its control API asks for if it listens beyond loopback; left out, the environment's
    ``PATCHWORKS_SANDBOX_CONTROL_KEY``. ``client_id`` and ``client_secret`` are those of a client that the sandbox's
    seed names; left out, a client is made. ``ca_file`` is the PEM file of the authority to trust where the URL is one
    of https. ``timeout`` is in seconds, for each call. Errors are ``UnreachableError`` and ``ProblemError``, and the
    latter are also what a sandbox of this process would raise: ``NotFoundError``, ``ConflictError``,
    ``InvalidValueError``.
    """

    def __init__(
        self,
        url: str,
        *,
        control_key: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        timeout: float = TIMEOUT_S,
        session: requests.Session | None = None,
        ca_file: str | PathLike[str] | None = None,
    ) -> None:
        self._api = ControlApi(url, control_key=control_key, timeout=timeout, session=session, ca_file=ca_file)
        given = Credentials(client_id, client_secret) if client_id and client_secret else None
        super().__init__(Remote(self._api, given))

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
