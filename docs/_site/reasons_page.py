"""The page ``docs/reasons.md``, written from the table of reasons."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from sandbox.journal.reasons import REASONS, Reason

_HEAD: Final = """\
# Why was my request refused?

<!-- Written by `make specs` from sandbox/journal/reasons.py; do not edit. -->

The platform names no cause: every unusable token gets the same `401 {"message":"Unauthenticated."}`. The sandbox
answers with the same bytes and writes the cause into the `reason` of the journal entry. A reason is a code, often with
details after a colon: `token_expired: 12 s ago, at …`. Read it on the dashboard, or by one of these:

```sh
curl -s "http://127.0.0.1:8025/_sandbox/requests?outcome=rejected"
```

```console
$ patchworks-sandbox requests --outcome rejected
$ patchworks-sandbox show 2
```

```python
import requests

from sandbox import Patchworks


def test_a_refused_token_names_its_reason(patchworks: Patchworks) -> None:
    url = patchworks.inbound("anything").url
    requests.post(url, json={}, headers={"Authorization": "Bearer nonsense"}, timeout=5)

    patchworks.rejected.assert_received(reason="malformed_token", times=1)
```

If a [fault](faults.md) acted, the entry has the rule in `fault`, the answer of the client in `effect`, and the outcome
`faulted`.
"""


def reasons_page() -> str:
    """Return the table of reasons as the page ``docs/reasons.md``, by the status that a client gets."""
    lines = [_HEAD]
    rows = sorted(REASONS.items(), key=lambda row: (_heading(row[1]), row[0]))
    for heading, reasons in groupby(rows, key=lambda row: _heading(row[1])):
        lines += [f"## {heading}", ""]
        for code, reason in reasons:
            also = ", ".join(f"{status}" for status in reason.statuses[1:] if status)
            lines += [f"### {code}", "", reason.text, ""]
            lines += [f"Other statuses, by settings or by rule: {also}.", ""] if also else []
    return "\n".join(lines)


def _heading(reason: Reason) -> str:
    return f"Answered with {next(filter(None, reason.statuses))}"
