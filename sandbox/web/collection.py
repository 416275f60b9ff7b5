"""A collection of requests for Postman, Bruno and newman: a token, then a payload to each service of the first client.

An import of the OpenAPI document cannot have it: no document says that one request needs a value from the answer to
another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sandbox.foundation.answer import JSON
from sandbox.foundation.strict_json import write_json
from sandbox.platform.model import Service
from sandbox.platform.store import Store
from sandbox.web.addresses import Endpoints

_SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_KEEP_TOKEN: Final = 'pm.collectionVariables.set("token", pm.response.json().access_token);'  # noqa: S105
_IS_ACCEPTED: Final = 'pm.test("the platform accepts it", () => pm.expect(pm.response.code).to.be.within(200, 299));'
_OTHER_PAYLOAD: Final = {"hello": "sandbox"}


def collection(endpoints: Endpoints, *, secret: str | None) -> dict[str, Any]:
    """Return the requests of the sandbox's first OAuth client, with ``secret`` as the value of its variable."""
    credentials = endpoints.credentials
    values = {
        "base_url": endpoints.base_url,
        "client_id": credentials.client.id if credentials else "",
        "client_secret": secret or "",
        "token": "",
    }
    store = endpoints.sandbox.store
    connector = credentials.client.connector_id if credentials else None
    services = [each for each in store.services() if each.active and each.connector_id == connector]
    return {
        "info": {"name": "Patchworks Sandbox", "schema": _SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [{"key": name, "value": value} for name, value in values.items()],
        "item": [_token_request(endpoints), *_payloads(store, services)],
    }


def _token_request(endpoints: Endpoints) -> dict[str, Any]:
    settings = endpoints.sandbox.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": "{{client_id}}",
        "client_secret": "{{client_secret}}",
        "scope": settings.required_scope,
    }
    fields = [{"key": name, "value": value, "type": "text"} for name, value in form.items()]
    body = {"mode": "urlencoded", "urlencoded": fields}
    request = _request(settings.token_path, body) | {"auth": {"type": "noauth"}}
    return {"name": "Get an access token", "request": request, "event": _tests(_KEEP_TOKEN)}


def _payloads(store: Store, services: list[Service]) -> Iterator[dict[str, Any]]:
    for service in services:
        entity = store.entity_of(service)
        sample = _OTHER_PAYLOAD if entity is None or entity.sample is None else entity.sample
        text = write_json(sample, indent=2, ascii=False)
        body = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
        yield {
            "name": f"Send a payload to {service.company}/{service.vanity_url}",
            "request": _request(service.path, body, {"key": "Content-Type", "value": JSON}),
            "event": _tests(),
        }


def _request(path: str, body: dict[str, Any], *headers: dict[str, str]) -> dict[str, Any]:
    accept = {"key": "Accept", "value": JSON}
    return {"method": "POST", "url": f"{{{{base_url}}}}{path}", "header": [accept, *headers], "body": body}


def _tests(*lines: str) -> list[dict[str, Any]]:
    return [{"listen": "test", "script": {"type": "text/javascript", "exec": [_IS_ACCEPTED, *lines]}}]
