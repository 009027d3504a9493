"""The rule of who may name what: all things in one account, and a stranger's are as if there were none."""

from __future__ import annotations

import pytest

from softix_proxy.domain.access.objects import (
    KINDS,
    AccountPlace,
    ObjectRef,
    Unresolved,
    asked_for,
    is_storable,
    pin,
    storable,
)
from softix_proxy.domain.core.errors import Code

A, B = AccountPlace(1, "main"), AccountPlace(1, "spare")
FILE, RESPONSE = ObjectRef("file", "f"), ObjectRef("response", "r")


def test_pin_with_all_things_in_one_account_returns_it() -> None:
    assert pin((FILE, RESPONSE), [(0, B), (1, A), (1, B)], (A, B)) == B


def test_pin_with_things_in_several_accounts_returns_the_first_place_of_the_request() -> None:
    assert pin((FILE,), [(0, A), (0, B)], (B, A)) == B


def test_pin_with_a_name_that_leads_nowhere_tells_its_kind() -> None:
    assert pin((FILE, RESPONSE), [(0, A)], (A,)) == Unresolved(Code.OBJECT_NOT_FOUND, "response")


@pytest.mark.parametrize("found", [[(0, A), (1, B)], [(0, B), (1, B)]])
def test_pin_with_things_where_the_request_cannot_run_tells_that(found: list[tuple[int, AccountPlace]]) -> None:
    assert pin((FILE, RESPONSE), found, (A,)) == Unresolved(Code.OBJECT_ELSEWHERE, "file")


def test_quoted_file_may_be_a_file_of_the_user() -> None:
    assert list(asked_for((ObjectRef("cited_file", "f"),))) == [(0, "cited_file", "f"), (0, "file", "f")]


def test_further_kinds_are_kinds() -> None:
    assert {also for kind in KINDS.values() for also in kind.also} <= KINDS.keys()


@pytest.mark.parametrize("name", [None, 1, "", "a b", "a\n", "é", "x" * 513, "\x1b[0m"])
def test_id_that_is_no_name_is_not_kept(name: object) -> None:
    assert not is_storable(name) and storable([("file", name), ("file", "f"), ("file", "f")]) == (FILE,)
