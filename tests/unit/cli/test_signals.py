import asyncio
import os
import pty
import signal
from collections.abc import Iterator

import pytest
from support.sources import ROOT

from softix_proxy.cli import signals
from softix_proxy.cli.signals import ACTS, SignalAction, Signals


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


def test_each_that_would_end_the_process_is_handled() -> None:
    assert set(ACTS) == {getattr(signal, f"SIG{name}") for name in ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2")}


@pytest.mark.parametrize("number", [number for number, act in ACTS.items() if act is SignalAction.STOP])
async def test_a_first_one_stops_and_a_second_one_cuts(number: signal.Signals) -> None:
    told = Signals()
    await sent(number)
    assert told.stop.is_set() and not told.stop_now.is_set()
    await sent(signal.SIGTERM)
    assert told.stop_now.is_set()


async def test_one_to_reload_is_remembered_until_it_can_be_done_and_forgotten_while_it_stops() -> None:
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
async def test_others_do_nothing(number: signal.Signals) -> None:
    told, reloads = Signals(), list[int]()
    told.when_to_reload(lambda: reloads.append(1))
    await sent(number)
    assert not (reloads or told.stop.is_set())


async def test_the_end_of_its_terminal_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_before_the_daemon_runs_only_a_stop_ends_it() -> None:
    signals.until_handled()
    for number, act in ACTS.items():
        assert (signal.getsignal(number) is signal.SIG_IGN) == (act is not SignalAction.STOP)


def test_the_table_of_the_document_is_this_one() -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    shown = page.partition("## Signals")[2].partition("\n## ")[0]
    rows = [line for line in shown.splitlines() if line.startswith("| `")]
    by_act = {act: [number.name for number, does in ACTS.items() if does is act] for act in SignalAction}
    assert rows == [f"| {', '.join(f'`{name}`' for name in names)} | {act} |" for act, names in by_act.items()]
