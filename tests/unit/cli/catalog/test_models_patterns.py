"""The commands that offer all models of a provider that the shipped catalogue has a price for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from softix_proxy.operations.catalog import catalogue

Softix = Callable[..., Result]
Read = Callable[[str], Any]
KNOWN = {model.name for model in catalogue.load().models("openai")}


@pytest.fixture(autouse=True)
def openai(run: Softix, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-made-up")
    run("providers add openai --models gpt-4o --key-env SOME_KEY --no-test")


def names(read: Read, provider: str = "openai") -> set[str]:
    return {model["name"] for model in read(f"models list --provider {provider}")}


def test_pattern_adds_every_priced_model_of_the_provider_that_is_not_there(read: Read) -> None:
    assert names(read) == {"gpt-4o"}
    added = read("models add openai/gpt-4o*")
    expected = {name for name in KNOWN if name.startswith("gpt-4o")}
    assert (added["name"], added["provider"], set(added["models"])) == ("gpt-4o*", "openai", expected)
    assert set(added["added"]) == expected - {"gpt-4o"} and names(read) == expected
    assert all(model["priced"] for model in read("models list --provider openai"))
    assert read("models add openai/*")["disabled"] == [] and names(read) == KNOWN
    again = read("models add * --provider openai")
    assert again["added"] == [] and again == {**read("models show openai/*"), "added": []}


def test_pattern_that_is_only_tried_adds_nothing(read: Read) -> None:
    assert read("models add openai/* --dry-run")["dry_run"]
    assert names(read) == {"gpt-4o"}


def test_pattern_leaves_a_disabled_model_and_own_prices_as_they_are(read: Read) -> None:
    read("models disable gpt-4o")
    read("prices set gpt-4o --input 9 --output 9")
    added = read("models add openai/*")
    assert added["disabled"] == ["gpt-4o"] and "gpt-4o" not in names(read)
    shown = read("models show openai/gpt-4o")
    assert shown["prices"]["input"] == "9"
    gone = read("models disable openai/*")
    assert gone["models"] == [] and names(read) == set()
    assert set(read("models enable openai/*")["models"]) == KNOWN == names(read)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("models add *", 2),
        ("models add gpt-*", 2),
        ("models add nobody/*", 2),
        ("models add openai/none-*", 2),
        ("models add openai/* --input 1", 2),
        ("models add openai/* --upstream-name x", 2),
        ("models add gpt-5", 2),
        ("models show openai/*", 1),
        ("models disable gpt-*", 2),
    ],
)
def test_pattern_that_offers_nothing_is_refused(run: Softix, read: Read, line: str, code: int) -> None:
    assert "→" in run(line, code=code).stderr
    assert names(read) == {"gpt-4o"}


def test_pattern_of_one_provider_adds_nothing_to_another(run: Softix, read: Read) -> None:
    run("providers add openai-eu --type openai --models gpt-4o --key-env SOME_KEY --no-test")
    read("models add openai/gpt-4o-*")
    assert names(read, "openai-eu") == {"gpt-4o"}
