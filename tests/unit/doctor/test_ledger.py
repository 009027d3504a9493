from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.access.users import UserRole
from softix_proxy.operations.access import users
from softix_proxy.settings import Settings


async def test_ledger_check_of_books_that_agree_is_ok(made: Settings, look) -> None:
    [found] = await look("ledger")
    assert (found.severity, found.message) == (
        Severity.OK,
        "the books agree (transfers: 0, usage rows: 0, holds: 0)",
    )


async def test_ledger_check_with_wallets_changed_by_hand_reports_one_error(made: Settings, look, books) -> None:
    async with assembly.open_instance(made) as opened:
        for name in ("ada", "bob"):
            await users.create(
                opened.storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False
            )
    books.execute("UPDATE wallets SET posted_pico = 5")
    found = await look("ledger")
    assert found[0].severity is Severity.ERROR
    assert "(and 1 more)" in found[0].message
    assert "softix ledger verify" in found[0].remedy
