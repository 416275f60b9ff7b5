"""The OpenAPI document of the emulated API, made of the endpoints that answer the requests.

``general_document`` is the published one. It has each answer that any setting can give. ``document_in_force`` has those
of a running sandbox with its present settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from sandbox.foundation.answer import JSON
from sandbox.foundation.settings import Settings
from sandbox.journal.contract_rules import rules_of
from sandbox.platform.endpoints import ENDPOINTS, Endpoint
from sandbox.platform.endpoints.endpoint import Operation
from sandbox.platform.endpoints.responses import EXAMPLE_URL, SCHEMAS, security_schemes
from sandbox.web.addresses import PRODUCTION_HOSTS
from sandbox.web.paths import CONTACT

Document: TypeAlias = dict[str, Any]

CONTRACT_VERSION: Final = "0.2.0"
"""The version of the contract, which a new version of the package does not change: docs/contract-testing.md."""

_DESCRIPTION: Final = """\
The Inbound API of Patchworks as [Patchworks Sandbox](https://pypi.org/project/patchworks-sandbox/) emulates it: get
an access token with the credentials of an OAuth client, then POST payloads to the inbound URL of a service.

What is documented by the vendor, what follows from its framework and what is a guess is told, behaviour by behaviour,
by the fidelity ledger of the project.

The contract is this document with the rules in the descriptions of its operations. A running sandbox reports the
requests that break it, and answers them all the same: `patchworks-sandbox violations`.

Every answer also has `Date`, `Content-Type` and `Content-Length`, and most have `Cache-Control: no-cache, private`;
they are not listed.
"""
_PRODUCTION: Final = {
    "url": f"https://{PRODUCTION_HOSTS[0]}",
    "description": "Patchworks. The inbound URLs are documented there; that the token endpoint is too is unconfirmed.",
}
_ANYWHERE: Final = {
    "url": "http://{host}:{port}",
    "description": "The sandbox.",
    "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "8025"}},
}


def general_document() -> Document:
    """Return the published document, with each answer that any setting can give."""
    return _document(Settings(), EXAMPLE_URL, _ANYWHERE)


def document_in_force(settings: Settings, base_url: str) -> Document:
    """Return the document of a sandbox with its present settings; ``base_url`` is the address that clients use."""
    document = _document(settings, base_url, {"url": base_url, "description": "The sandbox."})
    for path, item in document["paths"].items():
        kept = {method: operation for method, operation in item.items() if _is_allowed(path, method, settings)}
        for operation in kept.values():
            operation["responses"] = {
                status: _as_answered(response, settings)
                for status, response in operation["responses"].items()
                if _is_answered(status, kept, settings)
            }
        document["paths"][path] = kept
    return document


def _document(settings: Settings, base_url: str, server: Mapping[str, Any]) -> Document:
    schemes = security_schemes(base_url + settings.token_path, settings.required_scope)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patchworks Inbound API (sandbox)",
            "version": CONTRACT_VERSION,
            "description": _DESCRIPTION,
            "contact": CONTACT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "externalDocs": {
            "description": "Patchworks Sandbox",
            "url": "https://pypi.org/project/patchworks-sandbox/",
        },
        "servers": [dict(server), dict(_PRODUCTION)],
        "tags": [{"name": endpoint.kind.name, "description": endpoint.description} for endpoint in ENDPOINTS],
        "paths": {endpoint.path_in(settings): _operations(endpoint, settings) for endpoint in ENDPOINTS},
        "components": {"schemas": dict(SCHEMAS), "securitySchemes": schemes},
    }


def _operations(endpoint: Endpoint[Any], settings: Settings) -> Document:
    """Return the operations of an endpoint, each with its responses and the rules for its requests."""
    responses = dict(sorted(endpoint.responses(settings).items()))
    return {
        method.lower(): {
            "tags": [endpoint.kind.name],
            **operation,
            "description": described(operation),
            "responses": responses,
        }
        for method, operation in endpoint.operations.items()
    }


def described(operation: Operation) -> str:
    """Return the description of an operation with the rules for its requests, and the codes of their breach."""
    rules = [f"- `{code}`: {rule.says}" for code, rule in rules_of(operation).items()]
    return "\n".join([operation["description"], "", "The rules, each with the code of its breach:", "", *rules, ""])


# --- the settings in force ------------------------------------------------------------------------------------------


def _is_allowed(path: str, method: str, settings: Settings) -> bool:
    return path != settings.token_path or method.upper() in settings.token_methods


def _is_answered(status: str, operations: Mapping[str, Any], settings: Settings) -> bool:
    """Return whether a status may come with the settings in force; of a path with these operations."""
    match status:
        case "200" | "201":
            takes_payloads = any("201" in operation["responses"] for operation in operations.values())
            return not takes_payloads or int(status) == settings.success_status
        case "302":
            return settings.accept == "laravel"
        case "422":
            return "reject" in (settings.entity_check, settings.blank_payload)
        case "429":
            return settings.rate_limit
        case _:
            return True


def _as_answered(response: Mapping[str, Any], settings: Settings) -> Document:
    """Return a response without the pages that come with another setting ``accept`` only."""
    if settings.accept != "documented" or "content" not in response:
        return dict(response)
    return {**response, "content": {JSON: response["content"][JSON]}}
