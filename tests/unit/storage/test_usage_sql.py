from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.money import format_usd
from softix_proxy.domain.usage import Cell, Encoding, Layout
from softix_proxy.exports.columns import COLUMNS, format_factor
from softix_proxy.storage import usage_sql
from softix_proxy.storage.engine_sqlite import SqliteConnection, connect

CONNECTION: SqliteConnection = connect(Path(":memory:"))


def written(field: usage_sql._Field, **columns: object) -> str:
    """What SQLite makes of a field whose columns have these values."""
    named = ", ".join(f"?{number} AS {name}" for number, name in enumerate(columns, 2))
    statement = f"SELECT printf('{field.form}', {field.values}) FROM (SELECT {named}) AS u"
    return str(CONNECTION.execute(statement, (usage_sql.PAIRS, *columns.values())).fetchone()[0])


@given(st.integers(0, 2**63 - 1))
def test_money_reads_as_format_usd_has_it(pico: int) -> None:
    assert written(usage_sql._usd("u.x"), x=pico) == format_usd(pico)


@given(st.integers(0, 4_102_444_800_000_000))
def test_instants_read_as_format_instant_has_them(us: int) -> None:
    assert written(usage_sql._instant("u.x"), x=us) == format_instant(us)


@given(st.integers(0, 2**63 - 1))
def test_request_ids_read_as_format_request_id_has_them(number: int) -> None:
    assert written(usage_sql._request_id("u.x"), x=number) == format_request_id(number)


@given(st.integers(0, 101 * 10**8))
def test_factors_read_as_format_factor_has_them(hundred_millionths: int) -> None:
    factor = Fraction(hundred_millionths, 10**8)
    field = usage_sql._factor("u.n", "u.d")
    assert written(field, n=factor.numerator, d=factor.denominator) == format_factor(factor)


def test_every_column_has_an_expression() -> None:
    for column in COLUMNS:
        assert usage_sql._cell(Cell("", column.name, Encoding.BARE)).form


def test_punctuation_is_taken_literally() -> None:
    statement = usage_sql.lines(Layout("", (Cell("50% 'x' ", "currency", Encoding.JSON_TEXT),), "%\n"))
    assert """printf('50%% ''x'' "USD"%%\n', )""" not in statement
    assert """'50%% ''x'' "USD"%%\n'""" in statement


def test_whole_puts_the_two_parts_together() -> None:
    assert usage_sql.whole(3, 7) == 3_000_007
