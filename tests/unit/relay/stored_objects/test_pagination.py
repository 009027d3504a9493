from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from softix_proxy.dialects.core.listings import PageRequest
from softix_proxy.domain.metering.batches import Batch
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.batch.results import GONE
from softix_proxy.relay.stored_objects.pagination import ListingFailedError, fill_page


@dataclass(frozen=True)
class Row:
    remote_id: str


@dataclass
class Kept:
    """Rows in the order in which they are listed; what is not `there` is gone at the provider."""

    names: list[str]
    there: set[str]
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    unused: set[str] = field(default_factory=set)

    async def read(self, most: int, cursor: str | None) -> list[Row]:
        start = 0 if cursor is None else self.names.index(cursor) + 1
        return [Row(name) for name in self.names[start : start + most]]

    def call_for(self, row: Row) -> Any:
        return None if row.remote_id in self.unused else row.remote_id

    async def ask(self, name: Any) -> tuple[Any, bytes]:
        self.asked.append(name)
        told = json.dumps({"id": name, "purpose": "batch" if name < "m" else "batch_output"}).encode()
        status, body = self.answers.get(name, (200, told) if name in self.there else (404, b"{}"))
        return SimpleNamespace(status=status), body

    async def page(self, size: int, cursor: str | None = None, **more: Any) -> tuple[list[str], str | None]:
        filled = await fill_page(PageRequest(size, cursor, **more), self.read, self.call_for, self.ask)
        return [each.name for each in filled.found], filled.next_cursor


def kept(number: int, *there: int) -> Kept:
    names = [f"f{place:04}" for place in range(number)]
    return Kept(names, {names[place] for place in there})


async def test_batch_of_a_copy_is_listed_with_the_client_s_file() -> None:
    batches = [
        Batch(1, "openai", 1, "", 1, 1, "b1", 1, 1, input_file="mine"),
        Batch(2, "openai", 1, "", 1, 1, "b2", 1, 1),
    ]

    async def read(most: int, cursor: str | None) -> list[Batch]:
        return batches

    async def ask(name: Any) -> tuple[Any, bytes]:
        return SimpleNamespace(status=200), json.dumps({"id": name, "input_file_id": "there"}).encode()

    filled = await fill_page(PageRequest(5, None), read, lambda batch: batch.remote_id, ask)
    assert [json.loads(each.body)["input_file_id"] for each in filled.found] == ["mine", "there"]


async def test_page_with_missing_objects_is_filled_from_the_next_ones() -> None:
    here = kept(60, 25, 40, 41, 59)
    assert await here.page(2) == (["f0025", "f0040"], "f0040")
    assert await here.page(2, "f0040") == (["f0041", "f0059"], None)
    assert await here.page(20) == (["f0025", "f0040", "f0041", "f0059"], None)


async def test_page_without_missing_objects_requests_only_its_own_objects() -> None:
    here = kept(50, *range(50))
    assert await here.page(20) == (here.names[:20], "f0019") and here.asked == here.names[:20]
    assert await here.page(20, "f0039") == (here.names[40:], None)


@pytest.mark.parametrize("there", [(), (3,)])
async def test_page_with_few_objects_reads_to_the_end_and_has_no_cursor(there: tuple[int, ...]) -> None:
    here = kept(30, *there)
    assert await here.page(5) == ([here.names[place] for place in there], None)
    assert len(here.asked) == 30


async def test_pages_of_any_size_with_missing_objects_return_each_object_once() -> None:
    for size in (1, 2, 3, 7, 10, 11, 20):
        here, found, cursor = kept(97, *(place for place in range(97) if place * place % 7 < 3)), list[str](), None
        while True:
            names, cursor = await here.page(size, cursor)
            found += names
            assert len(names) <= size and (len(names) == size or cursor is None)
            if cursor is None:
                break
        assert found == sorted(here.there), size


async def test_page_with_many_missing_objects_stops_after_some_requests() -> None:
    here = kept(2000, 1999)
    names, cursor = await here.page(5)
    assert names == [] and cursor is not None and 500 <= len(here.asked) < 520
    while cursor is not None:
        names, cursor = await here.page(5, cursor)
    assert names == ["f1999"]


async def test_page_backwards_ends_with_the_object_nearest_to_the_cursor() -> None:
    here = kept(9, 2, 3, 5)
    assert await here.page(2, "f0000", ascending=True, backwards=True) == (["f0003", "f0002"], "f0003")


async def test_page_with_purpose_contains_only_files_of_that_purpose() -> None:
    here = Kept(["a", "x", "b", "y", "c"], set("axbyc"))
    assert await here.page(2, purpose="batch_output") == (["x", "y"], None)
    assert await here.page(2, purpose="batch") == (["a", "b"], "b")


async def test_page_with_objects_at_unused_provider_leaves_them_out() -> None:
    here = kept(3, 0, 1, 2)
    here.unused = {"f0001"}
    assert await here.page(5) == (["f0000", "f0002"], None) and here.asked == ["f0000", "f0002"]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_page_with_failing_provider_raises_the_failure(status: int) -> None:
    here = kept(3, 0, 1, 2)
    here.answers["f0001"] = status, b"no"
    with pytest.raises(ListingFailedError) as told:
        await here.page(5)
    assert (told.value.exchange.status, told.value.answer) == (status, b"no")


async def test_page_with_unreadable_provider_response_raises_a_provider_fault() -> None:
    here = kept(3, 0, 1, 2)
    here.answers["f0001"] = 200, b"<html>"
    with pytest.raises(ProviderFault):
        await here.page(5)


def test_gone_statuses_are_404_and_410() -> None:
    assert GONE == (404, 410)
