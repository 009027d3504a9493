"""The screen on a pseudo-terminal within this process. `tests/e2e/test_top.py` has signals, in a process of its own."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.text import Text

from softix_proxy.cli.console.full_screen import FullScreen


class Terminal(io.TextIOWrapper):
    """Both ends of a pseudo-terminal. This is the end that a program has."""

    def __init__(self) -> None:
        self.other, self.own = pty.openpty()
        super().__init__(os.fdopen(self.own, "rb+", 0, closefd=False), write_through=True)

    def output(self) -> str:
        os.set_blocking(self.other, False)
        try:
            return os.read(self.other, 65536).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    yield made
    os.close(made.other)
    os.close(made.own)


@contextmanager
def on(terminal: Terminal, stdin: io.TextIOBase | None = None) -> Iterator[None]:
    """Makes it the terminal of this process within the block, in place of what pytest has put there."""
    before = sys.stdin, sys.stdout
    sys.stdin, sys.stdout = stdin or terminal, terminal  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdin, sys.stdout = before


async def keys_of(terminal: Terminal, *given: bytes) -> list[str]:
    """Returns the keys that come until a `.` does."""
    keys: list[str] = []
    end = asyncio.Event()

    def press(key: str) -> None:
        keys.append(key)
        if key == ".":
            end.set()

    with on(terminal), FullScreen(press, end.set):
        for part in given:
            os.write(terminal.other, part)
            await asyncio.sleep(0)
            end.clear()
            os.write(terminal.other, b".")
            await asyncio.wait_for(end.wait(), 30)
    return [key for key in keys if key != "."]


async def test_keys_come_one_by_one_and_without_enter(terminal: Terminal) -> None:
    assert await keys_of(terminal, b"as", "é".encode()) == ["a", "s", "é"]


async def test_screen_is_left_as_it_was_found_when_an_error_ends_it(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal.own)
    with pytest.raises(ZeroDivisionError), on(terminal), FullScreen(lambda key: None, lambda: None) as screen:
        assert termios.tcgetattr(terminal.own) != before
        screen.draw(Text("hello"))
        raise ZeroDivisionError
    assert termios.tcgetattr(terminal.own) == before
    output = terminal.output()
    assert output.startswith("\x1b[?1049h") and "hello" in output and output.endswith("\x1b[?1049l")


async def test_screen_without_a_keyboard_draws_and_asks_for_no_key(terminal: Terminal) -> None:
    with on(terminal, io.StringIO("")), FullScreen(lambda key: None, lambda: None) as screen:
        screen.draw(Text("hello"))
    assert "hello" in terminal.output()
    assert screen.ended_by is None
