"""``wait``, ``verify``, ``duplicates`` and ``violations``, in this process against a server."""

from __future__ import annotations

import json
import threading

import pytest

from sandbox import SandboxServer
from sandbox.journal.contract_rules import RULES
from tests.cli.conftest import Run, push
from tests.journal.journals import exchange


def receive(server: SandboxServer, body: bytes = b'{"order": "1001"}', **notes: object) -> None:
    facts = {"path": "/v1/acme/orders", "company": "acme", "vanity_url": "orders", "accepted": True, "body": body}
    server.sandbox.journal.close(exchange(**{**facts, **notes}), 200, (), b"")


def test_wait_prints_what_was_received_already(run: Run, server: SandboxServer) -> None:
    receive(server)
    receive(server)

    lines = run("wait", "--service", "orders", "--count", "2", "--timeout", "0").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["#", "1", "2"]


def test_wait_ends_as_soon_as_a_request_comes(run: Run, server: SandboxServer) -> None:
    receive(server)
    later = threading.Timer(0.05, receive, [server])
    later.start()

    entry = json.loads(run("wait", "--after", "1", "--timeout", "60", "--json").stdout)

    later.join()
    assert (entry["seq"], entry["json"]) == (2, {"order": "1001"})


def test_wait_fails_when_the_time_is_up(run: Run, server: SandboxServer) -> None:
    receive(server)

    done = run("wait", "--count", "2", "--timeout", "0", exit_code=1)

    assert done.stderr == "Error: 1 of 2 requests came within 0 s\n"


@pytest.mark.parametrize(
    "options",
    [
        ["--service", "orders"],
        ["--contains", '{"order": "1001"}', "--times", "1"],
        ["--body", '{"order": "1001", "qty": 2}'],
        ["--body", "[1]", "--times", "0"],
        ["--text", '{"order": "1001", "qty": 2}'],
        ["--header", "X-Trace=a=b"],
        ["--method", "POST", "--at-least", "2", "--at-most", "2"],
        ["--accepted", "--times", "1"],
        ["--reason", "no_token"],
        ["--outcome", "rejected", "--after", "1"],
        ["--after", "2", "--times", "0"],
        ["--since", "1970-01-01T00:00:00Z", "--json-path", "$.qty"],
    ],
    ids=" ".join,
)
def test_verify_succeeds_when_the_requests_were_received(run: Run, server: SandboxServer, options: list[str]) -> None:
    receive(server, b'{"order": "1001", "qty": 2}', headers=(("X-Trace", "a=b"),))
    receive(server, b"{}", accepted=False, reason="no_token")

    assert run("verify", *options).stdout.startswith("verified: ")


def test_verify_fails_with_the_nearest_requests(run: Run, server: SandboxServer) -> None:
    receive(server)

    done = run("verify", "--body", '{"order": "1002"}', exit_code=1)
    answer = json.loads(run("verify", "--body", '{"order": "1002"}', "--json", exit_code=1).stdout)

    assert done.stdout == ""
    assert '$.order: expected "1002", got "1001"' in done.stderr
    assert [miss["seq"] for miss in answer["near_misses"]] == [1]


@pytest.mark.parametrize(
    ("options", "exit_code", "problem"),
    [
        (["--body", "{"], 2, "it is not JSON"),
        (["--header", "X-Trace"], 2, "'X-Trace' is not NAME=VALUE"),
        (["--times", "1", "--at-most", "2"], 1, "Use times alone, or at_least and at_most"),
        (["--body", "null"], 1, "null is not allowed"),
    ],
)
def test_question_that_makes_no_sense_is_refused(run: Run, options: list[str], exit_code: int, problem: str) -> None:
    assert problem in run("verify", *options, exit_code=exit_code).stderr


def test_duplicates_are_listed_with_their_requests(run: Run, server: SandboxServer) -> None:
    nothing = run("duplicates").stdout
    for body in (b'{"order": 1, "try": 1}', b'{"order": 1, "try": 2}', b'{"order": 2}'):
        receive(server, body)

    found = run("duplicates", "--json-path", "$.order", "--service", "orders").stdout.splitlines()
    (group,) = json.loads(run("duplicates", "--json-path", "$.order", "--json").stdout)["duplicates"]

    assert nothing == run("duplicates", "--by", "bytes").stdout == "no duplicates\n"
    assert found[1].split()[:2] == ["2", "/v1/acme/orders"]
    assert (group["count"], "entries" in group) == (2, False)


def test_violations_are_listed_one_a_line(run: Run, server: SandboxServer) -> None:
    nothing = run("violations").stdout
    push(server)

    lines = run("violations").stdout.splitlines()
    found = json.loads(run("violations", "--json").stdout)

    assert nothing == "no violations\n"
    assert lines[0].split() == ["#", "REQUEST", "CODE", "WHAT"]
    assert len(lines) - 1 == sum(len(request["violations"]) for request in found) > 0


def conforming(server: SandboxServer) -> None:
    headers = (("Accept", "application/json"), ("Authorization", "Bearer x"), ("Content-Type", "application/json"))
    receive(server, headers=headers)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [0, 0, 0, 0]),
        (["--fail"], [3, 0, 1, 3]),
        (["--fail", "--json"], [3, 0, 1, 3]),
        (["--fail-if-none-received"], [3, 0, 0, 0]),
        (["--fail", "--allow", "no_accept_json"], [3, 0, 1, 3]),
        (["--fail", *(f"--allow={code}" for code in RULES)], [3, 0, 0, 3]),
    ],
    ids=lambda value: " ".join(map(str, value))[:60],
)
def test_violations_end_with_a_code_that_an_empty_or_full_journal_does_not_pass(
    run: Run, server: SandboxServer, options: list[str], expected: list[int]
) -> None:
    empty, conforms, violates, overflows = expected
    run("violations", *options, exit_code=empty)
    conforming(server)
    run("violations", *options, exit_code=conforms)
    receive(server)
    run("violations", *options, exit_code=violates)
    server.sandbox.change_settings({"journal_entries": 1})
    conforming(server)
    conforming(server)
    run("violations", *options, exit_code=overflows)


def test_violations_of_every_route_count(run: Run, server: SandboxServer) -> None:
    receive(server, path="/V1/acme/orders", kind="other", subject={})

    assert run("violations", "--fail", exit_code=1).stdout.split("undocumented_path")[1:]


def test_violations_are_allowed_by_known_codes_only(run: Run, server: SandboxServer) -> None:
    told = run("violations", "--allow", "no_acept_json", exit_code=2).stderr

    assert "did you mean 'no_accept_json'?" in told


def test_attempts_of_a_payload_are_a_line_with_the_waits_between_them(run: Run, server: SandboxServer) -> None:
    receive(server, b'{"order": "1001"}', accepted=False, wall_time=10.0)
    receive(server, b'{"order": "1002"}', wall_time=11.0)
    receive(server, b'{"order": "1001"}', wall_time=100.0)

    told = run("attempts").stdout.splitlines()
    assert told[1:] == ["1      /v1/acme/orders  200 ·90.0 s· 200 stored"]
    (found,) = json.loads(run("attempts", "--json-path", "$.order", "--json").stdout)["attempts"]
    assert (found["key"], len(found["requests"]), found["stored"]) == ("1001", 2, 1)


def test_attempts_say_that_no_payload_came_twice(run: Run, server: SandboxServer) -> None:
    receive(server)

    assert run("attempts").stdout == "no payload was sent more than once\n"
