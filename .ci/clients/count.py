"""Count the operations that generators made of a document: each operation of the document must be among them.

Usage: count.py DOCUMENT NAME FILE...    (the files that NAME made)
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

METHODS = ("get", "put", "post", "delete", "patch")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def main() -> None:
    """Fail, naming the operations that are missing."""
    document, name, *files = sys.argv[1:]
    paths = yaml.safe_load(Path(document).read_text(encoding="utf-8"))["paths"]
    operations = [item[method]["operationId"] for item in paths.values() for method in METHODS if method in item]
    # A file for each operation, or a function for each in any file.
    found = {_plain(Path(file).stem) for file in files}
    for file in files:
        functions = re.findall(
            r"^ *(?:export const|async|public) (\w+)", Path(file).read_text(encoding="utf-8"), re.MULTILINE
        )
        found |= set(map(_plain, functions))
    missing = [operation for operation in operations if _plain(operation) not in found]
    if missing:
        raise SystemExit(
            f"{name}: of {len(operations)} operations in {document} these are missing: {', '.join(missing)}"
        )
    print(f"{name}: all {len(operations)} operations of {Path(document).name}")


if __name__ == "__main__":
    main()
