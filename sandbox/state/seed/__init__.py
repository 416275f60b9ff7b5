"""The seed: the content of a sandbox when it starts, read from YAML files or given as Python data.

``load_seed`` reads files, ``parse_seed`` takes data, ``demo_seed`` is the default. Each returns a frozen ``Seed`` that
keeps every rule of the format, or raises ``SeedError``, which names each wrong place. ``seed.schema.json`` is the
format.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from sandbox.foundation.errors import DocumentError, InvalidValueError, SeedError
from sandbox.foundation.yaml_document import Document, document_of, document_of_text, fixtures_folder, read_document
from sandbox.state.seed.draft import Draft
from sandbox.state.seed.parts import Seed as Seed

SeedSource: TypeAlias = "Seed | Mapping[str, object] | str | os.PathLike[str]"
"""A seed in one of its forms: read already, plain data, or the path of a file."""


def read_seed(given: SeedSource, folders: Sequence[Path] = ()) -> Seed:
    """Return a seed given in any form; a relative path is looked for in ``folders``, or else in the working folder.

    Raise ``SeedError``, and ``InvalidValueError`` for anything else.
    """
    match given:
        case Seed():
            return given
        case Mapping():
            return parse_seed(given)
        case str() | os.PathLike():
            places = [Path(folder, given) for folder in (*folders, Path.cwd())]
            found = next((place for place in places if os.path.exists(place)), None)  # noqa: PTH110 - as in load_seed
            if found is None:
                raise _missing(given, places)
            return load_seed(found)
        case _:
            raise InvalidValueError("seed", given, "a Seed, plain data, or the path of a file")


def _missing(given: str | os.PathLike[str], places: Iterable[Path]) -> SeedError:
    advice = f"write one after the example of {demo_seed_file()}, or name none to start with that one"
    looked = ", ".join(dict.fromkeys(os.path.abspath(place) for place in places))  # noqa: PTH100 - also of "a\0b"
    return SeedError(os.fspath(given), 0, f"there is no such file; {advice} (looked for {looked})")


class SeedText(NamedTuple):
    """A seed file's content that is in no file; ``name`` stands for one in messages."""

    name: str
    content: str | bytes


def load_seed(*sources: str | os.PathLike[str] | SeedText, environ: Mapping[str, str] = os.environ) -> Seed:
    """Read seed files, later ones on top of earlier ones.

    Companies with the same slug or name and connectors with the same name are merged; an entity, client or
    service replaces the earlier one with the same name or vanity URL; a later setting wins. Raise ``SeedError``.
    """
    return _merged(_document_of(source, environ) for source in sources)


def _document_of(source: str | os.PathLike[str] | SeedText, environ: Mapping[str, str]) -> Document:
    if isinstance(source, SeedText):
        return document_of_text(source.name, source.content, environ)
    path = Path(source)
    if not os.path.exists(path):  # noqa: PTH110 (Path.exists raises on a folder that may not be read)
        raise _missing(path, [path])
    return read_document(path, environ)


def parse_seed(data: Mapping[str, object]) -> Seed:
    """Check a seed given as Python data.

    Environment variables are not replaced, and ``sample_file`` is refused. Raise ``SeedError``, which names a path such
    as ``companies[0].name`` in place of a line.
    """
    return _merged(map(document_of, [data]))


def parse_part(key: Literal["flows", "api_keys", "users"], data: object) -> Any:
    """Check a flow, an API key or a user given as Python data, as a seed has it; raise ``SeedError``."""
    company = parse_seed({"companies": [{"name": "-", key: [data]}]}).companies[0]
    return getattr(company, key)[0]


def extended_seed(base: Seed, data: Mapping[str, object]) -> tuple[Seed, Seed]:
    """Return ``base`` with a seed given as Python data on top of it, and the addition alone; raise ``SeedError``."""
    addition = _merged(map(document_of, [data]), as_part=True)
    return _merged(map(document_of, [base.data(), data])), addition


def _merged(documents: Iterable[Document], *, as_part: bool = False) -> Seed:
    """Return the seed of documents, later ones on top of earlier ones; raise ``SeedError``."""
    draft = Draft()
    try:
        for document in documents:
            draft.add(document)
        return draft.seed(as_part=as_part)
    except SeedError:
        raise
    except DocumentError as error:
        raise SeedError(error.file, error.line, error.message) from error


def demo_seed() -> Seed:
    """Return the seed of a sandbox that is given none."""
    return load_seed(demo_seed_file())


def demo_seed_file() -> Path:
    """Return the file of the demo seed, in an installation or in a checkout."""
    return fixtures_folder() / "seed.yaml"
