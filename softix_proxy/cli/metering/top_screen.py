"""The screen of `softix top`: what its keys do, and how one picture is drawn in a terminal of any size.

Whole columns and whole words are left out where the terminal is too narrow, and whole lists where it is too low.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from softix_proxy.cli.console.tables import TableLayout, fitting, grid
from softix_proxy.domain.core.display import visible
from softix_proxy.operations.metering.live import ORDERS, LiveWish

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult

_SUMS = TableLayout(
    ("ended_in", "requests", "errors", "input_tokens", "output_tokens", "charge"),
    leave=("output_tokens", "input_tokens", "charge"),
)
_OPEN = TableLayout(
    ("age_s", "user_name", "key_prefix", "model", "provider", "endpoint", "stream", "held"),
    leave=("provider", "endpoint", "stream", "key_prefix", "held", "model"),
)
_SLOWEST = TableLayout(
    ("latency_ms", "ttfb_ms", "user_name", "key_prefix", "model", "status_code", "error", "request_id"),
    leave=("key_prefix", "request_id", "ttfb_ms", "error", "status_code", "model"),
)
_FAILED = TableLayout(
    ("posted_at", "status_code", "error", "user_name", "key_prefix", "model", "request_id"),
    leave=("key_prefix", "request_id", "model", "user_name", "posted_at"),
)
_LIMITS = TableLayout(
    ("percent", "limit", "left", "of", "period", "user_name", "key_prefix", "name"),
    leave=("name", "period", "of", "key_prefix", "left"),
)
_TARGETS = TableLayout(
    ("target", "breaker", "in_flight", "latency_ms", "error_rate", "last_error"),
    leave=("last_error", "in_flight", "latency_ms", "error_rate"),
)
_KEYS = ("q quit", "s sort", "r reverse", "u user", "k key", "m model", "e errors", "p pause", "? help")
_HELP = (
    ("q", "Quits. Ctrl-C does the same."),
    ("s", "Sorts the open requests by the next column: newest, age, held, user, key, model."),
    ("r", "Reverses that order."),
    ("u k m", "Asks for a user, a key or a model, and shows only its requests. An empty answer shows all again."),
    ("e", "Shows only failed requests, the newest first, in place of the slowest ones. Pressed again, it shows all."),
    ("p", "Pauses, so that you can read. Pressed again, it goes on."),
    ("?", "Shows this help. Any key leaves it."),
)
_HELP_INDENT = 8
_ALL_PERCENT = 100
_BACKSPACES = ("\x7f", "\x08")
_ENTERS = ("\r", "\n")
_ESCAPE = "\x1b"
FilterName = Literal["user", "key", "model"]
_ASKED: Mapping[str, FilterName] = {"u": "user", "k": "key", "m": "model"}
_MOST_TYPED = 200


@dataclass
class TopControls:
    """What the keys have chosen."""

    wish: LiveWish
    paused: bool = False
    helping: bool = False
    asking: FilterName | None = None
    """The filter for which a value is typed now."""
    typed: str = ""
    message: str = ""
    """What was wrong with the last filter. The next key removes it."""
    is_over: bool = False

    def press(self, key: str) -> None:
        """Does what a key stands for. A key without a meaning does nothing."""
        self.message = ""
        if self.asking is not None:
            self._type(self.asking, key)
        elif self.helping:
            self.helping = False
        elif key in _ASKED:
            self.asking, self.typed = _ASKED[key], ""
        else:
            self._do(key)

    def _do(self, key: str) -> None:
        wish = self.wish
        match key:
            case "q":
                self.is_over = True
            case "s":
                following = ORDERS[(ORDERS.index(wish.order) + 1) % len(ORDERS)]
                self.wish = replace(wish, order=following)
            case "r":
                self.wish = replace(wish, reverse=not wish.reverse)
            case "e":
                self.wish = replace(wish, errors_only=not wish.errors_only)
            case "p":
                self.paused = not self.paused
            case "?" | "h":
                self.helping = True

    def _type(self, name: FilterName, key: str) -> None:
        if key in _ENTERS:
            self.asking = None
            chosen: dict[str, Any] = {name: self.typed.strip() or None}
            self.wish = replace(self.wish, **chosen)
        elif key == _ESCAPE:
            self.asking = None
        elif key in _BACKSPACES:
            self.typed = self.typed[:-1]
        elif visible(key) == key and len(self.typed) < _MOST_TYPED:
            self.typed += key


class _List(NamedTuple):
    """One list of the picture. Without rows, only its sentence is shown."""

    title: str
    without: str
    table: TableLayout
    rows: Sequence[Mapping[str, Any]]


class _Block(NamedTuple):
    """Something that is drawn, and the lines that it takes."""

    drawn: RenderableType
    lines: int = 1


def drawing(shown: Mapping[str, Any], controls: TopControls, interval_s: float, width: int, height: int) -> Group:
    """Returns the picture for a terminal of this size. `shown` are the fields of the picture."""
    from rich.console import Group
    from rich.text import Text

    head = [_title(shown, controls, f"every {interval_s:g} s"), *_summary(shown, controls, width)]
    foot = _foot(controls, width)
    room = height - sum(block.lines for block in head) - foot.lines
    body = _help(width) if controls.helping else _fitting_lists(_lists(shown, controls), width, room)
    empty = max(room - sum(block.lines for block in body), 0)
    return Group(*(block.drawn for block in (*head, *body)), *[Text("")] * empty, foot.drawn)


@dataclass(frozen=True, slots=True)
class LiveDrawing:
    """The picture as `rich` draws it: at the size that the terminal has by then."""

    shown: Mapping[str, Any]
    controls: TopControls
    interval_s: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield drawing(self.shown, self.controls, self.interval_s, options.max_width, options.height or console.height)


def whole_drawing(shown: Mapping[str, Any], controls: TopControls, width: int) -> Group:
    """Returns the picture with all of its lists, however many lines they take, and without keys."""
    from rich.console import Group

    head = [_title(shown, controls, ""), *_summary(shown, controls, width)]
    return Group(*(block.drawn for block in (*head, *_drawn(_lists(shown, controls), width))))


def line(shown: Mapping[str, Any]) -> str:
    """Returns the picture as one line for a pipe: what happened in the last minute, and what is open now."""
    minute, holds = shown["last_minute"], shown["holds"]
    is_open = sum(target["breaker"] != "closed" for target in shown["targets"])
    oldest = "" if holds["oldest_s"] is None else f"  oldest {holds['oldest_s']} s"
    return (
        f"{shown['at'][:19]}Z  requests {minute['requests']}  errors {minute['errors']}"
        f"  tokens {minute['input_tokens']}→{minute['output_tokens']}  charge ${minute['charge']}"
        f"  open {holds['requests']}  held ${holds['held']}{oldest}"
        f"  limits {shown['limits_near_end']}  breakers {is_open}"
    )


def _title(shown: Mapping[str, Any], controls: TopControls, pace: str) -> _Block:
    from rich.text import Text

    text = Text("softix top", style="bold", no_wrap=True)
    text.append(f"  {shown['at'][:19]}Z", style="not bold")
    if controls.paused:
        text.append("  ")
        text.append("paused", style="reverse")
    elif pace:
        text.append(f"  {pace}", style="not bold dim")
    return _Block(text)


def _summary(shown: Mapping[str, Any], controls: TopControls, width: int) -> list[_Block]:
    """Returns the sums, and the sentences on errors, holds and the filter."""
    spans = (("the last minute", shown["last_minute"]), ("five minutes", shown["last_five_minutes"]))
    rows = [{"ended_in": name, **sums} for name, sums in spans]
    kinds: Mapping[str, int] = shown["last_five_minutes"]["errors_by_kind"]
    errors = f"Errors of five minutes: {', '.join(f'{kind} {number}' for kind, number in kinds.items())}."
    blocks = [*_table(_SUMS, rows, width), *_sentence(errors if kinds else "No errors.", width, "red" * bool(kinds))]
    blocks += _sentence(_held(shown["holds"]), width)
    return blocks + (_sentence(_filter(shown["filter"]), width, "cyan") if any(shown["filter"].values()) else [])


def _held(holds: Mapping[str, Any]) -> str:
    number, parts = holds["requests"], holds["batch_requests"]
    told = "No request is open."
    if number:
        open_ones = "one open request" if number == 1 else f"{number} open requests"
        told = f"${holds['held']} is held for {open_ones}; the oldest began {holds['oldest_s']} s ago."
    return told + (f" ${holds['batch_held']} is held for {parts} requests of batches." if parts else "")


def _filter(chosen: Mapping[str, Any]) -> str:
    named = [f"{name} {chosen[name]}" for name in ("user", "key", "model") if chosen[name] is not None]
    return f"Only {', '.join([*named, *(['failed requests'] if chosen['errors_only'] else [])])}."


def _lists(shown: Mapping[str, Any], controls: TopControls) -> list[_List]:
    """Returns the lists, the most important first."""
    wish, total = controls.wish, shown["holds"]["requests"]
    order = f"{wish.order}, reversed" if wish.reverse else wish.order
    ended = _List("Slowest requests of five minutes", "", _SLOWEST, shown["slowest"])
    if wish.errors_only:
        ended = _List("Failed requests of five minutes", "No request failed in five minutes.", _FAILED, shown["failed"])
    return [
        _List(f"Open requests: {total}, by {order}", "", _OPEN, shown["open_requests"]),
        _List(
            f"Limits near their end: {shown['limits_near_end']}",
            "No limit is near its end.",
            _LIMITS,
            shown["limits"],
        ),
        ended,
        _List("Targets", "No target was used yet.", _TARGETS, shown["targets"]),
    ]


def _drawn(lists: Sequence[_List], width: int) -> list[_Block]:
    """Returns the blocks of these lists with all their rows."""
    from rich.text import Text

    blocks = []
    for each in lists:
        if each.rows:
            blocks += [_Block(Text("")), _Block(Text(each.title, style="bold", no_wrap=True))]
            blocks += _table(each.table, each.rows, width)
        elif each.without:
            blocks += [_Block(Text("")), *_sentence(each.without, width, "dim")]
    return blocks


def _fitting_lists(lists: Sequence[_List], width: int, room: int) -> list[_Block]:
    """Returns the blocks of as many lists and rows as there is room for. Each list gets a row before any gets two."""
    chosen = [each for each in lists if each.rows or each.without]
    while chosen and sum(_least_lines(each, width) for each in chosen) > room:
        chosen = chosen[:-1]
    left = room - sum(_least_lines(each, width) for each in chosen)
    numbers = [min(len(each.rows), 1) for each in chosen]
    while left > 0 and (growing := [at for at, each in enumerate(chosen) if numbers[at] < len(each.rows)]):
        for at in growing[:left]:
            numbers[at] += 1
        left -= len(growing)
    return _drawn([each._replace(rows=each.rows[:number]) for each, number in zip(chosen, numbers, strict=True)], width)


def _least_lines(each: _List, width: int) -> int:
    """Returns the lines of a list with one row: an empty one, the title, the names of the columns, and the row."""
    return 4 if each.rows else 1 + len(_sentence(each.without, width))


def _table(table: TableLayout, rows: Sequence[Mapping[str, Any]], width: int) -> list[_Block]:
    columns = fitting(table, rows, width)
    if not columns:
        return _sentence("Widen the terminal to see this list.", width, "dim")
    drawn = grid(table, rows, columns)
    for row, fields in zip(drawn.rows, rows, strict=True):
        row.style = _style(fields)
    return [_Block(drawn, len(rows) + 1)]


def _style(fields: Mapping[str, Any]) -> str:
    """Returns the colour of a row: red where requests fail or are refused, and yellow where they may be soon."""
    if "breaker" in fields:
        return {"open": "red", "half-open": "yellow"}.get(fields["breaker"], "")
    if "limit" in fields:
        return "red" if fields["percent"] >= _ALL_PERCENT else "yellow"
    return "red" if fields.get("error") else ""


def _sentence(text: str, width: int, style: str = "") -> list[_Block]:
    from rich.text import Text

    return [_Block(Text(part, style=style)) for part in textwrap.wrap(visible(text), max(width, 1)) or [""]]


def _help(width: int) -> list[_Block]:
    from rich.text import Text

    blocks = [_Block(Text(""))]
    for keys, text in _HELP:
        first, *others = textwrap.wrap(text, max(width - _HELP_INDENT, 1))
        blocks.append(_Block(Text(f"{keys:<{_HELP_INDENT}}{first}")))
        blocks += [_Block(Text(" " * _HELP_INDENT + other)) for other in others]
    return blocks


def _foot(controls: TopControls, width: int) -> _Block:
    from rich.text import Text

    if controls.asking is not None:
        asked = f"Only this {controls.asking} (empty shows all): {visible(controls.typed)}"
        return _Block(Text(asked[-width:], style="reverse", no_wrap=True))
    if controls.message:
        return _Block(Text(textwrap.shorten(visible(controls.message), width, placeholder=" …"), style="red"))
    keys: Sequence[str] = _KEYS
    while len("  ".join(keys)) > width and len(keys) > 1:
        keys = keys[:-1]
    return _Block(Text("  ".join(keys), style="dim", no_wrap=True))
