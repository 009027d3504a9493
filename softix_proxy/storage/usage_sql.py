"""The statements of usage: rows with their names, sums of days, and lines of an export built by SQLite itself.

A line is one `printf` call, because that is what SQLite does quickest: two thirds of the time go into calls and
concatenations. So each value is a format and its arguments, and punctuation is part of the format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.clock import DAY_US, SECOND_US
from softix_proxy.domain.ids import format_request_id
from softix_proxy.domain.money import PICO_PER_USD
from softix_proxy.domain.redating import BOOKED, REDATED
from softix_proxy.domain.usage import (
    CURRENCY,
    INPUT_METERS,
    METERS,
    OUTPUT_METERS,
    Cell,
    Encoding,
    Layout,
    SummarySubject,
)

NAMES = """
LEFT JOIN users ON users.id = u.user_id LEFT JOIN keys ON keys.id = u.key_id
LEFT JOIN providers ON providers.id = u.provider_id LEFT JOIN models ON models.id = u.model_id"""

ROW = (
    "u.id, u.request_id, u.usage_at_us, u.user_id, users.public_id, users.name, keys.public_id, keys.prefix, "
    "providers.name, u.model_id, models.name, u.model_served, u.endpoint, u.stream, "
    + ", ".join(f"u.{name}" for name in METERS)
    + ", u.service_tier, u.price_id, u.markup_num, u.markup_den, u.cost_pico, u.charge_pico, u.hold_pico, "
    "u.status_code, u.error, u.latency_ms, u.ttfb_ms, u.attempts, u.source, u.note, u.corrects_row_id, "
    "coalesce(u.fee_pico, 0), u.cost_price_id"
)

_CENT_PICO = PICO_PER_USD // 100
PAIRS = "".join(format_request_id(number)[-2:] for number in range(1024)).encode()
"""Two letters of a request id for each ten of its bits; as bytes, which SQLite cuts in constant time."""


class _Field(NamedTuple):
    """What `printf` makes of it has no special character and is never absent, unless the format is `%s`."""

    form: str
    values: str


def _instant(us: str) -> _Field:
    # date() and arithmetic cost half of what strftime() does.
    return _Field(
        "%sT%02d:%02d:%02d.%06dZ",
        f"date({us}/1000000, 'unixepoch'), {us}/3600000000%24, {us}/60000000%60, {us}/1000000%60, {us}%1000000",
    )


def _usd(pico: str) -> _Field:
    # As `format_usd` has it. The cut 1 keeps the zeros in front.
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
    "stream": "CASE WHEN u.stream THEN 'true' ELSE 'false' END",
    "price_version": "u.price_id",
    "usage_source": "u.source",
}
"""Where they are named otherwise than `u.<field>`."""

_FORMULA = "{0} < 'A' AND unicode({0}) IN (9, 13, 43, 45, 61, 64)"  # tab, CR, + - = @
_ENCODINGS = {
    Encoding.BARE: _Field("%s", "{0}"),
    Encoding.CSV_TEXT: _Field('"%w"', f"CASE WHEN {_FORMULA} THEN '''' || {{0}} ELSE coalesce({{0}}, '') END"),
    Encoding.JSON_BARE: _Field("%s", "coalesce({0}, 'null')"),
    Encoding.JSON_TEXT: _Field("%s", "json_quote({0})"),
}


def _cell(cell: Cell) -> _Field:
    field = _FIELDS.get(cell.field)
    if field is None:
        encoded = _ENCODINGS[cell.encoding]
        field = _Field(encoded.form, encoded.values.format(_COLUMNS.get(cell.field, f"u.{cell.field}")))
    elif cell.encoding is Encoding.JSON_TEXT:
        field = _Field(f'"{field.form}"', field.values)
    return _Field(_literal(cell.before) + field.form, field.values)


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def lines(layout: Layout) -> str:
    """The text of the next rows.

    Parameters: PAIRS, a user's id or NULL, the id to start after, the last id. What is written are only rows of that
    user, if any.
    """
    cells = [_cell(cell) for cell in layout.cells]
    form = "".join(cell.form for cell in cells) + _literal(layout.end)
    arguments = ", ".join((f"'{_quoted(form)}'", *(cell.values for cell in cells if cell.values)))
    return f"""
