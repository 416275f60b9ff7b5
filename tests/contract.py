"""A test client that holds every response against the OpenAPI documents of the code.

``tests/web/test_specs.py`` holds the checked-in documents against them: a stale one fails that test and no other.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import islice
from typing import Any, Final

from openapi_core import Config, OpenAPI
from openapi_core.templating.paths.exceptions import OperationNotFound, PathNotFound
from openapi_core.testing import MockRequest, MockResponse
from werkzeug.test import Client, EnvironBuilder, TestResponse

from sandbox import Sandbox
from sandbox.journal.reasons import find_reason
from sandbox.platform.flows import PREFIXES
from sandbox.web.app import SandboxApp
from sandbox.web.control.app import control_app
from sandbox.web.paths import is_control_path
from sandbox.web.spec import CONTROL_FILE, EMULATED_FILE, FLOWS_FILE, documents

_FLOW_PREFIX: Final = re.compile(rf"({'|'.join(PREFIXES)})(?=/)")


@cache
def published_document(name: str) -> OpenAPI:
    """Return a document as the code writes it, with the servers left out so that it fits any address.

    The responses ``default`` are left out too: with them any status would be a documented one.
    """
    spec = documents(control_app())[name]
    for item in spec["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                operation["responses"].pop("default", None)
    as_text = bytes.decode  # a webhook or callback names a type of its body, which is what it was made to be
    config = Config(extra_media_type_deserializers={"application/problem+json": json.loads, "application/xml": as_text})
    return OpenAPI.from_dict({**spec, "servers": [{"url": "/"}]}, config=config)


def check_contract(method: str, path: str, response: TestResponse) -> None:
    """Fail if a response is not one that the documents allow.

    A path or method that is not in them may only be refused, in the envelope of its side.
    """
    control = path == "/_sandbox" or path.startswith("/_sandbox/")
    if not control:  # the framework takes a trailing slash as if it were not there
        path = path.rstrip("/") or "/"
    flow_path = _FLOW_PREFIX.sub("", path)
    flows = flow_path.startswith("/api/")
    document = published_document(CONTROL_FILE if control else FLOWS_FILE if flows else EMULATED_FILE)
    request = MockRequest("http://localhost", method.lower(), flow_path if flows else path)
    answer = MockResponse(
        response.data, response.status_code, dict(response.headers), content_type=response.content_type or ""
    )
    try:
        document.validate_response(request, answer)
    except (PathNotFound, OperationNotFound):
        if _is_page(path) or (method == "OPTIONS" and not control):  # told by the router, no operation of the API
            return
        assert response.status_code in (400, 404, 405, 413, 503, 302), f"{method} {path} is not in the document"
        if response.mimetype != "text/html":
            assert response.mimetype == ("application/problem+json" if control else "application/json")


def check_reason(sandbox: Sandbox) -> None:
    """Fail if the newest entry has a reason, or a status for it, that the table of reasons lacks."""
    for entry in islice(sandbox.journal.newest_first(), 1):
        if entry.outcome == "rejected":
            reason = find_reason(entry.reason)
            assert reason is not None, f"{entry.reason} is not in the table of reasons"
            assert entry.status in reason.statuses, f"{entry.reason} has no status {entry.status} in the table"


def _is_page(path: str) -> bool:
    return path.rstrip("/") == "/_sandbox" or path.startswith(
        ("/_sandbox/dashboard", "/_sandbox/docs", "/_sandbox/static", "/_sandbox/openapi", "/_sandbox/llms.txt")
    )


class ContractClient(Client):
    """Werkzeug's test client with the contract check on every response."""

    def __init__(self, app: SandboxApp) -> None:
        super().__init__(app)

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and check its response."""
        response = super().open(*args, **kwargs)
        if args and isinstance(args[0], EnvironBuilder):
            method, path = args[0].method, args[0].path
        else:
            method, path = response.request.method, response.request.path
        if method != "HEAD":
            check_contract(method, path, response)
        if not is_control_path(path):
            check_reason(self.application.sandbox)
        return response
