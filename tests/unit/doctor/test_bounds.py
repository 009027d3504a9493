from support.books import _DIRECTORY as DIRECTORY
from support.books import NOW_US, POSTED_PICO, make_intent, make_settlement, post

from softix_proxy.doctor.findings import Severity


async def test_bound_check_without_an_excess_is_ok(made, look) -> None:
    [found] = await look("bounds")
    assert found.severity is Severity.OK


async def test_bound_check_warns_of_an_excess_that_was_charged(made, look, books) -> None:
    books.execute(DIRECTORY)
    post(books, [make_settlement(make_intent(1, 0, hold_pico=10**10), charge_pico=3 * 10**10)], NOW_US, in_full=False)
    [found] = await look("bounds")
    assert found.severity is Severity.WARNING
    assert "lab/llama cost more than was held: requests: 1, missing: $0.02, not charged: $0.00" in found.message
    assert found.remedy.endswith("softix bounds reset lab/llama")


async def test_bound_check_fails_if_no_balance_could_pay(made, look, books) -> None:
    books.execute(DIRECTORY)
    settlement = make_settlement(
        make_intent(1, 0, hold_pico=10**10), charge_pico=POSTED_PICO + 10**11, members=("documents",)
    )
    post(books, [settlement], NOW_US, in_full=False)
    [found] = await look("bounds")
    assert found.severity is Severity.ERROR
    assert "for requests with documents" in found.message and "not charged: $0.10" in found.message
    books.execute("UPDATE widened_bounds SET excess_pico = 0")
    [found] = await look("bounds")
    assert found.severity is Severity.OK
