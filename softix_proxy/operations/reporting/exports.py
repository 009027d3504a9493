"""Exports the books for accounting, in every format, as named files in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import NamedTuple

from softix_proxy.domain.core.clock import from_us, to_us
from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import REVENUE, Posting
from softix_proxy.domain.metering.usage import ExportLines, UsageFilter
from softix_proxy.domain.metering.usage_tags import checked
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.reporting.manifests import ExportContents, RowForm
from softix_proxy.exports.ledger.form import ExportFormat, ExportOptions, ExportWriter, Granularity
from softix_proxy.exports.metering.parquet_usage import ParquetUsage
from softix_proxy.exports.reporting.fingerprints import Begun
from softix_proxy.exports.reporting.formats import FORMS
from softix_proxy.operations.access import users
from softix_proxy.operations.metering import usage
from softix_proxy.operations.metering.usage import UsageExport

PARQUET = "parquet"
FORMATS: Sequence[str] = (*usage.FORMATS, PARQUET, *FORMS)
_ROWS_AT_ONCE = 4000
_LAST_US = to_us(datetime(9999, 12, 30, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class ExportRequest:
    format: str
    """The name of one of FORMATS."""
    span: Span
    user: str | None = None
    granularity: Granularity | None = None
    names: Sequence[str] = ()
    """Texts of the form `role=name`: the accounts' names in the books."""
    costs: bool = False
    opening: bool = False
    """Whether the export begins with the earlier balances, for books that begin here."""
    zone: tzinfo = UTC
    after_id: int | None = None
    """The last row that is already written. None means from the beginning, with the header."""
    tags: Sequence[str] = ()
    """Only the rows that have all of these tags."""


class _Batch(NamedTuple):
    rows: int
    """The number of rows that were read since the last batch."""
    postings: Sequence[Posting]


async def account(storage: Storage, wanted: ExportRequest) -> ExportContents:
    """Returns the description of the export, which is completed while the export is written. Raises NotFoundError."""
    user_id = (await users.find(storage.reading(), wanted.user)).public_id if wanted.user else None
    options = {
        "granularity": wanted.granularity,
        "names": list(wanted.names),
        "costs": wanted.costs,
        "opening": wanted.opening,
        "zone": str(wanted.zone),
        "tags": list(wanted.tags),
    }
    return ExportContents(
        wanted.format, wanted.span, user_id, {name: value for name, value in options.items() if value}
    )


def row_form(form: str) -> RowForm | None:
    """Returns how the format's lines begin with a row's id. Returns None if they do not."""
    layout = next((layout for name, layout in usage.FORMATS.items() if name == form), None)
    return RowForm(layout.cells[0].before, layout.end) if layout else None


async def gone_on(storage: Storage, wanted: ExportRequest, left: Begun, told: ExportContents) -> ExportRequest:
    """Returns the request for the rest of an export, and counts the rows that are already written.

    Raises ConflictError if those are not the rows with which this export begins.
    """
    user_id = (await users.find(storage.reading(), wanted.user)).id if wanted.user else None
    async for sums in storage.reading().usage.sums(wanted.span._replace(to_us=left.last_id + 1), user_id):
        told.add(sums)
    if (told.rows, told.first_row_id, told.last_row_id) != (left.rows, left.first_id, left.last_id):
        raise ConflictError(
            "what is there already is of another export", "remove the .partial file, or leave out --resume"
        )
    return replace(wanted, after_id=left.last_id)


def several_files(form: str) -> bool:
    return form in FORMS and FORMS[form].several


def sums_up(form: str, granularity: Granularity | None) -> bool:
    """Decides whether each entry sums up a day or month, instead of one row."""
    return form in FORMS and (granularity or FORMS[form].granularities[0]) != "row"


