from __future__ import annotations

import pytest

from softix_proxy.domain.catalog.regions import checked_region, checked_regions
from softix_proxy.domain.core.errors import BadInputError


def test_regions_are_kept_once_each_in_their_order() -> None:
    assert checked_regions(["eu", "ch", "eu"]) == ("eu", "ch")


@pytest.mark.parametrize("region", ["", "Not One", "EU", "-eu", "e" * 42])
def test_region_that_is_not_one_word_is_refused(region: str) -> None:
    with pytest.raises(BadInputError, match="not a region"):
        checked_region(region)
    with pytest.raises(BadInputError, match="not a region"):
        checked_regions(["eu", region])
