"""The public addresses of the site: those of ``[project.urls]``, or in a workflow of GitHub those of its repository."""

from __future__ import annotations

from collections.abc import Mapping


def site_addresses(urls: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``repo_url``, ``edit_uri`` and ``site_url`` of MkDocs, without those that are not known."""
    repository, site = urls.get("Repository", ""), urls.get("Documentation", "")
    if not repository and environ.get("GITHUB_REPOSITORY"):
        repository = f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{environ['GITHUB_REPOSITORY']}"
    known = {"site_url": f"{site.rstrip('/')}/" if site else ""}
    if repository:
        known |= {"repo_url": repository, "repo_name": "Source", "edit_uri": "edit/main/docs/"}
    return {key: value for key, value in known.items() if value}
