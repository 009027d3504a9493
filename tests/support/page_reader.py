"""Reads a page of the portal: which texts it has, and what no template wrote."""

from __future__ import annotations

from html.parser import HTMLParser

ELEMENTS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "link",
        "body",
        "a",
        "header",
        "span",
        "div",
        "form",
        "button",
        "nav",
        "ul",
        "li",
        "main",
        "p",
        "h1",
        "h2",
        "h3",
        "section",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "svg",
        "desc",
        "line",
        "g",
        "rect",
        "details",
        "summary",
        "fieldset",
        "legend",
        "label",
        "input",
        "select",
        "option",
        "textarea",
        "progress",
        "code",
        "pre",
        "strong",
        "b",
        "bdi",
        "i",
        "time",
        "footer",
        "br",
    ]
)
ATTRIBUTES = frozenset(
    [
        "lang",
        "charset",
        "name",
        "content",
        "rel",
        "href",
        "class",
        "id",
        "tabindex",
        "role",
        "aria-label",
        "aria-labelledby",
        "aria-describedby",
        "aria-hidden",
        "aria-current",
        "aria-invalid",
        "method",
        "action",
        "value",
        "type",
        "for",
        "required",
        "maxlength",
        "minlength",
        "inputmode",
        "autocomplete",
        "rows",
        "selected",
        "max",
        "scope",
        "colspan",
        "download",
        "datetime",
        "viewbox",
        "preserveaspectratio",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "width",
        "height",
        "autofocus",
        "placeholder",
        "pattern",
        "checked",
    ]
)
VOID = frozenset(("meta", "link", "input", "br", "rect", "line"))


class PageReader(HTMLParser):
    """Elements must nest, and only those that templates write may be there, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.strange: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.strange += [tag] * (tag not in ELEMENTS)
        self.strange += [f"{tag} {name}" for name, _ in attrs if name not in ATTRIBUTES]
        self.strange += [f"{tag} {name}={value}" for name, value in attrs if name == "href" and _leads_away(value)]
        self.texts += [value for _, value in attrs if value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open.pop() == tag, f"</{tag}> closes {self.open}"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _leads_away(value: str | None) -> bool:
    return not (value or "").startswith(("/", "#", "data:,"))


def read_page(html: str) -> PageReader:
    reader = PageReader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader
