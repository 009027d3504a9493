"""Makes a call repeatable: a program that got no answer asks again under the same key, and nothing is done twice."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from softix_proxy.domain.access.repeatable_calls import RepeatableCall
from softix_proxy.domain.core.errors import BadInputError, RepeatedCallError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault

LONGEST_KEY = 255
_PURPOSE = "idempotency key"
_PLACE = ("repeatable_calls", "answer")
_USED = (
    "the Idempotency-Key was used for another request",
    "send a new key for a new request; a UUID is a good one",
)
_NO_ANSWER = (
    "this call is under way, or its answer was not kept",
    "if no other call is under way, it was done: see softix audit list, and do not send it with another key",
)


@dataclass(slots=True)
class OneCall:
    """One attempt to make a call under a key."""

    storage: Storage
    vault: Vault = field(repr=False)
    call: RepeatableCall

    @classmethod
    def of(
        cls, storage: Storage, vault: Vault, actor: str, key: str, operation: str, values: Mapping[str, Any]
    ) -> OneCall:
        """Raises BadInputError for a key that is none."""
        if not key.isascii() or not key.isprintable() or not 0 < len(key) <= LONGEST_KEY:
            raise BadInputError("an Idempotency-Key is 1 to 255 printable letters of ASCII", "send a UUID")
        request = hashlib.sha256(json.dumps([operation, values], sort_keys=True).encode()).digest()
        digest = bytes.fromhex(vault.keyed_digest(_PURPOSE, key))
        call = RepeatableCall(
            actor=actor,
            key_digest=digest,
            operation=operation,
            request_digest=request,
            call_id=new_public_id("call"),
            at_us=storage.reading().clock.now_us(),
        )
        return cls(storage, vault, call)

    async def earlier_answer(self) -> dict[str, Any] | None:
        """Returns the kept answer of the call, or None if it was not made yet. Raises RepeatedCallError."""
        return self._answer_of(
            await self.storage.reading().repeatable_calls.find(self.call.actor, self.call.key_digest)
        )

    def _answer_of(self, found: RepeatableCall | None) -> dict[str, Any] | None:
        if found is None:
            return None
        if not hmac.compare_digest(found.request_digest, self.call.request_digest):
            raise RepeatedCallError(*_USED)
        if found.answer is None:
            raise RepeatedCallError(*_NO_ANSWER)
        opened: dict[str, Any] = json.loads(self.vault.open_secret(found.answer, *_PLACE, found.call_id))
        return opened

    async def claim(self, unit: Unit) -> None:
        """Writes down in the transaction of the change that this attempt makes it. Raises RepeatedCallError."""
        calls = unit.repeatable_calls
        if not await calls.add(self.call):
            found = await calls.find(self.call.actor, self.call.key_digest)
            if found is None or found.call_id != self.call.call_id:
                raise RepeatedCallError(*_NO_ANSWER)

    async def keep(self, answer: Mapping[str, Any]) -> None:
        """Keeps the answer for a repetition. Nothing is kept of a call that has changed nothing."""
        sealed = self.vault.seal_secret(json.dumps(answer), *_PLACE, self.call.call_id)
        async with self.storage.writing() as unit:
            await unit.repeatable_calls.keep_answer(self.call, sealed)
