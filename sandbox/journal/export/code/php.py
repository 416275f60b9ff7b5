"""The lines in PHP, with its curl extension."""

from __future__ import annotations

import re

from sandbox.journal.export.code.parts import Parts, TokenRequest, Words, joined


def php(parts: Parts) -> str:
    """Return a script."""

    def text(words: Words, line: str = " . ") -> str:
        return joined(words, _quoted, line, "$")

    def header(name: str, words: Words | None) -> str:
        if words is None:
            return f"{_quoted(f'{name}: Basic ')} . base64_encode({_quoted(parts.user)} . $CLIENT_SECRET)"
        return text([f"{name}: {words[0]}", *words[1:]]) if "".join(words) else _quoted(f"{name};")

    given = {name.lower() for name, _ in parts.headers}
    left_out = [
        f"{name}:" for name in ("Accept", *(["Content-Type"] if parts.has_body else [])) if name.lower() not in given
    ]
    body = (
        f"file_get_contents('{parts.file}')"
        if parts.file
        else f"base64_decode('{parts.encoded}')"
        if parts.encoded
        else text(parts.text, "\n        . ")
    )
    method = [f"    CURLOPT_CUSTOMREQUEST => {_quoted(parts.method)},"]
    if parts.method == "HEAD":
        method = ["    CURLOPT_NOBODY => true,"]
    return "\n".join(
        [
            "<?php",
            *(f"${name} = getenv('{name}');" for name in parts.variables),
            *_token(parts.token),
            f"$curl = curl_init({_quoted(parts.base_url)} . {text(parts.target)});",
            "curl_setopt_array($curl, [",
            *method,
            "    CURLOPT_PATH_AS_IS => true,",
            "    CURLOPT_HTTPHEADER => [",
            *(f"        {header(name, words)}," for name, words in parts.headers),
            *(f"        {_quoted(name)}," for name in left_out),
            "    ],",
            *([f"    CURLOPT_POSTFIELDS => {body},"] if parts.has_body else []),
            "    CURLOPT_RETURNTRANSFER => true,",
            "    CURLOPT_TIMEOUT => 30,",
            "]);",
            "$answer = curl_exec($curl);",
            'echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), " ", $answer, "\\n";',
        ]
    )


def _quoted(text: str) -> str:
    """Return a literal of PHP: in single quotes, or in double quotes where a character must be escaped."""
    if text.isprintable():
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    escaped = re.sub(r'[\\"$]', r"\\\g<0>", text)
    return (
        '"'
        + "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in escaped).replace("\\u{a}", "\\n")
        + '"'
    )


def _token(request: TokenRequest | None) -> list[str]:
    if request is None:
        return []
    return [
        f"$curl = curl_init({_quoted(request.url)});",
        "curl_setopt_array($curl, [",
        "    CURLOPT_POSTFIELDS => http_build_query([",
        *(f"        '{name}' => {_quoted(value)}," for name, value in request.form.items()),
        "    ]),",
        "    CURLOPT_RETURNTRANSFER => true,",
        "    CURLOPT_TIMEOUT => 30,",
        "]);",
        "$TOKEN = json_decode(curl_exec($curl))->access_token;",
        "",
    ]
