"""The batches and files that users store at a provider, whose account they share.

The records say which batches are not metered yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from softix_proxy.domain.metering.admission import Intent

BatchFamily = Literal["openai", "anthropic"]
PARKED_SLOT = -1
"""The slot of the intents of a batch's lines. They belong to no process, so the death of none closes them."""


@dataclass(frozen=True, slots=True)
class Batch:
    id: int
    """The id of the request that created the batch."""
    family: BatchFamily
    provider_id: int
    provider_key: str
    """The label of the key in whose account the batch is. It is empty if the provider needs no key."""
    user_id: int
    key_id: int
    remote_id: str
    """The batch's name at the provider."""
    requests: int
    created_at_us: int
    metered_at_us: int | None = None
    """None as long as holds are open for the batch."""
    input_file: str | None = None
    """The file that the client named. The provider made the batch of it, or of a copy that has tags for words."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    provider_id: int
    provider_key: str
    user_id: int
    key_id: int
    remote_id: str
    created_at_us: int
    batch_id: int | None = None
    """The batch whose results the file contains. It is None for an uploaded file."""


class OpenLine(NamedTuple):
    """A line that is not metered yet."""

    custom_id: str
    """The digest of the custom id."""
    intent: Intent
    hold_pico: int
    widened_pico: int = 0
    """The part of the hold that is there only because bounds were widened."""


class BatchSummary(NamedTuple):
    batch: Batch
    provider: str
    user: str
    open_requests: int
    held_pico: int


class BatchStore(Protocol):
    """Stores batches, and the requests in them that are not settled."""

    async def add(self, batch: Batch, lines: Mapping[str, int]) -> None:
        """Adds a batch.

        `lines` maps digests of custom ids to request ids. No process owns their intents from now on.
        """
        ...

    async def find(self, user_id: int, remote_id: str) -> Batch | None: ...

    async def get(self, batch_id: int) -> Batch | None: ...

    async def is_known(self, provider_id: int, remote_id: str) -> bool:
        """Returns whether the batch is known, whoever owns it."""
        ...

    async def page(
        self, user_id: int, family: BatchFamily, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[Batch]:
        """Returns batches with the newest first, or with the oldest first if `ascending`.

        If `cursor`, a remote id, is given, only those after it are returned.
        """
        ...

    async def unmetered(self) -> Sequence[Batch]:
        """Returns the batches that are not metered, the oldest first."""
        ...

    async def open_lines(self, batch_id: int) -> Sequence[OpenLine]: ...

    async def finish(self, batch_id: int, now_us: int) -> None:
        """Marks a batch as metered, once all of its lines are settled."""
        ...

    async def summaries(self, *, all_of_them: bool) -> Sequence[BatchSummary]:
        """Returns batches with the newest first. Without `all_of_them`, these are only those that are not metered."""
        ...

    async def keep_file(self, file: KeptFile) -> None:
        """Stores a file. A second call changes nothing."""
        ...

    async def find_file(self, user_id: int, remote_id: str) -> KeptFile | None: ...

    async def page_of_files(
        self, user_id: int, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[KeptFile]: ...

    async def drop_file(self, file: KeptFile) -> None: ...
