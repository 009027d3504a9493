"""How a setting is declared: a field of a section's dataclass, with its meaning and its range."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(default: Any, doc: str, **more: Any) -> Any:
    """`least` and `most` bound a number; `item` raises for a text, or one of a list, that it does not take; `example`
    stands for a default of None; `veil` is what may be shown; with `restart` a running daemon keeps the value that it
    began with."""
    if more.get("restart"):
        doc += " It is read at the start only."
    return field(default=default, metadata={"doc": doc, "restart": False, **more})
