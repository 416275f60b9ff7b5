"""An integration whose every request and answer Prism holds against openapi.yaml, as a proxy before a sandbox.

Usage: through_prism.py PRISM SPEC READY_FILE
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples" / "order_push"))

from order_push import OrderPusher  # noqa: E402 - it is not installed

READY_WITHIN_S = 60
FORM = "application/x-www-form-urlencoded"


class Answer(NamedTuple):
    """An answer, with what Prism found wrong with it or with its request."""

    status: int
    body: Any
    violations: list[dict[str, Any]]


def send(method: str, url: str, body: str | None = None, **headers: str) -> Answer:
    """Send a request, of which the status says nothing yet."""
    named = {name.replace("_", "-"): value for name, value in {"Accept": "application/json", **headers}.items()}
    request = urllib.request.Request(url, None if body is None else body.encode(), named, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        response = opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        violations = json.loads(response.headers.get("sl-violations") or "[]")
        return Answer(response.status, json.loads(response.read()), violations)


@contextmanager
def prism(command: str, spec: str, upstream: str, *options: str) -> Iterator[str]:
    """Run Prism as a proxy on a free port; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    proxy = subprocess.Popen(
        [command, "proxy", spec, upstream, "--host", "127.0.0.1", "--port", str(port), *options],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or proxy.poll() is not None:
                    raise SystemExit(f"Prism did not start; exit status so far: {proxy.poll()}") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.kill()
        proxy.wait()


def conforming(base_url: str, credentials: dict[str, str]) -> Iterator[tuple[str, Answer, int]]:
    """Do what an integration does, the ways it may be done; yield each answer with the status it should have."""
    token_url, parameters = f"{base_url}/oauth/token", {"grant_type": "client_credentials", **credentials}
    form = urllib.parse.urlencode(parameters)
    yield "a token by GET", send("GET", f"{token_url}?{form}"), 200
    yield (
        "a token by a JSON body",
        send("POST", token_url, json.dumps(parameters), Content_Type="application/json"),
        200,
    )
    token = send("POST", token_url, form, Content_Type=FORM)
    yield "a token by a form", token, 200

    bearer = {"Authorization": f"Bearer {token.body['access_token']}"}
    payload, url = json.dumps({"order": "prism"}), f"{base_url}/v1/acme/anything"
    yield "a payload", send("POST", url, payload, Content_Type="application/json", **bearer), 200
    yield "a payload that is not JSON", send("POST", url, "order;prism", Content_Type="text/csv", **bearer), 200
    orders = f"{base_url}/v1/acme/orders"
    yield "another entity's payload", send("POST", orders, payload, Content_Type="application/json", **bearer), 422
    stale = {"Authorization": "Bearer stale"}
    yield "an unknown token", send("POST", url, payload, Content_Type="application/json", **stale), 401
    wrong = urllib.parse.urlencode({**parameters, "client_secret": "wrong"})
    yield "a wrong secret", send("POST", token_url, wrong, Content_Type=FORM), 401


def violating(base_url: str) -> Iterator[tuple[str, Answer]]:
    """Do what the contract does not allow: Prism has to notice, or it notices nothing."""
    form = "grant_type=password&username=a&password=b"
    yield "a grant that there is not", send("POST", f"{base_url}/oauth/token", form, Content_Type=FORM)
    yield "a token without a grant", send("GET", f"{base_url}/oauth/token?client_id=a")


def push_order(base_url: str, credentials: dict[str, str]) -> None:
    """Let the example integration work; where Prism answers a violation with an error it raises."""
    pusher = OrderPusher(
        token_url=f"{base_url}/oauth/token", inbound_url=f"{base_url}/v1/acme/orders", **credentials, attempts=1
    )
    with closing(pusher):
        pusher.push(json.loads((ROOT / "fixtures/orders/order.json").read_text(encoding="utf-8")))
    print("pushed an order")


def main() -> None:
    """Fail on the first violation that should not be, and on the first that should."""
    command, spec, ready_file = sys.argv[1:]
    ready = json.loads(Path(ready_file).read_text(encoding="utf-8"))
    credentials = {name: ready[name] for name in ("client_id", "client_secret")}
    with prism(command, spec, ready["base_url"]) as base_url:
        for what, answer, status in conforming(base_url, credentials):
            if answer.violations or answer.status != status:
                raise SystemExit(f"{what}: expected {status} and no violation, got {answer}")
            print(f"{status} {what}")
        for what, answer in violating(base_url):
            if not any(violation["location"][0] == "request" for violation in answer.violations):
                raise SystemExit(f"{what}: Prism did not notice; {answer}")
            print(f"noticed: {what}")
    with prism(command, spec, ready["base_url"], "--errors") as base_url:
        push_order(base_url, credentials)


if __name__ == "__main__":
    main()
