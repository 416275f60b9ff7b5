"""The public addresses of the project: those of ``[project.urls]`` in ``pyproject.toml``, read from the metadata."""

from __future__ import annotations

from typing import Final

NAME: Final = "Patchworks Sandbox"


def project_url(name: str) -> str | None:
    """Return the address of this name, such as ``Documentation``; ``None`` where the package's metadata has none."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        entries = metadata("patchworks-sandbox").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from its source
        return None
    return next((entry[len(name) + 2 :] for entry in entries if entry.startswith(f"{name}, ")), None)


def contact() -> dict[str, str]:
    """Return the contact of the OpenAPI documents, with the repository's address where there is one."""
    url = project_url("Repository")
    return {"name": NAME, "url": url} if url else {"name": NAME}


def external_docs() -> dict[str, dict[str, str]]:
    """Return the key ``externalDocs`` of an OpenAPI document; nothing where the documentation has no address."""
    url = project_url("Documentation")
    return {"externalDocs": {"description": NAME, "url": url}} if url else {}
