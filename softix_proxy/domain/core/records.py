"""A decorator for values of which every request makes several. They are frozen to the type checker and cheap to make.

A dataclass that is frozen at run time sets each field through `object.__setattr__`. This takes 4.4 µs for sixteen
fields, against 1.2 µs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, slots: bool):
        """Works like `dataclass`.

        Only the type checker enforces `frozen`, and the hash is that of a frozen dataclass.
        """
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["record"]
