"""The commands of `softix users`, which manage the people and programs that pay."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.access.limit_commands import limit_user
from softix_proxy.cli.bulk.import_commands import import_users
from softix_proxy.cli.console.console import (
    Group,
    can_ask,
    choice_of,
    instance,
    regions_option,
    say,
    show,
    show_all,
    split_regions,
    standard_input,
)
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.display import visible
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access import users as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_NO_EFFECT = "It has no effect, and will be removed."
_ROLE_OPTION = click.option(
    "--role",
    type=choice_of(UserRole),
    help=f"{_NO_EFFECT} What a person may do under /admin: softix accounts set-role.",
)


def as_fields(user: User, display_name: str | None) -> dict[str, Any]:
    return {
        "id": user.public_id,
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "status": user.status.value,
        "postpaid": user.postpaid,
        "regions": list(user.regions),
        "created_at": format_instant(user.created_at_us),
        "display_name": display_name,
    }


_DISPLAY_NAME = click.option("--display-name", help="The name that people see. It may have any letters.")


async def _shown(instance: Instance, user: User) -> dict[str, Any]:
    return as_fields(user, (await operations.display_names(instance.storage)).get(user.id))


_LIST = TableLayout(("id", "name", "email", "status", "created_at"), leave=("created_at", "email"))


def _deprecate(role: str | None) -> None:
    if role is not None:
        say(f"--role: {_NO_EFFECT}", "what a person may do under /admin: softix accounts set-role")


@click.group(cls=Group)
def users() -> None:
    """Create, change and disable users. Example: softix users create ada --email ada@example.org"""


@users.command()
@click.argument("name")
@click.option("--email", required=True, help="The e-mail address. It must be unique.")
@_ROLE_OPTION
@click.option("--postpaid", is_flag=True, help="Bill the user afterwards. No balance is needed.")
@_DISPLAY_NAME
@click.option(
    "--template", metavar="NAME", help="Give it the limits of this template, or none.  [default: the default]"
)
@regions_option
@instance
async def create(
    instance: Instance,
    name: str,
    email: str,
    role: str | None,
    postpaid: bool,
    display_name: str | None,
    template: str | None,
    regions: str | None,
) -> None:
    """Create a user. NAME has no @, and commands find the user by it.

    Example: softix users create ada --email ada@example.org --display-name 'Ada Lovelace'
    """
    user = await operations.create(
        instance.storage,
        name=name,
        email=email,
        role=UserRole(role or UserRole.USER),
        postpaid=postpaid,
        regions=split_regions(regions) or (),
        display_name=display_name,
        template=template,
    )
    _deprecate(role)
    show(await _shown(instance, user), f"Created {user.name}. Next: softix balance add {quote(user.email)} 25.00")


@users.command("list")
@instance
async def list_(instance: Instance) -> None:
    """List all users. Example: softix users list --json"""
    names = await operations.display_names(instance.storage)
    rows = [as_fields(user, names.get(user.id)) for user in await operations.list_all(instance.storage)]
    show_all(rows, _LIST)


@users.command("show")
@click.argument("user")
@instance
async def show_(instance: Instance, user: str) -> None:
    """Show one user. USER is an id, a name or an e-mail. Example: softix users show ada"""
    show(await _shown(instance, await operations.show(instance.storage, user)))


@users.command()
@click.argument("user")
@click.option("--name", help="The new name.")
@_DISPLAY_NAME
@click.option("--no-display-name", is_flag=True, help="Remove the display name.")
@click.option("--email", help="The new e-mail address. It must be unique.")
@_ROLE_OPTION
@click.option("--postpaid/--prepaid", default=None, help="Bill the user afterwards, or charge a balance.")
@regions_option
@instance
async def update(
    instance: Instance, user: str, role: str | None, regions: str | None, no_display_name: bool, **changes: Any
) -> None:
    """Change a user. Example: softix users update ada --email ada@example.net"""
    if no_display_name:
        changes["display_name"] = ""
    _deprecate(role)
    changed = await operations.update(
        instance.storage, user, role=UserRole(role) if role else None, regions=split_regions(regions), **changes
    )
    show(await _shown(instance, changed))


@users.command()
@click.argument("user")
@instance
async def disable(instance: Instance, user: str) -> None:
    """Refuse all keys of a user from the next request on. Example: softix users disable ada"""
    show(await _shown(instance, await operations.update(instance.storage, user, status=UserStatus.DISABLED)))


@users.command()
@click.argument("user")
@instance
async def enable(instance: Instance, user: str) -> None:
    """Accept the keys of a disabled user again. Example: softix users enable ada"""
    show(await _shown(instance, await operations.update(instance.storage, user, status=UserStatus.ACTIVE)))


@users.command("set-password")
@click.argument("user")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@instance
async def set_password(instance: Instance, user: str, password_stdin: bool) -> None:
    """Set a user's password. It is deprecated, because nobody signs in by it.

    People sign in with accounts: see softix accounts create. Example: softix users set-password ada
    """
    found = await operations.show(instance.storage, user)
    password = _read_password(found.name, password_stdin)
    changed = await operations.set_password(instance.storage, await instance.vault(), found.public_id, password)
    show(await _shown(instance, changed), f"The password of {changed.name} is set.")
    say(
        "Nobody signs in by this password, and the command will be removed. People sign in with accounts.",
        f"run: softix accounts create --organisation {changed.public_id} {quote(changed.email)}",
    )


def _read_password(name: str, from_stdin: bool) -> str:
    """Reads a password. Raises BadInputError if there is no terminal to ask on."""
    if can_ask():
        return str(
            click.prompt(f"New password for {visible(name)}", hide_input=True, confirmation_prompt=True, err=True)
        )
    if not from_stdin:
        raise BadInputError("there is no terminal to ask for the password", "pipe it in, with --password-stdin")
    try:
        return standard_input().readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInputError("the password is not text", "pipe it in as UTF-8") from None


users.add_command(import_users)
users.add_command(limit_user)
