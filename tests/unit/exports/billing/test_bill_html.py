from dataclasses import replace
from html.parser import HTMLParser

import pytest
from support.billing import BUYER, document

from softix_proxy.domain.billing.bill import DocumentKind
from softix_proxy.exports.billing.bill_html import render
from softix_proxy.exports.billing.bill_view import view

VOID = {"meta", "br"}


class Balanced(HTMLParser):
    """Collects texts, and refuses what is not closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name in ("src", "href") for name, _ in attrs), "the page is self-contained"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("kind", DocumentKind)
def test_bill_page_of_each_kind_contains_every_text_of_the_view(kind: DocumentKind) -> None:
    made = document(kind)
    parser = Balanced()
    parser.feed(render(made).decode())
    assert parser.open == []
    page = view(made)
    said = [cell for row in page.rows for cell in row if cell]
    said += [
        text for pair in (*page.facts, *page.totals, *page.account, *page.ledger) for text in (pair.label, pair.value)
    ]
    assert set(said) | set(page.notes) | set(page.buyer) <= set(parser.texts)


def test_bill_page_with_markup_in_a_name_escapes_it() -> None:
    text = render(document(buyer=replace(BUYER, name="<script>&", address=("<b>",)))).decode()
    assert "<script>" not in text and "<b>" not in text and "&lt;script&gt;&amp;" in text


def test_bill_page_of_the_same_document_is_identical() -> None:
    assert render(document()) == render(document())
