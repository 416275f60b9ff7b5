"""The lines in JavaScript for Node, which has ``fetch``."""

from __future__ import annotations

from sandbox.foundation.strict_json import write_json
from sandbox.journal.export.code.parts import Parts, TokenRequest, Words, joined


def node(parts: Parts) -> str:
    """Return a module."""

    def text(words: Words, line: str = " + ") -> str:
        return joined(words, write_json, line)

    def value(words: Words | None) -> str:
        if words is not None:
            return text(words)
        return f'"Basic " + Buffer.from({write_json(parts.user)} + CLIENT_SECRET).toString("base64")'

    body = (
        f'await readFile("{parts.file}")'
        if parts.file
        else f'Buffer.from("{parts.encoded}", "base64")'
        if parts.encoded
        else f"Buffer.from({text(parts.text, chr(10) + '    + ')})"
    )
    return "\n".join(
        [
            *(['import { readFile } from "node:fs/promises";', ""] if parts.file else []),
            *([f"const {{ {', '.join(parts.variables)} }} = process.env;", ""] if parts.variables else []),
            *_token(parts.token),
            f"const response = await fetch({write_json(parts.base_url)} + {text(parts.target)}, {{",
            f"  method: {write_json(parts.method)},",
            "  headers: [",
            *(f"    [{write_json(name)}, {value(words)}]," for name, words in parts.headers),
            "  ],",
            *([f"  body: {body},"] if parts.has_body else []),
            "});",
            "console.log(response.status, await response.text());",
        ]
    )


def _token(request: TokenRequest | None) -> list[str]:
    if request is None:
        return []
    return [
        f"const {{ access_token: TOKEN }} = await (await fetch({write_json(request.url)}, {{",
        '  method: "POST",',
        "  body: new URLSearchParams({",
        *(f"    {name}: {write_json(value)}," for name, value in request.form.items()),
        "  }),",
        "})).json();",
        "",
    ]
