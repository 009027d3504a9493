"""The known formats of bills, and the rules by which they are recognized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from typing import Literal, NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.reporting.reconciliation import Measure, ProviderBillLine
from softix_proxy.imports import anthropic_bill, cloud_costs, openai_bill, packed, pages, tables
from softix_proxy.imports.forms import CsvBillLayout
from softix_proxy.imports.mapping import BillMapping
from softix_proxy.imports.pages import Pages

BillFormat = Literal["auto", "openai-costs", "openai-usage", "anthropic-costs", "azure", "aws", "mapping"]


@dataclass(frozen=True, slots=True)
class BillKind:
    """One kind of bill, in each of its shapes. Of the CSV layouts, the first one that fits is used."""

    json: Pages | None
    marks: frozenset[str]
    """The members that only a JSON result of this kind has."""
    forms: Sequence[CsvBillLayout]
    measure: Measure = Measure.USD


KINDS: Mapping[str, BillKind] = {
    "openai-costs": BillKind(
        openai_bill.COSTS_JSON, frozenset({"start_time", "amount"}), [openai_bill.COSTS_CSV], Measure.USD
    ),
    "openai-usage": BillKind(
        openai_bill.USAGE_JSON, frozenset({"start_time", "input_tokens"}), [openai_bill.USAGE_CSV], Measure.TOKENS
    ),
    "anthropic-costs": BillKind(
        anthropic_bill.COSTS_JSON, frozenset({"starting_at", "amount"}), [anthropic_bill.COSTS_CSV]
    ),
    "azure": BillKind(None, frozenset(), [cloud_costs.AZURE_USD, cloud_costs.AZURE]),
    "aws": BillKind(None, frozenset(), [cloud_costs.AWS_1, cloud_costs.AWS_2]),
}


class ProviderBill(NamedTuple):
    title: str
    """A description of the bill in words."""
    measure: Measure
    lines: Iterator[ProviderBillLine | None]
    """The lines. None stands for a row that is not about models or was not wanted.

    The iterator may raise BadInputError.
    """


def read(file: BufferedReader, name: str, form: BillFormat, told: BillMapping) -> ProviderBill:
    """Reads a bill of this format, or of the one that it looks like. The file may be packed. Raises BadInputError."""
    if form == "mapping" and told.form is None:
        raise BadInputError("--format mapping needs the columns", "name a file that has [columns] with --mapping")
    with packed.told(name):
        file = packed.unpacked(file, name)
        own = told.form if form in ("auto", "mapping") else None
        bill = _json(file, name, form) if not own and _is_json(file) else _csv(file, name, form, own, told)
    return bill._replace(lines=_guarded(bill.lines, name, told))


def _is_json(file: BufferedReader) -> bool:
    return file.peek(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def _json(file: BufferedReader, name: str, form: BillFormat) -> ProviderBill:
    read_pages = pages.read(file, name)
    first = pages.first_result(read_pages)
    for key, kind in KINDS.items():
        if kind.json and (form == key or (form == "auto" and kind.marks <= first.keys())):
            return ProviderBill(kind.json.title, kind.measure, kind.json.lines(read_pages, name))
    raise _unknown(name, form)


def _csv(
    file: BufferedReader, name: str, form: BillFormat, own: CsvBillLayout | None, told: BillMapping
) -> ProviderBill:
    table = tables.read(file, name)
    if own:
        measure = Measure.USD if own.amount else Measure.TOKENS
        return _table(table, name, own, measure, told)
    for key, kind in KINDS.items():
        if form in ("auto", key):
            for candidate in kind.forms:
                if candidate.fits(table.columns) or (form == key and candidate is kind.forms[-1]):
                    return _table(table, name, candidate, kind.measure, told)
    raise _unknown(name, form)


def _table(
    table: tables.BillTable, name: str, form: CsvBillLayout, measure: Measure, told: BillMapping
) -> ProviderBill:
    form = replace(form, only={**form.only, **told.only})
    return ProviderBill(form.title, measure, form.lines(table, name))


def _guarded(
    lines: Iterator[ProviderBillLine | None], name: str, told: BillMapping
) -> Iterator[ProviderBillLine | None]:
    with packed.told(name):
        for line in lines:
            yield line._replace(model=told.model(line.model)) if line and line.model else line


def _unknown(name: str, form: BillFormat) -> BadInputError:
    what = "no bill that softix knows, or nothing in it" if form == "auto" else f"not the format {form}"
    return BadInputError(f"{name}: {what}", f"--format {'|'.join(KINDS)}, or describe its columns with --mapping")
