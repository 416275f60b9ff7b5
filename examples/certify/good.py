"""Push orders as a good client does: it waits, it ends, and it never reports an order as sent that was refused.

Everything comes from the environment, so the same file runs in production and under ``patchworks-sandbox certify``.
``PATCHWORKS_PAYLOADS`` is a file with a JSON object a line.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import requests
from urllib3.exceptions import HTTPError

ATTEMPTS = 5
FIRST_WAIT_S = 0.3
RENEW_EARLY_S = 60.0
DEADLINE_S = float(os.environ.get("DEADLINE_S", "3"))
"""Seconds for one request, to the last byte of its answer."""

T = TypeVar("T")


class StoppedError(Exception):
    """No retry helps."""


class FailedError(Exception):
    """Another attempt may help; ``wait_s`` is what the platform asks for."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Client:
    """Pushes orders with one token for all of them."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"
        self._token = ""
        self._renew_at = 0.0

    def push(self, order: dict[str, Any]) -> bool:
        """Push an order and return whether it was accepted; raise StoppedError where no other can arrive either."""
        status, answer = self._push_once(order)
        if status == 401:  # the token has expired, or was revoked: a new one, and one more attempt
            self._token = ""
            status, answer = self._push_once(order)
        if status == 401:
            raise StoppedError("a new token is refused too")
        if status >= 300:
            print(f"order {order.get('number')} is refused: {status} {answer.get('message')}", file=sys.stderr)
        return status < 300

    def _push_once(self, order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._access_token()}"}
        return _tried(lambda: self._post(os.environ["PATCHWORKS_INBOUND_URL"], json=order, headers=headers))

    def _access_token(self) -> str:
        if not self._token or time.monotonic() >= self._renew_at:
            asked_at = time.monotonic()
            form = {
                "grant_type": "client_credentials",
                "client_id": os.environ["PATCHWORKS_CLIENT_ID"],
                "client_secret": os.environ["PATCHWORKS_CLIENT_SECRET"],
            }
            status, answer = _tried(lambda: self._post(os.environ["PATCHWORKS_TOKEN_URL"], data=form))
            if status != 200 or "access_token" not in answer:
                raise StoppedError(f"no token: {status} {answer.get('error', '')}")
            self._token = answer["access_token"]
            self._renew_at = asked_at + _lifetime_s(answer) - RENEW_EARLY_S
        return self._token

    def _post(self, url: str, **request: Any) -> tuple[int, dict[str, Any]]:
        """POST once, within the deadline; return the status and the JSON of the answer."""
        deadline = time.monotonic() + DEADLINE_S
        request |= {"timeout": DEADLINE_S, "stream": True, "allow_redirects": False}
        body = b""
        try:
            with self._session.post(url, **request) as response:
                while piece := response.raw.read1(65_536):
                    body += piece
                    if time.monotonic() > deadline:  # a time-out for each read does not see an answer that drips
                        raise FailedError("the answer took too long")
        except (requests.RequestException, HTTPError, OSError) as error:
            raise FailedError(type(error).__name__) from None
        if response.status_code == 429 or response.status_code >= 500:
            wait = response.headers.get("Retry-After", "")
            raise FailedError(f"it answered {response.status_code}", float(wait) if wait.isdecimal() else None)
        try:
            answer = json.loads(body)
        except ValueError:  # a page of a proxy, or an answer that was cut off
            raise FailedError("the answer is no JSON") from None
        return response.status_code, answer if isinstance(answer, dict) else {}


def _tried(call: Callable[[], T]) -> T:
    """Return what a call returns, after as many attempts as needed; raise StoppedError after the last."""
    problem = FailedError("not tried")
    for attempt in range(ATTEMPTS):
        if attempt:
            wait = FIRST_WAIT_S * 2.0**attempt
            time.sleep(problem.wait_s or random.uniform(wait / 2, wait))
        try:
            return call()
        except FailedError as error:
            problem = error
    raise StoppedError(f"gave up after {ATTEMPTS} attempts: {problem}")


def _lifetime_s(answer: dict[str, Any]) -> float:
    try:
        return float(answer.get("expires_in", 3600))
    except (TypeError, ValueError):
        return 3600.0


def main() -> int:
    """Push every order of the file; return 0 when all of them were accepted."""
    path = Path(os.environ.get("PATCHWORKS_PAYLOADS") or Path(__file__).with_name("orders.ndjson"))
    orders = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    client = Client()
    try:
        accepted = [client.push(order) for order in orders]
    except StoppedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if all(accepted) else 1


if __name__ == "__main__":
    sys.exit(main())