SELECT CAST(coalesce(group_concat(printf({arguments}), ''), '') AS BLOB)
FROM usage AS u {NAMES}
WHERE u.id > ?3 AND u.id <= ?4 AND (?2 IS NULL OR u.user_id = ?2) ORDER BY u.id"""


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _sum(pico: str) -> str:
    """Two columns, so that no sum leaves 64 bits; see `whole`."""
    return f"coalesce(sum({pico}/1000000), 0), coalesce(sum({pico}%1000000), 0)"


def whole(millions: int, rest: int) -> int:
    return millions * 1_000_000 + rest


BY_USER = f"""
SELECT coalesce(users.public_id, 'user ' || sums.user_id), sums.* FROM (
  SELECT count(*), {_sum("cost_pico")}, {_sum("charge_pico")}, min(id), max(id), user_id
  FROM usage WHERE id > ?1 AND id <= ?2 AND (?3 IS NULL OR user_id = ?3) GROUP BY user_id
) AS sums LEFT JOIN users ON users.id = sums.user_id"""
"""(Public id, rows, cost and charge in millions and rest, first and last id) of the rows after ?1 up to ?2."""


class _By(NamedTuple):
    subject: str
    id: str
    name: str
    join: str


_DATE = f"date(subject*{DAY_US // SECOND_US}, 'unixepoch')"
_MODEL = "providers.name || '/' || models.name"
_BY: Mapping[SummarySubject, _By] = {
    "user": _By("user_id", "users.public_id", "users.name", "LEFT JOIN users ON users.id = subject"),
    "key": _By(
        "key_id",
        "keys.public_id",
        "users.name || ' ' || trim(keys.label || ' ' || keys.prefix)",
        "LEFT JOIN keys ON keys.id = subject LEFT JOIN users ON users.id = keys.user_id",
    ),
    "model": _By(
        "model_id",
        _MODEL,
        _MODEL,
        "LEFT JOIN models ON models.id = subject LEFT JOIN providers ON providers.id = models.provider_id",
    ),
    "provider": _By("provider_id", "providers.name", "providers.name", "LEFT JOIN providers ON providers.id = subject"),
    "day": _By("day", _DATE, _DATE, ""),
}


def totals(by: SummarySubject, table: str) -> str:
    """(Id, name, requests, errors, tokens in, out, cost and charge in two parts each) from day ?1 to before ?2."""
    names = _BY[by]
    return f"""
SELECT {names.id}, {names.name}, sums.*
FROM (
  SELECT sum(requests), sum(errors), sum(input_tokens), sum(output_tokens),
    {_sum("cost_pico")}, {_sum("charge_pico")}, {names.subject} AS subject
  FROM {table} WHERE day >= ? AND day < ? GROUP BY subject
) AS sums {names.join} ORDER BY subject"""


def trends(by: SummarySubject, table: str) -> str:
    """As `totals`, for each day (the last column) of the ?3 dearest subjects."""
    names = _BY[by]
    return f"""
