"""Sums of amounts that do not fit 64 bits: each is two columns of a statement, put together in Python's integers."""

from __future__ import annotations

from softix_proxy.storage.sqlite.core.record_mapping import Stored, selected

_UNIT = 1_000_000


def split_sum(amount: str, name: str) -> str:
    """Two columns, which `summed` reads by this name: the sum of whole millions, and of what is left of each amount."""
    return f"coalesce(sum({amount}/{_UNIT}), 0) AS {name}_m, coalesce(sum({amount}%{_UNIT}), 0) AS {name}_rest"


def whole(millions: int, rest: int) -> int:
    return millions * _UNIT + rest


def summed(name: str) -> Stored:
    """Describes a field that is such a sum, of a table or a subquery where `name` says which."""
    return selected(f"{name}_m", f"{name}_rest", read=whole)
