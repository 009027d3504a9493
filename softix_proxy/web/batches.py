"""Batches, as clients of OpenAI and of Anthropic make them and read their results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from softix_proxy.dialects import batches as wire
from softix_proxy.dialects.base import Family
from softix_proxy.dialects.batches import BatchItem
from softix_proxy.dialects.fields import invalid
from softix_proxy.domain.batches import Batch, BatchFamily, KeptFile
from softix_proxy.domain.directory import Directory
from softix_proxy.domain.errors import Code, RefusedError
from softix_proxy.domain.models import Model, ModelStatus
from softix_proxy.domain.providers import ProviderStatus
from softix_proxy.domain.routing import in_regions
from softix_proxy.domain.upstream import UpstreamRequest, UpstreamResponse
from softix_proxy.relay.batch_results import Account
from softix_proxy.relay.batches import Asked, Read
from softix_proxy.web.files import Files
from softix_proxy.web.kept import MISSING, ONE, Keeper, Verb

Find = Callable[[str], Sequence[Model]]


class _Batches(Keeper):
    async def show(self, name: str) -> None:
        batch = await self._batch(name)
        query = "" if self._family == "gemini" else self._wish.query
        await self._told(batch, await self._ask(self._call_for(batch, _place(batch), query)))

    async def cancel(self, name: str) -> None:
        batch = await self._batch(name)
        call = self._call_for(batch, f"{_place(batch)}/cancel", method="POST")
        await self._told(batch, await self._ask(call))

    async def _admitted(
        self, family: BatchFamily, requests: Sequence[Read], named: Callable[[Directory], Find]
    ) -> Sequence[Asked]:
        """`named` are the models that a name may mean. By what is in force then, the client's own rights included."""

        async def plan() -> Sequence[Asked]:
            self._caller = await self._batches.house.identify(self._wish.credential, self._wish.address)
            find, first = named(self._directory), list[Model]()

            def same(name: str) -> Model:
                model = self._model(find(name), family)
                first.append(model)
                if model.provider_id != first[0].provider_id:
                    raise invalid("all models of a batch have to be at one provider.")
                return model

            return await self._batches.plan(self._caller, requests, same)

        return await self._batches.admit(plan)

    def _model(self, found: Sequence[Model], family: BatchFamily) -> Model:
        """Raises RefusedError."""
        providers = self._directory.providers
        usable = [
            model
            for model in found
            if model.status is ModelStatus.ACTIVE
            and providers[model.provider_id].status is ProviderStatus.ACTIVE
            and providers[model.provider_id].profile.batches == family
        ]
        if not usable:
            raise RefusedError(Code.MODEL_NOT_FOUND, "its model is none that takes batches here. See GET /v1/models.")
        key, user = self._caller.key, self._caller.user
        allowed = [model for model in usable if key.allows_model(*self._directory.names_of(model))]
        if not allowed:
            raise RefusedError(Code.MODEL_NOT_ALLOWED, f"This API key may not use {usable[0].name}.")
        inside = [model for model in allowed if in_regions(providers[model.provider_id], user, key)]
        if not inside:
            raise RefusedError(
                Code.REGION_NOT_ALLOWED, f"{allowed[0].name} does not run in the regions that this API key may use."
            )
        return inside[0]

    async def _make(self, family: BatchFamily, account: Account, lines: Any, path: str, body: bytes) -> None:
        call = UpstreamRequest(self._caller.key.id, account.provider, path, self._headers, body, False, key=account.key)
        exchange, answer = await self._batches.make(family, self._caller, account, lines, call)
        told = wire.read_progress(answer) if exchange.status < 300 else None
        at_home = family == "anthropic" and told is not None and told.remote_id is not None
        await self._pass(exchange, wire.at_home(answer, told.remote_id or "") if at_home and told else answer)

    async def _list(self, family: BatchFamily, folder: str) -> None:
        await self._listed("batches", partial(self._unit.batches.page, self._caller.user.id, family), folder)

    async def _told(self, batch: Batch, found: tuple[UpstreamResponse, bytes]) -> None:
        exchange, answer = found
        progress = wire.read_progress(answer) if exchange.status < 300 else None
        if progress is not None:
            await self._results.note_files(batch, progress)
            answer = wire.at_home(answer, batch.remote_id) if batch.family == "anthropic" else answer
        await self._show("batches", exchange, answer)

    async def _batch(self, name: str) -> Batch:
        batch = await self._unit.batches.find(self._caller.user.id, name)
        if batch is None:
            raise RefusedError(Code.NOT_FOUND, MISSING)
        return batch


