"""Renders a document as PDF/A-3, a form that archives accept. An invoice has its XML inside (Factur-X)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from softix_proxy.domain.billing.bill import Document
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.exports.billing import bill_en16931
from softix_proxy.exports.billing.bill_view import COLUMNS, LEDGER, Pair, View, view

if TYPE_CHECKING:
    from fpdf import FPDF

_MARGIN, _WIDTH, _BOTTOM = 20, 170, 24
"""The left and top margin, the width and the bottom margin of an A4 page in millimetres."""
_INK, _SOFT, _LINE, _TINT = (22, 32, 42), (91, 104, 117), (213, 219, 225), (244, 246, 248)
_COLUMNS = (74, 26, 31, 17, 22)
_FAMILY = "document"


class Fonts(NamedTuple):
    """The TrueType files that are embedded, because a PDF for archives must contain its fonts."""

    regular: Path
    bold: Path


def fonts_of(billing: Billing) -> Fonts | None:
    """Returns the fonts of the settings. None means the shipped ones. One font alone is its own bold one."""
    return Fonts(billing.pdf_font, billing.pdf_font_bold or billing.pdf_font) if billing.pdf_font else None


def shipped_fonts() -> Fonts:
    """Returns the fonts that the extra installs. Raises FailureError if the extra is not installed."""
    try:
        folder = files("font_roboto").joinpath("files")
    except ModuleNotFoundError:
        raise _missing() from None
    return Fonts(Path(str(folder / "Roboto-Regular.ttf")), Path(str(folder / "Roboto-Medium.ttf")))


def render(document: Document, fonts: Fonts | None = None) -> bytes:
    """Returns the document as PDF.

    Raises FailureError if the extra is not installed, and BadInputError for letters that the font lacks.
    """
    page = view(document)
    paper = _paper(document, fonts or shipped_fonts())
    _require_letters(paper, page)
    _head(paper, page)
    _table(paper, page)
    _sums(paper, page)
    _notes(paper, page)
    made = bytes(paper.output())
    return made if document.tax is None else _with_xml(document, page, made)


def _missing() -> FailureError:
    return FailureError("XML and PDF need further packages", "pip install 'softix-proxy[invoice]'")


def _paper(document: Document, fonts: Fonts) -> FPDF:
    try:
        from fpdf import FPDF
    except ImportError:
        raise _missing() from None
    page = view(document)

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-_BOTTOM + 6)
            _rule(self)
            _style(self, 7.5, _SOFT)
            self.multi_cell(_WIDTH - 45, 3.8, page.footer, align="L", new_x="RIGHT", new_y="TOP")
            self.cell(45, 3.8, f"{page.number}   {self.page_no()} / {{nb}}", align="R")

    paper = Paper(format="A4", enforce_compliance="PDF/A-3B")
    paper.creation_date = datetime.combine(document.issued_on, time(), UTC)  # makes the same file for the same document
    paper.set_lang("en")
    paper.set_title(f"{page.title} {page.number}")
    paper.set_author(document.seller.name)
    paper.set_creator("softix")
    paper.set_margins(_MARGIN, _MARGIN)
    paper.c_margin = 0  # makes text and rules end at the same place
    paper.set_auto_page_break(True, _BOTTOM)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    for style, path in (("", fonts.regular), ("B", fonts.bold)):
        try:
            paper.add_font(_FAMILY, style, path)
        except (OSError, ValueError) as error:
            raise FailureError(f"cannot use the font {path}: {type(error).__name__}", "set billing.pdf_font") from None
    paper.add_page()
    return paper


def _require_letters(paper: FPDF, page: View) -> None:
    from fpdf.fonts import TTFFont

    font = paper.fonts[_FAMILY]
    if not isinstance(font, TTFFont):  # the built-in fonts of PDF have no letters beyond Latin 1
        raise TypeError(f"{_FAMILY} is not a TrueType font")
    known = font.cmap
    texts = (*page.seller, *page.buyer, page.footer, *page.notes, *(cell for row in page.rows for cell in row))
    facts = (pair.value for pair in page.facts)
    lacking = sorted({letter for text in (*texts, *facts) for letter in text if ord(letter) not in known})
    if lacking:
        raise BadInputError(
            f"the font of PDFs has no {lacking[0]!r}", "set billing.pdf_font and billing.pdf_font_bold to fonts that do"
        )


def _style(paper: FPDF, size: float, colour: tuple[int, int, int] = _INK, *, bold: bool = False) -> None:
    paper.set_font(_FAMILY, "B" if bold else "", size)
    paper.set_text_color(*colour)


def _rule(paper: FPDF, colour: tuple[int, int, int] = _LINE, width: float = 0.2) -> None:
    paper.set_draw_color(*colour)
    paper.set_line_width(width)
    paper.line(_MARGIN, paper.get_y(), _MARGIN + _WIDTH, paper.get_y())
    paper.set_y(paper.get_y() + 1.5)


def _head(paper: FPDF, page: View) -> None:
    _style(paper, 22, bold=True)
    paper.cell(80, 10, page.title, new_x="LMARGIN", new_y="NEXT")
    _style(paper, 11, _SOFT)
    paper.cell(80, 6, page.number)
    paper.set_y(_MARGIN)
    _address(paper, page.seller, _MARGIN + 90, "R", 9)
    top = max(paper.get_y(), _MARGIN + 16) + 12
    paper.set_y(top)
    _address(paper, page.buyer, _MARGIN, "L", 10)
    bottom = paper.get_y()
    paper.set_y(top)
    _pairs(paper, page.facts, left=_MARGIN + 82, width=88, size=9)
    paper.set_y(max(bottom, paper.get_y()) + 10)


def _address(paper: FPDF, lines: Sequence[str], left: float, align: str, size: float) -> None:
    for number, line in enumerate(lines):
        _style(paper, size, _INK, bold=number == 0)
        paper.set_x(left)
        paper.multi_cell(80, size / 2, line, align=align, new_x="LMARGIN", new_y="NEXT")


def _pairs(paper: FPDF, pairs: Iterable[Pair], *, left: float, width: float, size: float) -> None:
    for pair in pairs:
        if pair.strong:
            paper.set_draw_color(*_LINE)
            paper.set_line_width(0.2)
            paper.line(left, paper.get_y() + 0.4, left + width, paper.get_y() + 0.4)
            paper.set_y(paper.get_y() + 0.8)
        _style(paper, size, _INK if pair.strong else _SOFT, bold=pair.strong)
        paper.set_x(left)
        label = paper.get_string_width(pair.label) + 4
        paper.cell(label, size * 0.56, pair.label)
        _style(paper, size, _INK, bold=pair.strong)
        paper.multi_cell(width - label, size * 0.56, pair.value, align="R", new_x="LMARGIN", new_y="NEXT")


def _table(paper: FPDF, page: View) -> None:
    from fpdf.enums import TableBordersLayout, TableHeadingsDisplay, VAlign
    from fpdf.fonts import FontFace

    _style(paper, 9)
    paper.set_draw_color(*_LINE)
    paper.set_line_width(0.2)
    with paper.table(
        col_widths=_COLUMNS,
        width=_WIDTH,
        align="LEFT",
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
        line_height=4.6,
        padding=(1.3, 0, 1.3, 2),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD", color=_SOFT, size_pt=8),
        repeat_headings=TableHeadingsDisplay.ON_TOP_OF_EVERY_PAGE,
    ) as table:
        for cells in (COLUMNS, *page.rows):
            row = table.row()
            for number, cell in enumerate(cells):
                row.cell(cell, v_align=VAlign.T, padding=(1.3, 2, 1.3, 0) if number == 0 else None)
    _rule(paper)


def _sums(paper: FPDF, page: View) -> None:
    height = 6 * max(len(page.totals), len(page.account)) + 8
    if paper.get_y() + height > paper.h - _BOTTOM:
        paper.add_page()
    top = paper.get_y() + 4
    paper.set_y(top)
    _pairs(paper, page.totals, left=_MARGIN + 100, width=70, size=10)
    bottom = paper.get_y()
    if page.account:
        paper.set_fill_color(*_TINT)
        paper.rect(_MARGIN, top, 84, 9 * 0.56 * len(page.account) + 5.8, style="F")
        paper.set_y(top + 2.5)
        _pairs(paper, page.account, left=_MARGIN + 4, width=76, size=9)
    paper.set_y(max(bottom, paper.get_y()) + 9)


def _notes(paper: FPDF, page: View) -> None:
    for note in page.notes:
        _style(paper, 9.5)
        paper.multi_cell(_WIDTH, 5, note, align="L", new_x="LMARGIN", new_y="NEXT")
        paper.set_y(paper.get_y() + 1)
    if not page.ledger:
        return
    height = 5 * len(page.ledger) + 11
    if paper.get_y() + height > paper.h - _BOTTOM:
        paper.add_page()
    paper.set_y(paper.get_y() + 5)
    _style(paper, 8, _SOFT, bold=True)
    paper.cell(100, 5, LEDGER, new_x="LMARGIN", new_y="NEXT")
    _pairs(paper, page.ledger, left=_MARGIN, width=100, size=8)


def _with_xml(document: Document, page: View, pdf: bytes) -> bytes:
    """Adds the XML and the metadata that announces it.

    It works in memory, so that nothing of a bill goes to a temporary file.
    """
    xml = bill_en16931.render(document)
    from facturx import generate_from_file

    file = BytesIO(pdf)
    generate_from_file(
        file,
        xml,
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        pdf_metadata={
            "author": document.seller.name,
            "keywords": f"{page.title}, Factur-X",
            "title": f"{page.title} {page.number}",
            "subject": f"{page.title} {page.number} of {document.issued_on.isoformat()}",
        },
        lang="en",
        afrelationship="data",
    )
    return file.getvalue()
