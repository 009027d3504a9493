"""The command `softix quickstart`, which makes a working proxy from nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from softix_proxy.cli.admin_api.late_commands import admin_commands
from softix_proxy.cli.console.console import Command, echo, echo_json, invocation, say, show, show_all
from softix_proxy.cli.console.tables import TableLayout
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.usage import UsageRow, UsageSource

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.assembly.daemon import Serving
    from softix_proxy.domain.accounts.portal_section import PortalSection
    from softix_proxy.operations.instance.quickstart import Prepared
    from softix_proxy.settings import Settings

_RULE = "─" * 78


@dataclass(frozen=True, slots=True)
class FirstRequest:
    """The data that a person needs to make the first request."""

    url: str
    key: str
    key_is_new: bool
    user: str
    balance: str
    model: str
    program: str = "softix"
    """The program as it is to be typed, with the options that name this instance."""
    portal: str | None = field(default=None, repr=False)
    """The link by which the portal is opened the first time, or its address. None without a portal."""

    def fields(self) -> dict[str, object]:
        return {
            "event": "serving",
            "url": self.url,
            "openai_base_url": f"{self.url}/v1",
            "anthropic_base_url": self.url,
            "key": self.key if self.key_is_new else None,
            "user": self.user,
            "balance": self.balance,
            "model": self.model,
            **({} if self.portal is None else {"portal": self.portal}),
        }

    def text(self) -> str:
        key = self.key if self.key_is_new else "YOUR_KEY"
        told = f"{self.key}  (shown this once)"
        if not self.key_is_new:
            told = f"{self.key}…  (was shown once; another: {self.program} keys create --user {self.user})"
        ask = {"model": self.model, "messages": [{"role": "user", "content": "Hello!"}], "stream": True}
        return "\n".join(
            (
                _RULE,
                f"  Base URL   {self.url}/v1",
                f"  API key    {told}",
                f"  Balance    ${self.balance} of user {self.user}",
                *([] if self.portal is None else [f"  Portal     {self.portal}"]),
                "",
                "  Try it:",
                f"curl -N {self.url}/v1/chat/completions -H 'Authorization: Bearer {key}' \\",
                f"  -H 'Content-Type: application/json' -d '{json.dumps(ask)}'",
                "",
                "  OpenAI SDK, the two lines that change:",
                f'    base_url="{self.url}/v1",',
                f'    api_key="{key}",',
                "  Anthropic SDK:",
                f'    base_url="{self.url}",',
                f'    api_key="{key}",',
                "",
                f"  Then: {self.program} usage list · {self.program} balance show demo · {self.program} --help",
                _RULE,
            )
        )


@click.command(cls=Command)
@click.option("--check", is_flag=True, help="Send two requests through the proxy, show what they cost, and exit.")
@click.option("--with-openai", is_flag=True, help="Add OpenAI, with the key in OPENAI_API_KEY.")
@click.option("--with-anthropic", is_flag=True, help="Add Anthropic, with the key in ANTHROPIC_API_KEY.")
@click.option("--yes", is_flag=True, help="Add each provider whose key is in the environment, and do not ask.")
@click.option("--portal", "with_portal", is_flag=True, help="Serve the portal as well, and print a link to sign in.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on.  [default: server.port]")
def quickstart(
    check: bool, with_openai: bool, with_anthropic: bool, yes: bool, with_portal: bool, port: int | None
) -> None:
    """Create an instance with a demo model, a user with $5.00 and a key, and serve it.

    It prints what to paste into a client. If the instance exists, it serves that one.
    Example: softix quickstart --check
    """
    from softix_proxy import assembly

    if check and with_portal:
        raise click.UsageError("--check ends at once, and --portal goes on serving. Give one of them.")
    given = invocation()

    def read() -> Settings:
        settings = given.settings()
        server = replace(settings.server, port=0 if check else settings.server.port if port is None else port)
        return replace(settings, server=server, portal=_portal(settings) if with_portal else settings.portal)

    settings = read()

    wanted = {ProviderType.OPENAI: with_openai, ProviderType.ANTHROPIC: with_anthropic}
    asyncio.run(assembly.initialise(settings))
    prepared = asyncio.run(_prepare(settings, wanted, yes))
    link = asyncio.run(_portal_link(settings)) if with_portal else None
    assembly.prepare_process(settings)
    with asyncio.Runner(loop_factory=assembly.loop_factory()) as runner:
        runner.run(_check(settings) if check else _serve(read, prepared, link))


def _portal(settings: Settings) -> PortalSection:
    """Returns the settings of a portal for this machine, where the operator chose no address.

    Raises BadInputError if there is neither an address nor a port, since no link can be printed then.
    """
    portal = settings.portal
    if portal.public_url is None and not portal.port:
        raise BadInputError("portal.port is 0, so there is no link to the portal", "set portal.port, such as 8485")
    return replace(portal, enabled=True, public_url=portal.public_url or f"http://localhost:{portal.port}")


async def _portal_link(settings: Settings) -> str:
    from softix_proxy import assembly
    from softix_proxy.operations.instance import quickstart as operations

    async with assembly.open_instance(settings) as opened:
        instance = await opened.entered("quickstart")
        path = await operations.prepare_account(instance.storage, await instance.vault())
    return f"{settings.portal.origin}{path}"


async def _prepare(settings: Settings, wanted: dict[ProviderType, bool], yes: bool) -> Prepared:
    from softix_proxy import assembly
    from softix_proxy.demo.models import models
    from softix_proxy.operations.instance import quickstart as operations

    async with assembly.open_instance(settings) as opened:
        instance = await opened.entered("quickstart")
        vault = await instance.vault()
        prepared = await operations.prepare(instance.storage, vault, models())
        for kind, variable in operations.ENVIRONMENT.items():
            key = os.environ.get(variable, "").strip()
            if wanted[kind] and not key:
                raise click.UsageError(f"--with-{kind.value} needs the key in {variable}.")
            if key and _agreed(kind, variable, wanted[kind] or yes):
                added = await operations.add_provider(instance.storage, vault, kind, key)
                say(f"Added {kind.value} with its models." if added else f"{kind.value} is there already.")
        return prepared


def _agreed(kind: ProviderType, variable: str, agreed: bool) -> bool:
    if agreed:
        return True
    if sys.stdin.isatty() and not invocation().as_json:
        return click.confirm(f"{variable} is set. Add {kind.value} as a provider?", err=True)
    say(f"{variable} is set: --with-{kind.value} adds that provider.")
    return False


async def _serve(read: Callable[[], Settings], prepared: Prepared, link: str | None) -> None:
    from softix_proxy.cli.instance.serve import until_stopped

    settings = read()

    async def announce(daemon: Serving) -> None:
        from softix_proxy import assembly

        async with assembly.open_instance(settings) as instance:
            frame = replace(await _frame(instance, settings, daemon.url, prepared), portal=link)
        if invocation().as_json:
            echo_json(frame.fields())
        else:
            echo(frame.text())

    await until_stopped(settings, announce, read)


async def _frame(instance: Instance, settings: Settings, url: str, prepared: Prepared) -> FirstRequest:
    from softix_proxy.demo.models import models
    from softix_proxy.operations.ledger import balance

    wallet = await balance.show(instance.storage, prepared.user.public_id)
    return FirstRequest(
        url=url,
        key=prepared.key_text or prepared.key.prefix,
        key_is_new=prepared.key_text is not None,
        user=prepared.user.name,
        balance=format_usd(wallet.posted_pico),
        model=models()[0].name,
        program=_program(settings.paths.data_dir if invocation().data_dir else None),
    )


def _program(data_dir: Path | None) -> str:
    """Returns the first word as it was typed. After the README's first command, softix is not on the PATH."""
    typed = Path(sys.argv[0])
    named = "softix" if typed.name != "softix" or shutil.which("softix") == str(typed) else quote(str(typed))
    return named if data_dir is None else f"{named} --data-dir {quote(str(data_dir))}"


