"""`softix top` on a real terminal, beside a daemon under load, and in pipes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.process import environment
from support.provider import FakeProvider, fake
from support.screen import ENTERS, LEAVES, SHOWS_CURSOR, ScreenProcess
from support.wire import ROUTES, post

from softix_proxy.domain.access.keys import KeyLimits

CTRL_C, CTRL_Z = "\x03", "\x1a"
QUICK = ("--interval", "0.1")


@pytest.fixture
async def house(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    """A daemon, and a key that may do three requests at once."""
    made = await prepared(tmp_path, fake_provider.base_url, limits=KeyLimits(concurrency=3))
    async with made.instance.serving():
        yield made


def screen(house: Prepared, *options: str, columns: int = 80, lines: int = 24) -> ScreenProcess:
    return ScreenProcess(house.instance.command("top", *QUICK, *options), columns, lines)


async def ask(house: Prepared, session: aiohttp.ClientSession, **told: object) -> int:
    headers = {**house.headers, **fake(**told)}
    return (await post(session, house.url, ROUTES["chat_completions"], headers, json={"stream": True})).status


@pytest.fixture
async def streams(
    house: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider
) -> AsyncIterator[list[asyncio.Task[int]]]:
    """Three streams that wait for the gate `hold`."""
    tasks = [asyncio.create_task(ask(house, session, gate="hold")) for _ in range(3)]
    await fake_provider.waiting("hold", 3)
    yield tasks
    await fake_provider.open("hold")
    await asyncio.gather(*tasks)


async def test_screen_follows_requests_from_their_holds_to_their_charges(
    house: Prepared, session: aiohttp.ClientSession, fake_provider: FakeProvider, streams: list[asyncio.Task[int]]
) -> None:
    async with screen(house) as top:
        shown = await top.until("Open requests: 3, by age", "is held for 3 open requests", "No errors.")
        assert "concurrency" in shown and "ada" in shown and "gpt-test" in shown
        await fake_provider.open("hold")
        await asyncio.gather(*streams)
        shown = await top.until("No request is open.", "Slowest requests of five minutes", without="concurrency")
        [row] = [line.split() for line in shown.splitlines() if line.startswith("the last minute")]
        assert row[3:5] == ["3", "0"] and float(row[-1]) > 0
        assert await ask(house, session, status=500) == 500
        await top.until("Errors of five minutes: provider_fault 1.")
        assert all(len(line) <= 80 for line in top.shown.splitlines())
        top.press("q")
        assert await top.ended() == 0
        assert top.output.count(ENTERS) == top.output.count(LEAVES) == 1
        assert top.output.rindex(LEAVES) > top.output.rindex("No request is open.")
        assert top.mode == top.mode_before


async def test_keys_sort_filter_pause_and_help(
    house: Prepared, session: aiohttp.ClientSession, streams: list[asyncio.Task[int]]
) -> None:
    assert await ask(house, session) == 429
    async with screen(house) as top:
        await top.until("Open requests: 3, by age")
        top.press("s")
        await top.until("Open requests: 3, by held")
        top.press("r")
        await top.until("by held, reversed")
        top.press("u")
        await top.until("Only this user (empty shows all):")
        top.press("eve\x7f\x7f\x7fbob\r")
        await top.until("no user 'bob'", "Open requests: 3")
        top.press("uada\r")
        await top.until("Only user ada.", "Open requests: 3")
        top.press("mclaude-test\r")
        await top.until("Only user ada, model claude-test.", "No request is open.")
        top.press("m\r")
        await top.until("Only user ada.", "Open requests: 3")
        top.press("k\x1b")
        await top.until("q quit", without="Only this key")
        top.press("e")
        await top.until("Only user ada, failed requests.", "No request failed in five minutes.")
        top.press("p")
        await top.until("paused")
        top.press("p?")
        await top.until("Sorts the open requests by the next column", without="paused")
        top.press("x\x1b[A")
        await top.until("Open requests: 3", without="Sorts the open requests")
        top.press("q")
        assert await top.ended() == 0


@pytest.mark.parametrize(
    ("end", "code"), [(CTRL_C, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["ctrl-c", "term", "hup"]
)
async def test_terminal_is_put_back_after_a_signal(house: Prepared, end: str | signal.Signals, code: int) -> None:
    async with screen(house) as top:
        await top.until("q quit")
        assert top.mode != top.mode_before
        if isinstance(end, str):
            top.press(end)
        else:
            top.process.send_signal(end)
        assert await top.ended() == code
        assert top.mode == top.mode_before
        after = top.output[top.output.rindex(LEAVES) :]
        assert SHOWS_CURSOR in top.output[top.output.rindex(ENTERS) :] and "Traceback" not in after


async def test_terminal_is_put_back_after_an_error(house: Prepared) -> None:
    async with screen(house) as top:
        await top.until("q quit")
        database = house.instance.data_dir / "softix.db"
        database.rename(database.with_suffix(".away"))
        try:
            assert await top.ended() == 1
        finally:
            database.with_suffix(".away").rename(database)
        assert top.mode == top.mode_before
        after = top.output[top.output.rindex(LEAVES) :]
        assert "softix: " in after and "Traceback" not in after


async def test_stopped_top_gives_the_terminal_back_and_goes_on(house: Prepared) -> None:
    async with screen(house) as top:
        await top.until("q quit")
        top.press(CTRL_Z)
        await asyncio.to_thread(os.waitid, os.P_PID, top.process.pid, os.WSTOPPED)
        assert top.mode == top.mode_before
        top.process.send_signal(signal.SIGCONT)
        top.press("?")
        await top.until("Quits. Ctrl-C does the same.")
        assert top.output.count(ENTERS) == 2
        top.press("xq")
        assert await top.ended() == 0


async def test_screen_fits_each_size_of_the_window(house: Prepared, streams: list[asyncio.Task[int]]) -> None:
    async with screen(house) as top:
        await top.until("Open requests: 3, by age", "? help")
        top.resize(120, 30)
        await top.until("endpoint", "? help")
        top.resize(40, 12)
        shown = await top.until("q quit", without="? help")
        assert len(shown.splitlines()) == 12 and all(len(line) <= 40 for line in shown.splitlines())
        top.press("q")
        assert await top.ended() == 0


async def test_count_ends_the_screen(house: Prepared) -> None:
    async with screen(house, "--count", "2") as top:
        assert await top.ended() == 0
        assert top.mode == top.mode_before


async def test_pipe_gets_a_line_for_each_picture(house: Prepared, streams: list[asyncio.Task[int]]) -> None:
    done = house.instance.run("top", *QUICK, "--count", "2", "--user", "ada")
    first, second = done.stdout.splitlines()
    assert "open 3" in first and "held $0." in second and "limits 1" in second and done.stderr == ""
    once = house.instance.run("top", "--once", "--json")
    shown = json.loads(once.stdout)
    assert (shown["holds"]["requests"], len(shown["open_requests"]), shown["limits"][0]["limit"]) == (
        (3, 3, "concurrency")
    )


async def test_json_gives_an_object_a_line_until_it_is_interrupted(house: Prepared) -> None:
    process = subprocess.Popen(
        house.instance.command("top", *QUICK, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    lines = [json.loads(await asyncio.to_thread(process.stdout.readline)) for _ in range(3)]
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.to_thread(process.communicate, timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert [line["last_minute"]["requests"] for line in lines] == [0, 0, 0]
    assert lines[0]["at"] < lines[1]["at"] < lines[2]["at"]


async def test_dumb_terminal_gets_lines(house: Prepared) -> None:
    command = house.instance.command("top", *QUICK, "--count", "2")
    async with ScreenProcess(command, TERM="dumb") as top:
        assert await top.ended() == 0
        assert top.output.count("requests 0") == 2 and ENTERS not in top.output


async def test_unknown_name_is_refused_before_the_screen_is_taken(house: Prepared) -> None:
    async with screen(house, "--user", "eve") as top:
        assert await top.ended() == 1
        assert "no user" in top.output and ENTERS not in top.output
