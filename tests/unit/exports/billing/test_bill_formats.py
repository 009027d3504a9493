import pytest
from support.billing import document

from softix_proxy.exports.billing.bill_formats import FORMATS

BEGINNINGS = {"html": b"<!doctype html>", "pdf": b"%PDF-1.7", "xml": b"<?xml", "ubl": b"<?xml", "json": b"{"}


@pytest.mark.parametrize("name", FORMATS)
def test_bill_format_by_name_renders_that_format(name: str) -> None:
    assert FORMATS[name](document(), None).startswith(BEGINNINGS[name])
