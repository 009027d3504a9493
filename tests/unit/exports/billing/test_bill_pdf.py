from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from support.billing import BUYER, document

from softix_proxy.domain.billing.bill import DocumentKind
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.exports.billing import bill_en16931
from softix_proxy.exports.billing.bill_pdf import Fonts, fonts_of, render, shipped_fonts
from softix_proxy.exports.billing.bill_view import view


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def text(pdf: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in read(pdf).pages).split())


@pytest.mark.parametrize("kind", DocumentKind)
def test_bill_pdf_of_each_kind_contains_every_text_of_the_view(kind: DocumentKind) -> None:
    made = document(kind)
    page, said = view(made), text(render(made))
    for row in page.rows:
        assert row[0] in said and row[-1] in said
    for pair in (*page.totals, *page.account, *page.facts, *page.ledger):
        assert pair.label in said and pair.value in said
    assert all(note in said for note in (*page.notes, *page.buyer))


def test_bill_pdf_of_an_invoice_contains_its_xml() -> None:
    made = document()
    pdf = read(render(made))
    assert pdf.attachments == {"factur-x.xml": [bill_en16931.render(made)]}
    [file] = pdf.root_object["/AF"]
    assert file.get_object()["/AFRelationship"] == "/Data"
    metadata = pdf.root_object["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata.replace(" ", "") and "EN 16931" in metadata


def test_bill_pdf_of_a_statement_has_no_xml_and_is_archivable() -> None:
    pdf = read(render(document(DocumentKind.STATEMENT)))
    assert pdf.attachments == {}
    assert "pdfaid" in pdf.root_object["/Metadata"].get_data().decode()
    assert pdf.root_object["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"


def test_bill_pdf_embeds_its_fonts() -> None:
    for font in read(render(document())).pages[0]["/Resources"]["/Font"].values():
        [descendant] = font.get_object()["/DescendantFonts"]
        assert "/FontFile2" in descendant.get_object()["/FontDescriptor"]


def test_bill_pdf_with_many_lines_repeats_the_header_and_numbers_the_pages() -> None:
    made = document(DocumentKind.STATEMENT)
    long = replace(made, lines=made.lines * 20)
    pages = [" ".join(page.extract_text().split()) for page in read(render(long)).pages]
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"{number} / {len(pages)}" in page
    assert all("Item Quantity Unit price" in page for page in pages[:-1])
    assert "Balance after" in pages[-1]


def test_bill_pdf_with_letters_missing_in_the_font_is_refused() -> None:
    with pytest.raises(BadInputError, match="'偉'") as caught:
        render(document(buyer=replace(BUYER, name="張偉")))
    assert "billing.pdf_font" in caught.value.remedy
    assert "Ωmega Łódź Київ" in text(render(document(buyer=replace(BUYER, name="Ωmega Łódź Київ"))))


def test_bill_pdf_with_another_font_uses_it_or_is_refused(tmp_path: Path) -> None:
    bold = shipped_fonts().bold
    assert "Ada Lovelace" in text(render(document(), Fonts(bold, bold)))
    broken = tmp_path / "font.ttf"
    with pytest.raises(FailureError, match="cannot use the font"):
        render(document(), Fonts(broken, broken))


def test_fonts_of_the_settings_are_used_and_one_alone_is_its_own_bold_one() -> None:
    regular, bold = Path("a.ttf"), Path("b.ttf")
    assert fonts_of(Billing(pdf_font=regular, pdf_font_bold=bold)) == Fonts(regular, bold)
    assert fonts_of(Billing(pdf_font=regular)) == Fonts(regular, regular)
    assert fonts_of(Billing()) is None


@pytest.mark.parametrize("module", ["fpdf", "font_roboto"])
def test_bill_pdf_without_the_extra_raises_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FailureError) as caught:
        render(document())
    assert "softix-proxy[invoice]" in caught.value.remedy
