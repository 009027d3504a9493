"""A contract is every engine's: what reaches into one of them says so."""

from __future__ import annotations

import re

import pytest
from support.books import NOW_US, POSTED_PICO, USD, make_intent, make_settlement
from support.engines import ENGINES, Books
from support.sources import sources

INSIDE = re.compile(
    r"softix_proxy\.storage|\bmake_database\b|support\.(billing|year|every_record)|support import every_record"
)
MARK = re.compile(r'^pytestmark = pytest\.mark\.only_engine\("(\w+)", reason="\w[^"]+"\)$', re.M)


def test_contract_file_is_marked_exactly_if_it_uses_the_inside_of_an_engine() -> None:
    files = [source for source in sources("tests/contract") if source.place.rpartition("/")[2].startswith("test_")]
    marked = {source.place: match[1] for source in files if (match := MARK.search(source.text))}
    own = "tests/contract/test_engines.py"
    reaching = {source.place for source in files if source.place != own and INSIDE.search(source.text)}
    assert set(marked) == reaching, (
        "instead: ask `books` of tests/contract/conftest.py, or mark the file with the reason"
    )
    assert set(marked.values()) <= set(ENGINES)
    assert len(files) - len(marked) >= 15


async def test_books_of_an_engine_support_each_operation_of_the_contract_suite(
    books: Books, empty_books: Books
) -> None:

    await books.settle([make_settlement(make_intent(1, 0), charge_pico=7)], NOW_US)
    await books.admit([make_intent(2, 0)], NOW_US, slot=3)
    wallet = await books.storage.reading().balance.get(1)
    assert (wallet.posted_pico, wallet.held_pico) == (POSTED_PICO - 7, USD)
    assert [orphan.intent.request_id for orphan in await books.orphans(3)] == [2]
    with pytest.raises(Exception, match="append-only"):
        await books.run("DELETE FROM usage")
    assert await empty_books.storage.reading().users.list() == []
