"""Files for batches. Others are refused: a request that names one would reach it whoever it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar

from softix_proxy.dialects import batches as wire
from softix_proxy.dialects.classification import classify
from softix_proxy.dialects.fields import unmetered
from softix_proxy.dialects.multipart import FormFields
from softix_proxy.domain.batches import KeptFile
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.providers import ProviderStatus, ProviderType
from softix_proxy.domain.routing import in_regions
from softix_proxy.domain.upstream import ProviderFault, UpstreamRequest
from softix_proxy.relay.batch_results import Account
from softix_proxy.web.kept import ONE, Keeper, Verb

FORM = frozenset(("purpose",))
PROVIDER = "x-softix-provider"
"""A header by which a client says at which provider its file is to be, where there are several."""


class Files(Keeper):
    verbs: ClassVar[Sequence[Verb]] = (
        ("POST", (), "upload"),
        ("GET", (), "list_all"),
        ("GET", ONE, "show"),
        ("GET", (*ONE, "content"), "read"),
        ("DELETE", ONE, "delete"),
    )

    async def upload(self) -> None:
        body = await self._wish.read_body()
        if FormFields(body, FORM).text("purpose") != "batch":
            raise unmetered(
                "A file is kept at the provider, where all users of softix share one account: only those with the "
                "`purpose` batch are passed. Send what others hold within the request."
            )
        await self._require_funds()
        account = self._place()
        rest = self._wish.rest
        rest = rest if rest is not None and rest.size_bytes else None
        call = UpstreamRequest(
            self._caller.key.id, account.provider, wire.FILES, self._headers, body, False, rest, account.key
        )
        exchange, answer = await self._ask(call)
        told = wire.read_progress(answer) if exchange.status < 300 else None
        if told is not None and told.remote_id is not None:
            kept = KeptFile(
                provider_id=account.provider.id,
                provider_key=account.label,
                user_id=self._caller.user.id,
                key_id=self._caller.key.id,
                remote_id=told.remote_id,
                created_at_us=self._batches.clock.now_us(),
            )
            await self._write_down(kept)
        await self._pass(exchange, answer)

    async def _write_down(self, kept: KeptFile) -> None:
        """Where it cannot be, nobody could name it: the provider is not left with one for each try."""
        try:
            async with self._batches.storage.writing() as unit:
                await unit.batches.keep_file(kept)
        except Exception:
            with suppress(ProviderFault):
                await self._ask(self._call_for(kept, f"{wire.FILES}/{kept.remote_id}", method="DELETE"))
            raise

    async def _require_funds(self) -> None:
        """A file costs nothing here, but the operator's room at the provider: not for who can pay for no batch."""
        user = self._caller.user
        if not user.postpaid and (await self._unit.balance.get(user.id)).available_pico <= 0:
            raise RefusedError(
                Code.INSUFFICIENT_BALANCE, "The balance is used up, so no batch could be made of a file."
            )

    async def list_all(self) -> None:
        await self._listed("files", partial(self._unit.batches.page_of_files, self._caller.user.id), wire.FILES)

    async def show(self, name: str) -> None:
        file = await self._kept_file(name)
        query = "" if self._family == "gemini" else self._wish.query
        await self._show("files", *await self._ask(self._call_for(file, f"{wire.FILES}/{name}", query)))

    async def read(self, name: str) -> None:
        file = await self._kept_file(name)
        await self._metered_first(file)
        await self._stream(self._call_for(file, f"{wire.FILES}/{name}/content"))

    async def delete(self, name: str) -> None:
        file = await self._kept_file(name)
        await self._metered_first(file)
        exchange, answer = await self._ask(self._call_for(file, f"{wire.FILES}/{name}", method="DELETE"))
        if classify(exchange.status, exchange.headers, answer).error is None:
            async with self._batches.storage.writing() as unit:
                await unit.batches.drop_file(file)
            answer = b"{}" if self._family == "gemini" else answer
        await self._pass(exchange, answer)

    async def _metered_first(self, file: KeptFile) -> None:
        if file.batch_id is not None:
            await self._metered(await self._unit.batches.get(file.batch_id))

    def _place(self) -> Account:
        """Where a new file goes: to the provider that the client names, or the first that takes batches."""
        wanted = dict(self._wish.headers).get(PROVIDER)
        usable = [
            provider
            for provider in self._directory.providers.values()
            if provider.status is ProviderStatus.ACTIVE
            and provider.profile.batches == "openai"
            and in_regions(provider, self._caller.user, self._caller.key)
            and wanted in (None, provider.name)
        ]
        if not usable:
            raise RefusedError(Code.NOT_FOUND, f"No provider takes batches here. `{PROVIDER}` may name one.")
        provider = min(usable, key=lambda each: (each.type is ProviderType.OPENAI_COMPATIBLE, each.id))
        return Account(provider, next(iter(provider.keys), None))
