"""The page ``docs/certify.md``, written from the tables of checks and storms and from two recorded reports.

``python -m docs._site.certify_page`` records the reports anew: it certifies both example clients, which takes three
minutes. A slow test holds them against a fresh run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sandbox.testing.certify.checks import CHECKS
from sandbox.testing.certify.storms import load_storms

ROOT: Final = Path(__file__).parents[2]
RECORDED: Final = Path(__file__).parent / "certify"
CLIENTS: Final = {"good": (), "naive": ("--timeout", "12")}
"""The example clients, with the options they are certified with: a naive client takes every time-out to its end."""

_HEAD: Final = """\
# Certify your integration

<!-- Written by `make specs` from docs/_site/certify_page.py and sandbox/testing/certify; do not edit. -->

*Does it handle an expired token? Does it wait when it is asked to? Does it lose an order when the network breaks?*
`certify` answers such questions about an integration in any language, and shows the requests behind each answer:

```console
$ patchworks-sandbox certify --report certify.html -- php push_orders.php
```

It starts a sandbox of its own and runs the command once in each *storm*: a few fault rules, such as "the first
payload gets 429 with Retry-After: 3". After each run *checks* judge the requests in the journal. The command gets
its configuration in environment variables:

| variable | value |
|---|---|
| `PATCHWORKS_TOKEN_URL` | the token endpoint |
| `PATCHWORKS_CLIENT_ID`, `PATCHWORKS_CLIENT_SECRET` | the credentials |
| `PATCHWORKS_COMPANY` | the company |
| `PATCHWORKS_INBOUND_URL` | the inbound URL of the first service |
| `PATCHWORKS_INBOUND_URL_<VANITY_URL>` | the inbound URL of each service, such as `PATCHWORKS_INBOUND_URL_ORDERS` |
| `PATCHWORKS_STORM` | the name of the storm |
| `PATCHWORKS_PAYLOADS` | the path of the file of `--payloads`, for a client that reads a file or a queue |

The command must push a few payloads, the same in each run, and end. Three to ten are best: with one payload some
checks are not reached, and with a hundred each run takes long. Its exit code 0 must mean that every payload was
accepted.

`certify` recognises a payload by its body. If the body differs in each run or attempt, name a value that stays the
same: `--json-path '$.order'`. `--seed-file` loads your own companies and services. `--url` takes a sandbox that runs
already, and resets it.

## Verdicts

| verdict | meaning |
|---|---|
| PASS | the client kept the rule of the check in every storm that reached it |
| FAIL | the client broke the rule; the line names the storm and the requests |
| INFO | an observation, not a mistake: a client cannot avoid it |
| NOT REACHED | no fault of the storm acted, or the client sent too few requests; this is no pass |

The exit code is 0 if no check failed and one passed, 1 if one failed, and 2 if no check was reached or the command
cannot run. Rules compare counts, orders and ratios with the tolerances that they state, so a slow machine does not
change the verdicts on a good client. Waits are real time. `--timeout` replaces the time-outs of the storms; it stops
the client and its children.

`--report` writes one HTML file with the verdicts, the attempts on a timeline and the exchange behind each verdict;
`--junit`, `--sarif` and `--json` write files for programs. The HTML file has at most 1 MB and counts what it leaves
out. No report holds a secret.
"""

_EXAMPLES: Final = """\
## Two clients

The folder `examples/certify` of the source has a good client, in Python and in
Node, and a naive client, as a first version often is. Both push four orders.

The good one, after {good}:

```text
{good_report}
```

The naive one, after {naive}, with `--timeout 12`:

```text
{naive_report}
```
"""

_TAIL: Final = """\
## Your own storms

A storm is a YAML file. `--storms-dir` adds a folder of storms, and `--storms` selects storms by name. `certify` always
runs the calm storm first, and compares the other runs with the payloads of that run.

```yaml
title: A day passes
story: The token expires between the second payload and the third.
# Fault rules, as in docs/faults.md; this one delays an answer until the step is done.
rules:
  - match: {endpoint: inbound}
    fault: {kind: latency, seconds: 0.5}
    after: 1
    times: 1
# Acts upon the sandbox once so many payloads were received.
steps:
  - {after_payloads: 2, advance: 25h}
# Settings of the sandbox during the run.
settings: {}
timeout_s: 30
judges: [nothing_lost, no_duplicates]
```

