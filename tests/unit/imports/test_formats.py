import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.reporting.reconciliation import Measure, ProviderBillLine
from softix_proxy.imports import formats, mapping
from softix_proxy.imports.formats import KINDS, BillFormat
from softix_proxy.imports.mapping import BillMapping

GOLDEN = Path(__file__).parents[2] / "golden" / "reconcile"
HEADERS = [path.read_bytes().splitlines()[0].decode() for path in sorted(GOLDEN.glob("*.csv"))]


def lines(raw: bytes, form: BillFormat = "auto", told: BillMapping | None = None) -> list[ProviderBillLine | None]:
    file = io.BufferedReader(io.BytesIO(raw))  # type: ignore[arg-type]
    return list(formats.read(file, "bill", form, told or BillMapping()).lines)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("openai-costs", "openai_costs.json"),
        ("openai-costs", "openai_costs.csv"),
        ("openai-usage", "openai_usage.json"),
        ("openai-usage", "openai_usage.csv"),
        ("anthropic-costs", "anthropic_costs.json"),
        ("anthropic-costs", "anthropic_costs.csv"),
        ("azure", "azure.csv"),
        ("aws", "aws_1.csv"),
        ("aws", "aws_2.csv"),
    ],
)
def test_bill_format_is_recognised_by_its_contents(form: BillFormat, name: str) -> None:
    raw = (GOLDEN / name).read_bytes()
    found = lines(raw)
    assert any(found)
    assert lines(raw, form) == lines(gzip.compress(raw)) == found


def test_bill_measure_of_usage_is_tokens_and_of_costs_is_dollars() -> None:
    file = io.BufferedReader(io.BytesIO((GOLDEN / "openai_usage.json").read_bytes()))  # type: ignore[arg-type]
    assert formats.read(file, "bill", "auto", BillMapping()).measure is Measure.TOKENS
    assert KINDS["azure"].measure is Measure.USD


def test_bill_with_a_mapping_is_read_by_its_columns_and_models() -> None:
    with (GOLDEN / "mapped.toml").open("rb") as file:
        told = mapping.read(file, "mapped.toml")
    assert lines((GOLDEN / "mapped.csv").read_bytes(), told=told) == [
        ProviderBillLine(20727, "gpt-4o", 125 * 10**9, 1000, 10**9),
        None,
    ]
    renamed = BillMapping(None, {"meternameX": ("x",)}, {"gpt*4o*0806": "gpt-4o"})
    with pytest.raises(BadInputError, match="no column 'meternameX'"):
        lines((GOLDEN / "azure.csv").read_bytes(), told=renamed)
    one = lines((GOLDEN / "azure.csv").read_bytes(), told=BillMapping(None, {"metername": ("*outp*",)}, renamed.models))
    assert [line and line.model for line in one] == [None, "gpt-4o", None]


@pytest.mark.parametrize(
    ("raw", "form", "told"),
    [
        (b"", "auto", "bill is empty"),
        (b"a,b\n1,2\n", "auto", "bill: no bill that softix knows"),
        (b"a,b\n1,2\n", "azure", "bill, row 1: no column 'date'"),
        (b'{"data": []}', "auto", "bill: no bill that softix knows, or nothing in it"),
        (b'{"data": []}', "azure", "bill: not the format azure"),
        (b"a,b\n1,2\n", "mapping", "--format mapping needs the columns"),
        (gzip.compress(b"a" * 1000, mtime=0)[:20], "auto", "bill: the compressed file is damaged"),
        (b"\x1f\x8b\x00", "auto", "bill: the compressed file is damaged"),
    ],
)
def test_file_that_is_no_bill_is_refused(raw: bytes, form: BillFormat, told: str) -> None:
    with pytest.raises(BadInputError) as caught:
        lines(raw, form)
    assert caught.value.message.startswith(told)


def test_compressed_bill_that_is_damaged_late_is_refused() -> None:
    raw = gzip.compress((HEADERS[0] + "\n" + "2026-10-01" * 9000).encode(), 0)
    with pytest.raises(BadInputError, match=r"damaged|not CSV"):
        lines(raw[:60_000])


cells = st.sampled_from(["2026-10-01", "10/01/2026", "1790812800", "1e-6", "USD", "usage", "AmazonBedrock", "", "x"])
rows = st.lists(st.lists(cells | st.text(max_size=8), min_size=1, max_size=17).map(",".join), max_size=4)


@given(st.sampled_from(HEADERS), rows, st.sampled_from(["auto", *KINDS]))
def test_arbitrary_table_is_read_or_refused(header: str, rows: list[str], form: BillFormat) -> None:
    try:
        lines("\n".join([header, *rows]).encode("utf-8", "surrogatepass"), form)
    except BadInputError as error:
        assert error.message.startswith("bill")


@given(st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\x00", b"{", b"\xef\xbb\xbf["]), st.binary(max_size=120))
def test_arbitrary_bytes_are_read_or_refused(start: bytes, rest: bytes) -> None:
    try:
        lines(start + rest)
    except BadInputError as error:
        assert error.message.startswith("bill")
