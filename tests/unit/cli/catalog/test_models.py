import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from softix_proxy.cli.catalog.models import models
from softix_proxy.cli.main import main
from softix_proxy.domain.pricing.meters import METERS

FIELDS = ["name", "provider", "upstream_name", "context", "max_output", "status", "priced", "prices"]


def read(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def lab(run: Callable[..., Result]) -> None:
    run("providers add lab --type openai-compatible --base-url http://lab")


def test_models_add_with_prices_returns_the_model_that_show_and_list_return(run: Callable[..., Result]) -> None:
    added = read(
        run(
            "models add llama --provider lab --upstream-name meta/llama --input 0.15 --output 0.60"
            " --cached-input .075 --max-output 4096 --context 8192 --json"
        )
    )
    assert added == {
        "name": "llama",
        "provider": "lab",
        "upstream_name": "meta/llama",
        "context": 8192,
        "max_output": 4096,
        "status": "active",
        "priced": True,
        "prices": {"input": "0.15", "cached_input": "0.075", "output": "0.60"},
    }
    assert list(added) == FIELDS
    assert read(run("models show llama --json")) == read(run("models show lab/llama --json")) == added
    assert read(run("models list --json")) == [added]


def test_models_add_with_a_price_option_for_each_meter_stores_every_price(run: Callable[..., Result]) -> None:
    keys = [spec.price_key for spec in METERS.values()]
    options = " ".join(f"--{key.replace('_', '-')} {n}.5" for n, key in enumerate(keys))
    added = read(run(f"models add all --provider lab {options} --json"))
    assert added["prices"] == {key: f"{n}.5" for n, key in enumerate(keys)}


def test_models_add_without_price_warns_and_with_free_is_priced(run: Callable[..., Result]) -> None:
    free = read(run("models add gratis --provider lab --free --json"))
    assert (free["priced"], free["prices"]) == (True, {})
    result = run("models add bare --provider lab")
    assert "model_not_priced" in result.stderr and "softix prices set lab/bare" in result.stderr
    bare = read(run("models show bare --json"))
    assert (bare["priced"], bare["prices"]) == (False, None)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("add x --provider none", 1, "no provider"),
        ("add x", 2, "--provider"),
        ("add x --provider lab --free --input 1", 2, "at once"),
        ("add x --provider lab --input 1e3", 2, "not a price"),
        ("add x --provider lab --input -1", 2, "not a price"),
        ("add x --provider lab --context 0", 2, "--context"),
        ("show none", 1, "no model"),
        ("list --provider none", 1, "no provider"),
    ],
)
def test_models_command_with_bad_input_exits_with_the_reason(
    run: Callable[..., Result], line: str, code: int, said: str
) -> None:
    assert said in run(f"models {line}", code=code).stderr


def test_models_disable_with_ambiguous_name_lists_the_candidates(run: Callable[..., Result]) -> None:
    run("providers add two --type openai-compatible --base-url http://two")
    for provider in ("lab", "two"):
        run(f"models add llama --provider {provider} --free")
    assert "lab/llama, two/llama" in run("models disable llama", code=2).stderr
    assert read(run("models disable two/llama --json"))["status"] == "disabled"
    assert [one["provider"] for one in read(run("models list --json"))] == ["lab"]
    assert [one["status"] for one in read(run("models list --all --json"))] == ["active", "disabled"]
    assert read(run("models enable two/llama --json"))["status"] == "active"


def test_models_update_with_some_options_keeps_the_other_fields(run: Callable[..., Result]) -> None:
    run("models add llama --provider lab --free --context 5")
    updated = read(run("models update llama --max-output 7 --upstream-name l --json"))
    assert (updated["context"], updated["max_output"], updated["upstream_name"]) == (5, 7, "l")


@pytest.mark.parametrize("name", sorted(models.commands))
def test_models_command_help_contains_an_example(name: str) -> None:
    result = CliRunner().invoke(main, ["models", name, "--help"])
    assert result.exit_code == 0 and f"softix models {name}" in " ".join(result.output.split())
