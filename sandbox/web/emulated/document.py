"""The OpenAPI documents of the emulated API, made of the endpoints that answer the requests: one for each surface.

``general_document`` is the published one. It has each answer that any setting can give. ``document_in_force`` has those
of a running sandbox with its present settings.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from sandbox.foundation.settings import Settings
from sandbox.foundation.strict_json import write_json
from sandbox.journal.contract_rules import rules_of
from sandbox.journal.endpoint_kind import Surface
from sandbox.platform.endpoints import ENDPOINTS, Endpoint
from sandbox.platform.endpoints.endpoint import Operation
from sandbox.platform.endpoints.responses import EXAMPLE_URL, HTML, SCHEMAS, security_schemes
from sandbox.platform.flows import HOSTS
from sandbox.platform.model import INBOUND_PATH
from sandbox.web.addresses import PRODUCTION_HOSTS
from sandbox.web.project import contact, external_docs

Document: TypeAlias = dict[str, Any]

CONTRACT_VERSION: Final = "0.2.0"
"""The version of the contract, which a new version of the package does not change: docs/contract-testing.md."""

_DESCRIPTION: Final = """\
The Inbound API of Patchworks as Patchworks Sandbox emulates it: get an access token with the credentials of an OAuth
client, then POST payloads to the inbound URL of a service.

The fidelity ledger of the project gives the evidence for each behaviour: documented by the vendor, known from its
framework, or a guess.

The contract is this document with the rules in the descriptions of its operations. A running sandbox reports the
requests that break it, and answers them all the same: `patchworks-sandbox violations`.

Every answer also has `Date`, `Content-Type` and `Content-Length`, and most have `Cache-Control: no-cache, private`;
they are not listed.
"""
_FLOWS_DESCRIPTION: Final = """\
Process flows of Patchworks as Patchworks Sandbox emulates them: log in or use an API key, start flows by the Start API,
webhooks and callbacks, and read their runs by the Core API.

At Patchworks these addresses are on several hosts. The sandbox serves all of them under its own, and by the names of
those hosts. A webhook and a callback have the same path on two hosts, so here they are one operation; the id in the
path decides which it is.

The contract is this document with the rules in the descriptions of its operations. A running sandbox reports the
requests that break it, and answers them all the same: `patchworks-sandbox violations`.

With the modern wire profile every answer has `Access-Control-Allow-Origin: *`, and a browser's preflight is answered
with 204.

