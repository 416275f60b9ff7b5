"""The sandbox without sockets: mounted into a session of requests, or behind httpx's own WSGI transport."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import pytest
import requests
from msgspec.structs import replace

from sandbox import Sandbox
from sandbox.faults import Fault, connection_reset, empty_response, garbage_response, hang, status, truncated_body
from sandbox.testing.handle import Patchworks
from sandbox.testing.local import SandboxServer
from sandbox.testing.mounting import WSGIAdapter
from tests.conftest import handle_at


@pytest.fixture
def patchworks(sandbox: Sandbox) -> Patchworks:
    """A handle without a server."""
    return handle_at("http://sandbox", sandbox)


@pytest.fixture
def session(patchworks: Patchworks) -> requests.Session:
    session = requests.Session()
    patchworks.mount(session)
    return session


def bearer(patchworks: Patchworks, http: Any) -> dict[str, str]:
    form = {
        "grant_type": "client_credentials",
        "client_id": patchworks.client_id,
        "client_secret": patchworks.client_secret,
    }
    return {"Authorization": f"Bearer {http.post(patchworks.token_url, data=form).json()['access_token']}"}


def test_session_calls_the_sandbox(patchworks: Patchworks, session: requests.Session) -> None:
    headers = bearer(patchworks, session)
    answer = session.post(f"{patchworks.inbound('anything').url}?a=%20b", json={"größe": 1}, headers=headers)

    assert (answer.status_code, answer.reason) == (200, "OK")
    assert answer.json() == {"message": "Payload stored successfully."}
    assert answer.headers["content-type"] == "application/json"
    (entry,) = patchworks.inbound("anything")
    assert (entry.json, entry.query) == ({"größe": 1}, "a=%20b")
    assert dict(entry.headers)["Authorization"].startswith("Bearer sha256:")
    assert next(iter(entry.headers)) == ("Host", "sandbox")


@pytest.mark.parametrize(
    ("make_body", "sent"),
    [
        (lambda: b"x", b"x"),
        (lambda: "größe", "größe".encode()),
        (lambda: io.BytesIO(b"file"), b"file"),
        (lambda: iter([b"a", b"b"]), b"ab"),
        (lambda: None, b""),
    ],
    ids=["bytes", "text", "file", "parts", "none"],
)
def test_body_may_be_anything_that_requests_takes(
    make_body: Callable[[], Any], sent: bytes, patchworks: Patchworks, session: requests.Session
) -> None:
    headers = bearer(patchworks, session)
    session.post(patchworks.inbound("anything").url, data=make_body(), headers=headers)

    assert patchworks.inbound("anything")[0].body == sent


# --- beside the socket ----------------------------------------------------------------------------------------------

TOKEN, INBOUND = "/oauth/token", "/v1/acme/anything"

SENT: dict[str, Callable[[], dict[str, Any]]] = {
    "JSON": lambda: {"method": "POST", "path": INBOUND, "json": {"größe": 1}},
    "form": lambda: {"method": "POST", "path": TOKEN, "data": {"grant_type": "client_credentials", "scope": "ä b"}},
    "multipart": lambda: {
        "method": "POST",
        "path": TOKEN,
        "data": b'--b\r\nContent-Disposition: form-data; name="client_id"\r\n\r\nx\r\n--b--',
        "headers": {"Content-Type": "multipart/form-data; boundary=b"},
    },
    "Basic": lambda: {"method": "POST", "path": TOKEN, "auth": ("someone", "pä")},
    "text": lambda: {"method": "POST", "path": INBOUND, "data": "größe"},
    "file": lambda: {"method": "POST", "path": INBOUND, "data": io.BytesIO(b"file")},
    "parts": lambda: {"method": "POST", "path": INBOUND, "data": iter([b"a", b"bc"])},
    "no parts": lambda: {"method": "POST", "path": INBOUND, "data": iter([])},
    "nothing": lambda: {"method": "POST", "path": INBOUND},
    "query": lambda: {"method": "GET", "path": f"{TOKEN}?client_id=%20b&x", "params": {"größe": "a+b"}},
    "HEAD": lambda: {"method": "HEAD", "path": TOKEN},
    "OPTIONS": lambda: {"method": "OPTIONS", "path": INBOUND},
    "method of one's own": lambda: {"method": "PURGE", "path": INBOUND, "data": b"x"},
    "path": lambda: {"method": "POST", "path": "/v1/é%2Fa b//c/%zz;p=1", "json": 1},
    "fragment": lambda: {"method": "GET", "path": "/nowhere#there"},
    "headers": lambda: {
        "method": "POST",
        "path": INBOUND,
        "headers": {"X_Under": "1", "x-LOWER": "2", "X-Latin": "größe".encode("latin-1"), "X-Text": "größe"},
    },
    "host of one's own": lambda: {"method": "POST", "path": INBOUND, "headers": {"host": "inbound.pwks.co"}},
    "as little as can be": lambda: {
        "method": "POST",
        "path": INBOUND,
        "headers": {"User-Agent": None, "Accept-Encoding": None, "Accept": None, "Connection": None},
    },
    "cookies": lambda: {"method": "POST", "path": INBOUND, "cookies": {"a": "b", "c": "d"}},
    "control API": lambda: {"method": "GET", "path": "/_sandbox/health"},
}


@pytest.mark.parametrize("make", SENT.values(), ids=SENT.keys())
def test_request_and_answer_are_those_of_a_socket(make: Callable[[], dict[str, Any]], sandbox: Sandbox) -> None:
    sandbox.clock.freeze()
    with SandboxServer(sandbox) as server, requests.Session() as by_socket, requests.Session() as mounted:
        server.patchworks.mount(mounted)
        answers = []
        for session in (by_socket, mounted):
            request = make()
            request["url"] = server.base_url + request.pop("path")
            answers.append(session.request(**request))
        entries = [
            replace(entry, seq=0, received_at=0, wall_time=0, duration_ms=0) for entry in server.patchworks.requests
        ]

    one, other = ((x.status_code, x.reason, x.content, x.encoding, list(_lasting(x).items())) for x in answers)
    assert one == other
    assert entries[:1] == entries[1:]


def _lasting(answer: requests.Response) -> dict[str, str]:
    """The control API's answers tell the machine's time, and an id of the request."""
    varying = ("Date", "X-Request-Id") if "/_sandbox" in (answer.url or "") else ()
    return {name: value for name, value in answer.headers.items() if name not in varying}


def test_body_of_untold_length_is_sent_in_chunks(patchworks: Patchworks, session: requests.Session) -> None:
    url, headers = patchworks.inbound("anything").url, bearer(patchworks, session)
    prepared = session.prepare_request(requests.Request("POST", url, data=b"body", headers=headers))
    del prepared.headers["Content-Length"]
    session.send(prepared)

    assert patchworks.inbound("anything")[0].body == b"body"
    assert ("Transfer-Encoding", "chunked") in patchworks.inbound("anything")[0].headers


def test_rate_is_counted_per_address_as_on_a_socket(sandbox: Sandbox) -> None:
    with SandboxServer(sandbox) as server, requests.Session() as by_socket, requests.Session() as mounted:
        server.patchworks.configure(rate_limit=True, rate_limit_requests=2, rate_limit_key="ip")
        server.patchworks.mount(mounted)
        statuses = [session.post(server.patchworks.token_url).status_code for session in (by_socket, mounted) * 2]

    assert statuses == [400, 400, 429, 429]


@pytest.mark.parametrize("body", [io.StringIO("text"), iter(["te", "xt"])], ids=["text file", "parts of text"])
def test_text_may_come_from_a_file_or_in_parts(body: Any, patchworks: Patchworks, session: requests.Session) -> None:
    session.post(patchworks.inbound("anything").url, data=body, headers=bearer(patchworks, session))

    assert patchworks.inbound("anything")[0].body == b"text"


def test_header_that_no_wire_carries_is_refused(patchworks: Patchworks, session: requests.Session) -> None:
    with pytest.raises(UnicodeEncodeError):
        session.get(patchworks.token_url, headers={"X-Price": "5 €"})


def test_cookies_and_redirects_are_followed_by_the_session_alone() -> None:
    seen: list[tuple[str, str]] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        seen.append((environ["PATH_INFO"], environ.get("HTTP_COOKIE", "")))
        cookies = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")]
        to = [("Location", "/there")] if environ["PATH_INFO"] == "/here" else []
        write = start_response("302 Found" if to else "200 OK", [*cookies, *to])
        write(b"written, ")
        return (part for part in [b"then ", b"yielded"])

    session, other = requests.Session(), requests.Session()
    adapter = WSGIAdapter(app)
    for each in (session, other):
        each.mount("http://sandbox/", adapter)
    answer = session.get("http://sandbox/here")
    other.get("http://sandbox/there")

    assert (answer.url, answer.text, answer.history[0].status_code) == (
        "http://sandbox/there",
        "written, then yielded",
        302,
    )
    assert answer.raw.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert session.cookies.get_dict() == {"a": "1", "b": "2"}
    assert seen == [("/here", ""), ("/there", "a=1; b=2"), ("/there", "")]


def test_answer_is_closed_even_when_it_fails() -> None:
    class Failing:
        closed = False

        def __iter__(self) -> Any:
            yield b"a"
            raise ConnectionResetError("gone")

        def close(self) -> None:
            self.closed = True

    parts = Failing()

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return parts

    session = requests.Session()
    session.mount("http://sandbox/", WSGIAdapter(app))
    with pytest.raises(requests.ConnectionError, match="gone"):
        session.get("http://sandbox/")

    assert parts.closed


def test_what_an_authentication_repeats_goes_to_the_sandbox_too(
    patchworks: Patchworks, session: requests.Session
) -> None:
    answer = session.get(patchworks.token_url)

    assert isinstance(answer.connection, WSGIAdapter)


def test_answer_can_be_streamed(patchworks: Patchworks, session: requests.Session) -> None:
    with session.get(f"{patchworks.control_url}/requests", stream=True, headers={"Host": "localhost"}) as answer:
        assert b"".join(answer.iter_content(7)).startswith(b"{")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (connection_reset(), requests.ConnectionError),
        (empty_response(), requests.ConnectionError),
        (garbage_response(), requests.ConnectionError),
        (truncated_body(), requests.exceptions.ChunkedEncodingError),
        (hang(), requests.ReadTimeout),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_fault_raises_what_it_raises_on_a_socket(
    fault: Fault, error: type[Exception], patchworks: Patchworks, session: requests.Session
) -> None:
    headers = bearer(patchworks, session)
    patchworks.faults.add(fault)

    with pytest.raises(error):
        session.post(patchworks.inbound("anything").url, json={}, headers=headers)


def test_fault_that_answers_answers(patchworks: Patchworks, session: requests.Session) -> None:
    headers = bearer(patchworks, session)
    patchworks.faults.add(status(503, headers={"Retry-After": "7"}))
    answer = session.post(patchworks.inbound("anything").url, json={}, headers=headers)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_other_hosts_are_reached_as_ever(session: requests.Session) -> None:
    with pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:9/")


def test_transport_of_httpx_works_with_the_application(patchworks: Patchworks) -> None:
    with httpx.Client(transport=httpx.WSGITransport(patchworks.wsgi)) as client:
        answer = client.post(patchworks.inbound("anything").url, json=1, headers=bearer(patchworks, client))

    assert answer.status_code == 200
    assert patchworks.inbound("anything").payloads == [1]
