"""Values of which every request makes several: frozen to the type checker, and cheap to make.

A dataclass that is frozen at run time sets each field through `object.__setattr__`: 4.4 µs for sixteen, against 1.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, slots: bool):
        """`dataclass`, whose `frozen` the type checker sees to; hashed as a frozen one is."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["record"]
