"""``RemoteSandbox``: the handle that a test holds, for a sandbox behind a URL, in a container for example."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from typing_extensions import Self

from sandbox.foundation.errors import NotFoundError, NotInProcessError
from sandbox.testing import verbs
from sandbox.testing.backend import Credentials, Verb
from sandbox.testing.handle import Patchworks
from sandbox.testing.remote.control_api import TIMEOUT_S, ControlApi
from sandbox.testing.remote.journal import RemoteJournal, RemoteRecorder

if TYPE_CHECKING:
    import requests

CLIENT_NAME = "Remote sandbox"
T = TypeVar("T")


class Remote:
    """A ``Backend`` over a control API.

    A sandbox shows a secret once, when it makes the client. So unless credentials are given, the first use of
    ``credentials`` makes a client, and the next use after a reset makes another one.
    """

    def __init__(self, api: ControlApi, credentials: Credentials | None = None) -> None:
        self.api = api
        self.base_url = self.known_url = api.base_url
        self._given = credentials
        self._made: Credentials | None = None
        self.journal = RemoteJournal(api)
        if credentials is not None:
            self.journal.secrets.note(credentials.client_secret)

    @property
    def place(self) -> Remote:
        return self

    @property
    def sandbox(self) -> NoReturn:
        self._refuse("is not an object here")

    @property
    def app(self) -> NoReturn:
        self._refuse("has no WSGI application here")

    def served_by_tls(self, context: object) -> NoReturn:
        self._refuse("cannot be served from here, so nothing can be intercepted for it")

    def _refuse(self, what: str) -> NoReturn:
        raise NotInProcessError(
            f"the sandbox at {self.base_url} runs elsewhere and {what}; use verbs of the handle that work everywhere"
        )

    @property
    def company(self) -> str:
        for company in self.do(verbs.companies()):
            return company.slug
        raise NotFoundError("company in the sandbox")

    @property
    def credentials(self) -> Credentials:
        """Those given, or an OAuth client made for this handle."""
        if self._given is not None:
            return self._given
        if self._made is None:
            slug = self.company
            connectors = [connector.id for connector in self.do(verbs.connectors()) if connector.company == slug]
            if not connectors:
                raise NotFoundError(f"connector of company {slug}, to which to add an OAuth client")
            new = self.do(verbs.add_client(connectors[0], CLIENT_NAME))
            self._made = Credentials(new.client.id, new.secret)
        return self._made

    @property
    def known_credentials(self) -> list[Credentials]:
        return [known for known in (self._given, self._made) if known is not None]

    @property
    def recorder(self) -> RemoteRecorder:
        return RemoteRecorder(self, self.journal)

    def do(self, verb: Verb[T]) -> T:
        """Perform a verb by its request; raise ``NotInProcessError`` where it has none."""
        if not verb.route:
            raise NotInProcessError(verb.only_here)
        answer = self.api.ask(verb)
        self._note_secrets(answer)
        value = verb.read(answer)
        if self._made is not None and verb.kept_clients is not None:
            self._made = self._made if self._made.client_id in verb.kept_clients(value) else None
        return value

    def _note_secrets(self, answer: Any) -> None:
        """Note the secrets that an answer holds, so that no report of this process shows them."""
        if isinstance(answer, dict):
            for client in (answer, *answer.get("clients", ())):
                for name in ("client_secret", "key", "api_key", "signature"):
                    if isinstance(secret := client.get(name), str):
                        self.journal.secrets.note(secret)


class RemoteSandbox(Patchworks):
    """The handle of the sandbox at ``url``; a context manager that closes its connections.

    ``control_key`` is the key of its control API if it listens beyond loopback; if left out, that of the environment,
    ``PATCHWORKS_SANDBOX_CONTROL_KEY``. ``client_id`` and ``client_secret`` are those of a client of the sandbox's seed;
    if left out, a client is made. ``ca_file`` is the PEM file of the authority to trust for https. ``timeout`` is in
    seconds, for each call. Calls raise ``UnreachableError`` and ``ProblemError``; a problem is also the error that a
    sandbox of this process raises: ``NotFoundError``, ``ConflictError``, ``InvalidValueError``.
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

    def __exit__(self, *_: object) -> None:
        self.close()
