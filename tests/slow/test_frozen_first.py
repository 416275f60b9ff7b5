"""What a process does first while its time is moved works then, and works afterwards in the machine's time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LIBRARIES = {
    "freezegun": "from freezegun import freeze_time\nmoved = freeze_time('2026-11-23')",
    "time-machine, long ago": "import time_machine\nmoved = time_machine.travel('2001-11-23T00:00:00Z', tick=False)",
    "time-machine, in the future": "import time_machine\nmoved = time_machine.travel('2040-11-23T00:00:00Z')",
}
PROGRAM = """
import datetime
import requests
from sandbox import RemoteSandbox, Sandbox, SandboxServer

def use():
    sandbox = Sandbox(settings={"tls": True, "tls_port": 0})
    with SandboxServer(sandbox) as server, RemoteSandbox(server.base_url) as remote:
        patchworks = server.patchworks
        with patchworks.intercept():
            assert requests.post("https://inbound.pwks.co/oauth/token", timeout=10).status_code == 400
        patchworks.clock.travel_to("2026-11-23T12:00:00Z")
        patchworks.load_state(patchworks.state(secrets=True))
        remote.load_state(remote.state())
        assert requests.get(server.base_url + "/_sandbox/requests", timeout=10).json()["entries"]
        assert server.errors == []
        document = requests.get(server.base_url + "/_sandbox/openapi-control.yaml", timeout=10).text
        return document.replace(server.base_url, "")

def control():
    from sandbox.state.snapshot import state_schema
    return state_schema()

with moved:
    first, schema = use(), control()
assert datetime.datetime.__module__ == "datetime"
assert (use(), control()) == (first, schema)
assert schema["$defs"]["ClockSnapshot"]["properties"]["now"] == {"type": "string", "format": "date-time"}, schema
with moved:
    use()
"""


@pytest.mark.parametrize("library", LIBRARIES)
def test_first_use_may_be_in_moved_time(library: str) -> None:
    code = f"import warnings\nwarnings.simplefilter('ignore')\n{LIBRARIES[library]}\n{PROGRAM}"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
