import json

from support.operators_pages import BILLING
from support.operators_side import OperatorsSide


async def test_documents_page_lists_periods_and_documents(side: OperatorsSide) -> None:
    text = (await side.ask(BILLING, "GET", "/admin/documents")).text
    assert "before" in text and "INV-00001" in text and "Ada Ltd" in text
    assert "INV-00001" in (await side.ask(BILLING, "GET", "/admin/documents", period="2026-12", user="usr_ada")).text
    assert "INV-00001" not in (await side.ask(BILLING, "GET", "/admin/documents", period="2026-11")).text


async def test_document_is_sent_as_a_file_in_each_format(side: OperatorsSide) -> None:
    made = {form: await side.ask(BILLING, "GET", f"/admin/documents/INV-00001.{form}") for form in ("html", "json")}
    assert made["html"].body.startswith(b"<!doctype html>")
    assert json.loads(made["json"].body)["number"] == "INV-00001"
    assert (await side.ask(BILLING, "GET", "/admin/documents/INV-00001.pdf")).body.startswith(b"%PDF-")
