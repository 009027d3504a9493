"""How admission is tried again, whatever is admitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.playbook import WORLD, Directories, Journal

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.admission import Admitted, Allowance, Denied, Stale
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.relay.core.live_directory import LiveDirectory
from softix_proxy.relay.request.admit import MAX_TRIES, admit
from softix_proxy.relay.request.route import UnpricedError

ADMITTED = Admitted(1, None, 0, Allowance())
DENIED = Denied(Code.RATE_LIMITED)


class Asking:
    """Says what it is told to, one thing after the other; the last stays."""

    def __init__(self, decisions: Sequence[Any] = (ADMITTED,), refusals: Sequence[RefusedError | None] = ()) -> None:
        self.decisions, self.refusals = list(decisions), list(refusals)
        self.submitted: list[int] = []
        self.revisions: list[int] = []
        self.journal = Journal()

    async def run(self, *revisions: int) -> tuple[int, Admitted]:
        """Finds the directory at these revisions, one after the other."""
        storage = Directories(*(Changes(revision, **WORLD) for revision in revisions))
        live = LiveDirectory(storage)  # type: ignore[arg-type]
        await live.refresh()

        async def plan() -> int:
            self.revisions.append(live.current.revision)
            refusal = self.refusals.pop(0) if self.refusals else None
            if refusal is not None:
                raise refusal
            return live.current.revision

        async def submit(plan: int) -> Any:
            self.submitted.append(plan)
            return self.decisions.pop(0) if len(self.decisions) > 1 else self.decisions[0]

        return await admit(live, self.journal, plan, submit, refuse)  # type: ignore[arg-type]


def refuse(plan: int, decision: Denied) -> RefusedError:
    return RefusedError(decision.code, f"plan {plan}")


def refusal() -> RefusedError:
    return RefusedError(Code.MODEL_NOT_FOUND, "no")


def unpriced() -> UnpricedError:
    directory = Directory()
    directory.apply(Changes(1, **{**WORLD, "prices": ()}))
    return UnpricedError(directory, directory.models[1], directory.users[1], RequestSpec("llama"), 1000)


async def test_admission_returns_the_plan_that_was_admitted() -> None:
    assert await Asking().run(7) == (7, ADMITTED)


async def test_admission_of_a_stale_plan_plans_again_from_a_newer_directory() -> None:
    asking = Asking([Stale(), Stale(), ADMITTED])
    assert await asking.run(7, 8, 9) == (9, ADMITTED)
    assert asking.submitted == [7, 8, 9]


async def test_admission_with_always_stale_plan_is_refused_after_eight_attempts() -> None:
    asking = Asking([Stale()])
    with pytest.raises(RefusedError) as refused:
        await asking.run(7)
    assert (refused.value.code, refused.value.retry_after_s) == (Code.STORAGE_UNAVAILABLE, 1)
    assert len(asking.submitted) == MAX_TRIES == 8


async def test_admission_denied_is_refused_for_the_denied_plan_without_another_attempt() -> None:
    asking = Asking([Stale(), DENIED])
    with pytest.raises(RefusedError, match="plan 8") as refused:
        await asking.run(7, 8)
    assert refused.value.code is Code.RATE_LIMITED and asking.submitted == [7, 8]


async def test_admission_refused_by_an_old_directory_is_planned_again() -> None:
    asking = Asking(refusals=[refusal()])
    assert await asking.run(7, 8) == (8, ADMITTED)
    assert asking.revisions == [7, 8]


async def test_admission_refused_by_the_current_directory_is_refused() -> None:
    asking = Asking(refusals=[refusal(), refusal()])
    with pytest.raises(RefusedError) as refused:
        await asking.run(7, 8, 8)
    assert refused.value.code is Code.MODEL_NOT_FOUND
    assert asking.revisions == [7, 8] and asking.submitted == [] and asking.journal.unpriced == []


async def test_admission_without_price_is_noted_once_for_the_operator() -> None:
    asking = Asking(refusals=[unpriced(), unpriced()])
    with pytest.raises(UnpricedError):
        await asking.run(7, 8, 8)
    assert asking.journal.unpriced == [1]


async def test_admission_that_finds_a_price_in_a_newer_directory_notes_nothing() -> None:
    asking = Asking(refusals=[unpriced()])
    assert await asking.run(7, 8) == (8, ADMITTED)
    assert asking.journal.unpriced == []
