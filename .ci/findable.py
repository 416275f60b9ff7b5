"""Fail unless a reader of the built site finds each reason, setting, kind of fault and path by its name.

Usage: ``python .ci/findable.py SITE``. The search of the site divides its texts by the separator in ``mkdocs.yml``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import yaml

from sandbox.faults import KINDS
from sandbox.foundation.fields import fields_of
from sandbox.foundation.settings import Settings
from sandbox.journal.reasons import REASONS

ROOT = Path(__file__).parents[1]
SITE = Path(sys.argv[1])
index = json.loads((SITE / "search" / "search_index.json").read_text(encoding="utf-8"))
texts = " ".join(re.sub(r"<[^>]*>", " ", page["text"]) + " " + page["title"] for page in index["docs"])
found = set(re.split(index["config"]["separator"], texts))
documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in ROOT.glob("openapi*.yaml")]
paths = {part for document in documents for path in document["paths"] for part in re.split(r"[^\w]+", path) if part}
words = {*REASONS, *KINDS, *(field.name for field in fields_of(Settings)), "Unauthenticated", *paths}
if missing := sorted(words - found):
    sys.exit(f"the search of the site does not find: {', '.join(missing)}")
print(f"the search finds {len(words)} names")
