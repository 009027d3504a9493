"""Reads price lists as CSV or JSON.

CSV has a header, and a line for each model or for each band of it. Its columns are `model` and any of the prices by
their names (`input`, `output`, `cached_input` …), in USD per million tokens, or per the unit that `softix prices set`
states. Optional columns are `user`, `starts_at`, `service_tier`, `above_input_tokens`, `free` (`yes`). JSON is a list
of objects with the same members.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from softix_proxy.domain.core.clock import parse_instant
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.pricing.rates import PRICE_KEYS, STANDARD, PriceSheet

_SUBJECT = ("model", "user", "starts_at")
_BAND = ("service_tier", "above_input_tokens", "free")
_COLUMNS = frozenset((*_SUBJECT, *_BAND, *PRICE_KEYS))
MOST_BYTES = 64 * 1024 * 1024
_Line = tuple[int, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price as a list states it."""

    place: str
    """The place in the file for messages: `line 7`, `item 3`."""
    model: str
    user: str | None
    starts_at_us: int | None
    sheet: PriceSheet


def read(data: bytes, name: str, zone: tzinfo = UTC) -> Sequence[PriceRow]:
    """Reads a price list. A name in `.json` is JSON, and any other is CSV. Dates begin at midnight in the zone.

    Raises BadInputError that names the line and the mistake.
    """
    is_json = name.lower().endswith(".json")
    if len(data) > MOST_BYTES:
        raise BadInputError(f"{name} is larger than {MOST_BYTES // 2**20} MiB", "split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInputError(f"{name} is not UTF-8 text", "save it as UTF-8") from None
    word = "item" if is_json else "line"
    lines = list(_from_json(text, name) if is_json else _from_csv(text, name))
    if not lines:
        raise BadInputError(f"{name} has no prices", "give a header and at least one line")
    grouped: dict[tuple[str, ...], list[_Line]] = {}
    for line in lines:
        _known(line, name, word)
        grouped.setdefault(tuple(line[1].get(column, "") for column in _SUBJECT), []).append(line)
    return [_row(subject, group, name, word, zone) for subject, group in grouped.items()]


def _from_csv(text: str, name: str) -> Iterator[_Line]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise BadInputError(f"{name} line {reader.line_num}: not as many cells as the header has", "")
            cells = {column.strip(): cell.strip() for column, cell in row.items()}
            yield reader.line_num, {column: cell for column, cell in cells.items() if cell}
    except csv.Error:
        raise BadInputError(f"{name} line {reader.line_num}: not CSV", "save it as comma-separated UTF-8") from None


def _from_json(text: str, name: str) -> Iterator[_Line]:
    try:
        items = json.loads(text, parse_float=str, parse_int=str)  # keeps a price as it is written
    except (ValueError, RecursionError):
        raise BadInputError(f"{name} is not JSON", "give a list of objects") from None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadInputError(f"{name} is not a list of objects", 'write [{"model": "m", "input": "0.15"}]')
    for number, item in enumerate(items, 1):
        if not all(isinstance(value, str | bool) for value in item.values()):
            raise BadInputError(f"{name} item {number}: a value is neither text nor a number", "")
        yield number, {key: _plain(value) for key, value in item.items() if value != ""}


def _plain(value: str | bool) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"


def _known(line: _Line, name: str, word: str) -> None:
    number, cells = line
    for column in cells:
        if column not in _COLUMNS:
            known = ", ".join([*_SUBJECT, *_BAND, *PRICE_KEYS])
            raise BadInputError(f"{name} {word} {number}: unknown column {column[:40]!r}", f"one of: {known}")
    if not cells.get("model"):
        raise BadInputError(f"{name} {word} {number}: no model", "name it in the column `model`")


def _row(subject: tuple[str, ...], group: Sequence[_Line], name: str, word: str, zone: tzinfo) -> PriceRow:
    model, user, starts_at = subject
    place = f"{word} {group[0][0]}"
    try:
        sheet = PriceSheet.parse(_sheet([cells for _, cells in group]))
        starts_at_us = parse_instant(starts_at, zone) if starts_at else None
    except BadInputError as error:
        raise BadInputError(f"{name} {place}: {error.message}", error.remedy) from None
    return PriceRow(place, model, user or None, starts_at_us, sheet)


def _sheet(lines: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    if any(cells.get("free") == "yes" for cells in lines):
        if len(lines) > 1 or lines[0].keys() & PRICE_KEYS.keys():
            raise BadInputError("free and a price at once", "leave one of them out")
        return {"free": True}
    return {
        "bands": [
            {
                "service_tier": cells.get("service_tier", STANDARD),
                "above_input_tokens": _tokens(cells.get("above_input_tokens", "0")),
                "prices": {key: cells[key] for key in PRICE_KEYS if key in cells},
            }
            for cells in lines
        ]
    }


def _tokens(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise BadInputError(f"not a number of tokens: {text[:40]!r}", "write digits, for example 200000")
    return int(text)
