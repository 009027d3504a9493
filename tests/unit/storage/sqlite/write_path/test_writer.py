import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.books import (
    NOW_US,
    POSTED_PICO,
    USD,
    StoppedClock,
    failure,
    make_database,
    make_intent,
    make_settlement,
    revision,
)
from support.faulty import Faulty

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.domain.metering.admission import Admitted
from softix_proxy.domain.metering.settlement import Settled
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.file_identity import MovedError
from softix_proxy.storage.sqlite.write_path import writer as writer_module
from softix_proxy.storage.sqlite.write_path.writer import StepResult, Writer, WriteStep

WAIT_S = 10


class Bench:
    """A writer whose results are collected. Work is queued before it starts, so that groups are known."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.faults: dict[str, list[Exception]] = {}
        self.opened = 0
        self.results: list[StepResult] = []
        self._arrived = threading.Condition()
        self.writer = Writer(self._open, StoppedClock(), 7, self._deliver)
        self.books = database.connect()
        self.revision = revision(self.books)

    def _open(self) -> Any:
        self.opened += 1
        return Faulty(self.database.connect(), self.faults)

    def _deliver(self, results: list[StepResult]) -> None:
        with self._arrived:
            self.results += results
            self._arrived.notify_all()

    def wait_for(self, count: int) -> list[object]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.results) >= count, WAIT_S), self.results
        return [result for _, result in self.results]

    def result_of(self, work: WriteStep) -> object:
        with self._arrived:
            assert self._arrived.wait_for(lambda: any(one is work for one, _ in self.results), WAIT_S)
            return next(result for one, result in self.results if one is work)

    def submit(self, *works: WriteStep) -> None:
        for work in works:
            self.writer.submit(work)

    def wallet(self, user: int = 1) -> tuple[int, int]:
        found = self.books.execute("SELECT posted_pico, held_pico FROM wallets WHERE user_id = ?", (user,))
        posted, held = found.fetchone()
        return posted, held

    def count(self, table: str) -> int:
        return int(self.books.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(writer_module, "_RETRY_S", (0.0, 0.0))
    bench = Bench(make_database(tmp_path))
    yield bench
    bench.writer.close()
    bench.books.close()


def test_writer_with_several_waiting_steps_commits_them_in_one_transaction(bench: Bench) -> None:
    works = [WriteStep(None, admit=make_intent(n, bench.revision)) for n in range(1, 6)]
    bench.submit(*works, WriteStep(None, unpriced_model_id=1), WriteStep(None, unpriced_model_id=1))
    bench.writer.start()
    results = bench.wait_for(7)
    assert all(isinstance(result, Admitted) for result in results[:5]) and results[5:] == [None, None]
    assert (bench.writer.tally.commits, bench.writer.tally.rows, bench.writer.tally.failures) == (1, 7, 0)
    assert bench.writer.tally.longest_commit_ns == bench.writer.tally.commit_ns > 0
    assert bench.wallet() == (POSTED_PICO, 5 * USD)
    assert bench.books.execute("SELECT asks, last_asked_at_us FROM unpriced_asks").fetchall() == [(2, NOW_US)]


def test_writer_with_more_steps_than_the_group_limit_commits_several_groups(bench: Bench) -> None:
    bench.writer.group_max = 2
    bench.submit(*(WriteStep(None, admit=make_intent(n, bench.revision)) for n in range(1, 6)))
    bench.writer.start()
    bench.wait_for(5)
    assert bench.writer.tally.commits == 3


@pytest.mark.parametrize("where", ["BEGIN", "COMMIT", "INSERT INTO usage", "DELETE FROM intents"])
def test_settlement_after_failed_writes_is_retried_until_it_is_written(bench: Bench, where: str) -> None:
    intent = make_intent(1, bench.revision)
    bench.submit(WriteStep(None, admit=intent))
    bench.writer.start()
    bench.wait_for(1)
    bench.faults[where] = [failure("SQLITE_IOERR_WRITE"), failure("SQLITE_FULL")]
    settle = WriteStep(None, settle=make_settlement(intent))
    bench.submit(settle)
    assert isinstance(bench.result_of(settle), Settled)
    assert bench.writer.tally.failures == 2 and bench.opened == 3
    assert bench.wallet() == (POSTED_PICO - USD // 4, 0)
    assert (bench.count("usage"), bench.count("intents"), bench.count("key_states")) == (1, 0, 1)
    assert bench.writer.trouble() is None and bench.writer.depth == 0


def test_settlement_after_a_commit_that_only_seemed_to_fail_is_charged_once(bench: Bench) -> None:
    intent = make_intent(1, bench.revision)
    bench.submit(WriteStep(None, admit=intent))
    bench.writer.start()
    bench.wait_for(1)
    settle = WriteStep(None, settle=make_settlement(intent))

    class Lying(Faulty):
        def execute(self, statement: str, *values: Any) -> Any:
            done = self._connection.execute(statement, *values)
            if statement == "COMMIT" and self._faults.pop("lie", None):
                raise failure("SQLITE_IOERR_WRITE")
            return done

    bench.faults["lie"] = [failure("SQLITE_IOERR_FSYNC")]
    bench.writer._connection = Lying(bench.database.connect(), bench.faults)  # type: ignore[assignment]
    bench.submit(settle)
    settled = bench.result_of(settle)
    assert isinstance(settled, Settled) and settled.balance_pico == POSTED_PICO - USD // 4
    assert bench.writer.tally.failures == 1
    assert bench.count("usage") == 1 and bench.wallet() == (POSTED_PICO - USD // 4, 0)


def test_admission_after_a_failed_commit_is_refused_and_withdrawn(bench: Bench) -> None:
    bench.faults["COMMIT"] = [failure("SQLITE_FULL")]
    admit = WriteStep(None, admit=make_intent(1, bench.revision))
    bench.submit(admit)
    bench.writer.start()
    refused, withdrawn = bench.wait_for(2)
    assert isinstance(refused, RefusedError) and refused.code is Code.STORAGE_UNAVAILABLE
    assert withdrawn is None and bench.results[1][0].forget is admit.admit
    assert bench.count("intents") == 0 and bench.wallet() == (POSTED_PICO, 0)


def test_admission_withdrawn_in_its_own_group_holds_nothing(bench: Bench) -> None:
    """Its caller hung up before the group began."""
    intent = make_intent(1, bench.revision)
    bench.submit(WriteStep(None, admit=intent), WriteStep(None, forget=intent))
    bench.writer.start()
    bench.wait_for(2)
    assert bench.writer.tally.commits == 1
    assert bench.count("intents") == 0 and bench.wallet() == (POSTED_PICO, 0)
    assert bench.books.execute("SELECT open_requests, held_pico FROM key_states").fetchall() == [(0, 0)]


def test_hold_withdrawn_in_a_group_pays_for_an_admission_of_the_same_group(bench: Bench) -> None:
    lost = make_intent(1, bench.revision, hold_pico=POSTED_PICO)
    other = make_intent(2, bench.revision, hold_pico=POSTED_PICO)
    bench.submit(WriteStep(None, admit=lost))
    bench.writer.start()
    bench.writer.close()
    again = Writer(bench._open, StoppedClock(), 7, bench._deliver)
    for work in (WriteStep(None, admit=other), WriteStep(None, forget=lost)):
        again.submit(work)
    again.start()
    again.close()
    assert isinstance(bench.results[1][1], Admitted) and bench.wallet() == (POSTED_PICO, POSTED_PICO)


def poisons(revision: int) -> dict[str, WriteStep]:
    return {
        "a key that is not there": WriteStep(None, admit=make_intent(50, revision, key_id=99)),
        "no wallet": WriteStep(None, admit=make_intent(51, revision, user=99, key_id=1)),
        "more than 64 bits": WriteStep(None, admit=make_intent(2**63, revision)),
        "a request twice": WriteStep(None, admit=make_intent(1, revision)),
    }


@pytest.mark.parametrize("what", poisons(0))
def test_writer_with_one_faulty_step_admits_the_others(bench: Bench, what: str) -> None:
    good = [WriteStep(None, admit=make_intent(n, bench.revision, user=n)) for n in (1, 2)]
    bad = poisons(bench.revision)[what]
    bench.submit(good[0], bad, good[1])
    bench.writer.start()
    assert all(isinstance(bench.result_of(work), Admitted) for work in good)
    refused = bench.result_of(bad)
    assert isinstance(refused, RefusedError) and refused.code is Code.STORAGE_UNAVAILABLE
    after = WriteStep(None, admit=make_intent(60, bench.revision))
    bench.submit(after)  # the thread is alive
    assert isinstance(bench.result_of(after), Admitted)


@pytest.mark.parametrize("error", [OverflowError("too large"), KeyError("no such key"), RuntimeError("a fault")])
def test_settlement_that_cannot_be_written_is_left_to_the_next_start(bench: Bench, error: Exception) -> None:
    intents = [make_intent(n, bench.revision, user=n) for n in (1, 2)]
    bench.submit(*(WriteStep(None, admit=intent) for intent in intents))
    bench.writer.start()
    bench.wait_for(2)
    bad = WriteStep(None, settle=make_settlement(intents[0], meters={"input_tokens": 2**64}))
    bench.submit(bad)
    given_up = bench.result_of(bad)
    assert isinstance(given_up, FailureError) and "next start" in given_up.remedy
    bench.faults["BEGIN"] = [error]
    good = WriteStep(None, settle=make_settlement(intents[1]))
    bench.submit(good, WriteStep(None, unpriced_model_id=1))
    bench.result_of(good)
    assert bench.count("intents") >= 1 and bench.wallet(1) == (POSTED_PICO, USD)
    assert bench.writer.trouble() is None, "one step is at fault, not the disk"


def test_writer_while_every_commit_fails_reports_the_trouble_and_its_depth(bench: Bench) -> None:
    intent = make_intent(1, bench.revision)
    bench.submit(WriteStep(None, admit=intent))
    bench.writer.start()
    bench.wait_for(1)
    gate, seen = threading.Semaphore(0), threading.Semaphore(0)

    class Failing(list[Exception]):
        """Fails for as long as it is let."""

        over = False

        def __bool__(self) -> bool:
            seen.release()
            gate.acquire()
            return not self.over

        def pop(self, index: Any = 0) -> Exception:
            return failure("SQLITE_FULL")

    faults = bench.faults["COMMIT"] = Failing()
    settle = WriteStep(None, settle=make_settlement(intent))
    bench.submit(settle)
    seen.acquire()
    assert (bench.writer.depth, bench.writer.trouble()) == (1, None), "in hand, and not failed yet"
    for _ in range(3):
        gate.release()
        seen.acquire()  # it is tried again
        trouble = bench.writer.trouble()
        assert trouble is not None and (trouble.code, trouble.since_us) == ("SQLITE_FULL", NOW_US)
        assert trouble.reason == "the disk is full" and "make room" in trouble.remedy
        assert bench.writer.depth == 1
    faults.over = True
    gate.release(1000)
    assert isinstance(bench.result_of(settle), Settled)
    assert (bench.writer.depth, bench.writer.trouble()) == (0, None)


def test_step_without_a_waiting_caller_is_retried_after_a_failed_commit(bench: Bench) -> None:
    """Else the books would stay failed for as long as nobody asks for anything."""
    bench.faults["COMMIT"] = [failure("SQLITE_IOERR_FSYNC")]
    note = WriteStep(None, unpriced_model_id=1)
    bench.submit(note)
    bench.writer.start()
    assert bench.result_of(note) is None
    assert bench.count("unpriced_asks") == 1 and bench.writer.trouble() is None


def test_probe_after_a_failed_commit_is_refused_and_written_again_until_the_trouble_is_over(bench: Bench) -> None:
    """Nobody sends requests to a daemon that is not ready, so that it has to find out by itself."""
    bench.faults["COMMIT"] = [failure("SQLITE_FULL"), failure("SQLITE_FULL")]
    probe = WriteStep(None, probe=True)
    bench.submit(probe)
    bench.writer.start()
    *refused, written = bench.wait_for(3)
    assert [error.details for error in refused if isinstance(error, RefusedError)] == [{"cause": "SQLITE_FULL"}] * 2
    assert written is None and bench.writer.trouble() is None


def test_writer_during_a_slow_commit_reports_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_SLOW_NS", 0)
    reached, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        go_on.wait(WAIT_S)

    bench.writer.check = hang
    ask = WriteStep(None, admit=make_intent(1, bench.revision))
    bench.submit(ask)
    bench.writer.start()
    assert reached.wait(WAIT_S)
    trouble = bench.writer.trouble()
    assert trouble is not None and trouble.code == "COMMIT_SLOW" and bench.writer.depth == 1
    go_on.set()
    bench.result_of(ask)
    assert bench.writer.trouble() is None


def test_writer_between_retries_of_a_commit_keeps_no_turn(bench: Bench) -> None:
    kept = bench.writer.turn = bench.database.turn()
    other = bench.database.turn()
    intent = make_intent(1, bench.revision)
    bench.submit(WriteStep(None, admit=intent))
    bench.writer.start()
    bench.wait_for(1)
    bench.faults["COMMIT"] = [failure("SQLITE_IOERR_WRITE")] * 3
    settle = WriteStep(None, settle=make_settlement(intent))
    other.take()
    bench.submit(settle)
    other.give()
    assert isinstance(bench.result_of(settle), Settled) and bench.writer.tally.failures == 3
    other.take()
    other.close()
    assert kept is bench.writer.turn


def test_writer_with_a_moved_database_file_refuses_admissions(bench: Bench) -> None:
    away = [True]

    def check() -> None:
        if away[0]:
            raise MovedError("DATABASE_MOVED", "{place} is away", "put it back")

    bench.writer.check = check
    ask = WriteStep(None, admit=make_intent(1, bench.revision))
    bench.submit(ask)
    bench.writer.start()
    assert isinstance(bench.result_of(ask), RefusedError)
    assert bench.count("intents") == 0
    trouble = bench.writer.trouble()
    assert trouble is not None and (trouble.code, trouble.reason) == ("DATABASE_MOVED", "the database is away")
    away[0] = False
    again = WriteStep(None, admit=make_intent(2, bench.revision))
    bench.submit(again)
    assert isinstance(bench.result_of(again), Admitted) and bench.writer.trouble() is None


def test_postpaid_hold_too_large_for_a_wallet_is_denied(bench: Bench) -> None:
    huge = make_intent(1, bench.revision, hold_pico=2**70, postpaid=True)
    ask = WriteStep(None, admit=huge)
    bench.submit(ask)
    bench.writer.start()
    assert getattr(bench.result_of(ask), "code", None) is Code.INSUFFICIENT_BALANCE


def test_token_count_near_the_column_limit_is_settled(bench: Bench) -> None:
    limits = KeyLimits(tpm=1)
    intent = make_intent(1, bench.revision, limits=limits, tokens_estimate=2**60)
    bench.submit(WriteStep(None, admit=intent))
    bench.writer.start()
    [admitted] = bench.wait_for(1)
    assert isinstance(admitted, Admitted) and admitted.tokens_held == 1
    settle = WriteStep(None, settle=make_settlement(intent, tokens_held=1, meters={"output_tokens": 2**53}))
    bench.submit(settle)
    assert isinstance(bench.result_of(settle), Settled)


def test_writer_close_with_waiting_steps_commits_them(bench: Bench) -> None:
    bench.submit(*(WriteStep(None, admit=make_intent(n, bench.revision)) for n in range(1, 4)))
    bench.writer.start()
    bench.writer.close()
    assert bench.count("intents") == 3 and len(bench.results) == 3


def test_writer_close_with_a_failing_disk_gives_up_the_settlement(bench: Bench) -> None:
    intent = make_intent(1, bench.revision)
    bench.submit(WriteStep(None, admit=intent))
    bench.writer.start()
    bench.wait_for(1)
    bench.writer.close()
    bench.faults["BEGIN"] = [failure("SQLITE_IOERR_WRITE") for _ in range(100)]
    again = Writer(bench._open, StoppedClock(), 7, bench._deliver)
    settle = WriteStep(None, settle=make_settlement(intent))
    again.submit(settle)
    again.start()
    again.close()
    assert isinstance(bench.result_of(settle), FailureError)
    assert bench.count("intents") == 1


def test_writer_with_a_clock_that_jumps_logs_each_jump_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    clock = StoppedClock()
    writer = Writer(bench._open, clock, 7, bench._deliver)
    told: list[int] = []
    for step_us in (0, 0, 365 * DAY_US, 0, -365 * DAY_US):
        clock.us += step_us + SECOND_US
        clock.slept_us += step_us
        told.append(writer._now_us())
    assert told[2] - told[1] == 365 * DAY_US + SECOND_US, "the clock is believed"
    assert writer.tally.clock_jumps == 2
    assert [(one.getMessage(), one.seconds) for one in caplog.records] == [
        ("clock_jumped", 365 * 86_400),
        ("clock_jumped", -365 * 86_400),
    ]