async def export(storage: Storage, wanted: ExportRequest) -> UsageExport:
    """Exports in chunks that name their files.

    Raises BadInputError for options that the format does not have, NotFoundError, FailureError.
    """
    form = FORMS.get(wanted.format)
    granularity = _granularity(wanted, form)
    unit = storage.reading()
    user_id = (await users.find(unit, wanted.user)).id if wanted.user else None
    expected_rows = await unit.usage.expected_rows(wanted.span, user_id)
    last_us = await unit.ledger.last_posted()
    until_us = min(wanted.span.to_us, last_us + 1)
    if form is not None:
        options = ExportOptions(
            wanted.span,
            _stem(wanted),
            granularity,
            form.names.chart(wanted.names),
            wanted.costs,
            user_id is None,
            wanted.zone,
        )
        return UsageExport(expected_rows, _books(unit, form, options, wanted, user_id, until_us), last_us)
    if wanted.format == PARQUET:
        return UsageExport(expected_rows, _parquet(unit, ParquetUsage(), wanted, user_id, until_us), last_us)
    layout = next(layout for name, layout in usage.FORMATS.items() if name == wanted.format)
    exported = await usage.export(
        storage, layout, wanted.span, wanted.user, after_id=wanted.after_id, tags=checked(wanted.tags)
    )
    return UsageExport(exported.expected_rows, _named(exported.chunks, f"{_stem(wanted)}.{wanted.format}"))


def _granularity(wanted: ExportRequest, form: ExportFormat | None) -> Granularity:
    """Returns the granularity to use. Raises BadInputError for options that the format does not have."""
    able = form.granularities if form else ("row",)
    if wanted.granularity not in (None, *able):
        raise BadInputError(f"{wanted.format} has no granularity {wanted.granularity}", f"choose {' or '.join(able)}")
    refused = {
        "--costs": wanted.costs and not (form and form.takes_costs),
        "--opening": wanted.opening and not (form and form.takes_opening),
        "--name": bool(wanted.names) and form is None,
        "--tag": bool(wanted.tags) and wanted.format not in usage.FORMATS,
    }
    for option, is_refused in refused.items():
        if is_refused:
            raise BadInputError(f"{wanted.format} does not take {option}", "leave it out, or choose another --format")
    return wanted.granularity or able[0]


def _stem(wanted: ExportRequest) -> str:
    return "_".join([wanted.format, *(_edge(edge, wanted.zone) for edge in wanted.span)])


def _edge(instant_us: int, zone: tzinfo) -> str:
    """Returns the instant's date if it is midnight in the zone, or else date and time."""
    at = from_us(min(instant_us, _LAST_US)).astimezone(zone)
    return f"{at:%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%dT%H%M%S}"


async def _named(chunks: AsyncIterator[ExportLines], file: str) -> AsyncIterator[ExportLines]:
    async for chunk in chunks:
        yield chunk._replace(file=file)


async def _parquet(
    unit: Unit, writer: ParquetUsage, wanted: ExportRequest, user_id: int | None, until_us: int
) -> AsyncIterator[ExportLines]:
    file = f"{_stem(wanted)}.{PARQUET}"
    span, after = Span(wanted.span.from_us, until_us), 0
    while rows := await unit.usage.after(UsageFilter(span=span, user_id=user_id), after, _ROWS_AT_ONCE):
        after = rows[-1].id
        text, costs, charges = writer.feed(rows), [row.cost_pico for row in rows], [row.charge_pico for row in rows]
        yield ExportLines(text, len(rows), sum(costs), sum(charges), file)
    yield ExportLines(writer.end(), 0, 0, 0, file)


async def _books(
    unit: Unit, form: ExportFormat, options: ExportOptions, wanted: ExportRequest, user_id: int | None, until_us: int
) -> AsyncIterator[ExportLines]:
    writer = form.make(options)
    before = await _before(unit, form, options, user_id) if form.history or wanted.opening else []
    if wanted.opening:
        for lines in _written(writer, _Batch(0, before)):
            yield lines
    else:
        writer.known(before)
    span = Span(options.span.from_us, until_us)
    batches = (_one_by_one if options.granularity == "row" else _summed)(unit, form, options, span, user_id)
    async for batch in batches:
        for lines in _written(writer, batch):
            yield lines
    for piece in writer.end():
        yield ExportLines(piece.text, 0, 0, 0, piece.file)


