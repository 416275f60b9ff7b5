"""Serve what pytest-httpserver's fixture serves, from a process of its own: PORT PATH ANSWER.

Runs in the environment of the peers, where nothing of the sandbox is.
"""

from __future__ import annotations

import sys
import threading

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

_, port, path, answer = sys.argv
server = HTTPServer(host="127.0.0.1", port=int(port), threaded=True)


def forget(request: Request) -> Response:
    server.clear_log()
    return Response(status=204)


server.expect_request(path, method="POST").respond_with_data(answer, content_type="application/json")
server.expect_request("/log", method="DELETE").respond_with_handler(forget)
server.start()
threading.Event().wait()
