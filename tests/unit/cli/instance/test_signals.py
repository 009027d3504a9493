import asyncio
import os
import pty
import signal
from collections.abc import Iterator

import pytest
from support.sources import ROOT

from softix_proxy.cli.instance import signals
from softix_proxy.cli.instance.signals import ACTS, SignalAction, Signals


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ACTS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def sent(number: signal.Signals) -> None:
    """Returns when the event loop has dealt with it."""
    os.kill(os.getpid(), number)
    for _ in range(5):
        await asyncio.sleep(0.01)


def test_handled_signals_are_all_that_would_end_the_process() -> None:
    assert set(ACTS) == {getattr(signal, f"SIG{name}") for name in ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2")}


@pytest.mark.parametrize("number", [number for number, act in ACTS.items() if act is SignalAction.STOP])
async def test_stop_signal_sent_twice_stops_first_and_then_stops_at_once(number: signal.Signals) -> None:
    told = Signals()
    await sent(number)
    assert told.stop.is_set() and not told.stop_now.is_set()
    await sent(signal.SIGTERM)
    assert told.stop_now.is_set()


async def test_reload_signal_before_readiness_is_remembered_and_during_a_stop_is_ignored() -> None:
    told, reloads = Signals(), list[int]()
    await sent(signal.SIGHUP)
    told.when_to_reload(lambda: reloads.append(1))
    assert reloads == [1]
    await sent(signal.SIGHUP)
    assert reloads == [1, 1] and not told.stop.is_set()
    await sent(signal.SIGTERM)
    await sent(signal.SIGHUP)
    assert reloads == [1, 1] and not told.stop_now.is_set()


@pytest.mark.parametrize("number", [number for number, act in ACTS.items() if act is SignalAction.NOTHING])
async def test_ignored_signal_neither_reloads_nor_stops(number: signal.Signals) -> None:
    told, reloads = Signals(), list[int]()
    told.when_to_reload(lambda: reloads.append(1))
    await sent(number)
    assert not (reloads or told.stop.is_set())


async def test_hangup_signal_after_the_terminal_closed_stops_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, its = pty.openpty()
    with os.fdopen(its) as terminal:
        monkeypatch.setattr(signals.sys, "__stdin__", terminal)
        told, reloads = Signals(), list[int]()
        told.when_to_reload(lambda: reloads.append(1))
        await sent(signal.SIGHUP)
        assert reloads == [1] and not told.stop.is_set(), "its terminal is there"
        os.close(ours)
        await sent(signal.SIGHUP)
        assert reloads == [1] and told.stop.is_set()


def test_signals_before_the_daemon_runs_are_ignored_unless_they_stop_it() -> None:
    signals.until_handled()
    for number, act in ACTS.items():
        assert (signal.getsignal(number) is signal.SIG_IGN) == (act is not SignalAction.STOP)


def test_signal_table_in_the_operating_document_matches_the_code() -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    shown = page.partition("## Signals")[2].partition("\n## ")[0]
    rows = [line for line in shown.splitlines() if line.startswith("| `")]
    by_act = {act: [number.name for number, does in ACTS.items() if does is act] for act in SignalAction}
    assert rows == [f"| {', '.join(f'`{name}`' for name in names)} | {act} |" for act, names in by_act.items()]
