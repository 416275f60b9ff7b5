"""Peers that run on Python, with the interpreter that the sandbox runs on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.peers.contestant import ANSWER, PATH, Contestant
from benchmarks.process import Request, send


class _Distribution(Contestant):
    def missing(self) -> str | None:
        """Return why it could not be installed."""
        return self.installation.python_missing

    def version(self) -> str:
        """Return the version of the distribution."""
        ask = f"import importlib.metadata as m; print(m.version({self.package!r}))"
        command = [str(self.installation.python), "-c", ask]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class PytestHttpserver(_Distribution):
    """Threaded; its log of requests is without a bound, which is its default."""

    name = "pytest-httpserver"
    package = "pytest-httpserver"
    forget = Request("DELETE", "/log")

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of a program that does what its fixture does."""
        program = Path(__file__).with_name("httpserver_program.py")
        return [str(self.installation.python), str(program), str(port), PATH, ANSWER]


class Moto(_Distribution):
    """Its server, whose start is what the sandbox's is compared with: until it has issued a session token."""

    name = "moto"
    package = "moto"

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line of ``moto_server``."""
        return [str(self.installation.python.with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether a token was issued."""
        return send(port, _SESSION_TOKEN)[0] == 200

    def prepare(self, port: int, folder: Path) -> Request:
        """Return that request again: nothing else of it is measured."""
        return _SESSION_TOKEN


class MotoPage(Moto):
    """Until its own page is there, which is before any of its services is loaded."""

    name = "moto, its page"

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether the page answers."""
        return send(port, _PAGE)[0] == 200

    def prepare(self, port: int, folder: Path) -> Request:
        """Return the page again."""
        return _PAGE


_PAGE = Request(path="/moto-api/")
_SESSION_TOKEN = Request(
    "POST",
    "/",
    {
        "Host": "sts.amazonaws.com",
        "Authorization": "AWS4-HMAC-SHA256 Credential=a/b/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=c",
        "Content-Type": "application/x-www-form-urlencoded",
    },
    b"Action=GetSessionToken&Version=2011-06-15",
)
