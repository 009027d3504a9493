"""The commands of `softix factors`, for people who lost what they sign in with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import Group, confirm, instance, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.operations.accounts import factors as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.domain.accounts.factors import Factors

_LIST = TableLayout(("kind", "id", "label", "created_at", "used_at"), leave=("created_at",))


def as_rows(factors: Factors) -> list[dict[str, Any]]:
    """Returns one row for each factor. Recovery codes are one row, whose label is their number."""
    rows: list[dict[str, Any]] = []
    if factors.totp is not None:
        rows.append(_row("totp", None, "", factors.totp.created_at_us, factors.totp.used_at_us))
    rows += [_row("passkey", one.public_id, one.label, one.created_at_us, one.used_at_us) for one in factors.passkeys]
    if factors.recovery_codes:
        rows.append(_row("recovery_codes", None, f"{factors.recovery_codes} left", None, None))
    return rows


def _row(
    kind: str, public_id: str | None, label: str, created_at_us: int | None, used_at_us: int | None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": public_id,
        "label": label,
        "created_at": format_instant(created_at_us),
        "used_at": format_instant(used_at_us),
    }


@click.group(cls=Group)
def factors() -> None:
    """Show and remove second factors of accounts. Example: softix factors list ada@example.org"""


@factors.command("list")
@click.argument("account")
@instance
async def list_(instance: Instance, account: str) -> None:
    """List the second factors of an account. ACCOUNT is an id or an e-mail.

    Example: softix factors list ada@example.org --json
    """
    _, found = await operations.list_all(instance.storage, account)
    show_all(as_rows(found), _LIST)


@factors.command()
@click.argument("account")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def reset(instance: Instance, account: str, yes: bool) -> None:
    """Remove every second factor of an account, for a person who lost them. All its sessions end.

    Make sure that the person is who it says. It is told by mail. Example: softix factors reset ada@example.org --yes
    """
    confirm(f"Remove every second factor of {account}? The password alone opens the account then.", yes)
    done = await operations.reset(instance.storage, await instance.vault(), account, instance.granter)
    show({"account": done.public_id, "factors": 0}, "The factors are removed, and the person is told by mail.")
