import pytest

from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.storage.sqlite.metering import usage_sql


def test_meters_without_a_reported_count_are_absent() -> None:
    counts = [number if number % 2 else None for number in range(len(METERS))]
    meters = usage_sql.read_meters(*counts)
    assert meters == {name: number for number, name in enumerate(METERS) if number % 2}
    with pytest.raises(ValueError, match="shorter"):
        usage_sql.read_meters(*counts[1:])
