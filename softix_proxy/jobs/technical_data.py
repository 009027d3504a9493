"""Writes down what the relay has seen of clients, in groups, and removes technical data by age."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.privacy.technical_data import (
    FURTHER,
    GuessingNetwork,
    KeyAddress,
    KeyAgent,
    SeenGroup,
    checked_address,
)
from softix_proxy.operations.privacy import technical_expiry
from softix_proxy.operations.privacy.user_agents import agent_of
from softix_proxy.relay.core.seen_clients import ClientUse, NetworkGuess, SeenClients

log = logging.getLogger("softix.jobs")
EVERY_S = 5.0
"""The time between two groups. A crash loses what was seen since the last one."""
_AT_ONCE = 50
"""The rows of one transaction. Admissions wait for it meanwhile."""
_DAY_S = 86_400


class SeenWriter:
    """Writes what was seen. A group is committed as a whole or given back as a whole, so nothing counts twice."""

    def __init__(self, seen: SeenClients, storage: Storage, calendar: Calendar, every_s: float = EVERY_S) -> None:
        self._seen = seen
        self._storage = storage
        self._calendar = calendar
        self._every_s = every_s
        self._is_ending = asyncio.Event()
        self._has_ended = asyncio.Event()

    async def run(self) -> None:
        """Writes until `close`. Nobody cancels it: it would be unknown then whether the last group was written."""
        try:
            while not self._is_ending.is_set():
                try:
                    await asyncio.wait_for(self._is_ending.wait(), self._every_s)
                except TimeoutError:
                    await self.write()
            await self.write()
        finally:
            self._has_ended.set()

    async def close(self) -> None:
        """Writes what is left, and returns when `run` has ended."""
        self._is_ending.set()
        await self._has_ended.wait()

    async def write(self) -> None:
        """Writes what was seen since the last call. What cannot be written waits for the next one."""
        uses, guesses = self._seen.take()
        while uses or guesses:
            some, some_guesses = uses[:_AT_ONCE], guesses[:_AT_ONCE]
            group = await self._group(some, some_guesses)
            try:
                async with self._storage.writing() as unit:
                    await unit.technical_data.note(group)
            except OperatorError as error:
                log.warning("could not write from where keys are used", extra={"error": type(error).__name__})
                self._seen.give_back(uses, guesses)
                return
            uses, guesses = uses[_AT_ONCE:], guesses[_AT_ONCE:]

    async def _group(self, uses: Sequence[ClientUse], guesses: Sequence[NetworkGuess]) -> SeenGroup:
        addresses: list[KeyAddress] = []
        agents: list[KeyAgent] = []
        for use in uses:
            day = self._calendar.day(use.first_us)
            times = {"first_us": use.first_us, "last_us": use.last_us, "requests": use.requests}
            addresses.append(KeyAddress(use.key_id, day, checked_address(use.address), **times))
            agent = await agent_of(use.user_agent)
            family = agent.family or ("none" if use.address != FURTHER else FURTHER)
            agents.append(KeyAgent(use.key_id, day, family, agent.version, agent.device, use.tls, **times))
        networks = [
            GuessingNetwork(
                self._calendar.day(each.first_us),
                each.network.partition("%")[0],
                each.first_us,
                each.last_us,
                each.failed,
                each.slowed,
            )
            for each in guesses
        ]
        return SeenGroup(addresses, agents, networks)


async def watch_age(storage: Storage, days: int) -> None:
    """Removes what is older than so many days, at the start and then once a day, until it is cancelled."""
    while True:
        try:
            await technical_expiry.purge_old(storage, days)
        except OperatorError as error:
            log.warning("could not remove old technical data", extra={"error": type(error).__name__})
        await asyncio.sleep(_DAY_S)
