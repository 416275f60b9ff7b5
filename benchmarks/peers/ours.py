"""The sandbox as its users start it: ``serve`` with its defaults, the journal on."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.peers.contestant import ORDER, PAYLOAD, Contestant
from benchmarks.process import Request, send
from sandbox import __version__

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class Sandbox(Contestant):
    """Measured with token requests."""

    name = "Patchworks Sandbox"
    package = "patchworks-sandbox"
    forget = Request("POST", "/_sandbox/reset")

    def missing(self) -> str | None:
        """Return ``None``: what is measured is this checkout."""
        return None

    def version(self) -> str:
        """Return the checkout's version."""
        return __version__

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of ``serve``."""
        ready = str(folder / "ready.json")
        return [str(self.program()), "serve", "--port", str(port), "--ready-file", ready]

    def program(self) -> Path:
        """Return the command that is measured."""
        return Path(sys.executable).with_name("patchworks-sandbox")

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether a token was issued."""
        return (folder / "ready.json").exists() and send(port, _token_request(folder))[0] == 200

    def prepare(self, port: int, folder: Path) -> Request:
        """Return the token request of the demo's client."""
        return _token_request(folder)


SEED = {
    "companies": [
        {
            "name": "Acme Ltd",
            "slug": "acme",
            "connectors": [
                {
                    "name": "Acme web shop",
                    "entities": [{"type": "orders", "name": "orders", "sample": ORDER}],
                    "oauth_clients": [{"name": "Benchmark"}],
                    "services": [{"vanity_url": "orders", "entity": "orders"}],
                }
            ],
        }
    ]
}
"""A service whose entity is the payload's: each is held against what the entity expects."""


class SandboxPayloads(Sandbox):
    """Measured with payloads that carry a token: authenticated, checked, recorded, answered."""

    forget = Request("DELETE", "/_sandbox/requests")

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of ``serve`` with the seed above."""
        seed = folder / "seed.yaml"
        seed.write_text(json.dumps(SEED), encoding="utf-8")  # JSON is YAML
        return [*super().command(port, folder), "--seed-file", str(seed)]

    def prepare(self, port: int, folder: Path) -> Request:
        """Get a token, and return a payload with it."""
        _, body = send(port, super().prepare(port, folder))
        authorization = f"Bearer {json.loads(body)['access_token']}"
        return replace(PAYLOAD, headers={**PAYLOAD.headers, "Authorization": authorization})


class SandboxWithTls(SandboxPayloads):
    """Measured with payloads over HTTPS and HTTP; the port of HTTPS is the one behind that of HTTP."""

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the same command line with TLS."""
        return [*super().command(port, folder), "--tls", "--tls-port", str(tls_port(port))]


def tls_port(port: int) -> int:
    """Return the port of HTTPS beside one of HTTP."""
    return port - 1


def _token_request(folder: Path) -> Request:
    ready = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    return token_request("/oauth/token", ready["client_id"], ready["client_secret"])


def token_request(path: str, client_id: str, client_secret: str) -> Request:
    """Return a token request with the client credentials grant."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    return Request("POST", path, _FORM, urlencode({**form, "scope": "access-inbound"}).encode())
