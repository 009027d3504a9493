"""The commands of templates, and what new keys and users get of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]
TRIAL = "templates set trial --rpm 60 --spend-month 5.00 --alert 80 --zone Europe/Berlin --reset-day 15"


@pytest.fixture(autouse=True)
def ada(read: Read) -> None:
    read("users create ada --email ada@example.org")


def limits(key: Any) -> list[tuple[Any, ...]]:
    return [(each["model"], each["period"], each["amount"]) for each in key["limits"]]


def test_template_is_made_changed_shown_and_deleted(run: Softix, read: Read) -> None:
    made = read(TRIAL)
    month = {"period": "month", "amount": "5.00", "zone": "Europe/Berlin", "reset_day": "15", "alerts": "80"}
    assert made == {
        "name": "trial",
        "for": "key",
        "default": False,
        "default_of": [],
        "limits": [{"model": None, "rpm": 60, "tpm": None, "concurrency": None, "spend": [month]}],
    }
    changed = read("templates set trial --model openai/* --tpm 1000 --default".replace("openai", "*"))
    assert changed["default"] and [part["model"] for part in changed["limits"]] == [None, "*/*"]
    assert read("templates set trial --model */* --tpm none --no-default") == made
    assert read("templates set trial --spend-month none --rpm none")["limits"] == []
    assert read("templates list") == [read("templates show trial")]
    assert "Add --yes" in run("templates delete trial", code=2).stderr
    read("templates delete trial --yes")
    assert read("templates list") == [] and run("templates show trial", code=1)


def test_key_gets_the_named_template_and_what_is_given_wins(read: Read) -> None:
    read(TRIAL + " --tpm 900")
    read("templates set trial --spend-day 1.00")
    read("templates set trial --model gpt-* --rpm 5 --spend-total 3.00")
    key = read("keys create --user ada --template trial")
    assert (key["rpm"], key["tpm"], key["cap"]) == (60, 900, None)
    assert limits(key) == [(None, "day", "1.00"), (None, "month", "5.00"), ("gpt-*", "total", "3.00")]
    assert key["limits"][1]["reset_day"] == "15" and key["limits"][1]["alerts"] == [80]
    assert key["model_rates"] == [{"model": "gpt-*", "rpm": 5, "tpm": None}]
    own = read("keys create --user ada --template trial --rpm 7 --tpm none --cap 2.00 --cap-period month")
    assert (own["rpm"], own["tpm"], own["cap"], own["cap_period"]) == (7, None, "2.00", "month")
    assert limits(own) == [(None, "day", "1.00"), ("gpt-*", "total", "3.00")]
    none = read("keys create --user ada --template trial --cap none")
    assert limits(none) == [("gpt-*", "total", "3.00")]


def test_key_without_a_template_gets_the_default_of_its_organisation_or_of_the_instance(read: Read) -> None:
    read("users create bob --email bob@example.org")
    assert read("keys create --user ada")["rpm"] is None
    read("templates set all --rpm 60 --default")
    read("templates set adas --rpm 30 --default --organisation ada")
    assert [read(f"keys create --user {user}")["rpm"] for user in ("ada", "bob")] == [30, 60]
    assert read("keys create --user ada --template none")["rpm"] is None
    [adas, _] = read("templates list")
    assert adas["default_of"] == [read("users show ada")["id"]] and not adas["default"]


def test_change_of_a_template_changes_no_key_that_there_is(read: Read) -> None:
    read("templates set trial --rpm 60 --spend-day 5.00 --default")
    key = read("keys create --user ada --name ci")
    read("templates set trial --rpm 1 --spend-day 1.00")
    read("templates delete trial --yes")
    shown = read(f"keys show {key['id']}")
    assert (shown["rpm"], limits(shown)) == (60, [(None, "day", "5.00")])
    rotated = read(f"keys rotate {key['id']}")
    assert (rotated["rpm"], limits(rotated)) == (60, [(None, "day", "5.00")])


def test_user_gets_the_default_for_users(read: Read) -> None:
    read("templates set people --for user --spend-month 10.00 --default")
    read("templates set vip --for user --spend-month 99.00")
    for name, template, amounts in (("bob", "", ["10.00"]), ("eve", "--template vip", ["99.00"])):
        read(f"users create {name} --email {name}@example.org {template}")
        assert [each["amount"] for each in read(f"users limits {name}")["limits"]] == amounts
    read("users create ned --email ned@example.org --template none")
    assert read("users limits ned")["limits"] == read("users limits ada")["limits"] == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("templates set Trial --rpm 1", 2),
        ("templates set none --rpm 1", 2),
        ("templates set trial --rpm 0", 2),
        ("templates set trial --spend-day -1", 2),
        ("templates set trial --spend-day 1 --reset-day 3", 2),
        ("templates set trial --spend-day 1 --zone Berlin", 2),
        ("templates set trial --spend-day 1 --until 2999-01-01", 2),
        ("templates set trial --model gpt-* --concurrency 1", 2),
        ("templates set trial --model nobody/* --rpm 1", 2),
        ("templates set people --for user --rpm 1", 2),
        ("templates set people --for user --default --organisation ada", 2),
        ("templates set trial --default --organisation nobody", 1),
        ("templates delete trial --yes", 1),
        ("keys create --user ada --template trial", 1),
        ("users create bob --email bob@example.org --template trial", 1),
    ],
)
def test_template_that_cannot_be_kept_is_refused(run: Softix, read: Read, line: str, code: int) -> None:
    assert "→" in run(line, code=code).stderr
    assert read("templates list") == []


def test_template_of_one_kind_is_none_of_the_other(run: Softix, read: Read) -> None:
    read("templates set trial --rpm 1")
    run("templates set trial --for user", code=1)
    run("users create bob --email bob@example.org --template trial", code=2)
