"""The commands of `softix oidc`, which set up sign-in at an OpenID provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from softix_proxy.cli.console.console import Group, instance, say, show
from softix_proxy.cli.console.key_source import KeySource, key_options
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.accounts import oidc as operations

if TYPE_CHECKING:
    from pathlib import Path

    from softix_proxy.assembly import Instance


@click.group(cls=Group)
def oidc() -> None:
    """Set up sign-in at an OpenID provider. Example: softix oidc check"""


@oidc.command("set-secret")
@key_options
@instance
async def set_secret(instance: Instance, key_stdin: bool, key_env: str | None, key_file: Path | None) -> None:
    """Set the client secret that the provider gave you. It is sealed for oidc.issuer and oidc.client_id.

    Example: softix oidc set-secret --key-stdin < secret.txt
    """
    secret = KeySource(key_stdin, key_env, key_file, label="Client secret").read("the OpenID client", ask=True)
    if secret is None:
        raise BadInputError("there is no secret", "give --key-stdin, --key-env or --key-file")
    section = instance.settings.oidc
    await operations.set_secret(instance.storage, await instance.vault(), section, secret)
    show({"issuer": section.issuer, "client_id": section.client_id}, "Stored. Next: softix oidc check")


@oidc.command()
@instance
async def check(instance: Instance) -> None:
    """Check the configuration of the provider, and print the redirect URI that it must know.

    Example: softix oidc check --json
    """
    from softix_proxy.assembly import open_id_provider

    settings = instance.settings
    if settings.portal.public_url is None:
        raise BadInputError("portal.public_url is not set", "set it: the provider sends people back there")
    url, vault = parse_public_url(settings.portal.public_url), await instance.vault()
    client = await operations.client(instance.storage.reading(), vault, settings.oidc, url)
    provider = open_id_provider(settings, instance.clock)
    await provider.authorization_url(client, state="check", nonce="check", code_challenge="check")
    if not client.client_secret:
        say("There is no client secret. If the provider gave you one, run: softix oidc set-secret")
    show(
        {
            "issuer": client.issuer,
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "has_secret": bool(client.client_secret),
        },
        "The provider answers. Register the redirect URI there, letter for letter.",
    )
