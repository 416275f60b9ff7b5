"""Hold a sandbox under load from clients that behave badly, steer it meanwhile, and look for what it lost.

    python benchmarks/soak.py [--seconds 60] [--connections 64] [--seed N]

The clients are threads of this process, the sandbox is a `serve` process of its own with a `--journal-file`. They post
unique payloads and get tokens, time out, leave by FIN and RST, send half a request, send garbage. In the meantime the
sandbox is reset, its clock is moved, its keys are rotated, the client's credentials are deleted, and a fault loses
answers after the payload was stored. Then everything that has to be true is looked at. Prints a table in Markdown;
exits with 1 when anything is not true. The checks of threads, descriptors and memory need /proc.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load import PATIENCE_S, Check, Client, Findings, Ledger, Server, report, running, start, storage_checks

WEIGHTS: dict[Callable[[Client], object], int] = {
    Client.post: 80,
    Client.get_token: 3,
    Client.time_out: 3,
    lambda client: client.vanish(by_reset=True): 3,
    lambda client: client.vanish(by_reset=False): 3,
    Client.stop_halfway: 4,
    Client.send_garbage: 4,
}
MEMORY_GROWTH = 1.25
"""How much more memory than after the first phase it may take after the last; both times after a reset."""


def misbehave(client: Client) -> None:
    [act] = client.rng.choices([*WEIGHTS], [*WEIGHTS.values()])
    act(client)


class Process:
    """What the system says of a process."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self.is_known = self._folder.exists()

    def threads(self) -> int:
        return len(list((self._folder / "task").iterdir()))

    def descriptors(self) -> int:
        return len(list((self._folder / "fd").iterdir()))

    def memory_mib(self) -> float:
        [line] = [line for line in (self._folder / "status").read_text().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) / 1024


