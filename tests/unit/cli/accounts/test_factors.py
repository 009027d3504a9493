import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from softix_proxy import assembly
from softix_proxy.cli.accounts.factors import as_rows
from softix_proxy.domain.accounts.factors import Factors, Passkey, TotpFactor

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NOW_US = 1_800_000_000_000_000


async def give(folder: Path, email: str) -> None:
    """Gives the account an app, and nine recovery codes."""
    settings = assembly.read_settings(None, folder)
    async with assembly.open_instance(settings) as instance, instance.storage.writing() as unit:
        account = await unit.accounts.by_email(email)
        assert account is not None
        await unit.factors.set_totp(
            TotpFactor(account_id=account.id, sealed_secret=b"canary", last_step=1, created_at_us=NOW_US)
        )
        await unit.factors.set_recovery_codes(account.id, [bytes([number]) for number in range(9)], NOW_US)


@pytest.fixture
def ada(instance: Path, run: Softix) -> str:
    (instance / "config.toml").write_text('[portal]\npublic_url = "https://portal.example.org"\n')
    run("accounts create ada@example.org")
    asyncio.run(give(instance, "ada@example.org"))
    return "ada@example.org"


def test_factors_are_listed_without_their_secrets(ada: str, run: Softix, read: Read) -> None:
    rows = read(f"factors list {ada}")
    assert [(row["kind"], row["label"]) for row in rows] == [("totp", ""), ("recovery_codes", "9 left")]
    assert "canary" not in run(f"factors list {ada}").output


def test_factors_are_reset_only_with_yes(ada: str, run: Softix, read: Read) -> None:
    run(f"factors reset {ada}", 2)
    done = read(f"factors reset {ada} --yes")
    assert done["account"].startswith("acc_") and done["factors"] == 0
    assert read(f"factors list {ada}") == []
    again = run(f"factors reset {ada} --yes", 1)
    assert "no second factor" in again.output


def test_factors_of_nobody_are_an_error_with_a_remedy(instance: Path, run: Softix) -> None:
    done = run("factors list eve@example.org", 1)
    assert "accounts list" in done.output


def test_passkey_is_a_row_with_its_name() -> None:
    passkey = Passkey(1, "pky_a", 1, b"credential", b"key", 4, "Phone", NOW_US, NOW_US)
    [row] = as_rows(Factors(None, (passkey,), 0))
    assert (row["kind"], row["id"], row["label"]) == ("passkey", "pky_a", "Phone")
    assert row["created_at"] == row["used_at"] == "2027-01-15T08:00:00.000000Z"
