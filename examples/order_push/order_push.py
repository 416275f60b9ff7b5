"""Push orders to a Patchworks inbound URL, with one token a day and retries that end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from typing_extensions import Self

REFRESH_EARLY_S = 60
FIRST_WAIT_S = 1
LONGEST_WAIT_S = 120
TIMEOUT_S = (5, 30)  # to connect, to wait for data


class PushError(Exception):
    """An order was not delivered."""


class AuthenticationError(PushError):
    """The client id and secret, or a token got with them, are refused."""


class UnavailableError(PushError):
    """No useful answer in any attempt; the last may have arrived all the same."""


class OrderRefusedError(PushError):
    """The order does not match its entity; ``errors`` has the messages of each field."""

    def __init__(self, message: str, errors: Mapping[str, list[str]]) -> None:
        self.errors = errors
        super().__init__("; ".join([message, *(f"{field}: {' '.join(texts)}" for field, texts in errors.items())]))


class OrderPusher:
    """Sends orders with the client credentials of an Inbound API connector. Use one in each thread."""

    def __init__(
        self,
        *,
        token_url: str,
        inbound_url: str,
        client_id: str,
        client_secret: str,
        attempts: int = 4,
        timeout: tuple[float, float] = TIMEOUT_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._token_url = token_url
        self._inbound_url = inbound_url
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._attempts = attempts
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"  # or errors may come as HTML pages
        self._token = ""
        self._refresh_at = clock()

    def push(self, order: Mapping[str, Any]) -> None:
        """Deliver ``order``, at least once; raise :class:`PushError` if that fails."""
        body = encode(order)
        response = self._post_order(body)
        if response.status_code == 401:  # the token was revoked, or expired sooner than it said
            self._token = ""
            response = self._post_order(body)
        if response.status_code < 300:
            return
        answer = _json_object(response)
        message = f"{self._inbound_url} answered {response.status_code}: {answer.get('message', response.reason)}"
        if response.status_code == 401:
            raise AuthenticationError(f"{message} (with a new token)")
        if response.status_code == 422:
            raise OrderRefusedError(message, answer.get("errors") or {})
        raise PushError(message)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _post_order(self, body: bytes) -> requests.Response:
        headers = {
            "Authorization": f"Bearer {self._access_token()}",
            "Content-Type": "application/json",
        }
        return self._post(self._inbound_url, data=body, headers=headers)

    def _access_token(self) -> str:
        if not self._token or self._clock() >= self._refresh_at:
            asked_at = self._clock()
            form = {"grant_type": "client_credentials", "scope": "access-inbound", **self._credentials}
            response = self._post(self._token_url, data=form)
            answer = _json_object(response)
            if not response.ok or "access_token" not in answer:
                problem = answer.get("error_description") or answer.get("message") or response.reason
                raise AuthenticationError(
                    f"no token for client {self._credentials['client_id']}: {self._token_url} answered "
                    f"{response.status_code}: {problem}; check the client id, the secret and the URL"
                )
            self._token = answer["access_token"]
            self._refresh_at = asked_at + float(answer.get("expires_in", 0)) - REFRESH_EARLY_S
        return self._token

    def _post(self, url: str, **request: Any) -> requests.Response:
        """POST until there is an answer worth having: not 429, not 5xx, not a broken connection."""
        request |= {"timeout": self._timeout, "allow_redirects": False}  # a redirect would turn the POST into a GET
        problem = ""
        for attempt in range(self._attempts):
            wait = min(FIRST_WAIT_S * 2.0**attempt, LONGEST_WAIT_S)
            try:
                response = self._session.post(url, **request)
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                problem = str(error)
            else:
                if response.status_code != 429 and response.status_code < 500:
                    return response
                problem = f"it answered {response.status_code}"
                wait = _retry_after_s(response) or wait
            if attempt + 1 == self._attempts or wait > LONGEST_WAIT_S:
                break
            self._sleep(wait)
        raise UnavailableError(f"gave up on {url}: {problem}")


def encode(order: Mapping[str, Any]) -> bytes:
    """Return the body that is sent for ``order``."""
    return json.dumps(order, ensure_ascii=False, allow_nan=False).encode()


def _retry_after_s(response: requests.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isdecimal() else None


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
