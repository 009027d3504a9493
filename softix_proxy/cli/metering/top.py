"""The command `softix top`, which shows what happens now: on the whole screen, or as a line a second in a pipe."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from softix_proxy.cli.console.console import COUNT, Command, echo, echo_json, instance_or, invocation
from softix_proxy.cli.metering import top_screen
from softix_proxy.cli.metering.live_views import LocalView, ShownPicture, ShownView
from softix_proxy.cli.metering.top_screen import LiveDrawing, TopControls
from softix_proxy.cli.metering.usage_filters import subject_options
from softix_proxy.domain.core.display import visible
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.operations.metering import live
from softix_proxy.operations.metering.live import LiveView, LiveWish

if TYPE_CHECKING:
    from softix_proxy.assembly import Instance

_LEAST_INTERVAL_S = 0.1
_MOST_INTERVAL_S = 3600.0


async def _show_another(server: str, token: str | None, **given: Any) -> None:
    """Shows what happens on another machine."""
    from softix_proxy.cli.metering.remote_view import remote_view

    async with remote_view(server, token) as view:
        await _show(view, **given)


@click.command(cls=Command)
@subject_options
@click.option(
    "--sort",
    "order",
    type=click.Choice(live.ORDERS),
    default="age",
    show_default=True,
    help="The order of the open requests: by age, the oldest come first.",
)
@click.option("--reverse", is_flag=True, help="Reverse that order.")
@click.option(
    "--interval",
    "interval_s",
    type=click.FloatRange(_LEAST_INTERVAL_S, _MOST_INTERVAL_S),
    default=1,
    show_default=True,
    metavar="SECONDS",
    help="The time from one picture to the next.",
)
@click.option("--count", type=COUNT, help="End after this many pictures.  [default: none ends it]")
@click.option("--once", is_flag=True, help="Show one picture with all of its lists, and end.")
@click.option("--server", metavar="URL", help="Look at the portal of another machine, by the token in SOFTIX_TOKEN.")
@instance_or(_show_another)
async def top(instance: Instance, server: None = None, **given: Any) -> None:
    """Show what happens now: requests, tokens, spend, errors, holds, slow requests, limits near their end, breakers.

    On a terminal it fills the screen, and keys filter and sort; press ? for them. In a pipe it prints a line a second,
    and with --json an object a line. Example: softix top --user ada --sort held
    """
    await _show(LocalView(LiveView(instance.storage, parse_usd(instance.settings.mail.low_balance_usd))), **given)


async def _show(view: ShownView, *, interval_s: float, count: int | None, once: bool, **wish: Any) -> None:
    first = await view.look(LiveWish(**wish))  # an unknown name is refused before the screen is taken
    with suppress(asyncio.CancelledError):
        if invocation().as_json or not _is_screen():
            await _print_lines(view, first, interval_s, 1 if once else count)
        elif once:
            _print_whole(first)
        else:
            await _Screen(view, first, interval_s, count).run()


def _is_screen() -> bool:
    """Returns whether the output is a terminal that can place text. A dumb one gets lines, as a pipe does."""
    if not sys.stdout.isatty():
        return False
    from rich.console import Console

    return not Console().is_dumb_terminal


async def _print_lines(view: ShownView, picture: ShownPicture, interval_s: float, count: int | None) -> None:
    number = 1
    while True:
        shown = picture.fields
        if invocation().as_json:
            echo_json(shown)
        else:
            echo(visible(top_screen.line(shown)))
        if number == count:
            return
        await asyncio.sleep(interval_s)
        picture, number = await view.look(picture.wish), number + 1


def _print_whole(picture: ShownPicture) -> None:
    from rich.console import Console

    console = Console()
    console.print(top_screen.whole_drawing(picture.fields, TopControls(picture.wish), console.width))


class _Screen:
    """The pictures on the whole screen, until a key or a signal ends them."""

    def __init__(self, view: ShownView, picture: ShownPicture, interval_s: float, count: int | None) -> None:
        self._view = view
        self._picture = picture
        self._interval_s = interval_s
        self._left = count
        """The pictures that are left, the present one included. None if nothing but a key or a signal ends them."""
        self._controls = TopControls(picture.wish)
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Shows pictures until they end. Raises SystemExit after a signal, and the errors of the database."""
        from softix_proxy.cli.console.full_screen import SIGNALLED, FullScreen

        loop = asyncio.get_running_loop()
        with FullScreen(self._press, self._changed.set) as screen:
            due_at_s = loop.time() + self._interval_s
            while not self._controls.is_over and screen.ended_by is None:
                screen.draw(LiveDrawing(self._picture.fields, self._controls, self._interval_s))
                is_due = not await self._changes_before(due_at_s)
                if is_due:
                    due_at_s = loop.time() + self._interval_s
                    self._left = None if self._left is None else self._left - 1
                    if self._left == 0:
                        break
                await self._go_on(is_due=is_due)
        if screen.ended_by is not None:
            raise SystemExit(SIGNALLED + screen.ended_by)

    def _press(self, key: str) -> None:
        self._controls.press(key)
        self._changed.set()

    async def _changes_before(self, due_at_s: float) -> bool:
        """Returns True as soon as a key was pressed or the window changed, and False when the next picture is due."""
        try:
            async with asyncio.timeout_at(due_at_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def _go_on(self, *, is_due: bool) -> None:
        """Looks again if a picture is due, or at once if keys wish for another one.

        A filter for something unknown is taken back. Raises NotFoundError if what was filtered for is gone.
        """
        wish = self._controls.wish
        if wish == self._picture.wish and (self._controls.paused or not is_due):
            return
        try:
            self._picture = await self._view.look(wish)
        except NotFoundError as error:
            if wish == self._picture.wish:
                raise
            self._controls.wish = self._picture.wish
            self._controls.message = f"{error.message}; {error.remedy}" if error.remedy else error.message
