"""The commands of `softix accounts`, which manage the people who sign in to the portal."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.access.roles import complete_role
from softix_proxy.cli.console.console import Group, choice_of, confirm, instance, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.roles import NO_ROLE, OrganisationRole
from softix_proxy.operations.accounts import accounts as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.operations.accounts.accounts import AccountLink

_ORGANISATION_ROLE = choice_of(OrganisationRole)
_LIST = TableLayout(
    ("id", "email", "display_name", "role", "status", "verified_at"), leave=("verified_at", "display_name", "role")
)
_UNSET = "portal.public_url is not set, so there is no link"


@click.group(cls=Group)
def accounts() -> None:
    """Create, change and disable accounts of people. Example: softix accounts create --role admin ada@example.org"""


@accounts.command()
@click.argument("email")
@click.option(
    "--role",
    metavar="ROLE",
    default=NO_ROLE,
    show_default=True,
    shell_complete=complete_role,
    help="What the person may do as an operator.",
)
@click.option("--name", help="The name that people see. Without it, the part of the e-mail before the @.")
@click.option("--organisation", metavar="USER", help="The existing user that the person belongs to, by id or e-mail.")
@click.option(
    "--organisation-role",
    type=_ORGANISATION_ROLE,
    default="owner",
    show_default=True,
    help="What the person may do in that organisation.",
)
@instance
async def create(
    instance: Instance, email: str, role: str, name: str | None, organisation: str | None, organisation_role: str
) -> None:
    """Create an account, and print the link for its first password.

    The link works once and for three days. The person gets it by mail as well.

    Example: softix accounts create --organisation usr_1234567890abcdef ada@example.org
    """
    made = await operations.create(
        instance.storage,
        await instance.vault(),
        email=email,
        display_name=name,
        role=role,
        organisation=organisation,
        organisation_role=OrganisationRole(organisation_role),
        is_mailed=instance.settings.portal.origin is not None,
        by=instance.granter,
    )
    await _show_link(instance, made, f"Created the account of {made.account.email}.")


@accounts.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List all accounts. Example: softix accounts list --json"""
    show_all([operations.as_fields(standing) for standing in await operations.list_all(instance.storage)], _LIST)


@accounts.command("show")
@click.argument("account")
@instance
async def show_(instance: Instance, account: str) -> None:
    """Show one account. ACCOUNT is an id or an e-mail. Example: softix accounts show ada@example.org"""
    show(operations.as_fields(await operations.show(instance.storage, account)))


@accounts.command()
@click.argument("account")
@click.argument("user")
@click.option(
    "--role",
    type=_ORGANISATION_ROLE,
    default="owner",
    show_default=True,
    help="What the person may do in that organisation.",
)
@instance
async def connect(instance: Instance, account: str, user: str, role: str) -> None:
    """Add a person to the members of an existing user. USER is an id, a name or an e-mail.

    Example: softix accounts connect ada@example.org usr_1234567890abcdef
    """
    show(operations.as_fields(await operations.connect(instance.storage, account, user, OrganisationRole(role))))


@accounts.command()
@click.argument("account")
@instance
async def disable(instance: Instance, account: str) -> None:
    """Refuse the sign-in of an account, and end its sessions. Its API keys go on working.

    It prints the keys that still work, with the commands that revoke them: those of the person, and those that nobody
    else can revoke. The last admin who can sign in is not disabled.

    Example: softix accounts disable ada@example.org
    """
    from softix_proxy.operations.organisations import key_owners  # it is imported late, as only this command needs it

    fields = operations.as_fields(await operations.disable(instance.storage, account, instance.granter))
    left = [key_owners.left_fields(each) for each in await key_owners.left_by(instance.storage, fields["id"])]
    if invocation().as_json:
        show({**fields, "working_keys": left})
        return
    show(fields, "The account is disabled. No API key is revoked by this.")
    if not left:
        say("No key that works is left behind.")
    for key in left:
        say(f"The key {key['name'] or key['id']} of {key['organisation']} still works", f"run: {key['revoke']}")


@accounts.command()
@click.argument("account")
@instance
async def enable(instance: Instance, account: str) -> None:
    """Accept the sign-in of a disabled account again. Example: softix accounts enable ada@example.org"""
    show(operations.as_fields(await operations.enable(instance.storage, account, instance.granter)))


@accounts.command("set-role")
@click.argument("account")
@click.argument("role", shell_complete=complete_role)
@instance
async def set_role(instance: Instance, account: str, role: str) -> None:
    """Set what an account may do as an operator.

    ROLE is user, support, billing, auditor, admin, owner-operator, or one of the configuration: see softix roles list.
    The last admin who can sign in stays one. Nobody gives a role with more permissions than their own.

    Example: softix accounts set-role ada@example.org support
    """
    show(operations.as_fields(await operations.set_role(instance.storage, account, role, instance.granter)))


@accounts.command("sign-out")
@click.argument("account", required=False)
@click.option("--all", "everybody", is_flag=True, help="Close the sessions of all accounts.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def sign_out(instance: Instance, account: str | None, everybody: bool, yes: bool) -> None:
    """Close all sessions of an account, or of all. Example: softix accounts sign-out ada@example.org --yes"""
    if (account is None) is not everybody:
        raise click.UsageError("Name an account, or give --all.")
    if account is None:
        confirm("Close all sessions of all accounts?", yes)
        ended = await operations.sign_out_everybody(instance.storage)
        show({"ended": ended}, f"Closed {ended} sessions.")
        return
    found = (await operations.show(instance.storage, account)).account
    confirm(f"Close all sessions of {found.email}?", yes)
    ended = await operations.sign_out(instance.storage, found.public_id)
    show({"id": found.public_id, "email": found.email, "ended": ended}, f"Closed {ended} sessions.")


@accounts.command("reset-link")
@click.argument("account")
@instance
async def reset_link(instance: Instance, account: str) -> None:
    """Make a link with which a person sets a new password. Second factors stay.

    Example: softix accounts reset-link ada@example.org
    """
    is_mailed = instance.settings.portal.origin is not None
    made = await operations.reset_link(
        instance.storage, await instance.vault(), account, is_mailed=is_mailed, by=instance.granter
    )
    await _show_link(instance, made, f"The older links of {made.account.email} have ended.")


async def _show_link(instance: Instance, made: AccountLink, sentence: str) -> None:
    origin = instance.settings.portal.origin
    standing = await operations.show(instance.storage, made.account.public_id)
    fields: dict[str, Any] = {**operations.as_fields(standing), "link": None if origin is None else origin + made.path}
    show(fields, sentence)
    if origin is None:
        say(_UNSET, f"set it, then run: softix accounts reset-link {quote(made.account.email)}")
