"""Peers that run on the JVM, from the archives that their npm packages bring along; the heap is Java's default."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers.contestant import ANSWER, PATH, PAYLOAD, Contestant
from benchmarks.process import Request, send


class _Archive(Contestant):
    def missing(self) -> str | None:
        """Return why there is no Java, no npm or no archive."""
        return self.installation.java_missing

    def version(self) -> str:
        """Return the version of the npm package, which is that of the archive."""
        package = json.loads((self.installation.node_package(self.package) / "package.json").read_text())
        return str(package["version"])

    def _java(self, pattern: str, *arguments: str) -> list[str]:
        archive = next(self.installation.node_package(self.package).glob(pattern))
        return ["java", "-jar", str(archive), *arguments]

    def _stubbed(self, port: int, method: str, path: str, stub: object) -> Request:
        headers = {"Content-Type": "application/json"}
        status, body = send(port, Request(method, path, headers, json.dumps(stub).encode()))
        if status not in (200, 201):
            raise RuntimeError(f"{self.name} refused the stub: {body[:200]!r}")
        return PAYLOAD


class WireMock(_Archive):
    """A stub for the path; the request journal is on and without a bound, which are its defaults."""

    name = "WireMock"
    package = "wiremock"
    forget = Request("DELETE", "/__admin/requests")

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of the standalone archive."""
        options = ["--port", str(port), "--bind-address", "127.0.0.1", "--disable-banner", "--root-dir", str(folder)]
        return self._java("build/wiremock-standalone-*.jar", *options)

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether its health page answers."""
        return send(port, Request(path="/__admin/health"))[0] == 200

    def prepare(self, port: int, folder: Path) -> Request:
        """Add the stub."""
        response = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": ANSWER}
        stub = {"request": {"method": "POST", "url": PATH}, "response": response}
        return self._stubbed(port, "POST", "/__admin/mappings", stub)


class MockServer(_Archive):
    """An expectation for the path; its log of requests is on and bounded, which are its defaults."""

    name = "MockServer"
    package = "mockserver-node"
    forget = Request("PUT", "/mockserver/clear?type=log")

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of the archive; below WARN it would print every request."""
        return self._java("mockserver-netty-*.jar", "-serverPort", str(port), "-logLevel", "WARN")

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether its status answers."""
        return send(port, Request("PUT", "/mockserver/status"))[0] == 200

    def prepare(self, port: int, folder: Path) -> Request:
        """Add the expectation."""
        response = {"statusCode": 200, "headers": {"Content-Type": ["application/json"]}, "body": ANSWER}
        expectation = {"httpRequest": {"method": "POST", "path": PATH}, "httpResponse": response}
        return self._stubbed(port, "PUT", "/mockserver/expectation", expectation)
