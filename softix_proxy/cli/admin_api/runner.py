"""Runs commands for the admin API: the same functions, with the same checks and the same results as at a terminal.

Each command runs in a thread of its own, on a connection of its own. So a long one delays neither a page nor a request
to a provider, and the state that commands have for each thread stays apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.admin_api.described import CommandTable
from softix_proxy.domain.access.versions import version_of
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.core.errors import BadInputError, FailureError, OverloadedError, StaleError
from softix_proxy.domain.ports.admin_commands import AdminAnswer, AdminCall, AdminCommand
from softix_proxy.operations.access import tokens
from softix_proxy.operations.access.door import Condition
from softix_proxy.operations.access.repeatable_calls import OneCall
from softix_proxy.operations.access.unit_storage import UnitStorage

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance
    from softix_proxy.domain.ports.storage import Unit
    from softix_proxy.settings import Settings

_AT_ONCE = 4
_MOST = 32
"""The calls that run and wait. A further one is told to come back."""


class CommandRunner:
    """The commands of this program, for one instance."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="softix-admin")
        self._calls = 0
        self._commands = CommandTable()
        self._table: Mapping[str, AdminCommand] | None = None

    async def table(self) -> Mapping[str, AdminCommand]:
        if self._table is None:
            loop = asyncio.get_running_loop()
            self._table = await loop.run_in_executor(self._threads, lambda: self._commands.described)
        return self._table

    async def run(self, call: AdminCall) -> AdminAnswer:
        if self._calls >= _MOST:
            raise OverloadedError("too many calls of the admin API wait", "wait a moment, and send it again")
        self._calls += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, _Run(self._commands, self._settings(), call).run)
        finally:
            self._calls -= 1

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, wait=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """One call, in its thread."""

    commands: CommandTable
    settings: Settings
    call: AdminCall

    def run(self) -> AdminAnswer:
        try:
            return asyncio.run(self._answer())
        except click.ClickException as error:
            raise BadInputError(error.format_message(), "see the description of this call") from None
        except OSError as error:
            raise FailureError(error.strerror or type(error).__name__, "see the log of the daemon") from None

    async def _answer(self) -> AdminAnswer:
        from softix_proxy import assembly

        async with assembly.open_instance(self.settings) as opened:
            vault = await opened.vault()
            door = await tokens.door(opened.storage, vault, self.call.token, Channel.API, opened.settings.roles.table)
            call, conditions, one = self.call, list[Condition](), None
            if call.idempotency_key is not None:
                actor = door.principal.actor.id
                one = OneCall.of(opened.storage, vault, actor, call.idempotency_key, call.name, call.values)
                conditions.append(one.claim)
            if call.version is not None:
                conditions.append(_OnlyFirst(lambda unit: self._require_version(opened, unit)))
            storage = await replace(door, conditions=tuple(conditions), origin=self.call.origin).enter(call.name)
            earlier = None if one is None else await one.earlier_answer()
            if earlier is not None:
                return AdminAnswer(earlier["value"], exit_code=earlier["exit_code"], is_repeated=True)
            if call.version is not None:
                await self._require_version(opened, opened.storage.reading())
            entered = replace(opened, storage=storage, principal=door.principal)
            answer = await self.commands.call(call.name, call.values, entered)
            if one is not None and answer.file is None:
                await one.keep({"value": answer.value, "exit_code": answer.exit_code})
            return answer

    async def _require_version(self, opened: Instance, unit: Unit) -> None:
        """Raises StaleError if the thing is not shown as the caller has seen it."""
        reading = replace(opened, storage=UnitStorage(unit))
        shown = await self.commands.call(self.commands.shown_by(self.call.name), self.call.values, reading)
        if version_of(shown.value) != self.call.version:
            raise StaleError("it was changed since you have read it", "read it again, and decide again")


class _OnlyFirst:
    """Asks a condition in the first transaction of a call. Later ones see what the first has changed."""

    def __init__(self, condition: Callable[[Unit], Any]) -> None:
        self._condition = condition
        self._is_met = False

    async def __call__(self, unit: Unit) -> None:
        if not self._is_met:
            await self._condition(unit)
            self._is_met = True
