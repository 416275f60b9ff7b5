"""Requests to process flows, sent to a platform without sockets."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sandbox import Sandbox
from sandbox.foundation.answer import Answer
from sandbox.journal.entry import Entry
from sandbox.journal.reasons import find_reason
from sandbox.journal.request import Request
from sandbox.platform.flows.model import Callback, Flow, Webhook
from sandbox.platform.serve import serve

ADA = {"email": "ada@example.test", "password": "correct-horse"}
SEED = {
    "companies": [
        {
            "name": "Acme",
            "slug": "acme",
            "flows": [
                {
                    "name": "Orders in",
                    "versions": [11, 12],
                    "webhooks": [{"id": "01hx3v9k2m8e5n7q4r6s0t1w2y", "signature": "sig-of-orders"}],
                    "callbacks": [{"id": "01hx3v9k2m8e5n7q4r6s0t1w2z", "signature": "sig-of-callback", "returns": 1}],
                }
            ],
            "api_keys": [{"name": "CI", "key": "key0key1key2"}],
            "users": [ADA],
        },
        {"name": "Other", "slug": "other", "api_keys": [{"name": "CI", "key": "other0key1key2"}]},
    ]
}
KEY = "key0key1key2"
WEBHOOK = "/api/v1/acme/01hx3v9k2m8e5n7q4r6s0t1w2y"
CALLBACK = "/api/v1/acme/01hx3v9k2m8e5n7q4r6s0t1w2z"
SIGNED = "patchworks_signature=sig-of-orders"
START = "/api/v1/flows/1/start"


class Sent(NamedTuple):
    """The answer to a request, and its journal entry."""

    status: int
    body: bytes
    headers: dict[str, str]
    entry: Entry

    @property
    def json(self) -> Any:
        """The body of the answer, parsed."""
        return json.loads(self.body)


class Flows:
    """A sandbox with one flow, and requests to it; every refusal is held against the table of reasons."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.store = sandbox.store.flows

    @property
    def flow(self) -> Flow:
        """The flow."""
        return self.store.flow(1)

    @property
    def webhook(self) -> Webhook:
        """Its webhook."""
        return self.flow.webhooks[0]

    @property
    def callback(self) -> Callback:
        """Its callback."""
        return self.flow.callbacks[0]

    def send(self, method: str, path: str, body: bytes | dict[str, Any] = b"", query: str = "", **headers: str) -> Sent:
        """Send a request; ``_`` in the names of headers is ``-``."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        request = Request(method, path, query, fields, "127.0.0.1", body, len(body), path, "http://127.0.0.1:8025")
        effect = serve(self.sandbox.platform, request).effect
        entry = next(self.sandbox.journal.newest_first())
        assert isinstance(effect, Answer)
        if entry.outcome == "rejected":
            reason = find_reason(entry.reason)
            assert reason is not None, entry.reason
            assert entry.status in reason.statuses, entry.reason
        return Sent(effect.status, effect.body, dict(effect.headers), entry)

    def start(self, path: str = START, body: bytes | dict[str, Any] = b"", query: str = "", key: str = KEY) -> Sent:
        """Start the flow with an API key."""
        return self.send("POST", path, body, query, Authorization=key)

    def hook(self, body: bytes | dict[str, Any] = b"", query: str = SIGNED, **headers: str) -> Sent:
        """Post to the webhook."""
        return self.send("POST", WEBHOOK, body, query, **headers)