SELECT {names.id}, {names.name}, sums.*
FROM (
  SELECT sum(requests), sum(errors), sum(input_tokens), sum(output_tokens),
    {_sum("cost_pico")}, {_sum("charge_pico")}, {names.subject} AS subject, day
  FROM {table} WHERE day >= ?1 AND day < ?2 AND {names.subject} IN (
    SELECT {names.subject} FROM {table} WHERE day >= ?1 AND day < ?2 GROUP BY {names.subject}
    ORDER BY sum(charge_pico/1000000) DESC, {names.subject} LIMIT ?3
  ) GROUP BY subject, day
) AS sums {names.join} ORDER BY subject, day"""


_TOKENS = " + ".join(f"coalesce(u.{name}, 0)" for name in METERS if name in INPUT_METERS | OUTPUT_METERS)
CHUNK_END = "SELECT max(id) FROM (SELECT id FROM usage WHERE id > ? AND id < ? ORDER BY id LIMIT ?)"


def _moves(row: str) -> str:
    """Whether it moves a request to another day, with what it used; else only what corrects one."""
    used = " OR ".join(f"{row}.{name} <> 0" for name in METERS)
    return f"({row}.corrects_row_id IS NOT NULL AND {row}.note LIKE '{REDATED}%' AND coalesce({used}, 0))"


_ABOUT_ITSELF = f"(u.corrects_row_id IS NULL OR {_moves('u')})"
"""It counts on its own day; any other correction on that on which its request is booked."""
_BOOKED = f"""
SELECT {{}} FROM usage AS moved WHERE {_moves("moved")} AND moved.note LIKE '{BOOKED}%'"""
_BOOKED_AT = f"""coalesce(({_BOOKED.format("max(moved.id)")}
  AND moved.corrects_row_id = u.corrects_row_id), u.corrects_row_id)"""
DAILY_COSTS = f"""
SELECT sums.day, models.name, models.upstream_name, sums.model_served, sums.source, sums.unpriced, sums.requests,
  sums.tokens, sums.cost_m, sums.cost_rest, sums.hold_m, sums.hold_rest
FROM (
  SELECT iif({_ABOUT_ITSELF}, u.id, {_BOOKED_AT}) / {DAY_US} AS day, u.model_id, u.model_served, u.source,
    coalesce(u.note LIKE iif(u.cost_price_id IS NULL, '%unpriced:%', '%uncosted:%'), 0) AND NOT EXISTS (
      SELECT 1 FROM usage AS later WHERE later.corrects_row_id = u.id AND later.cost_pico <> 0
        AND coalesce(later.note, '') NOT LIKE '{REDATED}%') AS unpriced,
    sum(u.corrects_row_id IS NULL) AS requests,
    sum({_TOKENS}) AS tokens,
    coalesce(sum(u.cost_pico/1000000), 0) AS cost_m, coalesce(sum(u.cost_pico%1000000), 0) AS cost_rest,
    coalesce(sum(u.hold_pico/1000000), 0) AS hold_m, coalesce(sum(u.hold_pico%1000000), 0) AS hold_rest
  FROM usage u JOIN providers ON providers.id = u.provider_id AND providers.name = ?1
  WHERE (u.id > ?2 AND u.id <= ?3 AND {_ABOUT_ITSELF})
    OR (u.corrects_row_id > ?2 AND u.corrects_row_id <= ?3 AND NOT {_ABOUT_ITSELF}
      AND {_BOOKED_AT} = u.corrects_row_id)
    OR (u.corrects_row_id IN ({_BOOKED.format("moved.corrects_row_id")} AND moved.id > ?2 AND moved.id <= ?3)
      AND NOT {_ABOUT_ITSELF})
  GROUP BY 1, 2, 3, 4, 5
) AS sums LEFT JOIN models ON models.id = sums.model_id ORDER BY 1, 2, 4, 5, 6"""
"""Sums by day, model, served name, source and completeness of the rows of a provider's name after ?2 up to ?3; with
them what corrects them, whenever that was posted."""

EXPECTED = "SELECT coalesce(sum(requests), 0) FROM usage_daily WHERE day >= ? AND day <= ? AND coalesce(user_id = ?, 1)"
MODEL_IDS = """
SELECT models.id FROM models JOIN providers ON providers.id = models.provider_id
WHERE models.name = ?1 OR providers.name || '/' || models.name = ?1"""
LAST = """
SELECT coalesce((SELECT max(id) FROM usage), 0), coalesce((SELECT max(id) FROM usage WHERE id <= ?1), 0)"""
"""The last row, and the last one that is not further than ?1."""
