"""Values that are cheap to make, and equal and hashable as frozen ones are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softix_proxy.domain.core.records import record


@record(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


def test_equal_values_are_one_in_a_set() -> None:
    assert {Point(1), Point(1, 0)} == {Point(1)}
    assert replace(Point(1), y=2) == Point(1, 2)


def test_nothing_else_can_be_put_into_one() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]
