"""Every preset as the story it tells."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.faults.presets import load_presets
from tests.journeys.faults.test_in_process import Faulty

Story = Callable[[Faulty], None]
STORIES: dict[str, Story] = {}


def story(preset: str) -> Callable[[Story], Story]:
    def tell(function: Story) -> Story:
        STORIES[preset] = function
        return function

    return tell


def statuses(faulty: Faulty, count: int) -> list[int]:
    return [faulty.post().status_code for _ in range(count)]


def is_reset(faulty: Faulty) -> bool:
    try:
        return faulty.post().status_code != 200
    except ConnectionResetError:
        return True


def payloads_stored(faulty: Faulty) -> int:
    return sum(entry.accepted for entry in faulty.sandbox.journal.snapshot() if entry.kind == "inbound")


@story("token-expires-in-mid-batch")
def _(faulty: Faulty) -> None:
    assert statuses(faulty, 4) == [200, 200, 401, 401]
    faulty.token = faulty.good.token()
    assert statuses(faulty, 2) == [200, 200]


@story("rate-limited-for-a-minute")
def _(faulty: Faulty) -> None:
    faulty.sandbox.clock.advance(50)
    limited = faulty.post()
    assert limited.status_code == 429
    assert 9 <= int(limited.headers["Retry-After"]) <= 10
    assert faulty.request_token().status_code == 429
    faulty.sandbox.clock.advance(10)
    assert statuses(faulty, 1) == [200]
    assert faulty.request_token().status_code == 200


@story("maintenance-window")
def _(faulty: Faulty) -> None:
    down = faulty.post()
    assert (down.status_code, down.json) == (503, {"message": "Service Unavailable"})
    assert 299 <= int(down.headers["Retry-After"]) <= 300
    assert faulty.http.get("/elsewhere").status_code == 503
    faulty.sandbox.clock.advance(300)
    assert statuses(faulty, 1) == [200]


@story("two-503s-then-fine")
def _(faulty: Faulty) -> None:
    assert statuses(faulty, 3) == [503, 503, 200]
    assert payloads_stored(faulty) == 1


@story("accepted-but-the-answer-was-lost")
def _(faulty: Faulty) -> None:
    with pytest.raises(ConnectionResetError):
        faulty.post()
    assert statuses(faulty, 1) == [200]
    assert payloads_stored(faulty) == 2
    (group,) = faulty.good.control("GET", "/requests/duplicates").json["duplicates"]
    assert group["count"] == 2


@story("slow-platform")
def _(faulty: Faulty) -> None:
    (rule,) = faulty.sandbox.platform.faults.rules()
    waits = sorted(rule.rule.fault.draw(number / 1000) for number in range(1000))  # type: ignore[attr-defined]
    assert 0.75 < waits[500] < 0.85
    assert waits[-1] <= 10


@story("flaky-network")
def _(faulty: Faulty) -> None:
    resets = sum(is_reset(faulty) for _ in range(400))
    assert 5 <= resets <= 45


@story("credentials-revoked")
def _(faulty: Faulty) -> None:
    assert statuses(faulty, 2) == [401, 401]
    refused = faulty.request_token()
    assert (refused.status_code, refused.json["error"]) == (401, "invalid_client")  # type: ignore[index]


@story("html-answer")
def _(faulty: Faulty) -> None:
    page = faulty.post()
    assert (page.status_code, page.mimetype) == (502, "text/html")
    with pytest.raises(json.JSONDecodeError):
        json.loads(page.data)


@story("payload-could-not-be-stored")
def _(faulty: Faulty) -> None:
    failed = faulty.post()
    assert (failed.status_code, failed.json) == (
        500,
        {"error": "Storage is unavailable.", "message": "Payload could not be stored."},
    )
    assert payloads_stored(faulty) == 0
    assert statuses(faulty, 1) == [200]


@story("hanging-platform")
def _(faulty: Faulty) -> None:
    with pytest.raises(TimeoutError):
        faulty.post()
    assert statuses(faulty, 1) == [200]
    assert payloads_stored(faulty) == 1


@story("signing-key-rotated")
def _(faulty: Faulty) -> None:
    assert statuses(faulty, 2) == [401, 401]
    faulty.token = faulty.good.token()
    assert statuses(faulty, 1) == [200]


@story("broken-token-response")
def _(faulty: Faulty) -> None:
    answers: list[Any] = [faulty.request_token() for _ in range(4)]
    assert "expires_in" not in answers[0].json
    assert answers[1].json["expires_in"] == "soon"
    with pytest.raises(json.JSONDecodeError):
        json.loads(answers[2].data)
    assert answers[3].json["expires_in"] == 86400


def fronted(title: str, server: str = "") -> bytes:
    """The error page of nginx, or without the name of the server that of the load balancer."""
    rule = f"<hr><center>{server}</center>\r\n" if server else ""
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n{rule}"
        "</body>\r\n</html>\r\n"
    ).encode()


FRONTS = {
    "nginx-413-html": ("413 Request Entity Too Large", "nginx/1.22.1", "text/html", 183, False),
    "nginx-502": ("502 Bad Gateway", "nginx/1.22.1", "text/html", 157, False),
    "nginx-504": ("504 Gateway Time-out", "nginx/1.22.1", "text/html", 167, True),
    "alb-502": ("502 Bad Gateway", "awselb/2.0", "text/html", 122, False),
    "alb-503": ("503 Service Temporarily Unavailable", "awselb/2.0", "text/html", 162, False),
    "alb-504": ("504 Gateway Time-out", "awselb/2.0", "text/html", 132, True),
    "envoy-503": ("503 Service Unavailable", "envoy", "text/plain", 95, False),
    "envoy-504": ("504 Gateway Timeout", "envoy", "text/plain", 24, True),
    "cloudflare-502-text": ("502 Bad Gateway", "cloudflare", "text/plain; charset=UTF-8", 15, False),
    "php-warning-200": ("200 OK", "nginx/1.22.1", "text/html; charset=UTF-8", 206, False),
}
TEXTS = {
    "envoy-503": b"upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    "envoy-504": b"upstream request timeout",
    "cloudflare-502-text": b"error code: 502",
    "php-warning-200": (
        b"<br />\n<b>Warning</b>:  PHP Request Startup: POST Content-Length of 8388609 bytes exceeds the limit of "
        b"8388608 bytes in <b>Unknown</b> on line <b>0</b><br />\n"
        b'{\n    "message": "The POST data is too large."\n}'
    ),
}


def tell_of_front(name: str) -> Story:
    def tell(faulty: Faulty) -> None:
        status_line, server, content_type, size, stored = FRONTS[name]
        page = TEXTS.get(name) or fronted(status_line, server if server.startswith("nginx") else "")

        answers = [faulty.post(), faulty.http.get("/elsewhere")]

        for answer in answers:
            assert (answer.status, answer.data) == (status_line, page)
            assert len(answer.data) == size
            assert (answer.headers["Server"], answer.headers["Content-Type"]) == (server, content_type)
            assert "X-RateLimit-Limit" not in answer.headers
            assert "Cache-Control" not in answer.headers
        assert payloads_stored(faulty) == stored

    return tell


STORIES.update({name: tell_of_front(name) for name in FRONTS})


@story("chunked-answers")
def _(faulty: Faulty) -> None:
    answer = faulty.post()
    assert (answer.status_code, answer.json) == (200, {"message": "Payload stored successfully."})
    assert "Content-Length" not in answer.headers
    assert (answer.headers["Server"], answer.headers["X-Powered-By"]) == ("nginx/1.22.1", "PHP/8.2.36")
    assert payloads_stored(faulty) == 1


@story("compressed-answers")
def _(faulty: Faulty) -> None:
    plain, packed = faulty.post(), faulty.post(headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data


@pytest.mark.parametrize("name", load_presets())
def test_preset_tells_its_story(name: str, make_sandbox: Any) -> None:
    faulty = Faulty(make_sandbox(random_seed=3))
    preset = load_presets()[name]
    faulty.sandbox.platform.faults.add_all(preset.rules)

    STORIES[name](faulty)

    assert len(preset.story) > 80
    assert {entry.fault for entry in faulty.sandbox.journal.snapshot()} <= {None, name}


def test_story_is_told_for_every_preset_and_no_other() -> None:
    assert set(STORIES) == set(load_presets())