class OpenAIBatches(_Batches):
    verbs: ClassVar[Sequence[Verb]] = (
        ("POST", (), "create"),
        ("GET", (), "list_all"),
        ("GET", ONE, "show"),
        ("POST", (*ONE, "cancel"), "cancel"),
    )

    async def create(self) -> None:
        """From the lines of a file, which is read for it at the provider."""
        body = await self._wish.read_body()
        asked = wire.read_creation(body)
        file = await self._kept_file(asked.input_file_id)
        account = self._account(file)
        requests = await self._batches.read(self._lines(file, asked))
        lines = await self._admitted("openai", requests, partial(_by_their_names, account.provider.id))
        await self._make("openai", self._account(file), lines, wire.BATCHES, body)

    async def list_all(self) -> None:
        await self._list("openai", wire.BATCHES)

    async def _lines(self, file: KeptFile, asked: wire.BatchCreation) -> AsyncGenerator[BatchItem, None]:
        exchange = await self._send(self._call_for(file, f"{wire.FILES}/{file.remote_id}/content"))
        held, number = bytearray(), 0
        try:
            if exchange.status >= 300:
                raise invalid("The file of the batch cannot be read at the provider.")
            over = False
            while not over:
                chunk = await exchange.chunk()
                over = not chunk
                for line in wire.lines_of(held, chunk or b"\n"):
                    number += 1
                    with wire.numbered(number):
                        item = wire.read_line(line, asked.endpoint)
                    yield item
        except ValueError:
            raise invalid("A line of the batch's file is too long.") from None
        finally:
            exchange.release()


class AnthropicBatches(_Batches):
    family: ClassVar[Family] = "anthropic"
    verbs: ClassVar[Sequence[Verb]] = (
        ("POST", (), "create"),
        ("GET", (), "list_all"),
        ("GET", ONE, "show"),
        ("GET", (*ONE, "results"), "read_results"),
        ("POST", (*ONE, "cancel"), "cancel"),
        ("DELETE", ONE, "delete"),
    )

    @property
    def _family(self) -> Family:
        return "anthropic"

    async def create(self) -> None:
        body = await self._wish.read_body()
        requests = await self._batches.read(_each(wire.read_entries(body)))
        lines = await self._admitted("anthropic", requests, lambda directory: directory.models_named)
        renamed = {
            number: line.model.upstream_name
            for number, (line, request) in enumerate(zip(lines, requests, strict=True))
            if line.model.upstream_name != request.ask.model
        }
        provider = self._directory.providers[lines[0].model.provider_id]
        account = Account(provider, next(iter(provider.keys), None))
        await self._make("anthropic", account, lines, wire.MESSAGE_BATCHES, wire.with_model(renamed, body))

    async def list_all(self) -> None:
        await self._list("anthropic", wire.MESSAGE_BATCHES)

    async def delete(self, name: str) -> None:
        batch = await self._batch(name)
        await self._metered(batch)  # what it cost is not to be had afterwards
        await self._pass(*await self._ask(self._call_for(batch, _place(batch), method="DELETE")))

    async def read_results(self, name: str) -> None:
        batch = await self._batch(name)
        await self._metered(batch)
        await self._stream(self._call_for(batch, f"{_place(batch)}/results"))


def _by_their_names(provider_id: int, directory: Directory) -> Find:
    """This provider's models, by its own names for them."""
    named = defaultdict[str, list[Model]](list)
    for model in directory.models.values():
        if model.provider_id == provider_id:
            named[model.upstream_name].append(model)
    return lambda name: named.get(name, ())


def _place(batch: Batch) -> str:
    folder = wire.MESSAGE_BATCHES if batch.family == "anthropic" else wire.BATCHES
    return f"{folder}/{batch.remote_id}"


async def _each(items: Iterator[BatchItem]) -> AsyncGenerator[BatchItem, None]:
    for item in items:
        yield item


KEEPERS: Mapping[str, type[Keeper]] = {
    "/messages/batches": AnthropicBatches,
    "/batches": OpenAIBatches,
    "/files": Files,
}


_GOOGLES = {"download": "content", "cancel": "cancel"}
"""What stands behind the name in Google's paths → as a part of its own."""


def keeper_of(path: str) -> tuple[type[Keeper], list[str]]:
    """Whose a path is, and its parts below the folder: a name, and perhaps what is to be done."""
    folder = next(folder for folder in KEEPERS if path.startswith(folder))
    names = path[len(folder) :].split("/")[1:]
    if len(names) == 1 and (verb := _GOOGLES.get((parts := names[0].partition(":"))[2])):
        names = [parts[0], verb]
    return KEEPERS[folder], [*names[:1], *(name.lower() for name in names[1:])]
