"""What the scripts have in common that try to make the sandbox lose something: a real server, clients, and a ledger."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import platform
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from typing_extensions import Self

PATIENCE_S = 30.0
_GIVES_BACK = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "16384"}
"""Has glibc return what is freed, which it would keep for the next time: so that memory that is left is in use."""
SIZES = (20, 20, 200, 200, 2_000, 2_000, 20_000, 300_000)


@dataclass
class Server:
    """A `serve` process."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]

    @property
    def address(self) -> tuple[str, int]:
        url = urlsplit(self.ready["base_url"])
        assert url.hostname is not None
        assert url.port is not None
        return url.hostname, url.port

    @property
    def inbound_path(self) -> str:
        return str(urlsplit(self.ready["inbound_urls"]["anything"]).path)

    def control(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, f"/_sandbox{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data.decode()}")
        return json.loads(data) if data and answer.getheader("Content-Type") == "application/json" else data

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


def start(folder: Path, *options: str) -> Server:
    """Start a server and wait until it is ready; what it says goes to `serve.log` in the folder."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox.cli", "serve", "--port", "0", "--ready-file", str(ready)]
    command += ["--log-level", "warning", *options]  # any line left is one too many
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, **_GIVES_BACK})
    deadline = time.monotonic() + PATIENCE_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"serve did not start: {(folder / 'serve.log').read_text()}")
        time.sleep(0.01)
    return Server(process, json.loads(ready.read_text()))


@dataclass
class Ledger:
    """What clients have sent, by its id, and what they know became of it. Safe to use from several threads."""

    digests: dict[str, bytes] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    incomplete: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def payload(self, rng: random.Random) -> tuple[str, bytes]:
        """Return a new payload and its id, with which it begins; every other is no text."""
        size = rng.choice(SIZES)
        body = rng.randbytes(size) if rng.random() < 0.5 else b"x" * size
        with self._lock:
            name = f"p{len(self.digests)}"
            data = name.encode() + b":" + body
            self.digests[name] = hashlib.sha256(data).digest()
        return name, data

    def acknowledge(self, name: str) -> None:
        with self._lock:
            self.acknowledged.add(name)

    def left_incomplete(self, name: str) -> None:
        with self._lock:
            self.incomplete.add(name)

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1


@dataclass
class Findings:
    """What a journal file says, held against a ledger."""

    lines: int = 0
    torn: int = 0
    stored: Counter[str] = field(default_factory=Counter)
    altered: set[str] = field(default_factory=set)
    seqs: dict[str, list[int]] = field(default_factory=dict)
    ids: Counter[str] = field(default_factory=Counter)
    unclosed: int = 0

    def of(self, data: bytes, ledger: Ledger) -> Findings:
        for line in filter(None, data.split(b"\n")):
            try:
                entry = json.loads(line)
            except ValueError:
                self.torn += 1
                continue
            self.lines += 1
            self.ids[entry["id"]] += 1
            self.seqs.setdefault(entry["id"].rpartition("-")[0], []).append(entry["seq"])
            self.unclosed += not isinstance(entry["status"], int) or not entry["outcome"]
            if entry["kind"] == "inbound" and entry["accepted"]:
                body = body_of(entry)
                name = body.partition(b":")[0].decode("latin-1")
                self.stored[name] += 1
                if hashlib.sha256(body).digest() != ledger.digests.get(name):
                    self.altered.add(name)
        return self

    @property
    def gaps(self) -> int:
        """Journals whose numbers are not 1, 2, 3 … in the order of the file."""
        return sum(seqs != list(range(1, len(seqs) + 1)) for seqs in self.seqs.values())


def body_of(entry: dict[str, Any]) -> bytes:
    body = entry["body"] or ""
    return base64.b64decode(body) if entry["body_encoding"] == "base64" else body.encode()


class Client:
    """One connection of an integration: gets tokens, posts, and behaves badly when told to."""

    def __init__(self, server: Server, ledger: Ledger, seed: object) -> None:
        self.server = server
        self.ledger = ledger
        self.rng = random.Random(str(seed))
        self._connection: http.client.HTTPConnection | None = None
        self._token = ""

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get_token(self) -> None:
        ready = self.server.ready
        form = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": ready["client_id"],
                "client_secret": ready["client_secret"],
            }
        )
        answer = self._request(
            "/oauth/token", form.encode(), {"Content-Type": "application/x-www-form-urlencoded"}, PATIENCE_S
        )
        if answer is not None and answer[0] == 200:
            self._token = json.loads(answer[1])["access_token"]
            self.ledger.count("tokens")

    def post(self, timeout: float = PATIENCE_S) -> int | None:
        """Post a payload; return the status, or nothing where no answer came."""
        if not self._token:
            self.get_token()
        name, data = self.ledger.payload(self.rng)
        answer = self._request(self.server.inbound_path, data, {"Authorization": f"Bearer {self._token}"}, timeout)
        if answer is None:
            self.ledger.count("posts without an answer")
            return None
        self.ledger.count(f"posts answered {answer[0]}")
        if 200 <= answer[0] < 300:
            self.ledger.acknowledge(name)
        elif answer[0] == 401:
            self._token = ""
        return answer[0]

    def _request(self, path: str, body: bytes, headers: dict[str, str], timeout: float) -> tuple[int, bytes] | None:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*self.server.address, timeout=PATIENCE_S)
        connection = self._connection
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout)
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None

    # --- bad behaviour ----------------------------------------------------------------------------------------------

    def time_out(self) -> None:
        self.post(timeout=self.rng.choice((0.0005, 0.002, 0.01)))

    def vanish(self, *, by_reset: bool) -> None:
        """Send a whole payload and leave without waiting for the answer."""
        self._leave(self._raw_post(1.0), by_reset=by_reset)
        self.ledger.count("left without the answer, by RST" if by_reset else "left without the answer, by FIN")

    def stop_halfway(self) -> None:
        """Leave in the midst of a payload, or of the head before it."""
        self._leave(self._raw_post(self.rng.random()), by_reset=self.rng.random() < 0.5)
        self.ledger.count("half-sent requests")

    def send_garbage(self) -> None:
        data = self.rng.choice(
            (self.rng.randbytes(self.rng.randrange(1, 2_000)), b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50, b"\x16\x03\x01")
        )
        self._leave(data, by_reset=self.rng.random() < 0.5)
        self.ledger.count("garbage")

    def _raw_post(self, share: float) -> bytes:
        if not self._token:
            self.get_token()
        name, data = self.ledger.payload(self.rng)
        head = (
            f"POST {self.server.inbound_path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        ).encode()
        whole = head + data
        if share < 1:
            whole = whole[: int((len(whole) - 1) * share)]
            self.ledger.left_incomplete(name)
        return whole

    def _leave(self, data: bytes, *, by_reset: bool) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self.server.address, PATIENCE_S) as sock:
            sock.sendall(data)
            if by_reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextlib.contextmanager
def running(clients: list[Client], act: Callable[[Client], object], stop: threading.Event) -> Iterator[list[Exception]]:
    """Let each client act again and again in a thread of its own, until told to stop; yield what went wrong."""
    errors: list[Exception] = []

    def run(client: Client) -> None:
        try:
            while not stop.is_set():
                act(client)
        except Exception as error:  # noqa: BLE001 - it is told in the end
            errors.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield errors
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class Check:
    what: str
    found: object
    holds: bool


def report(title: str, figures: list[tuple[str, object]], checks: list[Check]) -> int:
    """Print the Markdown that goes into docs/reliability.md; return the exit code."""
    moment = datetime.now(timezone.utc)
    print(f"{title}, {moment:%Y-%m-%d}, {platform.system()} {platform.machine()}, {_cpu()},", end=" ")
    print(f"{platform.python_implementation()} {platform.python_version()}:\n")
    print("| | |\n|---|---:|")
    for what, figure in figures:
        print(f"| {what} | {_shown(figure)} |")
    print("\n| check | found | holds |\n|---|---:|---|")
    for check in checks:
        print(f"| {check.what} | {_shown(check.found)} | {'yes' if check.holds else '**no**'} |")
    return 0 if all(check.holds for check in checks) else 1


def _shown(figure: object) -> str:
    return f"{figure:,}" if isinstance(figure, int) else str(figure)


def _cpu() -> str:
    return f"{os.cpu_count()} cores"


def storage_checks(found: Findings, ledger: Ledger, where: str) -> list[Check]:
    """Return what must be true of every payload, wherever it was looked for."""
    missing = sum(found.stored[name] == 0 for name in ledger.acknowledged)
    twice = sum(times > 1 for times in found.stored.values())
    half = sum(found.stored[name] > 0 for name in ledger.incomplete)
    return [
        Check(f"acknowledged payloads missing from {where}", missing, missing == 0),
        Check("payloads there twice", twice, twice == 0),
        Check("payloads there, but not byte for byte", len(found.altered), not found.altered),
        Check("half-sent payloads there as accepted", half, half == 0),
        Check("entries without a status or an outcome", found.unclosed, found.unclosed == 0),
        Check("journals whose sequence numbers have gaps", found.gaps, found.gaps == 0),
    ]
