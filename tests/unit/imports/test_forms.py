import io

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.reporting.reconciliation import ProviderBillLine
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


def test_form_reads_a_row_as_a_line() -> None:
    assert lines("1790812800,1790899200,m,150,USD,3,4,Usage\n") == [
        ProviderBillLine(20727, "M", 15 * 10**11, 7, 10**10)
    ]


def test_form_leaves_out_rows_of_other_kinds_and_without_cost() -> None:
    assert lines("x,,,,,,,tax\n2026-10-01,,,,,,,usage\n") == [None, None]


def test_form_reads_a_row_without_a_model_as_a_line_of_none() -> None:
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
def test_form_with_an_unreadable_value_names_row_and_column(row: str, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        lines(row + "\n")
    assert caught.value.message.startswith(f"f.csv, {told}")


def test_form_without_a_needed_column_is_refused() -> None:
    with pytest.raises(BadInputError, match="row 1: no column 'cost', which a test should have"):
        lines("", header=HEADER.replace("cost", "price"))


def test_form_fits_only_columns_with_all_its_marks() -> None:
    assert FORM.fits(["kind", "cost", "more"])
    assert not FORM.fits(["cost"])
