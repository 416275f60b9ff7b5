"""Clients and entities between a store and a saved state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.model import Entity, OAuthClient

if TYPE_CHECKING:
    from sandbox.snapshot.shapes import ClientSnapshot, EntitySnapshot


def exported_client(client: OAuthClient, secrets: bool) -> ClientSnapshot:
    """Return a client as a saved state has it."""
    from sandbox.snapshot.shapes import ClientSnapshot

    return ClientSnapshot(
        client.id,
        client.connector_id,
        client.name,
        client.secret if secrets else None,
        client.revoked,
        client.created_at,
        client.updated_at,
    )


def restored_client(kept: ClientSnapshot) -> OAuthClient:
    """Return the client of a saved state, which must have its secret."""
    assert kept.secret is not None
    return OAuthClient(
        kept.id, kept.connector_id, kept.name, kept.secret, kept.revoked, kept.created_at, kept.updated_at
    )


def exported_entity(entity: Entity) -> EntitySnapshot:
    """Return an entity as a saved state has it: a schema that was inferred will be again."""
    from sandbox.snapshot.shapes import EntitySnapshot

    schema = None if entity.inferred or entity.json_schema is None else dict(entity.json_schema)
    return EntitySnapshot(
        entity.id, entity.connector_id, entity.type, entity.name, entity.sample, schema, entity.created_at
    )
