"""The pages of the documentation site that are made from the code, as a hook of MkDocs: they cannot go stale."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
_APIS = {
    "openapi.yaml": (
        "reference/emulated-api.md",
        "Emulated API",
        "The endpoints of Patchworks. [Wire format](../wire-format.md) describes the bytes of each answer.",
    ),
    "openapi-control.yaml": (
        "reference/control-api.md",
        "Control API",
        "Everything that a test can do, over HTTP. The platform has none of it, and the journal records none of it.",
    ),
}
# Pages are read in the repository too, where these stand above them.
_HOMES = {
    "../openapi.yaml": "openapi.yaml",
    "../openapi-3.0.yaml": "openapi-3.0.yaml",
    "../openapi-control.yaml": "openapi-control.yaml",
    "../CHANGELOG.md": "reference/changelog.md",
    "../SECURITY.md": "explanation/security.md",
    "../fixtures/README.md": "how-to/seeds.md",
}
_METHODS = ("get", "put", "post", "delete", "patch")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and the OpenAPI documents."""
    files.append(File.generated(config, "reference/command-line.md", content=command_line_page()))
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "contributing.md", content=contributing))
    rendition = (ROOT / "openapi-3.0.yaml").read_text(encoding="utf-8")
    files.append(File.generated(config, "openapi-3.0.yaml", content=rendition))
    agents = (ROOT / "sandbox/web/dashboard/templates/llms.txt").read_text(encoding="utf-8")
    local = agents.replace("{{ base_url }}", "http://127.0.0.1:8025")
    files.append(File.generated(config, "llms.txt", content=local))
    for document, (page, title, intro) in _APIS.items():
        text = (ROOT / document).read_text(encoding="utf-8")
        files.append(File.generated(config, document, content=text))
        files.append(File.generated(config, page, content=api_page(yaml.safe_load(text), document, title, intro)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links that leave the folder to where that stands on the site."""
    if "/" not in page.file.src_uri:
        for outside, home in _HOMES.items():
            markdown = markdown.replace(f"]({outside}", f"]({home}")
    return markdown


def command_line_page() -> str:
    """Return the help of every command."""
    sys.path.insert(0, str(ROOT))
    from sandbox.cli import main

    lines = [
        "# Command line",
        "",
        "Each option of `serve` outside *Files* is a setting: [configuration](../configuration.md) describes it.",
        "",
    ]
    for context in _commands(_context(main, "patchworks-sandbox", None)):
        with context:
            lines += [f"## {context.command_path}", "", "```text", context.command.get_help(context), "```", ""]
    return "\n".join(lines)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """Return the context in which the program shows the help of a command, as wide as a page."""
    settings = {**command.context_settings, "terminal_width": 84}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _commands(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from _commands(_context(command, name, context))


def api_page(document: dict[str, Any], name: str, title: str, intro: str) -> str:
    """Return an OpenAPI document as a page: one section for each tag, one for each operation."""
    lines = [f"# {title}", "", intro, "", f"Made from [{name}](../{name}), OpenAPI {document['openapi']}.", ""]
    operations = [
        (method.upper(), path, {**operation, "parameters": [*shared, *operation.get("parameters", [])]})
        for path, item in document["paths"].items()
        for shared in [item.get("parameters", [])]
        for method, operation in item.items()
        if method in _METHODS
    ]
    for tag in document.get("tags", []):
        lines += [f"## {tag['name']}", "", tag.get("description", ""), ""]
        for method, path, operation in operations:
            if operation["tags"][0] == tag["name"]:
                lines += _operation(method, path, operation, document)
    return "\n".join(lines)


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    yield from (f"### {method} {path} {{ data-toc-label='{method} {path}' }}", "")
    yield from (operation["summary"], "")
    if description := operation.get("description"):
        yield from (description, "")
    parameters = [_resolved(parameter, document) for parameter in operation["parameters"]]
    rows = [
        (f"`{p['name']}`", p["in"], _type(p.get("schema", {}), document), p.get("description", "")) for p in parameters
    ]
    yield from _table(("parameter", "in", "type", ""), rows)
    for media_type, content in _resolved(operation.get("requestBody", {}), document).get("content", {}).items():
        schema = _resolved(content.get("schema", {}), document)
        required = schema.get("required", [])
        fields = [
            (f"`{field}`", _type(value, document), "required" if field in required else "", _described(value, document))
            for field, value in schema.get("properties", {}).items()
        ]
        yield from (f"Body, `{media_type}`:", "") if fields else ()
        yield from _table(("field", "type", "", ""), fields)
    answers = [
        (f"`{status}`", _resolved(answer, document)["description"], _bodies(_resolved(answer, document), document))
        for status, answer in sorted(operation["responses"].items())
    ]
    yield from _table(("status", "", "body"), answers)


def _resolved(value: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while reference := value.get("$ref"):
        value = document
        for part in reference.removeprefix("#/").split("/"):
            value = value[part]
    return value


def _described(schema: dict[str, Any], document: dict[str, Any]) -> str:
    text: str = schema.get("description") or _resolved(schema, document).get("description", "")
    return text


def _type(schema: dict[str, Any], document: dict[str, Any]) -> str:
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return str(name)
    schema = _resolved(schema, document)
    if values := schema.get("enum"):
        return ", ".join(f"`{value}`" for value in values)
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(option, document) for option in schema[key]))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}), document)}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _bodies(answer: dict[str, Any], document: dict[str, Any]) -> str:
    return "<br>".join(
        f"`{media_type}`: {_type(content.get('schema', {}), document)}"
        for media_type, content in answer.get("content", {}).items()
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield from (f"| {' | '.join(head)} |", f"|{'---|' * len(head)}")
        for row in rows:
            yield f"| {' | '.join(' '.join(cell.split()).replace('|', '&#124;') for cell in row)} |"
        yield ""
