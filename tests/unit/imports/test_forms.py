import io

import pytest

from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.reconciliation import ProviderBillLine
from softix_proxy.imports import tables
from softix_proxy.imports.forms import CsvBillLayout

FORM = CsvBillLayout(
    title="a test",
    date=("day", "date"),
    end=("end",),
    model=("model",),
    amount=("cost",),
    divisor=100,
    currency=("currency",),
    tokens=("in", "out"),
    only={"kind": ("us*",)},
    model_of=str.upper,
    marks=("cost", "kind"),
)
HEADER = "date,end,model,cost,currency,in,out,kind\n"


def lines(rows: str, form: CsvBillLayout = FORM, header: str = HEADER) -> list[ProviderBillLine | None]:
    return list(form.lines(tables.read(io.BytesIO((header + rows).encode()), "f.csv"), "f.csv"))


def test_a_row_is_a_line() -> None:
    assert lines("1790812800,1790899200,m,150,USD,3,4,Usage\n") == [
        ProviderBillLine(20727, "M", 15 * 10**11, 7, 10**10)
    ]


def test_rows_of_other_kinds_and_without_cost_are_left_out() -> None:
    assert lines("x,,,,,,,tax\n2026-10-01,,,,,,,usage\n") == [None, None]


def test_no_model() -> None:
    [line] = lines("2026-10-01,2026-10-02,,1,usd,,,usage\n")
    assert line == ProviderBillLine(20727, None, 10**10, 0, 10**10)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("today,2026-10-02,m,1,USD,,,usage", "row 2, column 'date': not a date"),
        ("2026-10-01,2026-10-03,m,1,USD,,,usage", "row 2, column 'end': it does not lie within one day"),
        ("2026-10-01,2026-10-02,m,1 000,USD,,,usage", "row 2, column 'cost': not an amount: '1 000'"),
        ("2026-10-01,2026-10-02,m,1,EUR,,,usage", "row 2, column 'currency': the currency is 'EUR'"),
        ("2026-10-01,2026-10-02,m,1,USD,,-4,usage", "row 2, column 'out': not a count: '-4'"),
    ],
)
def test_what_cannot_be_read_is_named_by_row_and_column(row: str, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        lines(row + "\n")
    assert caught.value.message.startswith(f"f.csv, {told}")


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(BadInputError, match="row 1: no column 'cost', which a test should have"):
        lines("", header=HEADER.replace("cost", "price"))


def test_marks_tell_a_form() -> None:
    assert FORM.fits(["kind", "cost", "more"])
    assert not FORM.fits(["cost"])
