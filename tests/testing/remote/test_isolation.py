"""Isolated companies: nobody sees anything of the others, and nobody can disturb them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import SandboxServer
from sandbox.faults import Match, status
from sandbox.foundation.errors import NotFoundError, SharedSandboxError
from sandbox.journal.assertions.view import NotReceivedError
from sandbox.state.seed import parse_seed
from sandbox.testing.handle import Patchworks
from tests.testing.remote.conftest import Client

PRESET = "two-503s-then-fine"


@pytest.fixture
def mine(patchworks: Patchworks) -> Patchworks:
    return patchworks.isolated()


@pytest.fixture
def theirs(patchworks: Patchworks) -> Patchworks:
    return patchworks.isolated()


def test_company_is_a_copy_with_a_name_of_its_own(patchworks: Patchworks, mine: Patchworks, theirs: Patchworks) -> None:
    assert (patchworks.company, mine.company, theirs.company) == ("acme", "acme-ltd", "acme-ltd-2")
    client = Client(mine)

    assert client.post({}, "orders") == 422
    assert mine.inbound("orders").url == f"{patchworks.base_url}/v1/acme-ltd/orders"


def test_requests_of_others_are_not_seen(mine: Patchworks, theirs: Patchworks) -> None:
    client = Client(theirs)
    client.post(1)
    client.ask_for_token(client_secret="wrong")

    assert (len(mine.requests), len(theirs.requests)) == (0, 3)
    assert (list(mine.rejected), mine.tokens, list(mine.contract_violations)) == ([], [], [])
    mine.token_requests.assert_nothing_received()


def test_wait_does_not_end_with_what_others_do(mine: Patchworks, theirs: Patchworks) -> None:
    Client(theirs)

    with pytest.raises(NotReceivedError, match=r"within 0\.05 s"):
        mine.token_requests.wait_for(1, timeout=0.05)
    Client(mine)
    assert [entry.client_id for entry in mine.token_requests.wait_for(1, timeout=10)] == [mine.client_id]


def test_requests_at_each_others_urls_are_seen_by_both(mine: Patchworks, theirs: Patchworks) -> None:
    client = Client(mine)
    client.patchworks = theirs
    assert client.post(1) == 403

    assert [entry.status for entry in mine.rejected] == [403]
    assert [entry.status for entry in theirs.rejected] == [403]


def test_faults_act_for_oneself_only(mine: Patchworks, theirs: Patchworks) -> None:
    my_client, their_client = Client(mine), Client(theirs)
    rules = [mine.faults.add(status(503), endpoint="inbound"), *mine.faults.preset("two-503s-then-fine")]

    assert (my_client.post(1), their_client.post(1)) == (503, 200)
    assert (len(mine.faults), len(theirs.faults)) == (len(rules), 0)
    with pytest.raises(NotFoundError):
        theirs.faults.remove(rules[0])
    theirs.faults.clear()
    assert my_client.post(1) == 503
    mine.faults.clear()
    assert my_client.post(1) == 200


def test_tokens_of_others_are_not_revoked(mine: Patchworks, theirs: Patchworks) -> None:
    my_client, their_client = Client(mine), Client(theirs)
    mine.revoke_tokens()

    assert (my_client.post(1), their_client.post(1)) == (401, 200)


@pytest.mark.parametrize(
    "disturb",
    [
        lambda patchworks: patchworks.clock.advance(hours=24),
        lambda patchworks: patchworks.clock.travel_to("2027-01-01T00:00:00Z"),
        lambda patchworks: patchworks.clock.freeze(),
        lambda patchworks: patchworks.clock.unfreeze(),
        lambda patchworks: patchworks.clock.set_rate(2),
        lambda patchworks: patchworks.clock.follow(),
        lambda patchworks: patchworks.clock.reset(),
        lambda patchworks: patchworks.travel(hours=24),
        lambda patchworks: patchworks.configure(success_status=201),
        lambda patchworks: patchworks.reset(),
    ],
    ids=["advance", "travel_to", "freeze", "unfreeze", "rate", "follow", "clock reset", "travel", "settings", "reset"],
)
def test_what_would_disturb_others_is_refused(disturb: Callable[[Patchworks], object], mine: Patchworks) -> None:
    with pytest.raises(SharedSandboxError, match=r"would disturb the other tests .* revoke_tokens\(\)"):
        disturb(mine)


def test_clock_can_be_read(patchworks: Patchworks, mine: Patchworks) -> None:
    patchworks.clock.freeze()

    assert (mine.clock.now(), mine.clock.timestamp()) == (patchworks.clock.now(), patchworks.clock.timestamp())
    assert (mine.clock.frozen, mine.clock.rate) == (True, 1.0)


SEED = {
    "companies": [
        {
            "name": "Beta Ltd",
            "slug": "acme",
            "connectors": [
                {
                    "name": "Shop",
                    "entities": [{"type": "orders", "name": "orders", "json_schema": {"required": ["order"]}}],
                    "oauth_clients": [{"name": "Till", "client_secret": "a-secret-of-ours"}],
                    "services": [{"vanity_url": "returns", "entity": "orders"}],
                }
            ],
        }
    ]
}


def test_company_may_come_from_a_seed(patchworks: Patchworks) -> None:
    mine = patchworks.isolated(parse_seed(SEED))
    client = Client(mine)

    assert mine.company == "beta-ltd"
    assert (client.post({}, "returns"), client.post({"order": 1}, "returns")) == (422, 200)


def test_seed_is_planted_anew_by_a_reset_where_nobody_else_is(patchworks: Patchworks) -> None:
    mine = patchworks.isolated(parse_seed(SEED), shared=False)
    Client(mine).post({"order": 1}, "returns")
    mine.clock.advance(hours=1)
    mine.configure(success_status=201)
    mine.reset()

    assert len(mine.requests) == 0
    assert Client(mine).post({"order": 1}, "returns") == 200


def test_copy_of_an_isolated_company_is_isolated_too(mine: Patchworks) -> None:
    other = mine.isolated()
    Client(other).post(1)

    assert (len(mine.requests), len(other.requests)) == (0, 2)


def test_company_without_a_client_says_so_where_one_is_needed(patchworks: Patchworks) -> None:
    mine = patchworks.isolated(parse_seed({"companies": [{"name": "Beta Ltd", "connectors": [{"name": "Shop"}]}]}))
    for needing in (lambda: mine.client_id, lambda: mine.faults.add(status(503)), lambda: mine.faults.preset(PRESET)):
        with pytest.raises(NotFoundError, match="there is no OAuth client of company beta-ltd"):
            needing()

    assert len(patchworks.faults) == 0


def test_rule_for_ones_own_company_may_name_it(mine: Patchworks, theirs: Patchworks) -> None:
    my_client, their_client = Client(mine), Client(theirs)
    rule = mine.faults.add(status(503), company=mine.company)

    assert (my_client.post(1), their_client.post(1)) == (503, 200)
    assert mine.faults.get(rule).rule.match == Match(company=mine.company)


def test_what_was_sent_to_the_url_of_another_company_is_seen_there_by_its_sender(
    patchworks: Patchworks, mine: Patchworks, theirs: Patchworks
) -> None:
    my_client, their_client = Client(mine), Client(theirs)
    their_client.post(1)
    my_client.post(2)
    my_client.patchworks = theirs
    my_client.post(3)

    seen = mine.inbound("anything", theirs.company).requests
    assert [(entry.client_id, entry.status) for entry in seen] == [(mine.client_id, 403)]


def test_sandbox_and_application_are_those_of_all(server: SandboxServer) -> None:
    mine = server.patchworks.isolated()

    assert mine.sandbox is server.sandbox
    assert mine.wsgi is server.patchworks.wsgi
