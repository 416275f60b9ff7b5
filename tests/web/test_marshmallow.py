"""On Python 3.10 marshmallow replaces ``datetime.fromisoformat`` for the whole process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAM = """
import datetime
from urllib.request import urlopen
from sandbox import Sandbox, SandboxServer

def read(kind, text):
    try:
        return kind.fromisoformat(text)
    except ValueError:
        return "refused"

CASES = [
    (datetime.datetime, "2024-02-29T12:00:00.12+00:00"),
    (datetime.date, "20240229"),
    (datetime.time, "12:00:00.1"),
]
before = [read(*case) for case in CASES]
with SandboxServer(Sandbox()) as server:
    for path in ("clock", "openapi.yaml", "requests?since=2024-02-29T12:00:00.1234567Z"):
        urlopen(f"{server.base_url}/_sandbox/{path}").read()
assert [read(*case) for case in CASES] == before

from marshmallow import Schema, fields
schema = Schema.from_dict({"at": fields.AwareDateTime(), "day": fields.Date(), "time": fields.Time()})()
found = schema.load({"at": "2024-02-29T12:00:00.12Z", "day": "20240229", "time": "12:00:00.1"})
assert found["at"].microsecond == 120_000, found
"""


def test_control_api_leaves_datetime_as_it_is_and_marshmallow_as_it_should_be() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
