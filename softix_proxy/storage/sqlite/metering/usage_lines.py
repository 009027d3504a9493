"""Builds the lines of an export in SQLite itself. It is the quick way to the result of `exports.metering.line_layout`.

A line is one `printf` call, because SQLite does this quickest: two thirds of the time go into calls and concatenations.
So each value is a format and its arguments, and punctuation is part of the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import CURRENCY, PICO_PER_USD
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.exports.core.csv_text import FORMULA_STARTS
from softix_proxy.exports.metering.columns import COLUMNS
from softix_proxy.exports.metering.line_layout import Cell, Encoding, Layout
from softix_proxy.storage.sqlite.metering.usage_sql import NAMES, TAGS

_CENT_PICO = PICO_PER_USD // 100
PAIRS = "".join(format_request_id(number)[-2:] for number in range(1024)).encode()
"""The two letters of a request id for each ten of its bits. They are bytes, which SQLite cuts in constant time."""


class _Field(NamedTuple):
    """A format and its arguments.

    The result has no special character and is never absent, unless the format is `%s`.
    """

    form: str
    values: str


def _instant(us: str) -> _Field:
    # date() and arithmetic cost half as much as strftime().
    return _Field(
        "%sT%02d:%02d:%02d.%06dZ",
        f"date({us}/1000000, 'unixepoch'), {us}/3600000000%24, {us}/60000000%60, {us}/1000000%60, {us}%1000000",
    )


def _usd(pico: str) -> _Field:
    # The result is as in `format_usd`. The cut at 1 keeps the zeros in front.
    rest = f"rtrim(substr({_CENT_PICO}+abs({pico}%{_CENT_PICO}), 2), '0')"
    sign = f"CASE WHEN {pico} < 0 THEN '-' ELSE '' END"
    return _Field("%s%d.%02d%s", f"{sign}, abs({pico}/{PICO_PER_USD}), abs({pico}/{_CENT_PICO}%100), {rest}")


def _factor(num: str, den: str) -> _Field:
    decimals = f"rtrim('.' || substr(100000000 + {num}%{den}*100000000/{den}, 2), '0')"
    return _Field("%d%s", f"{num}/{den}, CASE WHEN {num}%{den} THEN {decimals} ELSE '' END")


def _request_id(number: str) -> _Field:
    pairs = [f"substr(?1, ({number}>>{bits}&1023)*2 + 1, 2)" for bits in range(50, -1, -10)]
    return _Field("req_" + "%s" * 7, ", ".join([f"substr(?1, ({number}>>60)*2 + 2, 1)", *pairs]))


_FIELDS: Mapping[str, _Field] = {
    "posted_at": _instant("u.id"),
    "usage_at": _instant("u.usage_at_us"),
    "request_id": _request_id("u.request_id"),
    "markup": _factor("u.markup_num", "u.markup_den"),
    "provider_cost": _usd("u.cost_pico"),
    "request_fee": _usd("coalesce(u.fee_pico, 0)"),
    "charge": _usd("u.charge_pico"),
    "currency": _Field(CURRENCY, ""),
}
_COLUMNS: Mapping[str, str] = {
    "row_id": "u.id",
    "user_id": "users.public_id",
    "user_name": "users.name",
    "key_id": "keys.public_id",
    "key_prefix": "keys.prefix",
    "provider": "providers.name",
    "model": "models.name",
    "model_served": "u.model_served",
    "endpoint": "u.endpoint",
    "stream": "CASE WHEN u.stream THEN 'true' ELSE 'false' END",
    **{name: f"u.{name}" for name in METERS},
    "service_tier": "u.service_tier",
    "price_version": "u.price_id",
    "status_code": "u.status_code",
    "error": "u.error",
    "latency_ms": "u.latency_ms",
    "ttfb_ms": "u.ttfb_ms",
    "usage_source": "u.source",
    "attempts": "u.attempts",
    "note": "u.note",
    "corrects_row_id": "u.corrects_row_id",
    "tags": "nullif(t.tags, '')",
    "end_user": "nullif(t.end_user, '')",
}

_LISTED = "(?{1} IS NULL OR u.{0} IN (SELECT value FROM json_each(?{1})))"
"""The condition that a column is in a list of JSON, or that there is no list."""
_FORMULA = f"{{0}} < 'A' AND unicode({{0}}) IN ({', '.join(str(ord(letter)) for letter in FORMULA_STARTS)})"
_ENCODINGS = {
    Encoding.BARE: _Field("%s", "{0}"),
    Encoding.CSV_TEXT: _Field('"%w"', f"CASE WHEN {_FORMULA} THEN '''' || {{0}} ELSE coalesce({{0}}, '') END"),
    Encoding.JSON_BARE: _Field("%s", "coalesce({0}, 'null')"),
    Encoding.JSON_TEXT: _Field("%s", "json_quote({0})"),
}


def _is_known(cell: Cell) -> bool:
    """Returns whether this module makes the value, in an encoding that it can have."""
    bare = cell.encoding in (Encoding.BARE, Encoding.JSON_TEXT)
    return cell.column in COLUMNS and (cell.column.name in _COLUMNS or (bare and cell.column.name in _FIELDS))


def _cell(cell: Cell) -> _Field:
    field = _FIELDS.get(cell.column.name)
    if field is None:
        encoded = _ENCODINGS[cell.encoding]
        field = _Field(encoded.form, encoded.values.format(_COLUMNS[cell.column.name]))
    elif cell.encoding is Encoding.JSON_TEXT:
        field = _Field(f'"{field.form}"', field.values)
    return _Field(_literal(cell.before) + field.form, field.values)


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def statement(layout: object) -> str | None:
    """Returns the statement for the next rows, or None for a layout with columns that are unknown here.

    The parameters are PAIRS, a user's id or NULL, the id to start after, and the last id. If there is a user, only the
    rows of this user are written.
    """
    return _statement(layout, "?2 IS NULL OR u.user_id = ?2")


def selected(layout: object) -> str | None:
    """Returns the same for the rows of user ?2, of the keys ?5 and of the models ?6. NULL allows any of these two."""
    return _statement(layout, f"u.user_id = ?2 AND {_LISTED.format('key_id', 5)} AND {_LISTED.format('model_id', 6)}")


def _statement(layout: object, condition: str) -> str | None:
    if not isinstance(layout, Layout) or not all(map(_is_known, layout.cells)):
        return None
    cells = [_cell(cell) for cell in layout.cells]
    form = "".join(cell.form for cell in cells) + _literal(layout.end)
    arguments = ", ".join((f"'{_quoted(form)}'", *(cell.values for cell in cells if cell.values)))
    return f"""
SELECT CAST(coalesce(group_concat(printf({arguments}), ''), '') AS BLOB)
FROM usage AS u {NAMES} {TAGS}
WHERE u.id > ?3 AND u.id <= ?4 AND ({condition}) ORDER BY u.id"""


def _quoted(text: str) -> str:
    return text.replace("'", "''")
