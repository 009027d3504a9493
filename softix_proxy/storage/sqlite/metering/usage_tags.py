"""The sums of usage rows by the value of a tag, or by the user whom requests named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from softix_proxy.domain.metering.usage import UsageTotal, add_up
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, selected
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, summed
from softix_proxy.storage.sqlite.metering.usage_sql import TAGS

_PADDED = "(' ' || coalesce(t.tags, '') || ' ')"
_FROM_VALUE = f"substr({_PADDED}, instr({_PADDED}, ?3) + length(?3))"
_VALUE = f"iif(instr({_PADDED}, ?3), substr({_FROM_VALUE}, 1, instr({_FROM_VALUE}, ' ') - 1), '')"
"""The value of the tag whose name stands between a space and an equals sign in ?3."""
_END_USER = "coalesce(t.end_user, '')"


def _sum(meters: frozenset[str]) -> str:
    return f"sum({' + '.join(f'coalesce(u.{name}, 0)' for name in sorted(meters))})"


TOTAL = RecordMapping(
    UsageTotal,
    id=selected("sums.value"),
    name=selected("sums.value"),
    requests=selected("sums.requests"),
    errors=selected("sums.errors"),
    input_tokens=selected("sums.input_tokens"),
    output_tokens=selected("sums.output_tokens"),
    cost_pico=summed("sums.cost"),
    charge_pico=summed("sums.charge"),
)
_TOTALS = f"""
SELECT {TOTAL.select()} FROM (
  SELECT {{}} AS value, count(*) FILTER (WHERE u.corrects_row_id IS NULL) AS requests, count(u.error) AS errors,
    {_sum(INPUT_METERS)} AS input_tokens, {_sum(OUTPUT_METERS)} AS output_tokens,
    {split_sum("u.cost_pico", "cost")}, {split_sum("u.charge_pico", "charge")}
  FROM usage AS u {TAGS} WHERE u.id > ?1 AND u.id <= ?2 GROUP BY 1
) AS sums"""


def totals(name: str | None, after: int, upto: int) -> tuple[str, int, int] | tuple[str, int, int, str]:
    """Returns the statement for the sums of the rows after this id up to that one, and its parameters."""
    if name is None:
        return _TOTALS.format(_END_USER), after, upto
    return _TOTALS.format(_VALUE), after, upto, f" {name}="


def added_up(parts: Iterable[Sequence[UsageTotal]]) -> Sequence[UsageTotal]:
    """Returns the sums of all parts, the most expensive first."""
    found: dict[str, UsageTotal] = {}
    for part in parts:
        for total in part:
            known = found.get(total.id)
            found[total.id] = total if known is None else replace(add_up((known, total)), id=total.id, name=total.name)
    return sorted(found.values(), key=lambda total: (-total.charge_pico, total.id))
