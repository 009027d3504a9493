from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from softix_proxy.cli.metering import top_screen
from softix_proxy.cli.metering.top_screen import TopControls
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.metering.live import LimitKind, NearLimit, OpenHolds, OpenRequest
from softix_proxy.operations.metering.live import LivePicture, LiveWish, RecentSums, as_fields

NOW_US = 1_800_000_000_000_000
USD = 10**12


def picture(requests: int = 0, limits: int = 0, wish: LiveWish | None = None) -> dict[str, Any]:
    opened = [
        OpenRequest(
            number,
            NOW_US - number * SECOND_US,
            "usr_ada",
            "ada",
            "key_ada",
            "sx_live_aaaa",
            "lab",
            f"model-{number}",
            "chat_completions",
            True,
            USD,
        )
        for number in range(requests)
    ]
    near = [
        NearLimit(LimitKind.REQUESTS, "usr_ada", "ada", "key_ada", "sx_live_aaaa", "ci", 60, left, None, NOW_US)
        for left in range(limits)
    ]
    holds = OpenHolds(requests, requests * USD, NOW_US if requests else None, 0, 0)
    sums = RecentSums(60), RecentSums(300)
    return as_fields(LivePicture(NOW_US, wish or LiveWish(), *sums, holds, opened, (), (), near, limits, ()))


def pressed(*keys: str) -> TopControls:
    controls = TopControls(LiveWish())
    for key in keys:
        controls.press(key)
    return controls


def text(drawn: RenderableType, width: int = 80) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(drawn)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def screen(shown: dict[str, Any], controls: TopControls | None = None, width: int = 80, height: int = 24) -> list[str]:
    return text(top_screen.drawing(shown, controls or pressed(), 1, width, height), width)


@pytest.mark.parametrize(
    ("keys", "wish"),
    [
        ("s", LiveWish(order="held")),
        ("sssss", LiveWish(order="newest")),
        ("r", LiveWish(reverse=True)),
        ("rr", LiveWish()),
        ("e", LiveWish(errors_only=True)),
        ("uada\r", LiveWish(user="ada")),
        ("k ci \n", LiveWish(key="ci")),
        ("mgpq\x7f\x08\x08gpt\r", LiveWish(model="gpt")),
        ("uada\rubob\x1b", LiveWish(user="ada")),
        ("uada\ru\r", LiveWish()),
        ("u\x00\u202ea\r", LiveWish(user="a")),
        ("xyz\x1b", LiveWish()),
    ],
)
def test_keys_choose_what_is_wished(keys: str, wish: LiveWish) -> None:
    controls = pressed(*keys)
    assert controls.wish == wish and not controls.is_over


def test_keys_quit_pause_and_help_and_a_filter_takes_them_as_text() -> None:
    assert pressed("q").is_over and not pressed("u", "q").is_over
    assert pressed("p").paused and not pressed("p", "p").paused
    assert pressed("?").helping and not pressed("?", "q").helping and not pressed("?", "q").is_over
    assert len(pressed("u", *"a" * 300).typed) == 200
    controls = pressed()
    controls.message = "no user 'eve'"
    controls.press("x")
    assert controls.message == ""


@pytest.mark.parametrize("height", [10, 12, 24, 60])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("keys", ["", "?", "u", "p"])
def test_drawing_fills_exactly_the_screen(width: int, height: int, keys: str) -> None:
    shown = screen(picture(requests=30, limits=7), pressed(*keys), width, height)
    assert all(len(line) <= width for line in shown)
    if keys != "?" and (width > 20 or height > 12):  # the help, and the sums on so small a screen, are cut at its end
        assert len(shown) == height


def test_each_list_gets_a_row_before_any_gets_two() -> None:
    low = screen(picture(requests=30, limits=7), height=17)
    assert sum("sx_live_aaaa" in line for line in low) == 2
    high = screen(picture(requests=30, limits=7), height=31)
    assert sum("requests_per_minute" in line for line in high) == 7
    assert sum("model-" in line for line in high) == 9


def test_list_without_room_is_left_out_whole() -> None:
    shown = screen(picture(requests=30, limits=7), height=12)
    assert any("Open requests: 30, by age" in line for line in shown)
    assert not any("Limits near" in line for line in shown)


def test_whole_drawing_has_every_row_and_no_keys() -> None:
    shown = text(top_screen.whole_drawing(picture(requests=50, limits=7), pressed(), 80))
    assert sum("model-" in line for line in shown) == 50 and not any("q quit" in line for line in shown)


def test_narrow_terminal_loses_whole_columns_and_whole_words() -> None:
    wide, narrow = screen(picture(requests=1), width=120), screen(picture(requests=1), width=46)
    assert any("chat_completions" in line for line in wide)
    assert any(line.split() == ["0", "ada", "sx_live_aaaa", "model-0", "1.00"] for line in narrow)
    assert any(line.split() == ["0", "ada", "model-0"] for line in screen(picture(requests=1), width=28, height=30))
    assert narrow[-1] == "q quit  s sort  r reverse  u user  k key"
    assert any("Widen the" in line for line in screen(picture(requests=1), width=12, height=40))


def test_drawing_says_what_is_filtered_and_what_was_wrong() -> None:
    wish = LiveWish(user="ada", errors_only=True)
    controls = TopControls(wish, paused=True, message="no user 'eve'; see: softix users list")
    shown = screen(picture(wish=wish), controls)
    assert "Only user ada, failed requests." in shown and "paused" in shown[0]
    assert "No request failed in five minutes." in shown
    assert shown[-1] == "no user 'eve'; see: softix users list"
    assert screen(picture(), pressed("u", "a", "d"))[-1] == "Only this user (empty shows all): ad"


def test_names_of_others_do_not_act_on_the_terminal() -> None:
    wish = LiveWish(user="a\x1b[2Jb")
    shown = picture(requests=1, wish=wish)
    shown["open_requests"][0]["user_name"] = "\x1b]0;x\x07"
    drawn = "\n".join(screen(shown, TopControls(wish, message="\x9b2J")))
    assert "\x1b" not in drawn and "\x9b" not in drawn and "\\x1b[2Jb" in drawn


def test_line_for_a_pipe_names_each_number() -> None:
    shown = picture(requests=2, limits=1)
    assert top_screen.line(shown) == (
        "2027-01-15T08:00:00Z  requests 0  errors 0  tokens 0→0  charge $0.00  open 2  held $2.00  oldest 0 s"
        "  limits 1  breakers 0"
    )
