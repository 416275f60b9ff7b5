"""What every contestant can do: run on a port, with the same request answered."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.peers.installation import Installation
from benchmarks.process import Request, free_port, resident_mb, running, send, wait_until

PATH = "/v1/acme/orders"
ANSWER = '{"message":"Payload stored successfully."}'
ORDER = {
    "number": "ACME-1001",
    "status": "paid",
    "created_at": "2026-03-14T09:26:53+00:00",
    "currency": "GBP",
    "customer": {"id": 70011, "email": "zoe@example.com", "first_name": "Zoë", "accepts_marketing": False},
    "shipping_address": {"line_1": "22 Sample Lane", "city": "Manchester", "postcode": "EX2 2MP", "country": "GB"},
    "lines": [
        {"id": number, "sku": f"TEE-GRN-{number}", "quantity": number, "unit_price": 24.95, "total": 24.95 * number}
        for number in range(1, 7)
    ],
    "totals": {"subtotal": 523.95, "discount": 0.0, "shipping": 4.95, "tax": 87.33, "total": 528.9},
    "note": "Please leave the parcel with the neighbour.",
    "tags": ["web", "first-order"],
}
BODY = json.dumps(ORDER).encode()
"""1 KB of JSON."""

PAYLOAD = Request("POST", PATH, {"Content-Type": "application/json", "Accept": "application/json"}, BODY)
"""What is posted to every stub; the sandbox gets it with a token."""


@dataclass(frozen=True)
class Running:
    """A contestant that answers."""

    contestant: Contestant
    process: subprocess.Popen[bytes]
    port: int
    request: Request
    started_in_s: float
    """From the start of the process to the first answer."""

    def forget(self) -> None:
        """Empty its journal."""
        if self.contestant.forget is not None:
            send(self.port, self.contestant.forget)

    def resident_mb(self) -> float:
        """Return the memory it takes now."""
        return resident_mb(self.process.pid)


class Contestant:
    """A program that serves HTTP. Subclasses say how to start it and when it is there."""

    name: ClassVar[str]
    package: ClassVar[str]
    """What its registry calls it."""
    forget: ClassVar[Request | None] = None
    """What empties its journal, where it has one that grows."""
    environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    def missing(self) -> str | None:
        """Return why it cannot run here, or ``None``; may install it."""
        raise NotImplementedError

    def version(self) -> str:
        """Return the version that runs."""
        raise NotImplementedError

    def command(self, port: int, folder: Path) -> list[str]:
        """Return the command line that serves on a port; files that it needs go into the folder."""
        raise NotImplementedError

    def first_answer(self, port: int, folder: Path) -> bool:
        """Return whether it has started: one attempt; may raise ``OSError``."""
        return send(port, PAYLOAD)[0] == 200

    def prepare(self, port: int, folder: Path) -> Request:
        """Configure what is measured, once it has started, and return the request to measure with."""
        return PAYLOAD

    @contextlib.contextmanager
    def serve(self) -> Iterator[Running]:
        """Serve while the block lasts; raise ``RuntimeError`` when it does not start."""
        with tempfile.TemporaryDirectory() as name:
            folder, port = Path(name), free_port()
            log = folder / "log"
            command = self.command(port, folder)
            began = time.perf_counter()
            with running(command, log, self.environment) as process:
                wait_until(lambda: self.first_answer(port, folder), process, log)
                took = time.perf_counter() - began
                request = self.prepare(port, folder)
                status, body = send(port, request)
                if status != 200:
                    raise RuntimeError(f"{self.name} answered {status}: {body[:200]!r}")
                yield Running(self, process, port, request, took)
