"""Serves batches, which clients of OpenAI and of Anthropic make and whose results they read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, NamedTuple

from softix_proxy.dialects import batches as batch_format
from softix_proxy.dialects.batches import BatchItem
from softix_proxy.dialects.core.base import Family
from softix_proxy.dialects.request.fields import invalid
from softix_proxy.dialects.request.multipart import content_type_of
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.access.objects import NO_KEY
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.headers import values_of
from softix_proxy.domain.metering.batches import Batch, BatchFamily, KeptFile
from softix_proxy.domain.metering.usage_tags import HEADER
from softix_proxy.domain.ports.upstream import UpstreamResponse
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.relay.batch.batch_request import BatchRequest
from softix_proxy.relay.batch.batches import Asked
from softix_proxy.relay.batch.provider_account import Account
from softix_proxy.relay.batch.results import folder_of
from softix_proxy.relay.batch.tagged_input import TaggedInput
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.request.large_body import in_turns, scan
from softix_proxy.relay.stored_objects.handler import UNKNOWN_OBJECT, ResourceHandler
from softix_proxy.relay.stored_objects.operation_table import OPERATIONS, Operation

FindModels = Callable[[str], Sequence[Model]]
"""Returns the models that a name may mean."""
_REPEATS = "idempotency-key"
_NO_MODEL = "its model is none that takes batches here. See GET /v1/models."


class _Copy(NamedTuple):
    """What the provider responds to the copy of a file."""

    exchange: UpstreamResponse
    answer: bytes
    name: str | None
    """None if the provider has refused the copy."""


class BatchHandler(ResourceHandler):
    """Handles what is the same for the batches of each family."""

    batch_family: ClassVar[BatchFamily]

    async def list_all(self) -> None:
        read = partial(self._unit.batches.page, self._caller.user.id, self.batch_family)
        await self._list("batches", read, folder_of(self.batch_family))

    async def show(self, name: str) -> None:
        batch = await self._find_batch(name)
        await self._pass_on_batch(batch, *await self._fetch(self._call_for(batch, _path_of(batch), self._passed_query)))

    async def cancel(self, name: str) -> None:
        batch = await self._find_batch(name)
        call = self._call_for(batch, f"{_path_of(batch)}/cancel", method="POST")
        await self._pass_on_batch(batch, *await self._fetch(call))

    async def _admit(
        self, requests: Sequence[BatchRequest], named: Callable[[Directory], FindModels], label: str = NO_KEY
    ) -> Sequence[Asked]:
        """Admits all requests by the rules that are in force then, including the client's own rights."""

        async def plan() -> Sequence[Asked]:
            self._caller = await self._batches.lifecycle.identify(self._request.credential, self._request.address)
            find, first = named(self._directory), list[Model]()

            def find_model(name: str) -> Model:
                model = self._choose_model(find(name))
                first.append(model)
                if model.provider_id != first[0].provider_id:
                    raise invalid("all models of a batch have to be at one provider.")
                return model

            tags = values_of(HEADER, self._request.headers)
            return await self._batches.plan(self._caller, requests, find_model, label, tags)

        return await self._batches.admit(plan)

    @property
    def _named_by(self) -> Caller | None:
        """The caller, if the key asks for the users whom its requests name."""
        return self._caller if self._caller.key.end_users else None

    def _choose_model(self, found: Sequence[Model]) -> Model:
        """Chooses the first model that takes such batches and that the key may use. Raises RefusedError."""
        for model in found:
            provider = self._directory.providers[model.provider_id]
            if provider.profile.batches != self.batch_family:
                continue
            if access(self._caller.user, self._caller.key, provider, model) is None:
                return model
        raise refusal.no_model(_NO_MODEL)

    async def _make(
        self,
        account: Account,
        lines: Sequence[Asked],
        body: bytes,
        input_file: str | None = None,
        *,
        copied: bool = False,
    ) -> tuple[UpstreamResponse, bytes, bool]:
        """Has the provider make the batch of the admitted requests.

        Returns the response for the client, and whether there is a batch. `input_file` and `copied` are as for
        `Batches.make`.
        """
        call = self._call(account, folder_of(self.batch_family), method="POST", body=body)
        exchange, answer = await self._batches.make(
            self.batch_family, self._caller, account, lines, call, input_file, copied
        )
        told = batch_format.read_progress(answer) if exchange.status < 300 else None
        if told is None or told.remote_id is None:
            return exchange, answer, False
        return exchange, self._at_home(answer, told.remote_id, input_file), True

    async def _pass_on_batch(self, batch: Batch, exchange: UpstreamResponse, answer: bytes) -> None:
        progress = batch_format.read_progress(answer) if exchange.status < 300 else None
        if progress is not None:
            await self._results.note_files(batch, progress)
            answer = self._at_home(answer, batch.remote_id, batch.input_file)
        await self._pass_on_one("batches", exchange, answer)

    def _at_home(self, answer: bytes, remote_id: str, input_file: str | None) -> bytes:
        """Replaces the address of Anthropic's results by one here, and the copy of OpenAI's input by its original."""
        changes = self.batch_family == "anthropic" or input_file is not None
        return batch_format.at_home(answer, remote_id, input_file) if changes else answer

    async def _find_batch(self, name: str) -> Batch:
        """Returns the batch. Raises RefusedError if the user has none of this name."""
        batch = await self._unit.batches.find(self._caller.user.id, name)
        if batch is None:
            raise RefusedError(Code.NOT_FOUND, UNKNOWN_OBJECT)
        return batch


