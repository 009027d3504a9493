"""A field is found by its name, wherever its column stands and whatever its place in the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from softix_proxy.storage.sqlite.core import record_mapping
from softix_proxy.storage.sqlite.core.engine import connect
from softix_proxy.storage.sqlite.core.record_mapping import (
    RecordMapping,
    Stored,
    WrittenColumns,
    converted,
    field_names,
    selected,
    text_list,
)


class Span(NamedTuple):
    begin: int
    end: int


@dataclass(frozen=True)
class Thing:
    name: str
    tags: tuple[str, ...]
    factor: Fraction
    span: Span
    ready: bool = False
    remark: str = ""
    length: int = field(init=False, default=0)


@dataclass(frozen=True)
class TurnedRound:
    remark: str
    ready: bool
    span: Span
    factor: Fraction
    tags: tuple[str, ...]
    name: str


FACTOR = Stored(("num", "den"), read=Fraction, write=lambda factor: (factor.numerator, factor.denominator))
HOW = {"tags": text_list(), "factor": FACTOR, "span": RecordMapping(Span, "end", "begin"), "ready": converted(bool)}
THING = RecordMapping(Thing, "name", "remark", **HOW)
STORED = {"name": "a", "remark": "b", "tags": '["x"]', "num": 3, "den": 4, "end": 9, "begin": 5, "ready": True}
ONE = Thing(name="a", tags=("x",), factor=Fraction(3, 4), span=Span(begin=5, end=9), ready=True, remark="b")


def test_record_mapping_with_any_order_of_fields_reads_a_row_by_name() -> None:
    assert THING.columns == tuple(STORED) and THING.select() == ", ".join(STORED)
    assert THING.read(tuple(STORED.values())) == ONE
    other = RecordMapping(TurnedRound, "name", "remark", **HOW).read(tuple(STORED.values()))
    assert all(getattr(other, name) == getattr(ONE, name) for name in field_names(TurnedRound))


def test_record_mapping_writes_a_record_by_column_names() -> None:
    assert THING.row(ONE) == STORED and THING.values(ONE) == tuple(STORED.values())
    assert THING.row(ONE, "factor", "name") == {"num": 3, "den": 4, "name": "a"}


def test_record_mapping_with_a_given_value_fills_the_field_that_is_not_stored() -> None:
    mapping = RecordMapping(Span, begin=selected("x + 1"), given={"end": 7})
    assert mapping.select() == "x + 1" and mapping.read((4, "more")) == Span(4, 7)


@pytest.mark.parametrize("named", [("begin",), ("begin", "end", "middle"), ("begin", "begin", "end")])
def test_record_mapping_that_does_not_name_each_field_once_is_refused(named: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="fields"):
        RecordMapping(Span, *named)


def test_written_columns_return_the_values_at_their_paths() -> None:
    columns = WrittenColumns({"n": "name", "num": "factor.numerator"}, or_null={"remark": "remark", "tags": "tags"})
    assert columns.columns == ("n", "num", "remark", "tags")
    assert columns.values(ONE) == ("a", 3, "b", ("x",))
    assert WrittenColumns({"n": "name"}, or_null={"r": "remark"}).values(Thing("", (), Fraction(1), Span(0, 0))) == (
        "",
        None,
    )
    assert WrittenColumns({"n": "name"}).values(ONE) == ("a",)
    with pytest.raises(ValueError, match="name or"):
        WrittenColumns({"n": "name or 1"})


def test_insert_and_update_statements_name_their_columns(tmp_path: Path) -> None:
    with connect(tmp_path / "x.db", make=True) as books:
        books.execute("CREATE TABLE t (b, a)")
        books.execute(record_mapping.insert("t", ("a", "b")), (1, 2))
        books.execute(record_mapping.insert("t", ("a", "b"), rows="SELECT b, a + 9 FROM t"))
        books.execute(record_mapping.insert_listed("t", ("a", "b")), ('[{"b": 6, "a": 5}]',))
        books.execute(record_mapping.update("t", ("b", "a"), "a = ?"), (4, 3, 5))
        assert books.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == [(1, 2), (2, 10), (3, 4)]
    books.close()
