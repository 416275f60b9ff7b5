"""Clients and entities between a store and a saved state."""

from __future__ import annotations

from sandbox.client_secret import secret_of
from sandbox.model import Entity, OAuthClient
from sandbox.snapshot.shapes import ClientSnapshot, EntitySnapshot


def exported_client(client: OAuthClient, secrets: bool) -> ClientSnapshot:
    """Return a client as a saved state has it."""
    return ClientSnapshot(
        client.id,
        client.connector_id,
        client.name,
        secret_of(client) if secrets else None,
        client.revoked,
        client.created_at,
        client.updated_at,
    )


def restored_client(kept: ClientSnapshot) -> OAuthClient:
    """Return the client of a saved state, which must have its secret."""
    secret = kept.secret
    assert secret is not None
    return OAuthClient(
        id=kept.id,
        connector_id=kept.connector_id,
        name=kept.name,
        secret_salt=secret.salt,
        secret_hash=secret.hash,
        secret_last_four=secret.last_four,
        revoked=kept.revoked,
        created_at=kept.created_at,
        updated_at=kept.updated_at,
    )


def exported_entity(entity: Entity) -> EntitySnapshot:
    """Return an entity as a saved state has it: a schema that was inferred will be again."""
    schema = None if entity.inferred or entity.json_schema is None else dict(entity.json_schema)
    return EntitySnapshot(
        entity.id, entity.connector_id, entity.type, entity.name, entity.sample, schema, entity.created_at
    )
