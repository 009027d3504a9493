import pytest

from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.storage.sqlite.metering import usage_sql


def test_a_meter_that_was_not_reported_is_absent() -> None:
    counts = [number if number % 2 else None for number in range(len(METERS))]
    meters = usage_sql.read_meters(*counts)
    assert meters == {name: number for number, name in enumerate(METERS) if number % 2}
    with pytest.raises(ValueError, match="shorter"):
        usage_sql.read_meters(*counts[1:])
