"""Forms of a page as a browser without JavaScript sends them."""

from __future__ import annotations

from html.parser import HTMLParser

from werkzeug.datastructures import MultiDict


class Forms(HTMLParser):
    """The forms of a page, by their address and in their order, each with the fields that a browser would send."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: dict[str, MultiDict[str, str]] = {}
        self.every: list[MultiDict[str, str]] = []
        self._form: MultiDict[str, str] = MultiDict()
        self._select: str | None = None
        self._area: tuple[str, list[str]] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, kind = given.get("name", ""), given.get("type", "text")
        match tag:
            case "form":
                self._form = self.forms[given.get("action", "")] = MultiDict()
                self.every.append(self._form)
            case "input" if name and (kind not in ("checkbox", "radio") or "checked" in given):
                self._form.add(name, given.get("value", ""))
            case "select":
                self._select = name
            case "option" if self._select and ("selected" in given or self._select not in self._form):
                self._form[self._select] = given.get("value", "")
            case "textarea":
                self._area = (name, [])

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            name, parts = self._area
            text = "".join(parts).removeprefix("\n")
            self._form.add(name, text.replace("\r\n", "\n").replace("\n", "\r\n"))
            self._area = None
        elif tag == "select":
            self._select = None
