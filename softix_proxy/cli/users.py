"""softix users: the people and programs that pay."""

from __future__ import annotations

import sys
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console import Group, office, regions_option, show, show_all, split_regions
from softix_proxy.cli.tables import TableLayout
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.errors import BadInputError
from softix_proxy.domain.users import User, UserRole, UserStatus
from softix_proxy.operations import users as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office

_ROLE = click.Choice([role.value for role in UserRole])


def as_fields(user: User) -> dict[str, Any]:
    return {
        "id": user.public_id,
        "name": user.name,
        "email": user.email,
        "role": user.role.value,
        "status": user.status.value,
        "postpaid": user.postpaid,
        "regions": list(user.regions),
        "created_at": format_instant(user.created_at_us),
    }


_LIST = TableLayout(("id", "name", "email", "role", "status", "created_at"), leave=("created_at", "role", "email"))


@click.group(cls=Group)
def users() -> None:
    """Create users and change them. Example: softix users create ada --email ada@example.org"""


@users.command()
@click.argument("name")
@click.option("--email", required=True, help="Where to reach them; unique.")
@click.option("--role", type=_ROLE, default="user", show_default=True, help="What they may do.")
@click.option("--postpaid", is_flag=True, help="Billed afterwards: no balance is needed.")
@regions_option
@office
async def create(office: Office, name: str, email: str, role: str, postpaid: bool, regions: str | None) -> None:
    """Create a user. Example: softix users create ada --email ada@example.org"""
    user = await operations.create(
        office.storage,
        name=name,
        email=email,
        role=UserRole(role),
        postpaid=postpaid,
        regions=split_regions(regions) or (),
    )
    show(as_fields(user), f"Created {user.name}. Next: softix balance add {quote(user.name)} 25.00")


@users.command("list")
@office
async def list_(office: Office) -> None:
    """List all users. Example: softix users list --json"""
    rows = [as_fields(user) for user in await operations.list_all(office.storage)]
    show_all(rows, _LIST)


@users.command("show")
@click.argument("user")
@office
async def show_(office: Office, user: str) -> None:
    """Show one user, by id, name or e-mail. Example: softix users show ada"""
    show(as_fields(await operations.show(office.storage, user)))


@users.command()
@click.argument("user")
@click.option("--name")
@click.option("--email")
@click.option("--role", type=_ROLE)
@click.option("--postpaid/--prepaid", default=None, help="Billed afterwards, or from a balance.")
@regions_option
@office
async def update(office: Office, user: str, role: str | None, regions: str | None, **changes: Any) -> None:
    """Change a user. Example: softix users update ada --email ada@example.net"""
    changed = await operations.update(
        office.storage, user, role=UserRole(role) if role else None, regions=split_regions(regions), **changes
    )
    show(as_fields(changed))


@users.command()
@click.argument("user")
@office
async def disable(office: Office, user: str) -> None:
    """Refuse every key of a user from the next request on. Example: softix users disable ada"""
    show(as_fields(await operations.update(office.storage, user, status=UserStatus.DISABLED)))


@users.command()
@click.argument("user")
@office
async def enable(office: Office, user: str) -> None:
    """Let a disabled user in again. Example: softix users enable ada"""
    show(as_fields(await operations.update(office.storage, user, status=UserStatus.ACTIVE)))


@users.command("set-password")
@click.argument("user")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input: its first line.")
@office
async def set_password(office: Office, user: str, password_stdin: bool) -> None:
    """Set a user's password; it is asked for, and never an argument. Example: softix users set-password ada"""
    found = await operations.show(office.storage, user)
    password = _read_password(found.name, password_stdin)
    changed = await operations.set_password(office.storage, await office.vault(), found.public_id, password)
    show(as_fields(changed), f"The password of {changed.name} is set.")


def _read_password(name: str, from_stdin: bool) -> str:
    """Raises BadInputError where nobody can be asked."""
    if sys.stdin.isatty():
        return str(click.prompt(f"New password for {name}", hide_input=True, confirmation_prompt=True, err=True))
    if not from_stdin:
        raise BadInputError("there is no terminal to ask for the password", "pipe it in, with --password-stdin")
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise BadInputError("the password is not text", "pipe it in as UTF-8") from None
