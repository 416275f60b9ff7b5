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

Rules are tried in order. The first rule that matches, and is not used up, acts; the others do not. A rule that is
used up stays listed with its counts. A reset removes all rules but those of the [seed](how-to/seeds.md), whose counts
start again at 0. The control API is never faulted.

A fault acts after the request is authenticated and before it is handled, so a request with a bad token gets its 401 in
any case. A rule for any endpoint also acts on unknown paths and on bodies beyond the limit. Unless the rule says
`accept`, or the kind says that the request is handled as without a fault, the payload is not stored. The journal entry
of a faulted request has the outcome `faulted` and shows the rule (`fault`), what the client received (`effect`) and
whether the payload was stored all the same (`accepted`). Its `status` is 0 where the client got none.

The kinds `failed`, `pending` and `sent` act one stage later, on the [items of accepted payloads](how-to/processing.md),
and on no request. Their rules have the endpoint `processing`, also where none is given.

Each rule that may still act is compared with each request, which costs less than a microsecond a rule. A JSONPath with
more than names in it costs more: it is evaluated once for each request that meets the other conditions.

## What the client sees

On a connection to the sandbox failures are real: a TCP reset is a reset, a hang is an open socket. A wait
(`latency`, `slow_body`, `hang`) is real time, also where the sandbox clock is moved or frozen, and delays no other
request; it ends at once when the rule is removed, the sandbox reset or the server stopped. An answer that came late or
in pieces is the last on its connection (`Connection: close`). Over TLS some clients report a reset as an end of file.

Through Flask's test client, or with the application mounted in a server that does not hand over its connections, the
exception is raised that Python's `http.client` has for it:

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
    parts += ["## Which requests: `match`\n", _table(Match), ""]
    parts += ["## The rule\n", _table(FaultRule), ""]
    parts += ["## Presets\n", _PRESETS_HEAD, *(_preset(preset) for preset in presets.values())]
    return "\n".join(parts)


_PRESETS_HEAD: Final = """\
`patchworks.faults.preset("two-503s-then-fine")`, or `POST /_sandbox/fault-presets/two-503s-then-fine`. Both take more
conditions that requests must meet: `preset("slow-platform", vanity_url="orders")`, `{"match": {"vanity_url":
"orders"}}`.

Presets are YAML files with `title`, `story` and `rules`; the setting `presets_dir` names a folder with your own.
"""


def _kind(cls: type[Fault]) -> str:
    paragraphs = [f"### {cls.kind}", inspect.cleandoc(cls.__doc__ or "")]
    if fields_of(cls):
        paragraphs.append(_table(cls))
    return "\n\n".join(paragraphs) + "\n"


def _table(cls: type[Described]) -> str:
    rows = [_row(field) for field in fields_of(cls)]
    return "\n".join(["| field | what it does | allowed | default |", "|---|---|---|---|", *rows])


def _row(field: Field) -> str:
    cells = (f"`{field.name}`", field.doc, field.type.allowed, _default(field))
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\r\n", " ") for cell in cells) + " |"


def _default(field: Field) -> str:
    if field.required:
        return "required"
    value: Any = None if field.default is None else field.type.dump(field.default)
    return "none" if value in (None, {}, []) else f"`{json.dumps(value)}`"


def _preset(preset: Preset) -> str:
    return f"### {preset.name}\n\n*{preset.title}.* {preset.story}\n"
