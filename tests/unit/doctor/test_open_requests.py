from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import slots


def leave_open(books, slot: int) -> None:
    for request in (1, 2):
        books.execute(
            "INSERT INTO intents VALUES (?, ?, 1, 1, 1, 1, NULL, 'chat', 0, ?, 5, NULL, NULL, '', '')",
            (request, slot, PICO_PER_USD),
        )


async def test_open_request_check_with_a_living_process_is_ok(made: Settings, look, books) -> None:
    slot = slots.acquire(made.paths.database)
    leave_open(books, slot.number)
    try:
        [found] = await look("open-requests")
    finally:
        slot.release()
    assert found.severity is Severity.OK


async def test_open_request_check_with_a_dead_process_counts_requests_and_holds(made: Settings, look, books) -> None:
    leave_open(books, 3)
    [found] = await look("open-requests")
    assert found.severity is Severity.WARNING
    assert "(2), which hold $2.00" in found.message
    assert books.execute("SELECT count(*) FROM intents").fetchone() == (2,)
