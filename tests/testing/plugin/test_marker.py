"""``@pytest.mark.patchworks`` and the fixtures beside ``patchworks``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.testing.plugin.running import run

pytest_plugins = ["pytester"]


def test_marker_grants_a_seed_settings_and_faults_for_one_test(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
from sandbox.faults import status

SEED = {"companies": [{"name": "Beta", "connectors": [{
    "name": "Shop",
    "entities": [{"type": "any", "name": "anything"}],
    "oauth_clients": [{"name": "Tests", "client_secret": "a-secret-of-ours"}],
    "services": [{"vanity_url": "anything", "entity": "anything"}],
}]}]}

pytestmark = pytest.mark.patchworks(settings={"success_status": 201})

def test_settings_of_the_module(patchworks):
    assert push(patchworks, {"a": 1}) == 201

@pytest.mark.patchworks(seed=SEED, settings={"token_path": "/auth/token"})
def test_seed(patchworks):
    assert push(patchworks, {"a": 1}) == 200
    assert patchworks.client_secret == "a-secret-of-ours"
    assert patchworks.token_url.endswith("/auth/token")
    assert patchworks.inbound("anything").url.endswith("/v1/beta/anything")

@pytest.mark.patchworks(faults=[status(503), "payload-could-not-be-stored"])
def test_faults(patchworks):
    assert push(patchworks, {"a": 1}) == 201 or len(patchworks.faults) > 1

RULE = {"fault": {"kind": "status", "code": 418}, "match": {"endpoint": "inbound"}, "times": 1}

@pytest.mark.patchworks(faults=[RULE])
def test_rule(patchworks):
    assert push(patchworks, {"a": 1}) == 418
    assert push(patchworks, {"a": 1}) == 201

@pytest.mark.patchworks(isolate=True, settings={})
def test_isolated(patchworks):
    assert push(patchworks, {"a": 1}) == 200
    assert patchworks.company == "acme-ltd"

def test_nothing_is_left(patchworks):
    assert push(patchworks, {"a": 1}) == 201
    assert (patchworks.company, len(patchworks.faults)) == ("acme", 0)
""",
    )

    result.assert_outcomes(passed=6)


def test_seed_of_a_marker_may_be_a_file(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "own.yaml").write_text("companies: [{name: Gamma}]")
    result = run(
        pytester,
        """
@pytest.mark.patchworks(seed="own.yaml")
def test_own(patchworks):
    assert patchworks.company == "gamma"
""",
    )

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "sed={}",
            "*sed: there is no such argument of the patchworks marker; did you mean 'seed'? known: seed, settings, *",
        ),
        ("{}", "*the arguments of the patchworks marker have names: *"),
        ("isolate=True, settings={'success_status': 201}", "*use none with isolate*"),
    ],
    ids=["unknown", "without a name", "settings of a shared sandbox"],
)
def test_marker_that_makes_no_sense_is_refused(arguments: str, message: str, pytester: pytest.Pytester) -> None:
    result = run(pytester, f"@pytest.mark.patchworks({arguments})\ndef test_typo(patchworks): pass\n")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_factory_makes_sandboxes_that_never_meet(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
def test_two(patchworks, patchworks_factory):
    old, seeded = patchworks_factory(wire_profile="legacy"), patchworks_factory({"companies": [{"name": "Beta"}]})
    push(old, {"order": "1001"})
    assert [len(handle.requests) for handle in (patchworks, old, seeded)] == [0, 2, 0]
    assert (old.sandbox.settings.wire_profile, seeded.company) == ("legacy", "beta")
    pytest.fail("on purpose")
""",
    )

    result.assert_outcomes(failed=1)
    assert "on purpose" in result.stdout.str()
    assert result.stdout.str().count("- requests to http://127.0.0.1:") == 1
    assert result.stdout.str().count("- requests to the sandbox, of which no URL was asked for -") == 2


def test_environment_configures_a_process(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        client="""
        import json, os, urllib.parse, urllib.request

        form = {
            "grant_type": "client_credentials",
            "client_id": os.environ["PATCHWORKS_CLIENT_ID"],
            "client_secret": os.environ["PATCHWORKS_CLIENT_SECRET"],
        }
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(os.environ["PATCHWORKS_TOKEN_URL"], body) as answer:
            headers = {"Authorization": "Bearer " + json.load(answer)["access_token"]}
        request = urllib.request.Request(os.environ["PATCHWORKS_INBOUND_URL_ANYTHING"], b"hello", headers)
        urllib.request.urlopen(request).close()
        """
    )
    result = run(
        pytester,
        """
import os, subprocess, sys

def test_process(patchworks):
    subprocess.run([sys.executable, "client.py"], env={**os.environ, **patchworks.env}, check=True)
    patchworks.inbound("anything").assert_received(text="hello", times=1)
""",
    )

    result.assert_outcomes(passed=1)


def test_marker_lets_the_sandbox_take_the_place_of_the_platform(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.patchworks(intercept="strict")
def test_production_configuration(patchworks):
    answer = requests.post("https://inbound.pwks.co/v1/acme/anything", timeout=10)
    assert answer.status_code == 401
    patchworks.inbound("anything").assert_received(reason="no_token", times=1)
    with pytest.raises(requests.ConnectionError, match="refuses api.shop.example"):
        requests.get("https://api.shop.example", timeout=10)

@pytest.mark.patchworks(intercept="loosely")
def test_typo(patchworks):
    pass
""",
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(['*intercept: *loosely* is not allowed; use True, False or "strict"*'])
