"""The pages of the documentation site that are made from the code, as a hook of MkDocs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

import click
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from addresses import site_addresses  # noqa: E402
from control_examples import example  # noqa: E402  (the hook is no package)

from sandbox import __version__  # noqa: E402
from sandbox.cli import main  # noqa: E402

_EMULATED = (
    "Emulated API",
    "The endpoints of Patchworks. [Wire format](../wire-format.md) describes the bytes of each answer.",
)
_FLOWS = (
    "Process flows API",
    "Webhooks, callbacks, the Start API, login and the Core API. [Process flows](../process-flows.md) tests each.",
)
_CONTROL = (
    "Control API",
    "Everything that a test can do, over HTTP. The platform has none of it, and the journal records none of it.",
)
_CONTROL_PAGE = "reference/control-api.md"
# Pages are read in the repository too, where these files are above them.
_HOMES = {
    "../openapi.yaml": "openapi.yaml",
    "../openapi-3.0.yaml": "openapi-3.0.yaml",
    "../openapi-flows.yaml": "openapi-flows.yaml",
    "../openapi-control.yaml": "openapi-control.yaml",
    "../CHANGELOG.md": "reference/changelog.md",
    "../CONTRIBUTING.md": "contributing.md",
    "../SECURITY.md": "explanation/security.md",
    "../fixtures/README.md": "how-to/seeds.md",
}
_METHODS = ("get", "put", "post", "delete", "patch")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and the OpenAPI documents."""
    files.append(File.generated(config, "reference/command-line.md", content=command_line_page()))
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, "contributing.md", content=contributing))
    for name in ("openapi-3.0.yaml", "openapi-flows.yaml"):
        content = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=content))
    agents = (ROOT / "sandbox/web/dashboard/templates/llms.txt").read_text(encoding="utf-8")
    index = (ROOT / "sandbox/web/dashboard/templates/llms_index.txt").read_text(encoding="utf-8")
    local = agents.replace("{% include 'llms_index.txt' %}", index).replace("{{ base_url }}", "http://127.0.0.1:8025")
    files.append(File.generated(config, "llms.txt", content=local))
    emulated, control = _document("openapi.yaml"), _document("openapi-control.yaml")
    pages = {
        "openapi.yaml": (ROOT / "openapi.yaml").read_text(encoding="utf-8"),
        "openapi-control.yaml": (ROOT / "openapi-control.yaml").read_text(encoding="utf-8"),
        "reference/emulated-api.md": api_page(emulated, "openapi.yaml", *_EMULATED),
        "reference/flows-api.md": api_page(_document("openapi-flows.yaml"), "openapi-flows.yaml", *_FLOWS),
        _CONTROL_PAGE: control_overview(control),
        **{_tag_page(tag["name"]): control_page(control, tag) for tag in control["tags"]},
        "icon.svg": (ROOT / "sandbox/web/dashboard/static/icon.svg").read_text(encoding="utf-8"),
    }
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Complete the addresses, the menu (a page for each tag of the control API) and the footer (the version)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    config.load_dict(site_addresses(project.get("urls", {}), os.environ))
    config.copyright = f"Patchworks Sandbox {__version__}, MIT licence"
    tags = [{_tag_title(tag): _tag_page(tag["name"])} for tag in _document("openapi-control.yaml")["tags"]]
    for section in config.nav or []:
        for entries in section.values():
            for entry in entries:
                if _CONTROL_PAGE in entry.values():
                    entry[_CONTROL[0]] = [{"Overview": _CONTROL_PAGE}, *tags]
    return config


@cache
def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    return document


def _tag_page(tag: str) -> str:
    return f"reference/control-api/{tag}.md"


