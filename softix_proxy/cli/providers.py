"""softix providers: where models run, and the keys for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from softix_proxy.cli.console import Group, confirm, office, say, show, show_all
from softix_proxy.domain.clock import format_instant
from softix_proxy.domain.errors import BadInputError, FailureError
from softix_proxy.domain.providers import MAIN, PROFILES, HangUp, Provider, ProviderStatus, ProviderType
from softix_proxy.operations import providers as operations

if TYPE_CHECKING:
    from softix_proxy.assembly import Office
    from softix_proxy.operations.catalogue import CatalogueModel

_TYPE = click.Choice([kind.value for kind in ProviderType])
_HANG_UP = click.option(
    "--on-hang-up",
    type=click.Choice(["cancel", "drain"]),
    help="When a client leaves a stream: cancel the request, or read it to its end.",
)


def as_fields(provider: Provider) -> dict[str, Any]:
    return {
        "id": provider.public_id,
        "name": provider.name,
        "type": provider.type.value,
        "base_url": provider.base_url,
        "on_hang_up": provider.on_hang_up,
        "status": provider.status.value,
        "has_key": bool(provider.keys),
        "keys": [{"label": key.label, "weight": key.weight} for key in provider.keys],
        "region": provider.region,
        "created_at": format_instant(provider.created_at_us),
    }


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the key comes from; never an argument, which every user of the machine could read."""

    stdin: bool
    variable: str | None
    file: Path | None

    def read(self, name: str, *, ask: bool) -> str | None:
        """The key. Without a source it is asked for on a terminal, if `ask`; else None.

        Raises BadInputError for two sources or an empty one, FailureError for an unreadable file.
        """
        if self.stdin + bool(self.variable) + bool(self.file) > 1:
            raise BadInputError("the key has more than one source", "give --key-stdin, --key-env or --key-file")
        text = self._text(name, ask=ask)
        if text is not None and not text.strip():
            raise BadInputError("there is no key in what was given", "check the variable, the file or the pipe")
        return text.strip() if text is not None else None

    def _text(self, name: str, *, ask: bool) -> str | None:
        if self.variable is not None:
            return os.environ.get(self.variable, "")
        if self.file is not None:
            try:
                return self.file.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                raise FailureError(f"cannot read {self.file}", "check its path and mode") from None
        if self.stdin and not sys.stdin.isatty():
            return sys.stdin.readline()
        if (self.stdin or ask) and sys.stdin.isatty():
            return str(click.prompt(f"API key for {name}", hide_input=True, err=True))
        return None