class OpenAIBatchHandler(BatchHandler):
    """Handles batches that are made of files, and whose results are files."""

    batch_family: ClassVar[BatchFamily] = "openai"
    operations: ClassVar[Sequence[Operation]] = OPERATIONS["/batches"]

    async def create(self) -> None:
        """Makes a batch of the lines of a file. The file is read from the provider for this."""
        body = await self._request.read_body()
        asked = batch_format.read_creation(body)
        file = await self._find_file(asked.input_file_id)
        account = self._account_of(file)
        requests = await self._batches.read(self._lines(file, asked), self._tag_of, self._named_by)
        lines = await self._admit(requests, partial(_by_upstream_name, account.provider.id), account.label)
        try:
            account = self._account_of(file)
            copy = await self._copy(file, asked, requests) if any(each.spec.tags for each in requests) else None
        except BaseException:
            await self._batches.withdraw(lines)
            raise
        if copy is None:
            exchange, answer, _ = await self._make(account, lines, body, asked.input_file_id)
        elif copy.name is None:  # the provider has refused it
            await self._batches.withdraw(lines)
            exchange, answer = copy.exchange, copy.answer
        else:
            body = batch_format.with_input_file(body, copy.name)
            exchange, answer, made = await self._make(account, lines, body, asked.input_file_id, copied=True)
            if not made:
                await self._results.remove_copy(self._caller.key.id, account, copy.name)
        await self._pass_on(exchange, answer)

    async def _copy(self, file: KeptFile, asked: batch_format.BatchCreation, requests: Sequence[BatchRequest]) -> _Copy:
        """Stores a copy of the file at the provider, with tags in the place of the client's words.

        It is read from the provider once more while it is sent, so that softix never has all of it.
        """
        rest = TaggedInput(self._lines(file, asked), requests, self._tag_of)
        kind = content_type_of(rest.head)
        call = self._call(
            self._account_of(file), batch_format.FILES, method="POST", body=rest.head, rest=rest, content_type=kind
        )
        # the client's word for a repeated request stands for the batch, and not for this file
        headers = [header for header in call.headers if header[0] != _REPEATS]
        exchange, answer = await self._fetch(replace(call, headers=headers))
        told = batch_format.read_progress(answer) if exchange.status < 300 else None
        if exchange.status < 300 and (told is None or told.remote_id is None):
            raise RefusedError(Code.PROVIDER_BROKE_OFF, "The provider's answer is no file.")
        return _Copy(exchange, answer, None if told is None else told.remote_id)

    async def _lines(self, file: KeptFile, asked: batch_format.BatchCreation) -> AsyncGenerator[BatchItem, None]:
        exchange = await self._send(self._call_for(file, f"{batch_format.FILES}/{file.remote_id}/content"))
        held, number = bytearray(), 0
        try:
            if exchange.status >= 300:
                raise invalid("The file of the batch cannot be read at the provider.")
            over = False
            while not over:
                chunk = await exchange.chunk()
                over = not chunk
                for line in batch_format.lines_of(held, chunk or b"\n"):
                    number += 1
                    with batch_format.numbered(number):
                        scanned = await scan(line)
                        item = batch_format.read_line(line, asked.endpoint)
                        del scanned
                    yield item
        except ValueError:
            raise invalid("A line of the batch's file is too long.") from None
        finally:
            exchange.release()


class AnthropicBatchHandler(BatchHandler):
    """Handles batches whose requests come in the body, and whose results have an address of their own."""

    family: ClassVar[Family] = "anthropic"
    batch_family: ClassVar[BatchFamily] = "anthropic"
    operations: ClassVar[Sequence[Operation]] = OPERATIONS["/messages/batches"]

    async def create(self) -> None:
        body = await self._request.read_body()
        scanned = await scan(body)  # it is used as long as this function runs
        requests = await self._batches.read(_each(batch_format.read_entries(body)), self._tag_of, self._named_by)
        lines = await self._admit(requests, lambda directory: directory.models_named)
        renamed = {
            number: line.model.upstream_name
            for number, (line, request) in enumerate(zip(lines, requests, strict=True))
            if line.model.upstream_name != request.spec.model
        }
        account = Account.of(self._directory.providers[lines[0].model.provider_id])
        body = await in_turns(batch_format.with_model(renamed, body))
        del scanned
        exchange, answer, _ = await self._make(account, lines, body)
        await self._pass_on(exchange, answer)

    async def read_results(self, name: str) -> None:
        batch = await self._find_batch(name)
        await self._require_metered(batch)
        await self._pass_on_content(self._call_for(batch, f"{_path_of(batch)}/results"))

    async def delete(self, name: str) -> None:
        batch = await self._find_batch(name)
        await self._require_metered(batch)  # the cost cannot be determined afterwards
        await self._pass_on(*await self._fetch(self._call_for(batch, _path_of(batch), method="DELETE")))


def _by_upstream_name(provider_id: int, directory: Directory) -> FindModels:
    """Finds this provider's models by its own names for them."""
    named = defaultdict[str, list[Model]](list)
    for model in directory.models.values():
        if model.provider_id == provider_id:
            named[model.upstream_name].append(model)
    return lambda name: named.get(name, ())


def _path_of(batch: Batch) -> str:
    return f"{folder_of(batch.family)}/{batch.remote_id}"


async def _each(items: Iterator[BatchItem]) -> AsyncGenerator[BatchItem, None]:
    for item in items:
        yield item