def _tag_title(tag: dict[str, str]) -> str:
    title = tag["name"].replace("oauth", "OAuth").replace("-", " ")
    return title[0].upper() + title[1:]


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links that leave the folder to their place on the site, and divide commands from their output."""
    if "/" not in page.file.src_uri:
        for outside, home in _HOMES.items():
            markdown = markdown.replace(f"]({outside}", f"]({home}")
    if "<!-- Written by " in markdown or markdown.startswith("--8<--"):  # another file is its source
        page.edit_url = None
    page.meta.setdefault("description", _description(markdown))
    return _CONSOLE.sub(_divided, markdown)


_CONSOLE = re.compile(r"^(?P<indent> *)```console\n(?P<lines>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*`]")


def _divided(console: re.Match[str]) -> str:
    """Return a block of commands without prompts, to copy, and a block of output after it."""
    indent, blocks = console["indent"], []
    continues = False
    for line in console["lines"].removesuffix("\n").split("\n"):
        text = line.removeprefix(indent)
        is_command = continues or text.startswith("$ ")
        continues = is_command and text.endswith("\\")
        language = "sh" if is_command else "text"
        if not blocks or blocks[-1][0] != language:
            blocks.append((language, []))
        blocks[-1][1].append(text.removeprefix("$ "))
    return "\n\n".join(
        "\n".join(indent + line for line in (f"```{language}", *lines, "```")) for language, lines in blocks
    )


def _description(markdown: str) -> str:
    """Return the first sentences of a page, for search engines and previews of links."""
    paragraphs = (part.strip() for part in markdown.split("\n\n"))
    first = next((part for part in paragraphs if part[:1].isalnum() or part[:1] in "*`["), "")
    return shorten(_MARKUP.sub(lambda found: found[1] or "", first), 155, placeholder=" …")


def command_line_page() -> str:
    """Return the help of every command."""
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
    for tag in document.get("tags", []):
        lines += [f"## {tag['name']}", "", tag.get("description", ""), ""]
        for method, path, operation in _operations(document, tag["name"]):
            lines += [f"### {method} {path} {{ data-toc-label='{method} {path}' }}", "", operation["summary"], ""]
            lines += _operation(operation, document)
    return "\n".join(lines)


def control_overview(document: dict[str, Any]) -> str:
    """Return the page that lists every operation of the control API, by tag."""
    title, intro = _CONTROL
    lines = [f"# {title}", "", intro, ""]
    lines += ["A curl command and the answer of a sandbox with the demo seed show each operation at work.", ""]
    lines += [f"Made from [openapi-control.yaml](../openapi-control.yaml), OpenAPI {document['openapi']}.", ""]
    for tag in document["tags"]:
        page = f"control-api/{tag['name']}.md"
        lines += [f"## [{_tag_title(tag)}]({page})", "", f"{tag['description']}.", ""]
        rows = [
            (f"[`{method} {path}`]({page}#{operation['operationId'].lower()})", operation["summary"])
            for method, path, operation in _operations(document, tag["name"])
        ]
        lines += _table(("operation", "use"), rows)
    return "\n".join(lines)


def control_page(document: dict[str, Any], tag: dict[str, str]) -> str:
    """Return the page of one tag of the control API, with an example of each operation."""
    lines = [f"# Control API: {_tag_title(tag)}", "", f"{tag['description']}.", ""]
    for method, path, operation in _operations(document, tag["name"]):
        lines += [f"## {operation['summary'].rstrip('.')} {{ #{operation['operationId'].lower()} }}", ""]
        lines += [f"`{method} {path}`", "", *example(method, path), *_operation(operation, document)]
    return "\n".join(lines)


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS and operation["tags"][0] == tag:
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                yield method.upper(), path, {**operation, "parameters": parameters}


def _operation(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    if description := operation.get("description"):
        yield from (description, "")
    parameters = [_resolved(parameter, document) for parameter in operation["parameters"]]
    rows = [
        (f"`{p['name']}`", p["in"], _type(p.get("schema", {}), document), p.get("description", "")) for p in parameters
    ]
    yield from _table(("parameter", "in", "type", "meaning"), rows)
    for media_type, content in _resolved(operation.get("requestBody", {}), document).get("content", {}).items():
        schema = _resolved(content.get("schema", {}), document)
        required = schema.get("required", [])
        fields = [
            (f"`{field}`", _type(value, document), "yes" if field in required else "", _described(value, document))
            for field, value in schema.get("properties", {}).items()
        ]
        yield from (f"Body, `{media_type}`:", "") if fields else ()
        yield from _table(("field", "type", "required", "meaning"), fields)
    answers = [
        (f"`{status}`", _resolved(answer, document)["description"], _bodies(_resolved(answer, document), document))
        for status, answer in sorted(operation["responses"].items())
    ]
    yield from _table(("status", "meaning", "body"), answers)


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