def key_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that `KeySource` is made of; the command gets `key_stdin`, `key_env` and `key_file`."""
    for option in (
        click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False), help="Read the key from a file."),
        click.option("--key-env", metavar="VAR", help="Read the key from an environment variable."),
        click.option("--key-stdin", is_flag=True, help="Read the key from standard input."),
    ):
        function = option(function)
    return function


def _models_of(kind: ProviderType) -> tuple[CatalogueModel, ...]:
    from softix_proxy.demo import models
    from softix_proxy.operations import catalogue

    return models.models() if kind is ProviderType.DEMO else catalogue.load().models(kind.value)


@click.group(cls=Group)
def providers() -> None:
    """Where models run, and the keys for it. Example: softix providers add openai --type openai --key-stdin"""


@providers.command()
@click.argument("name")
@click.option("--type", "kind", type=_TYPE, required=True, help="Which protocol and price list it has.")
@click.option("--base-url", metavar="URL", default="", help="Where it is; needed for openai-compatible.")
@key_options
@_HANG_UP
@click.option("--region", metavar="R", help="Where it works, for example eu: users and keys may be bound to regions.")
@office
async def add(
    office: Office,
    name: str,
    kind: str,
    base_url: str,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    on_hang_up: str | None,
    region: str | None,
) -> None:
    """Add a provider, with the models that softix knows of it.

    Example: softix providers add openai --type openai --key-env OPENAI_API_KEY
    """
    operations.checked_name(name)
    type_ = ProviderType(kind)
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=PROFILES[type_].needs_key)
    models = _models_of(type_)
    provider = await operations.add(
        office.storage,
        await office.vault(),
        name=name,
        kind=type_,
        base_url=base_url,
        key=key,
        on_hang_up=cast("HangUp | None", on_hang_up),
        region=region,
        models=models,
    )
    _tell_base_url(base_url, provider)
    if models:
        say(f"Enabled {len(models)} models: softix models list --provider {name}")
    elif type_ is not ProviderType.DEMO:
        say(f"Next: softix models add NAME --provider {name} --input 0.15 --output 0.60 (or --free)")
    show(as_fields(provider), f"Added {name}. Check it: softix providers test {name}")


def _tell_base_url(asked: str, provider: Provider) -> None:
    if asked and asked != provider.base_url:
        say(f"The base URL is {provider.base_url}: softix adds /v1 and the rest of the path itself.")


@providers.command("list")
@office
async def list_(office: Office) -> None:
    """List all providers. Example: softix providers list --json"""
    rows = [as_fields(provider) for provider in await operations.list_all(office.storage)]
    show_all(rows, ("name", "type", "base_url", "on_hang_up", "status", "has_key", "created_at"))


@providers.command("show")
@click.argument("name")
@office
async def show_(office: Office, name: str) -> None:
    """Show one provider; never its key. Example: softix providers show openai"""
    show(as_fields(await operations.show(office.storage, name)))


@providers.command()
@click.argument("name")
@office
async def test(office: Office, name: str) -> None:
    """Ask a provider for its models, once. Example: softix providers test openai"""
    from softix_proxy.upstream.probe import fetch

    trusting = partial(fetch, ca_file=office.settings.upstream.ca_file)
    probe = await operations.probe(office.storage, await office.vault(), name, trusting)
    fields = {
        "name": name,
        "ok": probe.ok,
        "status": probe.status,
        "latency_ms": probe.latency_ms,
        "message": probe.message,
        "remedy": probe.remedy or None,
    }
    show(fields)
    if not probe.ok:
        raise SystemExit(1)


@providers.command("set-key")
@click.argument("name")
@key_options
@click.option("--label", default=MAIN, show_default=True, help="Which of its keys.")
@click.option("--add", is_flag=True, help="Beside the others: requests take turns with them.")
@click.option("--weight", type=click.IntRange(1, 1000), help="Its share of the requests; alone, only this changes.")
@office
async def set_key(
    office: Office,
    name: str,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    label: str,
    add: bool,
    weight: int | None,
) -> None:
    """Replace a provider's key, or add another one. Example: softix providers set-key openai --key-stdin < key.txt"""
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=add or weight is None)
    if key is None and weight is None:
        raise BadInputError("there is no key", "give --key-stdin, --key-env or --key-file")
    vault = await office.vault()
    show(as_fields(await operations.set_key(office.storage, vault, name, key, label=label, weight=weight, add=add)))


@providers.command("remove-key")
@click.argument("name")
@click.argument("label")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def remove_key(office: Office, name: str, label: str, yes: bool) -> None:
    """Wipe one of a provider's keys. Example: softix providers remove-key openai second --yes"""
    confirm(f"Wipe the key {label} of {name}?", yes)
    show(as_fields(await operations.remove_key(office.storage, name, label)))


@providers.command()
@click.argument("name")
@click.option("--base-url", metavar="URL", help="Where it is now; the key has to be given again.")
@key_options
@_HANG_UP
@click.option("--region", metavar="R", help="Where it works; `none` takes it away.")
@office
async def update(
    office: Office,
    name: str,
    base_url: str | None,
    key_stdin: bool,
    key_env: str | None,
    key_file: Path | None,
    on_hang_up: str | None,
    region: str | None,
) -> None:
    """Change a provider. Example: softix providers update lab --base-url http://10.0.0.6:8000"""
    key = KeySource(key_stdin, key_env, key_file).read(name, ask=False)
    provider = await operations.update(
        office.storage,
        await office.vault(),
        name,
        base_url=base_url,
        key=key,
        on_hang_up=cast("HangUp | None", on_hang_up),
        region="" if region == "none" else region,
    )
    _tell_base_url(base_url or "", provider)
    show(as_fields(provider))


@providers.command()
@click.argument("name")
@office
async def disable(office: Office, name: str) -> None:
    """Send a provider nothing from the next request on. Example: softix providers disable openai"""
    show(as_fields(await operations.set_status(office.storage, name, ProviderStatus.DISABLED)))


@providers.command()
@click.argument("name")
@office
async def enable(office: Office, name: str) -> None:
    """Use a disabled provider again. Example: softix providers enable openai"""
    show(as_fields(await operations.set_status(office.storage, name, ProviderStatus.ACTIVE)))


@providers.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@office
async def remove(office: Office, name: str, yes: bool) -> None:
    """Wipe a provider's key and disable its models. Example: softix providers remove openai --yes"""
    await operations.show(office.storage, name)
    confirm(f"Remove {name}, with its key and its models?", yes)
    show(as_fields(await operations.remove(office.storage, name)), f"Removed {name}; its name is free again.")
