import pytest
from support.billing import document

from softix_proxy.exports.billing.bill_formats import FORMATS, MEDIA_TYPES

BEGINNINGS = {"html": b"<!doctype html>", "pdf": b"%PDF-1.7", "xml": b"<?xml", "ubl": b"<?xml", "json": b"{"}


@pytest.mark.parametrize("name", FORMATS)
def test_bill_format_by_name_renders_that_format(name: str) -> None:
    assert FORMATS[name](document(), None).startswith(BEGINNINGS[name])


def test_each_bill_format_has_a_media_type() -> None:
    assert list(MEDIA_TYPES) == list(FORMATS)
