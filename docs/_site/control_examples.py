"""An example of each operation of the control API: the request as curl, and the answer that a sandbox gives to it.

The examples are run while the site is built, each against a sandbox of its own, so they cannot go stale. The build
fails for an operation without an example and for an example that is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.test import Client, TestResponse

from sandbox import Sandbox
from sandbox.foundation.clock import Clock
from sandbox.foundation.instants import parse_instant
from sandbox.platform.keys import SigningKey
from sandbox.web.app import SandboxApp

_START: Final = "2026-03-02T09:00:00Z"
_BASE: Final = "http://127.0.0.1:8025"
_LONGEST_ANSWER: Final = 28
"""Lines of an answer that a page shows."""
_WIDTH: Final = 84
"""Characters of a line of code that fit the column of a page."""
_ORDER: Final = {"reference": "ACME-1002", "lines": [{"sku": "TEA-01", "quantity": 2}]}
_SERVICE: Final = {"company": "acme", "entity": "anything", "vanity_url": "returns", "destination": "Warehouse"}


@dataclass(frozen=True)
class Example:
    """The variable parts of a request."""

    body: Any = None
    """JSON value of the body. Names in braces are filled in like those of the path."""
    query: dict[str, str] = field(default_factory=dict)
    """Parameters of the query string."""
    names: dict[str, str] = field(default_factory=dict)
    """Values of names in braces that differ from those of other examples."""


EXAMPLES: Final = {
    "PUT /_sandbox/seed": Example({"companies": [{"name": "Umbra", "slug": "umbra"}]}),
    "POST /_sandbox/seed": Example({"companies": [{"name": "Umbra", "slug": "umbra"}]}),
    "POST /_sandbox/companies": Example({"name": "Umbra"}),
    "POST /_sandbox/connectors": Example({"company": "acme", "name": "Second shop", "environment": "test"}),
    "POST /_sandbox/connectors/{connector_id}/entities": Example({"type": "orders", "name": "returns"}),
    "PATCH /_sandbox/connectors/{connector_id}/entities/{entity_id}": Example(
        {"json_schema": {"type": "object", "required": ["reference"]}}
    ),
    "POST /_sandbox/connectors/{connector_id}/oauth-clients": Example({"name": "Night batch"}),
    "DELETE /_sandbox/connectors/{connector_id}": Example(names={"connector_id": "{unused_id}"}),
    "DELETE /_sandbox/connectors/{connector_id}/oauth-clients/{client_id}": Example(
        {"confirmation": "Demo integration"}
    ),
    "POST /_sandbox/services": Example({**_SERVICE, "connector_id": "{connector_id}"}),
    "PATCH /_sandbox/services/{service_id}": Example({"schedule": "every 15 minutes", "page_size": 100}),
    "POST /_sandbox/services/{service_id}/mapping-preview": Example({"payload": _ORDER}),
    "POST /_sandbox/companies/{company}/flows": Example({"name": "Stock out", "webhooks": [{}]}),
    "POST /_sandbox/companies/{company}/flows/{flow_id}/copy": Example(names={"company": "beta"}),
    "PATCH /_sandbox/flows/{flow_id}": Example({"enabled": False}),
    "POST /_sandbox/flows/{flow_id}/webhooks": Example({"answer": {"status": 202, "body": {"accepted": True}}}),
    "POST /_sandbox/flows/{flow_id}/callbacks": Example({"returns": [{"sku": "TEA-01", "stock": 12}]}),
    "POST /_sandbox/companies/{company}/api-keys": Example({"name": "Night batch"}),
    "POST /_sandbox/companies/{company}/users": Example({"email": "bob@example.test", "password": "correct-horse"}),
    "GET /_sandbox/requests": Example(query={"vanity_url": "anything", "limit": "1"}),
    "GET /_sandbox/requests/wait": Example(query={"count": "1", "timeout": "5", "vanity_url": "anything"}),
    "POST /_sandbox/requests/verify": Example(
        {"pattern": {"json_contains": {"reference": "ACME-1002"}}, "only_accepted": True, "times": 2}
    ),
    "GET /_sandbox/requests/export": Example(query={"format": "ndjson", "kind": "inbound"}),
    "GET /_sandbox/requests/duplicates": Example(query={"by": "json_path", "json_path": "$.reference"}),
    "GET /_sandbox/sync-report": Example(query={"reference": "ACME-1002"}),
    "PUT /_sandbox/clock": Example({"now": "2026-03-29T00:59:50Z", "frozen": True}),
    "POST /_sandbox/clock/advance": Example({"duration": "24h"}),
    "POST /_sandbox/faults": Example(
        {"fault": {"kind": "status", "code": 503}, "match": {"vanity_url": "orders"}, "times": 2}
    ),
    "PUT /_sandbox/faults/{fault_id}": Example({"fault": {"kind": "latency", "seconds": 5}, "times": 1}),
    "POST /_sandbox/fault-presets/{preset_name}": Example(names={"preset_name": "slow-platform"}),
    "POST /_sandbox/sync-report/resync": Example({"vanity_url": "anything"}),
    "PATCH /_sandbox/settings": Example({"token_lifetime": 60}),
    "POST /_sandbox/tokens/revoke": Example({"client_id": "{client_id}"}),
}
"""The bodies, queries and names of requests that need more than a method and a path."""
_WHOLE_NUMBER: Final = ('"{connector_id}"', "{connector_id}")
"""The only id that is a number in a body, and the same without quotes."""
IN_WORDS: Final = frozenset({"GET /_sandbox/requests/stream", "PUT /_sandbox/state"})
"""Operations whose page says in words what to send: an endless answer, and a body of some kilobytes."""


class Stage:
    """A sandbox in which something happened: a stored payload and its duplicate, a refused one, and a fault rule."""

    def __init__(self, signing_key: SigningKey) -> None:
        start = parse_instant(_START).timestamp()
        self.sandbox = Sandbox(settings={"public_url": _BASE}, clock=Clock(lambda: start), signing_key=signing_key)
        self.http = Client(SandboxApp(self.sandbox))
        new = next(iter(self.sandbox.credentials.values()))
        credentials = {"grant_type": "client_credentials", "client_id": new.client.id, "client_secret": new.secret}
        token = self._posted("/oauth/token", data=credentials)["access_token"]
        failed = {"fault": {"kind": "failed", "message": "The SKU is unknown."}, "match": {"endpoint": "processing"}}
        self._posted("/_sandbox/faults", json={**failed, "times": 1})
        for _ in range(2):
            self._posted("/v1/acme/anything", json=_ORDER, headers={"Authorization": f"Bearer {token}"})
        self.http.post("/v1/acme/orders", json=_ORDER)
        fault = {"fault": {"kind": "latency", "seconds": 2}}
        connector = self._first_id("/connectors")
        unused = self._posted("/_sandbox/connectors", json={"company": "acme", "name": "Unused", "environment": "test"})
        self._posted("/_sandbox/companies", json={"name": "Beta"})
        ada = {"email": "ada@example.test", "password": "correct-horse"}
        self.names = {
            "company": "acme",
            "flow_id": self._first_id("/flows"),
            "hook_id": self._got("/flows")[0]["webhooks"][0]["id"],
            "key_id": self._first_id("/api-keys"),
            "user_id": str(self._posted("/_sandbox/companies/acme/users", json=ada)["id"]),
            "unused_id": str(unused["id"]),
            "connector_id": connector,
            "entity_id": self._first_id(f"/connectors/{connector}/entities"),
            "client_id": new.client.id,
            "service_id": self._first_id("/services"),
            "entry_id": self._first_id("/requests?vanity_url=anything"),
            "fault_id": self._posted("/_sandbox/faults", json=fault)["id"],
            "item_id": self._first_id("/sync-report"),
            "run_id": self._first_id("/runs"),
        }

    def _posted(self, path: str, **arguments: Any) -> Any:
        response = self.http.post(path, **arguments)
        assert response.status_code < 300, response.text
        return response.json

    def _got(self, path: str) -> Any:
        return self.http.get(f"/_sandbox{path}").json

    def _first_id(self, path: str) -> str:
        answer = self._got(path)
        lists = [answer] if isinstance(answer, list) else [part for part in answer.values() if isinstance(part, list)]
        return str(lists[0][0]["id"])

    def fill(self, text: str) -> str:
        """Return a text with the names in braces replaced by their values in this sandbox."""
        return re.sub(r"\{(\w+)\}", lambda found: self.names.get(found[1], found[0]), text)


def example(method: str, path: str) -> list[str]:
    """Return the lines of Markdown that show an operation at work."""
    operation = f"{method} {path}"
    if operation in IN_WORDS:
        return []
    stage = Stage(_signing_key())
    chosen = EXAMPLES.get(operation, Example())
    for name, value in chosen.names.items():
        path = path.replace(f"{{{name}}}", value)
    target = stage.fill(path) + (f"?{urlencode(chosen.query)}" if chosen.query else "")
    body = (
        None
        if chosen.body is None
        else stage.fill(json.dumps(chosen.body).replace('"{connector_id}"', "{connector_id}"))
    )
    response = stage.http.open(target, method=method, data=body, content_type="application/json" if body else None)
    if response.status_code >= 300 and not (response.status_code == 404 and path.endswith("/ca.pem")):
        raise ValueError(f"The example of {operation} is refused: {response.status_code} {response.text}")
    return [
        "```sh",
        *_curl(method, target, body),
        "```",
        "",
        f"Answer: `{response.status}`",
        "",
        *_answer(response),
    ]


@cache
def _signing_key() -> SigningKey:
    return SigningKey.generate()


def _curl(method: str, target: str, body: str | None) -> list[str]:
    address = f"{_BASE}{target}"
    parts = ["curl" if method == "GET" else f"curl -X {method}", f"'{address}'" if "?" in target else address]
    if body is not None:
        data = body if len(body) < _WIDTH - 6 else json.dumps(json.loads(body), indent=2)
        parts += ["-H 'Content-Type: application/json'", f"-d '{data}'"]
    line = " ".join(parts)
    if len(line) <= _WIDTH:
        return [line]
    if len(parts) == 2:
        return [f"{parts[0]} \\", f"  {parts[1]}"]
    return [" ".join(parts[:2]) + " \\", *(f"  {part} \\" for part in parts[2:-1]), f"  {parts[-1]}"]


def _answer(response: TestResponse) -> list[str]:
    if not response.data:
        return []
    is_json = response.is_json
    lines = (json.dumps(response.json, indent=2, ensure_ascii=False) if is_json else response.text).splitlines()
    shown = [line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…" for line in lines[:_LONGEST_ANSWER]]
    if len(lines) > _LONGEST_ANSWER:
        shown.append(f"… {len(lines) - _LONGEST_ANSWER} more lines")
    return ["```json" if is_json else "```text", *shown, "```", ""]
