"""Write ``seed.schema.json`` anew: the definitions of faults in it come from the kinds of faults."""

from __future__ import annotations

import json

from sandbox.state.seed.schema import SCHEMA_FILE, seed_schema


def seed_schema_text() -> str:
    return json.dumps(seed_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(seed_schema_text(), encoding="utf-8", newline="\n")
    print(f"wrote {SCHEMA_FILE}")
