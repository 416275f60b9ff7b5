"""Peers that run on Node.js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.peers.contestant import ANSWER, PATH, Contestant
from benchmarks.peers.ours import token_request
from benchmarks.process import Request, send

_PRISM_DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Stub", "version": "1"},
    "paths": {
        PATH: {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {
                    "200": {
                        "description": "stored",
                        "content": {"application/json": {"example": json.loads(ANSWER)}},
                    }
                },
            }
        }
    },
}


class _Package(Contestant):
    environment: ClassVar = {"NODE_ENV": "production"}

    def missing(self) -> str | None:
        """Return why there is no Node.js or no package."""
        return self.installation.node_missing

    def version(self) -> str:
        """Return the version of the npm package."""
        return str(self._description()["version"])

    def _description(self) -> dict[str, Any]:
        path = self.installation.node_package(self.package) / "package.json"
        description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return description

    def _node(self, *arguments: str) -> list[str]:
        programs = self._description()["bin"]
        program = programs if isinstance(programs, str) else next(iter(programs.values()))
        return ["node", str(self.installation.node_package(self.package) / program), *arguments]


class Prism(_Package):
    """The path of an OpenAPI document; requests are validated against it and logged, and none is kept."""

    name = "Prism"
    package = "@stoplight/prism-cli"

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of ``prism mock``."""
        document = folder / "openapi.json"
        document.write_text(json.dumps(_PRISM_DOCUMENT))
        return self._node("mock", "-h", "127.0.0.1", "-p", str(port), str(document))


class Mockoon(_Package):
    """A route; the last 100 requests are kept for its admin API, which is its default."""

    name = "Mockoon"
    package = "@mockoon/cli"

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of ``mockoon-cli start``."""
        data = folder / "mockoon.json"
        data.write_text(json.dumps(_mockoon_environment(port)))
        return self._node("start", "--data", str(data), "--port", str(port), "--disable-log-to-file")


class OAuth2MockServer(_Package):
    """Issues RS256 tokens with a key of 2048 bits to whoever asks."""

    name = "oauth2-mock-server"
    package = "oauth2-mock-server"

    def command(self, port: int, folder: Path) -> list[str]:
        """Return its command line."""
        return self._node("-a", "127.0.0.1", "-p", str(port))

    def prepare(self, port: int, folder: Path) -> Request:
        """Return the same token request as the sandbox gets."""
        return _TOKEN_REQUEST

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether a token was issued."""
        return send(port, _TOKEN_REQUEST)[0] == 200


_TOKEN_REQUEST = token_request("/token", "9d3c6f0e-4b7a-4c59-8f21-5e0a1b2c3d4e", "x" * 40)


def _mockoon_environment(port: int) -> dict[str, Any]:
    """Return an environment file with one route: every key of one that Mockoon wrote itself."""
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": ANSWER,
        "latency": 0,
        "statusCode": 200,
        "label": "",
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "bodyType": "INLINE",
        "filePath": "",
        "databucketID": "",
        "sendFileAsBody": False,
        "rules": [],
        "rulesOperator": "OR",
        "disableTemplating": True,
        "fallbackTo404": False,
        "default": True,
        "crudKey": "id",
        "callbacks": [],
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "documentation": "",
        "method": "post",
        "endpoint": PATH.removeprefix("/"),
        "responses": [response],
        "responseMode": None,
        "streamingMode": None,
        "streamingInterval": 0,
    }
    files = {"pfxPath": "", "certPath": "", "keyPath": "", "caPath": "", "passphrase": ""}
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "stub",
        "port": port,
        "hostname": "127.0.0.1",
        "endpointPrefix": "",
        "latency": 0,
        "folders": [],
        "routes": [route],
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "proxyMode": False,
        "proxyHost": "",
        "proxyRemovePrefix": False,
        "tlsOptions": {"enabled": False, "type": "CERT", **files},
        "cors": False,
        "headers": [],
        "proxyReqHeaders": [],
        "proxyResHeaders": [],
        "data": [],
        "callbacks": [],
    }
