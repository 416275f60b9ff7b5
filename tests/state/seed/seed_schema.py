"""Write ``seed.schema.json`` anew: the parts on faults and service options in it come from their classes."""

from __future__ import annotations

import json
from typing import Any

from sandbox.faults.rules import schemas
from sandbox.foundation.fields import fields_of
from sandbox.platform.model import ServiceOptions
from sandbox.state.seed.schema import SCHEMA_FILE, seed_schema


def made_schema() -> dict[str, Any]:
    """Return the schema of the file with the present schemas of faults and of service options."""
    written = seed_schema()
    service = written["$defs"]["service"]
    for option in fields_of(ServiceOptions):
        service["properties"][option.name] = {
            "title": option.name.replace("_", " ").capitalize(),
            "errorMessage": f"use {option.type.allowed}",
            **option.schema,
        }
    service["errorMessage"] = f"use a mapping with the keys {', '.join(service['properties'])}"
    by_hand = {name: part for name, part in written["$defs"].items() if name[0].islower() or name.startswith("Seeded")}
    return {**written, "$defs": {**by_hand, **schemas("#/$defs/")}}


def seed_schema_text() -> str:
    return json.dumps(made_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(seed_schema_text(), encoding="utf-8", newline="\n")
    print(f"wrote {SCHEMA_FILE}")
