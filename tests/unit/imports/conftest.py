"""The bills of tests/golden/reconcile, read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from softix_proxy.domain.clock import DAY_US, from_us
from softix_proxy.imports import formats
from softix_proxy.imports.mapping import BillMapping

GOLDEN = Path(__file__).parents[2] / "golden" / "reconcile"
Line = tuple[str, str | None, int | None, int | None]


@pytest.fixture
def golden() -> Callable[[str], tuple[str, list[Line | None]]]:
    """(Title, lines as day, model, micro-USD and tokens) of a file."""

    def read(name: str) -> tuple[str, list[Line | None]]:
        with (GOLDEN / name).open("rb") as file:
            bill = formats.read(file, name, "auto", BillMapping())
            return bill.title, [
                line
                and (
                    from_us(line.day * DAY_US).date().isoformat(),
                    line.model,
                    None if line.amount_pico is None else line.amount_pico // 10**6,
                    line.tokens,
                )
                for line in bill.lines
            ]

    return read
