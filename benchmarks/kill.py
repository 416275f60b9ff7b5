"""Kill a sandbox with SIGKILL under load, again and again, and look for what it had acknowledged.

    python benchmarks/kill.py [--times 100] [--connections 8] [--seed N]

Each time `serve` is started on the same `--journal-file`, clients post unique payloads on several connections, and at
a random moment the process is killed. In the end every payload that was answered with 2xx must be in the file exactly
once, byte for byte. Prints a table in Markdown; exits with 1 when anything is missing.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
from pathlib import Path
from time import monotonic, sleep

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load import PATIENCE_S, Check, Client, Findings, Ledger, report, running, start, storage_checks


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100, help="how often to kill it (default 100)")
    parser.add_argument("--connections", type=int, default=8, help="clients at the same time (default 8)")
    parser.add_argument("--seed", type=int, default=None, help="repeat the payloads and moments of a run")
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed
    rng = random.Random(seed)
    ledger = Ledger()
    errors: list[Exception] = []
    idle_kills = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "requests.ndjson"
        for turn in range(options.times):
            server = start(folder, "--journal-file", str(file))
            acknowledged = len(ledger.acknowledged)
            clients = [Client(server, ledger, f"{seed}-{turn}-{number}") for number in range(options.connections)]
            stop = threading.Event()
            with running(clients, Client.post, stop) as failed:
                deadline = monotonic() + PATIENCE_S
                while len(ledger.acknowledged) == acknowledged and monotonic() < deadline:
                    sleep(0.005)
                sleep(rng.uniform(0, 0.5))
                server.kill()
                stop.set()
            errors += failed
            idle_kills += len(ledger.acknowledged) == acknowledged
        # What the next start does to a line that was cut off belongs to the promise.
        last = start(folder, "--journal-file", str(file))
        stopped = last.stop()
        found = Findings().of(file.read_bytes(), ledger)
        log = (folder / "serve.log").read_text()
    figures = [
        ("kills under load", options.times),
        ("connections", options.connections),
        ("payloads sent", len(ledger.digests)),
        ("payloads acknowledged", len(ledger.acknowledged)),
        ("payloads in the file whose answer the kill cut off", len(set(found.stored) - ledger.acknowledged)),
        ("lines cut off, ended at the next start", found.torn),
    ]
    checks = [
        *storage_checks(found, ledger, "the file"),
        Check("kills before anything was acknowledged", idle_kills, idle_kills == 0),
        Check("clients that failed", len(errors), not errors),
        Check("exit code of the last after a stop", stopped, stopped == 0),
    ]
    code = report(f"`python benchmarks/kill.py --times {options.times}` (seed {seed})", figures, checks)
    for error in errors[:5]:
        print(f"\n{error!r}", file=sys.stderr)
    if code:
        print(log[-5_000:], file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
