"""Each endpoint agrees with its entry in the list of endpoints, and with the routes that are made of it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.journal.endpoint_kind import ENDPOINTS as KINDS
from sandbox.journal.request import Request
from sandbox.platform.endpoints import ENDPOINTS, Endpoint
from sandbox.platform.serve import serve

each_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.kind.name)


def test_each_kind_has_its_endpoint_in_the_same_order() -> None:
    assert [endpoint.kind for endpoint in ENDPOINTS] == [kind for kind in KINDS if kind.surface == "inbound"]


@each_endpoint
def test_values_in_the_path_are_the_subject_of_the_kind(endpoint: Endpoint[Any]) -> None:
    names = tuple(re.findall(r"\{(\w+)\}", endpoint.path))

    assert names == endpoint.kind.subject
    assert endpoint.kind.requests.format(**dict.fromkeys(names, "x")).startswith("requests ")


@each_endpoint
def test_request_to_the_path_is_answered_and_journalled_as_of_its_kind(
    sandbox: Sandbox, endpoint: Endpoint[Any]
) -> None:
    path = re.sub(r"\{\w+\}", "x", endpoint.path)
    for method in endpoint.operations:
        serve(sandbox.platform, Request(method, path, remote_addr="127.0.0.1"))

    entries = list(sandbox.journal.snapshot())
    assert [entry.kind for entry in entries] == [endpoint.kind.name] * len(endpoint.operations)
    assert not [entry for entry in entries if entry.status in (405, 500)]
