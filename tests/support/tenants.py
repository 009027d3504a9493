"""A daemon that many tests share, and users of it: each test has its own, and so sees its own rows and money only."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from support.daemon import PRICE, Prepared, prepared

from softix_proxy.domain.money import format_usd, parse_usd
from softix_proxy.domain.pricing import PriceSheet
from softix_proxy.domain.providers import ProviderType
from softix_proxy.domain.users import UserRole
from softix_proxy.exports.columns import fields
from softix_proxy.operations import balance as balances
from softix_proxy.operations import keys, models, providers, usage, users

OFFERED = ("gpt-test", "claude-test")
"""What a key may use unless a test says otherwise; it is what the fake provider lists."""
SPECIAL: Mapping[str, tuple[ProviderType, Mapping[str, str]]] = {
    "gemini-test": (ProviderType.GEMINI, PRICE),
    "image-test": (ProviderType.OPENAI_COMPATIBLE, {"image": "0.02"}),
    "speech-test": (ProviderType.OPENAI_COMPATIBLE, {"character": "15"}),
    "sound-test": (ProviderType.OPENAI_COMPATIBLE, {"audio_second": "0.0001"}),
    "rank-test": (ProviderType.OPENAI_COMPATIBLE, {"search_unit": "2"}),
}
"""Models for the routes that those cannot serve: the type of their provider, and their prices."""
DRAINED = {"gpt-drained": ProviderType.OPENAI_COMPATIBLE, "claude-drained": ProviderType.ANTHROPIC}
"""Models of providers whose streams are read on after a hang-up."""


async def offer(
    of: Prepared,
    model: str,
    kind: ProviderType,
    base_url: str,
    price: Mapping[str, str] = MappingProxyType(PRICE),
    **more: Any,
) -> None:
    """One more provider, with one priced model; what is left over goes to `operations.providers.add`."""
    async with of.instance.office() as office:
        storage, vault = office.storage, await office.vault()
        lab = f"{model}-lab"
        await providers.add(storage, vault, name=lab, kind=kind, base_url=base_url, key="sk-of-a-lab", **more)
        sheet = PriceSheet.parse({"bands": [{"prices": dict(price)}]})
        await models.add(
            storage, name=model, provider=lab, sheet=sheet, context_tokens=100_000, max_output_tokens=4_096
        )


async def house(folder: Path, provider_url: str) -> Prepared:
    """As `prepared`, with the models of SPECIAL and DRAINED; not started yet."""
    made = await prepared(folder, provider_url)
    for model, (kind, price) in SPECIAL.items():
        await offer(made, model, kind, provider_url, price)
    for model, kind in DRAINED.items():
        await offer(made, model, kind, provider_url, on_hang_up="drain")
    return made


async def tenant(
    of: Prepared, *, balance: str = "25.00", offered: tuple[str, ...] = OFFERED, **key_options: Any
) -> Prepared:
    """A new user with a key and money. What is left over goes to `operations.keys.create`."""
    async with of.instance.office() as office:
        storage, vault = office.storage, await office.vault()
        name = f"user-{secrets.token_hex(6)}"
        user = await users.create(storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False)
        if balance:
            await balances.add(storage, user.public_id, parse_usd(balance), note="for the test")
        issued = await keys.create(storage, vault, user=user.public_id, models=offered, **key_options)
    return Prepared(of.instance, issued.text, issued.key.public_id, name, user.public_id, of.provider_keys)


async def rows(client: Prepared) -> list[dict[str, Any]]:
    """This user's, the newest first, under the export's names."""
    async with client.instance.office() as office:
        return [fields(row) for row in await usage.newest(office.storage, limit=1000, user=client.user_id)]


async def held(client: Prepared) -> int:
    """In pico-USD."""
    async with client.instance.office() as office:
        return (await balances.show(office.storage, client.user_id)).held_pico


async def charges(client: Prepared) -> list[str]:
    """What each took from the balance, in USD, the newest first."""
    async with client.instance.office() as office:
        history = await balances.history(office.storage, client.user_id, 1000)
    return [format_usd(entry.amount_pico) for entry in history if entry.kind == "charge"]


async def settled(client: Prepared) -> dict[str, Any]:
    """The one row, once it is there: nobody is told of it, since nobody listens."""
    async with asyncio.timeout(20):
        while not (found := await rows(client)):
            await asyncio.sleep(0.02)
    [row] = found
    assert await held(client) == 0
    assert await charges(client) == ([f"-{row['charge']}"] if row["charge"] != "0.00" else [])
    return row
