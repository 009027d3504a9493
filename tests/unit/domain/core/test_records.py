"""Values that are cheap to make, and equal and hashable as frozen ones are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softix_proxy.domain.core.records import record


@record(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


def test_records_with_equal_values_are_equal_and_hash_alike() -> None:
    assert {Point(1), Point(1, 0)} == {Point(1)}
    assert replace(Point(1), y=2) == Point(1, 2)


def test_record_with_unknown_attribute_refuses_the_assignment() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]
