"""Drive an installed patchworks-sandbox with nothing but the standard library, as its first user would.

Usage: smoke.py /path/to/patchworks-sandbox
"""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

READY_WITHIN_S = 20
STOPPED_WITHIN_S = 5
ORDER = b'{"order": "smoke-4711",  "note": "kept byte for byte"}'


def _call(url: str, body: bytes | None = None, trust: ssl.SSLContext | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(
        url, data=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    with opener.open(request, timeout=10) as response:
        if response.status != 200:
            raise SystemExit(f"{url} answered {response.status}")
        body_received: bytes = response.read()
    return body_received


def wait_until_ready(server: subprocess.Popen[bytes], ready_file: Path) -> dict[str, Any]:
    """Return what the server wrote into its ready file."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        if ready_file.exists() and (text := ready_file.read_text(encoding="utf-8")).strip():
            ready: dict[str, Any] = json.loads(text)
            return ready
        time.sleep(0.05)
    raise SystemExit(f"no ready file within {READY_WITHIN_S} s; exit status so far: {server.poll()}")


def main_job(ready: dict[str, Any]) -> None:
    """Get a token, post an order, find it in the journal; over TLS where that is served."""
    trust = None
    if (secure := ready.get("tls_base_url")) is not None:
        ca_pem = _call(f"{ready['control_url']}/ca.pem").decode()
        trust = ssl.create_default_context(cadata=ca_pem)
        ready = json.loads(json.dumps(ready).replace(ready["base_url"], secure))
        print("trusted:", len(ca_pem), "bytes of authority for", secure)
    credentials = {key: ready[key] for key in ("client_id", "client_secret")}
    form = urllib.parse.urlencode({"grant_type": "client_credentials", **credentials}).encode()
    token = json.loads(_call(ready["token_url"], form, trust))
    print("token:", token["token_type"], token["expires_in"])

    inbound_url = ready["inbound_urls"]["anything"]
    answer = _call(
        inbound_url,
        ORDER,
        trust,
        Authorization=f"Bearer {token['access_token']}",
        Content_Type="application/json",
        Accept="application/json",
    )
    print("inbound:", answer.decode())

    key = {"Authorization": f"Bearer {ready['control_key']}"} if ready["control_key"] else {}
    journal = _call(f"{ready['base_url']}/_sandbox/requests", None, trust, Accept="application/json", **key).decode()
    if "smoke-4711" not in journal:
        raise SystemExit(f"the order is not in the journal: {journal}")
    if ready["client_secret"] in journal:
        raise SystemExit("the client secret is in the journal")


def main() -> None:
    """Ask for the version, start the server, get a token, post an order, find it, stop the server."""
    command = sys.argv[1]
    print(subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout.strip())
    with tempfile.TemporaryDirectory() as folder:
        ready_file = Path(folder, "ready.json")
        server = subprocess.Popen([command, "serve", "--port", "0", "--ready-file", str(ready_file)], cwd=folder)
        try:
            main_job(wait_until_ready(server, ready_file))
            started = time.monotonic()
            server.send_signal(signal.SIGTERM)
            status = server.wait(timeout=STOPPED_WITHIN_S)
            print(f"stopped with {status} after {time.monotonic() - started:.2f} s")
            if status != 0:
                raise SystemExit(f"exit status {status} after SIGTERM")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
