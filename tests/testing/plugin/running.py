"""Running a session of pytest with the plugin, as its users do."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest
import trustme  # noqa: F401 - as below: cryptography cannot be imported twice

import sandbox.web.control.app  # noqa: F401 - else each session in this process imports it: pytester forgets it again

IS_INSTALLED = any(point.value == "patchworks_sandbox_pytest" for point in entry_points(group="pytest11"))
OPTIONS = ([] if IS_INSTALLED else ["-p", "patchworks_sandbox_pytest"]) + [
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
]

PUSH = """
import pytest
import requests

def push(patchworks, payload, **changes):
    form = {"grant_type": "client_credentials", "client_id": patchworks.client_id,
            "client_secret": patchworks.client_secret, **changes}
    token = requests.post(patchworks.token_url, form, timeout=10).json().get("access_token", "none")
    bearer = {"Authorization": f"Bearer {token}"}
    return requests.post(patchworks.inbound("anything").url, json=payload, headers=bearer, timeout=10).status_code
"""


def run(pytester: pytest.Pytester, code: str, *options: str) -> pytest.RunResult:
    """Run tests in this process."""
    pytester.makepyfile(test_it=PUSH + code)
    return pytester.runpytest_inprocess(*OPTIONS, *options)
