"""Serves files for batches. Other files are refused, because a request that names one would reach any user's file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar

from softix_proxy.dialects import batches as batch_format
from softix_proxy.dialects.core.classification import classify
from softix_proxy.dialects.request.fields import invalid, unmetered
from softix_proxy.dialects.request.multipart import FormFields, content_type_of
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.batches import KeptFile
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.relay.batch.provider_account import Account
from softix_proxy.relay.stored_objects.handler import ResourceHandler
from softix_proxy.relay.stored_objects.operation_table import OPERATIONS, Operation

_PURPOSE = "purpose"
PROVIDER_HEADER = "x-softix-provider"
"""The header by which a client names the provider that is to store its file, if there are several."""


class FileHandler(ResourceHandler):
    """Stores files at a provider, and passes on their descriptions and their contents."""

    operations: ClassVar[Sequence[Operation]] = OPERATIONS["/files"]

    async def upload(self) -> None:
        """Stores a file whose purpose is a batch. Raises RefusedError for any other."""
        body = await self._request.read_body()
        if FormFields(body, frozenset((_PURPOSE,))).text(_PURPOSE) != "batch":
            raise unmetered(
                "A file is kept at the provider, where all users of softix share one account: only those with the "
                "`purpose` batch are passed. Send what others hold within the request."
            )
        await self._require_funds()
        account, rest = self._choose_account(), self._request.rest
        rest = rest if rest is not None and rest.size_bytes else None
        exchange, answer = await self._fetch(
            self._call(
                account,
                batch_format.FILES,
                method="POST",
                body=body,
                rest=rest,
                content_type=content_type_of(body),
            )
        )
        told = batch_format.read_progress(answer) if exchange.status < 300 else None
        if told is not None and told.remote_id is not None:
            stored = KeptFile(
                provider_id=account.provider.id,
                provider_key=account.label,
                user_id=self._caller.user.id,
                key_id=self._caller.key.id,
                remote_id=told.remote_id,
                created_at_us=self._batches.clock.now_us(),
            )
            await self._write_down(stored)
        await self._pass_on(exchange, answer)

    async def _write_down(self, file: KeptFile) -> None:
        """Records the file. Deletes it again if it cannot be recorded, because nobody could ever name it."""
        try:
            async with self._batches.storage.writing() as unit:
                await unit.batches.keep_file(file)
        except Exception:
            with suppress(ProviderFault):
                await self._fetch(self._call_for(file, _path_of(file), method="DELETE"))
            raise

    async def _require_funds(self) -> None:
        """Raises RefusedError if the caller cannot pay for any batch.

        A file costs nothing, but it takes the operator's space.
        """
        user = self._caller.user
        if not user.postpaid and (await self._unit.balance.get(user.id)).available_pico <= 0:
            raise RefusedError(
                Code.INSUFFICIENT_BALANCE, "The balance is used up, so no batch could be made of a file."
            )

    def _choose_account(self) -> Account:
        """Chooses the provider that the client names, or the first that takes batches. Raises RefusedError."""
        wanted = dict(self._request.headers).get(PROVIDER_HEADER)
        usable = [
            provider
            for provider in self._directory.providers.values()
            if provider.profile.batches == "openai"
            and access(self._caller.user, self._caller.key, provider) is None
            and wanted in (None, provider.name)
        ]
        if not usable:
            raise RefusedError(Code.NOT_FOUND, f"No provider takes batches here. `{PROVIDER_HEADER}` may name one.")
        return Account.of(min(usable, key=lambda each: (each.type is ProviderType.OPENAI_COMPATIBLE, each.id)))

    async def list_all(self) -> None:
        await self._list("files", partial(self._unit.batches.page_of_files, self._caller.user.id), batch_format.FILES)

    async def show(self, name: str) -> None:
        file = await self._find_file(name)
        await self._pass_on_one("files", *await self._fetch(self._call_for(file, _path_of(file), self._passed_query)))

    async def read(self, name: str) -> None:
        file = await self._find_file(name)
        await self._require_batch_metered(file)
        await self._pass_on_content(self._call_for(file, f"{_path_of(file)}/content"))

    async def delete(self, name: str) -> None:
        file = await self._find_file(name)
        await self._require_batch_metered(file)
        await self._require_input_metered(file)
        exchange, answer = await self._fetch(self._call_for(file, _path_of(file), method="DELETE"))
        if classify(exchange.status, exchange.headers, answer).error is None:
            async with self._batches.storage.writing() as unit:
                await unit.batches.drop_file(file)
            answer = b"{}" if self._answer_family == "gemini" else answer
        await self._pass_on(exchange, answer)

    async def _require_batch_metered(self, file: KeptFile) -> None:
        if file.batch_id is not None:
            await self._require_metered(await self._unit.batches.get(file.batch_id))

    async def _require_input_metered(self, file: KeptFile) -> None:
        """Meters the batches that were made of a file: what their requests cost may have to be estimated by it."""
        place = (file.user_id, file.provider_id, file.provider_key, file.remote_id)
        for batch in await self._unit.batches.unmetered():
            made_of = (batch.user_id, batch.provider_id, batch.provider_key, batch.input_file)
            if made_of == place and not await self._results.collect(batch):
                raise invalid("A batch of this file has not ended yet. Cancel it, or delete the file later.")


def _path_of(file: KeptFile) -> str:
    return f"{batch_format.FILES}/{file.remote_id}"