`payloads: 5` is the number of payloads that must be stored, if it differs from the calm run.

## Search for more

`storm` draws faults at random and looks for a run in which the client does not end, loses a payload although its exit
code is 0, or sends one twice although no answer was lost. It then leaves out faults one by one, and prints the storm
that is left:

```console
$ patchworks-sandbox storm --seed 7 --minutes 1 -o storms/found.yaml \\
    -- python push_orders.py
$ patchworks-sandbox certify --storms-dir storms --storms found -- python push_orders.py
```

With a client that pushes a few payloads in a second, a minute reaches each kind of fault about once. The same seed
draws the same storms. An answer that takes up to two seconds, at once or in pieces, does not count as lost.

## In a test

`patchworks.certify` runs a function in the process of the test, with the handle of the sandbox as its argument. An
exception, or a returned number other than 0, is a failed run.

```python
import requests

from sandbox import Patchworks


def push(sandbox: Patchworks) -> None:
    login = sandbox.client_id, sandbox.client_secret
    form, headers = {"grant_type": "client_credentials"}, {"Accept": "application/json"}
    token_url, url = sandbox.token_url, sandbox.inbound("anything").url
    answer = requests.post(token_url, form, auth=login, headers=headers, timeout=5)
    headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    for number in ("1001", "1002"):
        answer = requests.post(url, json={"number": number}, headers=headers, timeout=5)
        answer.raise_for_status()


def test_push_uses_one_token_and_loses_nothing(patchworks: Patchworks) -> None:
    report = patchworks.certify(push, ["rate-limited", "connection-reset"])

    assert report.verdict("caches_token").verdict == "pass"
    assert [verdict.check for verdict in report.failed] == ["survives_reset"]
    assert report.verdict("honours_retry_after").verdict == "info"
```

`report.assert_passed()` fails the test and shows these verdicts. A command works too:
`patchworks.certify("node push.mjs")`.

## In CI

In GitHub Actions, run the command after [the action that installs the sandbox](how-to/github-actions.md). Keep
`certify.html` as an artifact, and upload the file of `--sarif` to code scanning.

GitLab shows `--junit certify.xml` as `artifacts: reports: junit`.

## Limits

A client that uses other hosts, or none of the variables, sends no request to the sandbox, so every check is NOT
REACHED. `certify` does not stop a child process that leaves the process group of the command. On Windows it stops only
the command itself, not its children.
"""


def certify_page() -> str:
    """Return the page with the tables of checks and storms and the recorded reports."""
    values = {name: (RECORDED / f"{name}.txt").read_text(encoding="utf-8").rstrip() for name in CLIENTS}
    reports = {f"{name}_report": text.partition("\n")[2] for name, text in values.items()}
    seconds = {name: text.partition("\n")[0] for name, text in values.items()}
    return "\n".join([_HEAD, *_checks(), *_storms(), _EXAMPLES.format(**reports, **seconds), _TAIL])


def _checks() -> Iterator[str]:
    yield from ("## Checks", "", "The ids are stable.", "")
    for check in CHECKS.values():
        storms = ", ".join(f"`{storm.name}`" for storm in load_storms().values() if check.name in storm.judges)
        yield from (f"### {check.name}", "", f"{check.rule} {check.advice}", "", f"Storms: {storms}.", "")


def _storms() -> Iterator[str]:
    yield from ("## Storms", "", "| name | what happens |", "|---|---|")
    yield from (f"| `{storm.name}` | {storm.story} |" for storm in load_storms().values())
    yield ""


def record(name: str) -> str:
    """Certify an example client and return the seconds it took, and the lines of its report."""
    options = [*CLIENTS[name], "--json", "/dev/null"]
    command = [sys.executable, "-m", "sandbox.cli", "certify", *options, "--", sys.executable]
    done = subprocess.run(
        [*command, f"examples/certify/{name}.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    seconds = sum(float(found) for found in re.findall(r"after ([\d.]+) s", done.stderr))
    return f"{seconds:.0f} seconds\n{done.stdout}"


if __name__ == "__main__":
    for client in CLIENTS:
        (RECORDED / f"{client}.txt").write_text(record(client), encoding="utf-8", newline="\n")
        print(f"recorded docs/_site/certify/{client}.txt")
