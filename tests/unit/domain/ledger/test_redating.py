import pytest

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.ledger.redating import (
    BOOKED,
    REDATED,
    TAKEN_BACK,
    MisdatedPosting,
    booked_at_us,
    copied_number,
)

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
def test_booked_at_of_misdated_posting_is_in_the_open_past_or_now(
    posted_us: int, ahead_us: int | None, closed_us: int, booked_us: int
) -> None:
    assert booked_at_us(posted_us, ahead_us, closed_us, NOW_US) == booked_us


def test_notes_of_redated_rows_are_the_stored_words() -> None:
    assert (REDATED, TAKEN_BACK, BOOKED) == ("redated: ", "redated: taken back", "redated: booked")


def test_misdated_payment_has_no_cost_and_no_request() -> None:
    payment = MisdatedPosting("top-up", 1, 2, 3, "ada", 4)
    assert (payment.cost_pico, payment.meters, payment.request_id, payment.reference) == (0, None, None, None)


@pytest.mark.parametrize(
    ("reference", "number"),
    [(f"{BOOKED} 71", 71), (f"{TAKEN_BACK} 71", None), (f"{BOOKED} x", None), (f"{BOOKED}", None), ("71", None),
     (None, None)],
)  # fmt: skip
def test_number_of_a_copy_is_read_from_its_reference(reference: str | None, number: int | None) -> None:
    assert copied_number(reference, BOOKED) == number