The fidelity ledger of the project gives the evidence for each behaviour: documented by the vendor, known from its
framework, or the sandbox's own choice.
"""
_FLOW_SCHEMES: Final = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "An API key as it is, without `Bearer`.",
    },
    "loginToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the login.",
    },
}
_REFERENCE: Final = re.compile(r'"#/components/schemas/([^"/]+)"')
_PRODUCTION: Final = {
    "url": f"https://{PRODUCTION_HOSTS[0]}",
    "description": "Patchworks. The inbound URLs are documented there; that the token endpoint is too is unconfirmed.",
}
_ANYWHERE: Final = {
    "url": "http://{host}:{port}",
    "description": "The sandbox.",
    "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "8025"}},
}


def general_document(surface: Surface = "inbound") -> Document:
    """Return the published document of a surface, with each answer that any setting can give."""
    document = _DOCUMENTS[surface](Settings(), EXAMPLE_URL, _ANYWHERE)
    return document if surface == "inbound" else _with_shared_responses(document)


def document_in_force(settings: Settings, base_url: str, surface: Surface = "inbound") -> Document:
    """Return the document of a sandbox with its present settings; ``base_url`` is the address that clients use."""
    document = _DOCUMENTS[surface](settings, base_url, {"url": base_url, "description": "The sandbox."})
    for path, item in document["paths"].items():
        takes_any = path != settings.token_path
        kept = {method: each for method, each in item.items() if takes_any or method.upper() in settings.token_methods}
        for operation in kept.values():
            operation["responses"] = {
                status: _as_answered(response, settings)
                for status, response in operation["responses"].items()
                if _is_answered(status, kept, settings, surface)
            }
            if path == INBOUND_PATH:
                operation.update(_authentication(operation, settings))
        document["paths"][path] = kept
    return document if surface == "inbound" else _with_shared_responses(document)


def _inbound(settings: Settings, base_url: str, server: Mapping[str, Any]) -> Document:
    schemes = security_schemes(base_url + settings.token_path, settings.required_scope)
    return {
        **_head("Patchworks Inbound API (sandbox)", _DESCRIPTION),
        "servers": [dict(server), dict(_PRODUCTION)],
        "tags": [{"name": endpoint.kind.name, "description": endpoint.description} for endpoint in ENDPOINTS],
        "paths": {endpoint.path_in(settings): _operations(endpoint, settings) for endpoint in ENDPOINTS},
        "components": {"schemas": dict(SCHEMAS), "securitySchemes": schemes},
    }


def _flows(settings: Settings, base_url: str, server: Mapping[str, Any]) -> Document:
    from sandbox.platform.flows.routes import ENDPOINTS as FLOW_ENDPOINTS
    from sandbox.platform.flows.schemas import SCHEMAS as FLOW_SCHEMAS

    production = [
        {"url": f"https://{host}", "description": f"Patchworks: {', '.join(kinds) or 'all, each below its prefix'}."}
        for host, kinds in HOSTS.items()
    ]
    tags = {endpoint.kind.name: endpoint.description for endpoint in FLOW_ENDPOINTS}
    document: Document = {
        **_head("Patchworks process flows (sandbox)", _FLOWS_DESCRIPTION),
        "servers": [dict(server), *production],
        "tags": [{"name": name, "description": description} for name, description in tags.items()],
        "paths": {endpoint.path_in(settings): _operations(endpoint, settings) for endpoint in FLOW_ENDPOINTS},
        "components": {"schemas": {}, "securitySchemes": _FLOW_SCHEMES},
    }
    schemas = {**SCHEMAS, **FLOW_SCHEMAS}
    document["components"]["schemas"] = {name: schemas[name] for name in sorted(_names_in(document, schemas))}
    return document


_DOCUMENTS: Final[Mapping[Surface, Callable[[Settings, str, Mapping[str, Any]], Document]]] = {
    "inbound": _inbound,
    "flows": _flows,
}


def _head(title: str, description: str) -> Document:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": CONTRACT_VERSION,
            "description": description,
            "contact": contact(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        **external_docs(),
    }


def _with_shared_responses(document: Document) -> Document:
    """Return a document whose repeated responses are components, to which its operations refer."""
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    texts = Counter(write_json(response) for each in operations for response in each["responses"].values())
    names: dict[str, str] = {}
    shared: Document = {}
    for operation in operations:
        for status, response in operation["responses"].items():
            text = write_json(response)
            if texts[text] < 2:
                continue
            if text not in names:
                same = sum(name.startswith(f"Status{status}") for name in shared)
                names[text] = f"Status{status}" + (f"Form{same + 1}" if same else "")
                shared[names[text]] = response
            operation["responses"][status] = {"$ref": f"#/components/responses/{names[text]}"}
    return {**document, "components": {**document["components"], "responses": shared}}


def _names_in(document: Any, schemas: Mapping[str, Any]) -> set[str]:
    """Return the names of the schemas to which a document refers, itself or by another schema."""
    found: set[str] = set()
    new = set(_REFERENCE.findall(write_json(document)))
    while new := new - found:
        found |= new
        new = {name for known in new for name in _REFERENCE.findall(write_json(schemas[known]))}
    return found


def _operations(endpoint: Endpoint[Any], settings: Settings) -> Document:
    """Return the operations of an endpoint, each with its responses and the rules for its requests."""
    return {
        method.lower(): {
            "tags": [endpoint.kind.name],
            **operation,
            "description": described(operation),
            "responses": dict(sorted(endpoint.responses(method, settings).items())),
        }
        for method, operation in endpoint.operations.items()
    }


def described(operation: Operation) -> str:
    """Return the description of an operation with the rules for its requests, and the codes of their breach."""
    rules = [f"- `{code}`: {rule.says}" for code, rule in rules_of(operation).items()]
    return "\n".join([operation["description"], "", "The rules, each with the code of its breach:", "", *rules, ""])


# --- the settings in force ------------------------------------------------------------------------------------------


def _is_answered(status: str, operations: Mapping[str, Any], settings: Settings, surface: Surface) -> bool:
    """Return whether a status may come with the settings in force; of a path with these operations."""
    match status:
        case "200" | "201" if surface == "inbound":
            takes_payloads = any("201" in operation["responses"] for operation in operations.values())
            return not takes_payloads or int(status) == settings.success_status
        case "302":
            return settings.accept == "laravel"
        case "422" if surface == "inbound":
            return "reject" in (settings.entity_check, settings.blank_payload)
        case "429":
            return settings.rate_limit if surface == "inbound" else settings.flow_limits
        case _:
            return True


_BY_BASIC: Final = """
This sandbox takes the id and the secret of an OAuth client by HTTP Basic here (setting `inbound_auth`). The vendor
announces that, and the contract does not have it.
"""


def _authentication(operation: Operation, settings: Settings) -> Document:
    """Return the security and the description of an operation that `inbound_auth` changes."""
    schemes = {"bearer": ["bearer"], "basic": ["clientBasic"], "both": ["bearer", "clientBasic"]}
    by_basic = "" if settings.inbound_auth == "bearer" else _BY_BASIC
    security: list[dict[str, list[str]]] = [{name: []} for name in schemes[settings.inbound_auth]]
    return {"security": security, "description": operation["description"] + by_basic}


def _as_answered(response: Mapping[str, Any], settings: Settings) -> Document:
    """Return a response without the pages that come with another setting ``accept`` only."""
    if settings.accept != "documented" or "content" not in response:
        return dict(response)
    return {**response, "content": {name: media for name, media in response["content"].items() if name != HTML}}
