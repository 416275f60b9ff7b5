"""The views of the fixture, over a socket as an integration meets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox import Sandbox, SandboxServer
from sandbox.journal.assertions.view import NotReceivedError
from sandbox.testing.handle import Patchworks


@pytest.fixture
def patchworks(sandbox: Sandbox) -> Iterator[Patchworks]:
    with SandboxServer(sandbox) as server:
        yield server.patchworks


def get_token(patchworks: Patchworks, **changes: str) -> str:
    credentials = {"client_id": patchworks.client_id, "client_secret": patchworks.client_secret, **changes}
    answer = requests.post(patchworks.token_url, {"grant_type": "client_credentials", **credentials}, timeout=5)
    return str(answer.json().get("access_token"))


def post(patchworks: Patchworks, token: str, payload: object) -> int:
    url, headers = patchworks.inbound("anything").url, {"Authorization": f"Bearer {token}"}
    return requests.post(url, json=payload, headers=headers, timeout=5).status_code


def test_view_is_a_sequence_of_entries(patchworks: Patchworks) -> None:
    token = get_token(patchworks)
    view = patchworks.inbound("anything")
    assert (len(view), list(view), view.payloads) == (0, [], [])
    for payload in (1, 2, 3):
        post(patchworks, token, payload)

    assert [entry.json for entry in view] == [1, 2, 3]
    assert (len(view), view[0].json, view[-1].json, [entry.json for entry in view[1:]]) == (3, 1, 3, [2, 3])
    assert (view.first, view.last) == (view.requests[0], view.requests[-1])
    assert view == view.requests
    assert repr(view) == "<3 requests to /v1/acme/anything: #2 200 accepted, #3 200 accepted, #4 200 accepted>"


def test_view_from_before_a_reset_shows_what_came_after_it(patchworks: Patchworks) -> None:
    view = patchworks.inbound("anything")
    post(patchworks, get_token(patchworks), 1)
    patchworks.reset()
    post(patchworks, get_token(patchworks), 2)

    assert view.payloads == [2]


def test_token_requests_and_rejections_can_be_asserted_on(patchworks: Patchworks) -> None:
    post(patchworks, get_token(patchworks, client_secret="wrong"), 1)
    get_token(patchworks)

    patchworks.token_requests.assert_received(times=2)
    patchworks.token_requests.assert_received(outcome="accepted", client_id=patchworks.client_id, times=1)
    patchworks.rejected.assert_received_in_order([{"reason": "wrong_secret"}, {"reason": "malformed_token"}])
    with pytest.raises(NotReceivedError, match="expected no requests refused"):
        patchworks.rejected.assert_nothing_received()


def test_entry_names_its_token_and_the_request_that_issued_it(patchworks: Patchworks) -> None:
    get_token(patchworks, client_secret="wrong")
    token = get_token(patchworks)
    patchworks.clock.freeze()
    post(patchworks, token, 1)
    patchworks.clock.travel_to(patchworks.clock.now())
    issued = patchworks.tokens[0]
    patchworks.clock.advance(seconds=issued.expires_at - patchworks.clock.timestamp() + 4)
    post(patchworks, token, 2)

    accepted, refused = patchworks.inbound("anything")
    assert accepted.token == refused.token
    assert (accepted.token_fingerprint, accepted.token_note) == (issued.fingerprint, "token of request 2")
    assert (refused.status, refused.token_note) == (401, "token of request 2, expired 4 s before")
    assert patchworks.token_requests[1].token == accepted.token


def test_tokens_tell_their_issue_expiry_uses_and_revocation(patchworks: Patchworks) -> None:
    token = get_token(patchworks)
    patchworks.sandbox.revoke_tokens()
    get_token(patchworks)
    post(patchworks, token, 1)
    other = get_token(patchworks)
    post(patchworks, other, 1)
    post(patchworks, other, 2)

    first, _, last = patchworks.tokens
    assert (first.request, first.uses, first.revoked) == (1, 0, "token_revoked: by the sandbox's user")
    assert (last.request, last.uses, last.revoked) == (4, 2, None)
    assert (last.client_id, last.scopes) == (patchworks.client_id, ("access-inbound",))
    assert last.expires_at - last.issued_at == 86_400
