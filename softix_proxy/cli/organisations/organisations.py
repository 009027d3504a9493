"""The commands of `softix organisations`, about the people who share a balance and keys."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Group, choice_of, confirm, instance, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.organisations import organisations as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_ROLE = choice_of(OrganisationRole)
_LIST = TableLayout(("id", "name", "status", "members", "owners", "created_at"), leave=("created_at", "owners"))
_MEMBERS = TableLayout(
    ("id", "email", "display_name", "role", "active_keys", "since"), leave=("since", "display_name", "active_keys")
)
_INVITATIONS = TableLayout(("id", "email", "role", "created_at", "expires_at"), leave=("created_at", "expires_at"))


@click.group(cls=Group)
def organisations() -> None:
    """Show and change who shares a balance and keys. Each user is an organisation, of one person or of several.

    Example: softix organisations members acme
    """


@organisations.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List all organisations with the numbers of their members. Example: softix organisations list --json"""
    show_all([operations.as_fields(each) for each in await operations.list_all(instance.storage)], _LIST)


@organisations.command("show")
@click.argument("organisation")
@instance
async def show_(instance: Instance, organisation: str) -> None:
    """Show one organisation. ORGANISATION is a user: an id, a name or an e-mail.

    Example: softix organisations show acme
    """
    show(operations.as_fields(await operations.show(instance.storage, organisation)))


@organisations.command()
@click.argument("organisation")
@instance
async def members(instance: Instance, organisation: str) -> None:
    """List the members of an organisation. Example: softix organisations members acme"""
    found = await operations.members(instance.storage, organisation, OPERATOR)
    show_all([operations.member_fields(member) for member in found], _MEMBERS)


@organisations.command()
@click.argument("organisation")
@click.argument("email")
@click.option("--role", type=_ROLE, default="member", show_default=True, help="The role of the person who joins.")
@instance
async def invite(instance: Instance, organisation: str, email: str, role: str) -> None:
    """Invite a person to an organisation by e-mail. The link in the message works for this address alone.

    Example: softix organisations invite acme grace@example.org --role admin
    """
    from softix_proxy.operations.organisations import invitations  # it is imported late, with what sends messages

    made = await invitations.invite(
        instance.storage, await instance.vault(), organisation, email, OrganisationRole(role), OPERATOR
    )
    show(invitations.as_fields(made), "Invited. The message waits in the outbox: softix mail list")
    portal = instance.settings.portal
    if portal.origin is None:
        say(
            "portal.public_url is not set, so the link in the message has no address, and it cannot be sent.",
            "set it, restart softix, then invite again",
        )
    if portal.registration == "closed" and not await invitations.has_account(instance.storage, made):
        options = f"--organisation {quote(organisation)} --organisation-role {made.role.value}"
        say(
            f"{made.email} has no account, and nobody can register here. So the person cannot join yet.",
            f"run: softix accounts create {options} {quote(made.email)}",
        )


@organisations.command("invitations")
@click.argument("organisation")
@instance
async def invitations_(instance: Instance, organisation: str) -> None:
    """List the invitations that can still be accepted. Example: softix organisations invitations acme"""
    from softix_proxy.operations.organisations import invitations

    found = await invitations.open_of(instance.storage, organisation, OPERATOR)
    show_all([invitations.as_fields(each) for each in found], _INVITATIONS)


@organisations.command("cancel-invitation")
@click.argument("organisation")
@click.argument("invitation")
@instance
async def cancel_invitation(instance: Instance, organisation: str, invitation: str) -> None:
    """Cancel an invitation, so that its link leads nowhere.

    Example: softix organisations cancel-invitation acme inv_0123456789abcdef
    """
    from softix_proxy.operations.organisations import invitations

    revoked = await invitations.revoke(instance.storage, organisation, invitation, OPERATOR)
    show(invitations.as_fields(revoked), "Cancelled.")


@organisations.command("set-role")
@click.argument("organisation")
@click.argument("account")
@click.argument("role", type=_ROLE)
@instance
async def set_role(instance: Instance, organisation: str, account: str, role: str) -> None:
    """Change what a member may do. ACCOUNT is an id or an e-mail.

    Example: softix organisations set-role acme grace@example.org billing
    """
    changed = await operations.set_role(instance.storage, organisation, account, OrganisationRole(role), OPERATOR)
    show(operations.member_fields(changed))


@organisations.command()
@click.argument("organisation")
@click.argument("account")
@click.option("--keys-to", metavar="ACCOUNT", help="Give the member's keys to this member. Without it, revoke them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@instance
async def remove(instance: Instance, organisation: str, account: str, keys_to: str | None, yes: bool) -> None:
    """Remove a member. The member's keys are revoked from the next request on, or handed over.

    Example: softix organisations remove acme grace@example.org --yes
    """
    what = "hand over" if keys_to else "revoke"
    confirm(f"Remove {account} from {organisation}, and {what} the keys of this member?", yes)
    removed = await operations.remove(instance.storage, organisation, account, OPERATOR, hand_keys_to=keys_to)
    show(
        {
            "id": removed.account.public_id,
            "revoked_keys": removed.revoked_keys,
            "handed_over_keys": removed.handed_over_keys,
        },
        "Removed.",
    )
