"""Batches and files: what users keep at a provider whose account they share, and what of it is not yet metered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from softix_proxy.domain.metering.admission import Intent

BatchFamily = Literal["openai", "anthropic"]
PARKED_SLOT = -1
"""Of the intents of a batch's lines: they belong to no process, so none's death closes them."""


@dataclass(frozen=True, slots=True)
class Batch:
    id: int
    """Of the request that made it."""
    family: BatchFamily
    provider_id: int
    provider_key: str
    """The label of the key whose account it is in; empty where the provider needs none."""
    user_id: int
    key_id: int
    remote_id: str
    """Its name at the provider."""
    requests: int
    created_at_us: int
    metered_at_us: int | None = None
    """None as long as holds are open for it."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    provider_id: int
    provider_key: str
    user_id: int
    key_id: int
    remote_id: str
    created_at_us: int
    batch_id: int | None = None
    """Of the batch whose results it has; None for one that was uploaded."""


class OpenLine(NamedTuple):
    """A line that is not metered yet."""

    custom_id: str
    """Its digest."""
    intent: Intent
    hold_pico: int


class BatchSummary(NamedTuple):
    batch: Batch
    provider: str
    user: str
    open_requests: int
    held_pico: int


class BatchStore(Protocol):
    """Keeps batches, and the requests in them that are not settled."""

    async def add(self, batch: Batch, lines: Mapping[str, int]) -> None:
        """`lines` are digests of custom ids → request ids, whose intents no process owns from now on."""
        ...

    async def find(self, user_id: int, remote_id: str) -> Batch | None: ...

    async def get(self, batch_id: int) -> Batch | None: ...

    async def is_known(self, provider_id: int, remote_id: str) -> bool:
        """Whoever's it is."""
        ...

    async def page(
        self, user_id: int, family: BatchFamily, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[Batch]:
        """The newest first, or the oldest; those that come after `cursor`, a remote id, where it is given."""
        ...

    async def unmetered(self) -> Sequence[Batch]:
        """The oldest first."""
        ...

    async def open_lines(self, batch_id: int) -> Sequence[OpenLine]: ...

    async def finish(self, batch_id: int, now_us: int) -> None:
        """All of its lines are settled."""
        ...

    async def summaries(self, *, all_of_them: bool) -> Sequence[BatchSummary]:
        """The newest first; without `all_of_them` those that are not metered."""
        ...

    async def keep_file(self, file: KeptFile) -> None:
        """Twice changes nothing."""
        ...

    async def find_file(self, user_id: int, remote_id: str) -> KeptFile | None: ...

    async def page_of_files(
        self, user_id: int, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[KeptFile]: ...

    async def drop_file(self, file: KeptFile) -> None: ...