class Conductor:
    """Steers the sandbox while the clients are at it: one thing at a time, again and again."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        self.server = server
        self.rng = rng
        self.done = 0
        [service] = [item for item in server.control("GET", "/services") if item["vanity_url"] == "anything"]
        self._clients = f"/connectors/{service['connector_id']}/oauth-clients"

    def nothing(self) -> None:
        pass

    def reset(self) -> None:
        self.server.control("POST", "/reset")

    def jump(self) -> None:
        """Make tokens expire, or come back from the future."""
        if self.rng.random() < 0.5:
            self.server.control("POST", "/clock/advance", {"seconds": self.rng.choice((3_600, 90_000))})
        else:
            self.server.control("DELETE", "/clock")

    def rotate(self) -> None:
        self.server.control("POST", "/keys/rotate")

    def delete_client(self) -> None:
        """Give the integration new credentials, and delete those it has."""
        old = self.server.ready["client_id"]
        name = next(item["name"] for item in self.server.control("GET", self._clients) if item["client_id"] == old)
        new = self.server.control("POST", self._clients, {"name": "Soak"})
        self.server.ready = {**self.server.ready, **{key: new[key] for key in ("client_id", "client_secret")}}
        self.server.control("DELETE", f"{self._clients}/{old}", {"confirmation": name})

    def lose_answers(self) -> None:
        """Reset the connection after a payload was stored, now and then."""
        self.server.control("DELETE", "/faults")
        for kind in ("connection_reset", "empty_response"):
            match, fault = {"endpoint": "inbound"}, {"kind": kind}
            rule = {"match": match, "fault": fault, "accept": True, "probability": 0.02}
            self.server.control("POST", "/faults", rule)

    def no_faults(self) -> None:
        self.server.control("DELETE", "/faults")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of the load (default 60)")
    parser.add_argument("--connections", type=int, default=64, help="clients at the same time (default 64)")
    parser.add_argument("--seed", type=int, default=None, help="repeat the payloads of a run")
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory() as name:
        return soak(Path(name), options.seconds, options.connections, seed)


def soak(folder: Path, seconds: float, connections: int, seed: int) -> int:
    file = folder / "requests.ndjson"
    with start(folder, "--journal-file", str(file), "--threads", "4") as server:
        return held(server, file, seconds, connections, seed)


def held(server: Server, file: Path, seconds: float, connections: int, seed: int) -> int:
    ready = server.ready
    process, ledger = Process(server.process.pid), Ledger()
    conductor = Conductor(server, random.Random(seed))
    phases = [
        conductor.nothing,
        conductor.lose_answers,
        conductor.reset,
        conductor.jump,
        conductor.rotate,
        conductor.delete_client,
        conductor.nothing,
    ]
    errors: list[Exception] = []
    memory = threads = descriptors = 0.0
    took = 0.0
    for number, act in enumerate(phases):
        clients = [Client(server, ledger, f"{seed}-{number}-{client}") for client in range(connections)]
        began = time.monotonic()
        until = began + seconds / len(phases)
        with running(clients, misbehave, threading.Event()) as failed:
            while True:  # each at least once
                act()
                conductor.done += act != conductor.nothing
                if time.monotonic() >= until:
                    break
                time.sleep(min(0.2, max(0.0, until - time.monotonic())))
        errors += failed
        took += time.monotonic() - began
        if act == conductor.lose_answers:
            conductor.no_faults()
            server.control("POST", "/reset")
            if process.is_known:  # by now every thread that is made when it is needed has been
                occupy_threads(server)
                settle(process)
                memory, threads, descriptors = process.memory_mib(), process.threads(), process.descriptors()
        if act == conductor.delete_client:
            server.control("DELETE", "/clock")
            server.control("POST", "/reset")
            server.ready = ready

    export = wait_for_export(server)
    health = server.control("GET", "/health")
    server.control("POST", "/reset")
    checks: list[Check] = []
    if process.is_known:
        settle(process, threads, descriptors)
        after = process.memory_mib()
        more_threads = process.threads() - int(threads)
        more_descriptors = process.descriptors() - int(descriptors)
        checks = [
            Check("threads more than before", more_threads, more_threads <= 0),
            Check("descriptors more than before", more_descriptors, more_descriptors <= 0),
            Check("memory before and after, MiB", f"{memory:.0f}, {after:.0f}", after <= memory * MEMORY_GROWTH + 8),
        ]
    stopped = server.stop()
    data = file.read_bytes()
    found = Findings().of(data, ledger)
    last = export.partition(b"\n")[0]
    of_last = [line for line in data.splitlines(keepends=True) if journal_of(line) == journal_of(last)]
    log = (file.parent / "serve.log").read_text()
    figures: list[tuple[str, object]] = [
        ("seconds", round(took)),
        ("connections", connections),
        ("requests a second, all kinds", round(found.lines / took)),
        ("resets, clock jumps, rotations, deletions, fault rules", conductor.done),
        ("payloads sent", len(ledger.digests)),
        ("payloads acknowledged", len(ledger.acknowledged)),
        ("payloads stored whose answer the client never saw", len(set(found.stored) - ledger.acknowledged)),
        ("journals", len(found.seqs)),
        *sorted(ledger.counts.items()),
    ]
    checks = [
        *storage_checks(found, ledger, "all journals"),
        Check("ids there twice", sum(n > 1 for n in found.ids.values()), max(found.ids.values()) == 1),
        Check("lines of the file that are not whole", found.torn, found.torn == 0),
        Check("entries of the last journal, in its export and in the file", len(of_last), b"".join(of_last) == export),
        Check("number of its newest entry", health["journal_last_seq"], health["journal_last_seq"] == len(of_last)),
        *checks,
        Check("clients that failed", len(errors), not errors),
        Check("lines in the log", len(log.splitlines()), not log),
        Check("exit code after a stop", stopped, stopped == 0),
    ]
    command = f"`python benchmarks/soak.py --seconds {seconds:g} --connections {connections}`"
    code = report(f"{command} (seed {seed})", figures, checks)
    for error in errors[:5]:
        print(f"\n{error!r}", file=sys.stderr)
    if code:
        print(log[-5_000:], file=sys.stderr)
    return code


def journal_of(line: bytes) -> str:
    journal: str = json.loads(line)["id"].rpartition("-")[0]
    return journal


def wait_for_export(server: Server) -> bytes:
    """Return the export once it stops growing: requests of clients that have left may still be served."""
    export: bytes = server.control("GET", "/requests/export?events=false")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        time.sleep(0.5)
        before, export = export, server.control("GET", "/requests/export?events=false")
        if export == before:
            break
    return export


def occupy_threads(server: Server) -> None:
    """Ask so much at the same time that each thread that answers for the control API has been started."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: server.control("GET", "/requests"), range(64)))


def settle(process: Process, threads: float = 0, descriptors: float = 0) -> None:
    """Wait until what clients have left behind is gone: farewells take two seconds, half a head ten at most."""
    deadline, steady, seen = time.monotonic() + 15, 0, (0, 0)
    while time.monotonic() < deadline and steady < 20:
        time.sleep(0.1)
        before, seen = seen, (process.threads(), process.descriptors())
        if threads and seen[0] <= threads and seen[1] <= descriptors:
            return
        steady = steady + 1 if seen == before else 0


if __name__ == "__main__":
    sys.exit(main())
