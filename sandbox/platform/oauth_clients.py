"""The OAuth clients of connectors: made with a secret that is shown once, compared in constant time, revoked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.foundation.errors import ConflictError, InvalidValueError, NotFoundError
from sandbox.foundation.settings import CLIENT_SECRET_ALLOWED, is_client_secret
from sandbox.platform.model import Connector, OAuthClient, is_recognised, recognised_by
from sandbox.platform.names import checked_client_id, checked_client_name
from sandbox.platform.tables import Tables


@dataclass(frozen=True, slots=True)
class NewOAuthClient:
    """A client just made, with the only copy of its secret there will ever be (FACTS 1.6)."""

    client: OAuthClient
    secret: str = field(repr=False)


class OAuthClients(Tables):
    """The part of a store that holds OAuth clients."""

    def connector(self, connector_id: int) -> Connector:
        """Return a connector or raise ``NotFoundError``."""
        return self._get(self._connectors, "connector", connector_id)

    def add_client(
        self, connector_id: int, name: str, client_id: str | None = None, secret: str | None = None
    ) -> NewOAuthClient:
        """Create an OAuth client (FACTS 1.5); id and secret are generated unless given (by a seed)."""
        name = checked_client_name("name", name)
        if client_id is not None:
            checked_client_id("client_id", client_id)
        if secret is not None and not is_client_secret(secret):
            raise InvalidValueError("client_secret", "(not shown)", CLIENT_SECRET_ALLOWED)
        with self._lock:
            self.connector(connector_id)
            client_id = client_id or self._rng.uuid()
            if client_id in self._clients:
                raise ConflictError(f"OAuth client {client_id} exists already; leave the id out to get a new one")
            secret, now = secret or self._rng.secret(), self._now()
            kept = recognised_by(secret, self._rng)
            self._note_secret(kept, len(secret))
            client = self._clients[client_id] = OAuthClient(
                client_id, connector_id, name, kept, revoked=False, created_at=now, updated_at=now
            )
            return NewOAuthClient(client, secret)

    def put_clients(
        self, connector_id: int, wanted: Iterable[tuple[str, str | None, str | None]]
    ) -> list[NewOAuthClient]:
        """Create OAuth clients by name, id and secret, in place of the connector's clients with the same names.

        A client that is there already, with the same id and secret, stays.
        """
        with self._lock:
            known: dict[str, list[OAuthClient]] = {}
            for client in self.clients(connector_id):
                known.setdefault(client.name, []).append(client)
            made = []
            for name, client_id, secret in wanted:
                new = self._put_client(connector_id, known.get(name.strip(), ()), name, client_id, secret)
                known[new.client.name] = [new.client]
                made.append(new)
            return made

    def _put_client(
        self, connector_id: int, known: Iterable[OAuthClient], name: str, client_id: str | None, secret: str | None
    ) -> NewOAuthClient:
        for found in known:
            if secret is not None and found.id == client_id and self.secret_matches(found, secret):
                return NewOAuthClient(found, secret)
            del self._clients[found.id]
        return self.add_client(connector_id, name, client_id, secret)

    def clients(self, connector_id: int | None = None) -> list[OAuthClient]:
        """Return the OAuth clients, oldest first; of one connector if one is given."""
        if connector_id is not None:
            self.connector(connector_id)
        return [c for c in self._listed(self._clients) if connector_id in (None, c.connector_id)]

    @property
    def client_count(self) -> int:
        """How many OAuth clients there are."""
        return len(self._clients)

    def find_client(self, client_id: str) -> OAuthClient | None:
        """Return an OAuth client, or ``None``."""
        return self._clients.get(client_id)

    def secret_matches(self, client: OAuthClient | None, secret: str) -> bool:
        """Compare a secret in constant time; takes as long when there is no such client."""
        return is_recognised(secret, client.secret if client else None)

    def is_a_secret(self, text: str) -> bool:
        """Return whether a text is the secret of some client, as it is when a request has id and secret swapped.

        The clients are looked through where the text is a secret that was issued at some time, so hardly ever.
        """
        keys = self.secrets.keys_of(text) if is_client_secret(text) else ()
        return bool(keys) and any(client.secret and client.secret.hash in keys for client in self.clients())

    def delete_client(self, connector_id: int, client_id: str, confirmation: str) -> OAuthClient:
        """Delete an OAuth client; ``confirmation`` must be its name (FACTS 1.19)."""
        with self._lock:
            client = self._clients.get(client_id)
            if client is None or client.connector_id != connector_id:
                raise NotFoundError("OAuth client", client_id, [c.id for c in self.clients(connector_id)])
            if confirmation != client.name:
                raise InvalidValueError("confirmation", confirmation, f"the client's name, {client.name!r}")
            del self._clients[client_id]
            return client