async def _check(settings: Settings) -> None:
    from softix_proxy import assembly
    from softix_proxy.demo import check
    from softix_proxy.operations.access import keys
    from softix_proxy.operations.instance import quickstart
    from softix_proxy.operations.ledger import balance
    from softix_proxy.operations.metering import usage

    async with assembly.serving(settings, admin_commands) as daemon, assembly.open_instance(settings) as opened:
        instance = await opened.entered("quickstart")
        issued = await keys.create(
            instance.storage, await instance.vault(), user=quickstart.USER, label="quickstart check"
        )
        try:
            passed = await check.run(daemon.url, issued.text)
        finally:
            await keys.revoke(instance.storage, issued.key.public_id)
        rows = [(await usage.explain(instance.storage, one.request_id)).row for one in passed]
        wallet = await balance.show(instance.storage, quickstart.USER)
        await daemon.stop(asyncio.Event())
    requests: Sequence[dict[str, object]] = [
        {
            "request": one.name,
            "request_id": one.request_id,
            "model": row.model,
            "input_tokens": row.meters.get("input_tokens"),
            "output_tokens": row.meters.get("output_tokens"),
            "charge": format_usd(row.charge_pico),
        }
        for one, row in zip(passed, rows, strict=True)
    ]
    _require_charged(rows)
    balance_usd = format_usd(wallet.posted_pico)
    if invocation().as_json:
        show({"ok": True, "requests": requests, "balance": balance_usd})
    else:
        show_all(requests, TableLayout(tuple(requests[0])))
        show({"balance": balance_usd}, "Two requests went through.")


def _require_charged(rows: Sequence[UsageRow]) -> None:
    for row in rows:
        if row.source is not UsageSource.PROVIDER or row.charge_pico <= 0:
            raise FailureError("a request was not metered as it should be", "see: softix usage list, softix doctor")
