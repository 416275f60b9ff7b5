"""Fail unless a reader of the built site finds each reason, setting and kind of fault by its name.

Usage: ``python .ci/findable.py SITE``. The search of the site divides its texts by the separator in ``mkdocs.yml``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sandbox.faults import KINDS
from sandbox.foundation.fields import fields_of
from sandbox.foundation.settings import Settings
from sandbox.journal.reasons import REASONS

SITE = Path(sys.argv[1])
index = json.loads((SITE / "search" / "search_index.json").read_text(encoding="utf-8"))
texts = " ".join(re.sub(r"<[^>]*>", " ", page["text"]) + " " + page["title"] for page in index["docs"])
found = set(re.split(index["config"]["separator"], texts))
words = {*REASONS, *KINDS, *(field.name for field in fields_of(Settings)), "Unauthenticated", "client_credentials"}
if missing := sorted(words - found):
    sys.exit(f"the search of the site does not find: {', '.join(missing)}")
print(f"the search finds {len(words)} names")
