"""The commands that show and change limits of keys and users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture
def key(read: Read) -> str:
    read("users create ada --email ada@example.org")
    return str(read("keys create --user ada --name ci --cap 20.00 --cap-period day --rpm 60")["id"])


def test_limits_of_a_key_are_set_shown_and_removed(read: Read, key: str) -> None:
    shown = read(f"keys limits {key}")
    assert (shown["cap"], shown["rpm"], shown["limits"], shown["model_rates"]) == ("20.00", 60, [], [])
    line = f"keys limits {key} --spend-month 50 --zone Europe/Berlin --reset-day 15 --alert 50,80 --rpm 30"
    changed = read(line)
    [limit] = changed["limits"]
    assert changed["rpm"] == 30 and changed["cap"] == "20.00", "that of the day stays"
    assert {name: limit[name] for name in ("model", "period", "amount", "spent", "zone", "reset_day", "alerts")} == {
        "model": None, "period": "month", "amount": "50.00", "spent": "0.00", "zone": "Europe/Berlin",
        "reset_day": "15", "alerts": [50, 80],
    }  # fmt: skip
    assert read(f"keys show {key}")["limits"] == [limit] and read(line) == changed
    assert read(f"keys limits {key} --spend-month none")["limits"] == []


def test_raise_of_a_plain_cap_takes_it_over_and_shows_its_end(read: Read, key: str) -> None:
    raised = read(f"keys limits {key} --spend-day 50 --until 2999-12-24")
    [limit] = raised["limits"]
    assert raised["cap"] is None and (limit["amount"], limit["raised_to"], limit["left"]) == ("20.00", "50.00", "50.00")
    assert limit["raised_until"] == "2999-12-24T00:00:00.000000Z"
    [again] = read(f"keys limits {key} --spend-day 70 --until 2999-12-31")["limits"]
    assert (again["amount"], again["raised_to"]) == ("20.00", "70.00"), "a second raise replaces the first"
    [base] = read(f"keys limits {key} --spend-day 30")["limits"]
    assert (base["amount"], base["raised_to"]) == ("30.00", "70.00"), "a change of the base leaves the raise"
    [higher] = read(f"keys limits {key} --spend-day 90")["limits"]
    assert (higher["amount"], higher["raised_to"], higher["left"]) == ("90.00", None, "90.00")
    [ended] = read(f"keys limits {key} --until none")["limits"]
    assert (ended["amount"], ended["raised_until"]) == ("90.00", None)


def test_limits_of_a_model_stand_beside_those_of_all(read: Read, key: str) -> None:
    for line in ("--model gpt-* --rpm 5 --tpm 1000", "--model gpt-* --spend-day 1", "--model gpt-* --tpm none"):
        shown = read(f"keys limits {key} {line}")
    assert shown["rpm"] == 60 and shown["model_rates"] == [{"model": "gpt-*", "rpm": 5, "tpm": None}]
    assert [(limit["model"], limit["amount"]) for limit in shown["limits"]] == [("gpt-*", "1.00")]
    assert read(f"keys limits {key} --model gpt-* --rpm none --spend-day none")["model_rates"] == []


def test_limits_of_a_user_are_of_all_keys_together(read: Read, key: str) -> None:
    shown = read("users limits ada --spend-week 10 --reset-day monday --zone UTC")
    assert shown["name"] == "ada" and [limit["period"] for limit in shown["limits"]] == ["week"]
    assert read("users limits ada") == shown
    assert read(f"keys show {key}")["limits"] == []
    [raised] = read("users limits ada --spend-week 20 --until 2999-01-01")["limits"]
    assert raised["raised_to"] == "20.00"


@pytest.mark.parametrize(
    "line",
    [
        "--spend-day -1",
        "--spend-day much",
        "--spend-day 1 --zone Berlin",
        "--spend-day 1 --reset-day 3",
        "--spend-week 1 --reset-day 3",
        "--spend-total 1 --zone UTC",
        "--spend-week 5 --until 2999-01-01",
        "--spend-day 20 --until 2999-01-01",
        "--alert 50",
        "--until none",
        "--model gpt-* --concurrency 3",
        "--model gpt-* --rpm 0",
        "--model nobody/* --rpm 3",
        "--rpm many",
    ],
)
def test_limits_that_cannot_be_kept_are_refused_and_change_nothing(
    run: Softix, read: Read, key: str, line: str
) -> None:
    before = read(f"keys limits {key}")
    refused = run(f"keys limits {key} {line}", code=2)
    assert "→" in refused.stderr and read(f"keys limits {key}") == before


def test_limits_of_nobody_are_refused(run: Softix) -> None:
    run("keys limits nobody", code=1)
    run("users limits nobody --spend-day 1", code=1)
