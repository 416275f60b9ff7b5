"""Asserting that requests conform to the contract, by a handle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.foundation.errors import InvalidValueError
from sandbox.journal.contract_rules import RULES
from sandbox.testing.contract import MAX_REQUESTS, NotConformingError, UnjudgedError
from sandbox.testing.handle import Patchworks
from tests.conftest import Integration, handle_at

ACCEPT = {"Accept": "application/json"}


@pytest.fixture
def patchworks(integration: Integration) -> Patchworks:
    return handle_at("http://localhost", integration.sandbox)


def problem(check: Callable[[], object]) -> str:
    with pytest.raises(NotConformingError) as raised:
        check()
    return str(raised.value)


def test_conforming_requests_pass(integration: Integration, patchworks: Patchworks) -> None:
    integration.post({"order": "1001"}, Accept="application/json", token="x")

    patchworks.assert_contract()
    assert patchworks.contract_violations == []


def test_failure_lists_request_code_what_was_sent_and_what_the_contract_says(
    integration: Integration, patchworks: Patchworks
) -> None:
    integration.http.get("/oauth/token", query_string=integration.credentials(tenant="x"), headers=ACCEPT)
    integration.http.get("/oauth/token", query_string=integration.credentials(tenant="x"))

    assert problem(patchworks.assert_contract).replace(RULES["no_accept_json"].remedy, "…").splitlines() == [
        "2 of 2 requests do not conform to the contract (openapi.yaml):",
        "  #1 GET /oauth/token",
        "      unknown_query_parameter: the contract has no query parameter 'tenant' here",
        "          contract: The query has no parameters but the documented ones.",
        "          remedy: Leave it out: nothing reads it.",
        "  #2 GET /oauth/token",
        "      no_accept_json: there is no Accept header",
        "          contract: The header `Accept` names `application/json`; a wildcard does not.",
        "          remedy: …",
        "      unknown_query_parameter: the contract has no query parameter 'tenant' here",
    ]


def test_failure_of_many_requests_is_bounded(integration: Integration, patchworks: Patchworks) -> None:
    for _ in range(MAX_REQUESTS + 2):
        integration.http.get(f"/{'x' * 1000}")

    lines = problem(patchworks.assert_contract).splitlines()
    assert lines[-1] == "  and 2 more requests"
    assert max(map(len, lines)) <= 240


def test_codes_may_be_allowed(integration: Integration, patchworks: Patchworks) -> None:
    integration.request_token()

    patchworks.assert_contract(allow={"no_accept_json"})
    patchworks.assert_contract(allow="no_accept_json")
    with pytest.raises(InvalidValueError, match="did you mean 'no_accept_json'"):
        patchworks.assert_contract(allow={"no_acept_json"})


def test_empty_journal_is_no_pass(integration: Integration, patchworks: Patchworks) -> None:
    patchworks.assert_contract(at_least=0)
    assert "no request came, and at least 1" in problem(patchworks.assert_contract)
    integration.post(token="x", Accept="application/json", Content_Type="text/plain")
    patchworks.assert_contract()
    assert "1 request came, and at least 2" in problem(lambda: patchworks.assert_contract(at_least=2))


def test_overflowing_journal_is_no_pass(integration: Integration, patchworks: Patchworks) -> None:
    integration.sandbox.change_settings({"journal_entries": 2})
    integration.request_token()
    for _ in range(5):
        integration.post({"a": 1}, token="x", Accept="application/json")

    assert "up to 4 requests were not held against the contract" in problem(patchworks.assert_contract)
    with pytest.raises(UnjudgedError, match="up to 4 requests were not held"):
        len(patchworks.contract_violations)
    integration.request_token()
    assert [found.code for found in patchworks.contract_violations] == ["no_accept_json"]


def test_representation_is_so_short_that_pytest_does_not_cut_it(
    integration: Integration, patchworks: Patchworks
) -> None:
    integration.request_token()
    assert repr(patchworks.contract_violations) == "[#1 no_accept_json]"
    for _ in range(100):
        integration.http.get("/oauth/token?tenant=x")

    assert repr(patchworks.contract_violations).startswith("[#1 no_accept_json, #2 no_accept_json, ")
    assert len(repr(patchworks.contract_violations)) < 240


def test_isolated_company_counts_its_own_requests(integration: Integration, patchworks: Patchworks) -> None:
    mine = patchworks.isolated()
    integration.request_token()
    assert "no request came" in problem(mine.assert_contract)
    integration.http.post(mine.inbound("anything").url.removeprefix("http://localhost"), data=b"x")

    assert problem(mine.assert_contract).startswith("1 of 1 requests does not conform")


def test_story_marks_requests_with_their_violations(integration: Integration, patchworks: Patchworks) -> None:
    integration.request_token()
    integration.http.get("/oauth/token?tenant=x", headers=ACCEPT)

    assert "!" not in patchworks.story()
    first, second = patchworks.story(contract=True).splitlines()
    assert first == "#1 POST /oauth/token -> 200 accepted ! no_accept_json"
    assert second.endswith(" ! missing_field ! missing_credentials ! unknown_query_parameter")
