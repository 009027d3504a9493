"""The command `softix connect`, which shows or writes the settings of clients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Command, echo, instance, invocation, say, show
from softix_proxy.cli.console.key_source import KeySource, key_options
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access import keys
from softix_proxy.operations.instance import connect as operations
from softix_proxy.operations.instance.connect import CLIENTS, ClientAccess, ClientProgram
from softix_proxy.operations.instance.snippets import KEY_PLACEHOLDER

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance


@click.command(cls=Command)
@click.argument("client", type=click.Choice(list(CLIENTS)))
@click.option("--print", "action", flag_value="print", default=True, help="Show the settings. This is the default.")
@click.option("--write", "action", flag_value="write", help="Change the client's file. A backup is left beside it.")
@click.option("--undo", "action", flag_value="undo", help="Restore the backup.")
@click.option("--user", metavar="USER", help="Issue a new key of this user for the client.")
@key_options
@click.option("--model", metavar="MODEL", help="The model that the client uses by default.")
@click.option(
    "--base-url", metavar="URL", help="The URL of softix for clients, without /v1.  [default: where it listens]"
)
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The client's file, if it is not in the usual place.",
)
@instance
async def connect(
    instance: Instance,
    client: str,
    action: str,
    user: str | None,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    model: str | None,
    base_url: str | None,
    file: Path | None,
) -> None:
    """Show or write the settings with which a client uses softix.

    Example: softix connect claude-code --write --user ada
    """
    known = CLIENTS[client]
    if action == "undo":
        undone = operations.undo(operations.file_of(known, file, Path.home()))
        show({"client": client, "file": str(undone.file), "undone": True}, f"{undone.file} is as it was.")
        return
    if known.needs_model and not model:
        raise BadInputError(f"{known.title} needs a model", "name one with --model; see: softix models list")
    place = operations.file_of(known, file, Path.home()) if action == "write" else None
    key = KeySource(key_stdin, key_env, key_file).read(client, ask=place is not None and not user)
    if user and key:
        raise BadInputError("a new key and a given one", "leave out --user, or the key")
    if place and not (user or key):
        raise BadInputError("which key?", "a new one of a user: --user USER; or --key-stdin, --key-env, --key-file")
    address = (base_url or instance.settings.server.local_url).rstrip("/").removesuffix("/v1")
    searches = await operations.can_search(instance.storage, model)
    access = ClientAccess(address, key or KEY_PLACEHOLDER, model, searches)
    if place:
        operations.changed_text(known, access, place)  # fails before a key is made in vain
    if user:
        issued = await keys.create(instance.storage, await instance.vault(), user=user, label=client)
        access = replace(access, key=issued.text)
    if place is None:
        _print(client, known, access)
        return
    written = operations.write(known, access, place)
    show(
        {"client": client, "file": str(written.file), "backup": str(written.backup), "written": True},
        f"{known.title} uses softix. To undo it: softix connect {client} --undo",
    )


def _print(client: str, known: ClientProgram, access: ClientAccess) -> None:
    text = operations.settings_text(known, access)
    if invocation().as_json:
        show({"client": client, "form": known.form, "settings": dict(known.settings(access)), "text": text})
        return
    if known.place:
        say(f"In {'' if known.here else '~/'}{'/'.join(known.place)}:")
    echo(text, end="")
    if known.hint:
        say(known.hint)
