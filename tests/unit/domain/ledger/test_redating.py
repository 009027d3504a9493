import pytest

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.redating import booked_at_us

NOW_US = 2000 * DAY_US


@pytest.mark.parametrize(
    ("posted_us", "ahead_us", "closed_us", "booked_us"),
    [
        (NOW_US + 365 * DAY_US - 5, 365 * DAY_US, 0, NOW_US - 5),
        (NOW_US + 365 * DAY_US - 5, None, 0, NOW_US),
        (NOW_US + 365 * DAY_US - 5, 364 * DAY_US, 0, NOW_US),
        (NOW_US + 365 * DAY_US - 5, 365 * DAY_US, NOW_US - 4, NOW_US),
        (NOW_US + 365 * DAY_US - 5, 365 * DAY_US, NOW_US - 5, NOW_US - 5),
    ],
    ids=["where it belongs", "nobody says", "it would be in the future", "that is closed", "the first open instant"],
)
def test_what_is_redated_is_booked_in_the_open_past_or_now(
    posted_us: int, ahead_us: int | None, closed_us: int, booked_us: int
) -> None:
    assert booked_at_us(posted_us, ahead_us, closed_us, NOW_US) == booked_us
