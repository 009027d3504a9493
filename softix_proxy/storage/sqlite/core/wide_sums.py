"""Sums of amounts that do not fit in 64 bits. Each is two columns of a statement, combined in Python's integers."""

from __future__ import annotations

from softix_proxy.storage.sqlite.core.record_mapping import Stored, selected

_UNIT = 1_000_000


def split_sum(amount: str, name: str) -> str:
    """Returns two columns that `summed` reads by this name: the sum of whole millions, and that of the rest."""
    return f"coalesce(sum({amount}/{_UNIT}), 0) AS {name}_m, coalesce(sum({amount}%{_UNIT}), 0) AS {name}_rest"


def whole(millions: int, rest: int) -> int:
    return millions * _UNIT + rest


def summed(name: str) -> Stored:
    """Describes a field that is such a sum. `name` says of which table or subquery."""
    return selected(f"{name}_m", f"{name}_rest", read=whole)
