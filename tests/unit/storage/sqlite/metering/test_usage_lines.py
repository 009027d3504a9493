from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.exports.metering import csv_usage, jsonl_usage
from softix_proxy.exports.metering.columns import COLUMNS, ColumnKind, UsageColumn, format_factor
from softix_proxy.exports.metering.line_layout import Cell, Encoding, Layout
from softix_proxy.storage.sqlite.core.engine import SqliteConnection, connect
from softix_proxy.storage.sqlite.metering import usage_lines

CONNECTION: SqliteConnection = connect(Path(":memory:"))


def written(field: usage_lines._Field, **columns: object) -> str:
    """What SQLite makes of a field whose columns have these values."""
    named = ", ".join(f"?{number} AS {name}" for number, name in enumerate(columns, 2))
    statement = f"SELECT printf('{field.form}', {field.values}) FROM (SELECT {named}) AS u"
    return str(CONNECTION.execute(statement, (usage_lines.PAIRS, *columns.values())).fetchone()[0])


@given(st.integers(0, 2**63 - 1))
def test_money_field_with_any_amount_equals_format_usd(pico: int) -> None:
    assert written(usage_lines._usd("u.x"), x=pico) == format_usd(pico)


@given(st.integers(0, 4_102_444_800_000_000))
def test_instant_field_with_any_time_equals_format_instant(us: int) -> None:
    assert written(usage_lines._instant("u.x"), x=us) == format_instant(us)


@given(st.integers(0, 2**63 - 1))
def test_request_id_field_with_any_number_equals_format_request_id(number: int) -> None:
    assert written(usage_lines._request_id("u.x"), x=number) == format_request_id(number)


@given(st.integers(0, 101 * 10**8))
def test_factor_field_with_any_fraction_equals_format_factor(hundred_millionths: int) -> None:
    factor = Fraction(hundred_millionths, 10**8)
    field = usage_lines._factor("u.n", "u.d")
    assert written(field, n=factor.numerator, d=factor.denominator) == format_factor(factor)


def test_line_statement_is_built_for_known_columns_only() -> None:
    assert {column.name for column in COLUMNS} == {*usage_lines._FIELDS, *usage_lines._COLUMNS}
    assert usage_lines.statement(csv_usage.LAYOUT) and usage_lines.statement(jsonl_usage.LAYOUT)
    [charge] = [column for column in COLUMNS if column.name == "charge"]
    for other in (
        Cell("", UsageColumn("another", ColumnKind.NUMBER, lambda row: row.id), Encoding.BARE),
        Cell("", charge._replace(value=lambda row: row.charge_pico), Encoding.BARE),
        Cell("", charge, Encoding.CSV_TEXT),
    ):
        assert usage_lines.statement(Layout("", (*csv_usage.LAYOUT.cells, other), "")) is None
    assert usage_lines.statement(object()) is None


def test_line_statement_with_punctuation_in_the_layout_escapes_it() -> None:
    [currency] = [column for column in COLUMNS if column.name == "currency"]
    statement = usage_lines.statement(Layout("", (Cell("50% 'x' ", currency, Encoding.JSON_TEXT),), "%\n"))
    assert statement is not None and """'50%% ''x'' "USD"%%\n'""" in statement