def _written(writer: ExportWriter, batch: _Batch) -> Iterable[ExportLines]:
    cost_pico = sum([posting.cost_pico for posting in batch.postings if posting.kind != "opening"])
    charge_pico = -sum(
        [posting.wallet_pico for posting in batch.postings if posting.account == REVENUE and posting.kind != "opening"]
    )
    yield ExportLines(b"", batch.rows, cost_pico, charge_pico)
    for piece in writer.feed(batch.postings):
        yield ExportLines(piece.text, 0, 0, 0, piece.file)


async def _one_by_one(
    unit: Unit, form: ExportFormat, options: ExportOptions, span: Span, user_id: int | None
) -> AsyncIterator[_Batch]:
    async for portion in unit.ledger.postings(span, user_id):
        yield _Batch(portion.rows, portion.postings)


async def _summed(
    unit: Unit, form: ExportFormat, options: ExportOptions, span: Span, user_id: int | None
) -> AsyncIterator[_Batch]:
    """Yields a batch for each day or month with postings, summed by user."""
    at_us = span.from_us
    while (first_us := await unit.ledger.first_posted(Span(at_us, span.to_us))) is not None:
        cut_us = min(_next_cut_us(first_us, options), options.span.to_us)
        sums = _Sums(options.costs or form.by_model, form.by_model)
        async for portion in unit.ledger.sums(Span(first_us, min(cut_us, span.to_us)), user_id):
            sums.add(portion.postings)
            yield _Batch(portion.rows, ())
        yield _Batch(0, sums.postings(cut_us - 1))
        at_us = cut_us


async def _before(unit: Unit, form: ExportFormat, options: ExportOptions, user_id: int | None) -> Sequence[Posting]:
    """Returns the sums of all postings before the span, by user and account, and by provider if costs are wanted."""
    sums = _Sums(options.costs, False)
    async for portion in unit.ledger.sums(Span(0, options.span.from_us), user_id):
        sums.add(
            posting._replace(kind="opening", requests=0, input_tokens=0, output_tokens=0)
            for posting in portion.postings
        )
    return sums.postings(options.span.from_us - 1)


def _next_cut_us(instant_us: int, options: ExportOptions) -> int:
    """Returns the midnight in the zone at which the day or month of the instant ends."""
    day = options.day(instant_us)
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    if options.granularity == "day":
        following = day + timedelta(days=1)
    return to_us(datetime.combine(following, time(), options.zone).astimezone(UTC))


class _Sums:
    """Sums of similar postings."""

    def __init__(self, by_provider: bool, by_model: bool) -> None:
        self._by_provider = by_provider
        self._by_model = by_model
        self._sums: dict[tuple[str | int | None, ...], Posting] = {}

    def add(self, postings: Iterable[Posting]) -> None:
        for posting in postings:
            provider = posting.provider if self._by_provider else None
            model = posting.model if self._by_model else None
            place = (posting.user_id, posting.kind, posting.account, provider, model)
            known = self._sums.get(place)
            self._sums[place] = posting._replace(
                wallet_pico=posting.wallet_pico + (known.wallet_pico if known else 0),
                cost_pico=posting.cost_pico + (known.cost_pico if known else 0),
                provider=provider,
                model=model,
                requests=posting.requests + (known.requests if known else 0),
                input_tokens=posting.input_tokens + (known.input_tokens if known else 0),
                output_tokens=posting.output_tokens + (known.output_tokens if known else 0),
            )

    def postings(self, at_us: int) -> Sequence[Posting]:
        """Returns the postings grouped by user.

        Their order does not depend on names, because entries are numbered by it.
        """
        rows = [posting._replace(id=at_us) for posting in self._sums.values()]
        return sorted(rows, key=lambda one: (one.user_id, one.kind, one.account, one.provider or "", one.model or ""))
