"""Sample payloads in files, and the checks of hand-written JSON Schemas."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from sandbox.foundation.errors import InvalidValueError
from sandbox.foundation.json_value import JsonValue
from sandbox.foundation.strict_json import RepeatedKeyError, unique_keys
from sandbox.foundation.yaml_document import MAX_DEPTH, finite, json_node, read_text
from sandbox.platform.entity_check import EntityCheck


def read_sample(folder: Path | None, name: str) -> JsonValue:
    """Return the JSON in file ``name`` of ``folder``; raise ``ValueError`` with the reason why it cannot."""
    if folder is None:
        raise ValueError("works in a seed file only; give the payload as sample")
    home = Path(os.path.realpath(folder))
    path = Path(os.path.realpath(home / name))
    if not path.is_relative_to(home):
        raise ValueError(f"{name!r} is outside the folder of the seed file; move it into {folder}")
    try:
        text = read_text(path)
        return json_node(
            json.loads(text, parse_float=finite, parse_constant=finite, object_pairs_hook=unique_keys)
        ).value
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"{name!r} is not JSON: {error.msg} ({where})") from error
    except RecursionError as error:
        raise ValueError(f"{name!r} is nested deeper than {MAX_DEPTH} levels; make it flatter") from error
    except RepeatedKeyError as error:
        raise ValueError(f"{name!r} cannot be used: {error}") from error
    except ValueError as error:
        raise ValueError(f"{name!r} {error}") from error


def check_json_schema(json_schema: Mapping[str, JsonValue], sample: JsonValue) -> None:
    """Raise ``ValueError`` if ``json_schema`` cannot be used or refuses the entity's own ``sample``."""
    try:
        check = EntityCheck(json_schema)
    except InvalidValueError as error:
        raise ValueError(f"is not allowed; allowed: {error.allowed}") from error
    if sample is None:
        return
    if violations := check.violations(sample):
        path, rule = violations[0].path, violations[0].detail or violations[0].rule
        raise ValueError(f"refuses the entity's own sample at {path} ({rule}); change one of them")
