"""The page ``docs/faults.md``, written from the kinds, the match and the rule themselves."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.faults import KINDS
from sandbox.faults.fault import Fault
from sandbox.faults.presets import Preset
from sandbox.faults.rules import FaultRule, Match
from sandbox.foundation.fields import Described, Field, fields_of
from sandbox.foundation.value_types import DURATIONS

_HEAD: Final = """\
# Faults

<!-- Written by `make specs` from sandbox/faults; do not edit. -->

A *fault rule* says which requests fail, how, and when. Add one in a test, over HTTP, or by the name of a preset:

```python
from sandbox import Patchworks
from sandbox.faults import status


def test_503_is_retried(patchworks: Patchworks) -> None:
    patchworks.faults.add(status(503), endpoint="inbound", times=2)
```

```sh
curl -s http://127.0.0.1:8025/_sandbox/faults \\
  --json '{"fault": {"kind": "status", "code": 503}, "times": 2}'
curl -s http://127.0.0.1:8025/_sandbox/fault-presets/slow-platform -X POST
curl -s http://127.0.0.1:8025/_sandbox/faults -X DELETE
```

The sandbox tries the rules in their order. The first rule that matches, and is not used up, acts; the others do not.
A rule that is used up stays in the list with its counts. A reset removes all rules except those of the
[seed](how-to/seeds.md), whose counts begin at 0 again. No rule acts on the control API.

A fault acts after the sandbox has authenticated the request and before it handles the request, so a request with a bad
token gets its 401 in any case. A rule for the endpoint `any` also acts on unknown paths and on bodies above the limit.
The payload is not stored, unless the rule has `accept`, or the kind says that the request is handled as without a
fault. The journal entry of a faulted request has the outcome `faulted`. It shows the rule (`fault`), the answer that
the client received (`effect`) and whether the payload was stored (`accepted`). Its `status` is 0 if the client got no
answer.

The kinds `failed`, `pending` and `sent` act one stage later, on the [items of accepted payloads](how-to/processing.md),
and on no request. Their rules always have the endpoint `processing`; you may leave it out.

The sandbox compares each request with each rule that may still act, which takes less than a microsecond for most
rules. A JSONPath with filters or wildcards takes longer: the sandbox evaluates it once for each request that meets the
other conditions.

## What the client sees

On a connection to the sandbox failures are real: a TCP reset is a reset, a hang is an open socket. A wait (`latency`,
`slow_body`, `hang`) ends at once when you remove the rule, reset the sandbox or stop the server. Over TLS some clients
report a reset as an end of file.

Flask's test client, and a server that does not hand over its connections, have no connection to break. There the
sandbox raises the exception that Python's `http.client` has for the failure:

| kind | exception |
|---|---|
| `connection_reset` | `ConnectionResetError` |
| `empty_response` | `http.client.RemoteDisconnected` |
| `truncated_body` | `http.client.IncompleteRead` |
| `garbage_response` | `http.client.BadStatusLine` |
| `hang` | `TimeoutError`, at once |
"""


def faults_page(presets: Mapping[str, Preset]) -> str:
    """Return the page."""
    parts = [_HEAD, "## Kinds of faults\n", *(_kind(cls) for cls in KINDS.values())]
    parts += [_DURATIONS, "## Which requests: `match`\n", _table(Match), ""]
    parts += ["## The rule\n", _table(FaultRule), ""]
    parts += ["## Presets\n", _PRESETS_HEAD, *(_preset(preset) for preset in presets.values())]
    return "\n".join(parts)


_DURATIONS: Final = f"""\
## Durations

A field in seconds takes the length of time {DURATIONS}.
"""

_PRESETS_HEAD: Final = """\
A preset is a rule, or several, with a name. Add it by `patchworks.faults.preset("two-503s-then-fine")`, or by
`POST /_sandbox/fault-presets/two-503s-then-fine`. Both take further conditions: `preset("slow-platform",
vanity_url="orders")`, `{"match": {"vanity_url": "orders"}}`.

Presets are YAML files with `title`, `story` and `rules`; the setting `presets_dir` names a folder with your own.
"""


def _kind(cls: type[Fault]) -> str:
    paragraphs = [f"### {cls.kind}", inspect.cleandoc(cls.__doc__ or "")]
    if fields_of(cls):
        paragraphs.append(_table(cls))
    return "\n\n".join(paragraphs) + "\n"


def _table(cls: type[Described]) -> str:
    rows = [_row(field) for field in fields_of(cls)]
    return "\n".join(["| field | meaning | allowed | default |", "|---|---|---|---|", *rows])


def _row(field: Field) -> str:
    allowed = field.type.allowed.replace(f", {DURATIONS}", " ([durations](#durations))")
    cells = (f"`{field.name}`", field.doc, allowed, _default(field))
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\r\n", " ") for cell in cells) + " |"


def _default(field: Field) -> str:
    if field.required:
        return "required"
    value: Any = None if field.default is None else field.type.dump(field.default)
    return "none" if value in (None, {}, []) else f"`{json.dumps(value)}`"


def _preset(preset: Preset) -> str:
    return f"### {preset.name}\n\n*{preset.title}.* {preset.story}\n"
