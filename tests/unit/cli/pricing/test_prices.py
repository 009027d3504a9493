import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.books import make_intent, make_settlement, post

from softix_proxy.cli.main import main
from softix_proxy.cli.pricing.prices import prices
from softix_proxy.domain.core.clock import DAY_US, SystemClock
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.write_path.statements import NOTE_UNPRICED

FUTURE = "2999-01-01T00:00:00.000000Z"


def read(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def furnish(run: Callable[..., Result]) -> None:
    run("users create ada --email ada@example.org")
    run("providers add lab --type openai-compatible --base-url http://lab")
    run("models add llama --provider lab")


def test_prices_set_returns_the_version_that_show_history_and_list_return(run: Callable[..., Result]) -> None:
    first = read(run("prices set llama --input 0.15 --output 0.60 --json"))
    told = {"changes", "kept", "warnings", "remedies", "remarks"}
    plain = {name: value for name, value in first.items() if name not in told}
    assert plain | {"starts_at": "", "created_at": "", "version": 0} == {
        "version": 0,
        "model": "llama",
        "provider": "lab",
        "user": None,
        "source": "operator",
        "state": "in force",
        "starts_at": "",
        "created_at": "",
        "free": False,
        "prices": {"input": "0.15", "output": "0.60"},
        "bands": [{"above_input_tokens": 0, "service_tier": "standard", "prices": {"input": "0.15", "output": "0.60"}}],
    }
    run("prices set lab/llama --free")
    own = read(run("prices set llama --input 1 --user ada@example.org --json"))
    assert (own["user"], own["source"]) == ("ada", "customer")
    assert [one["state"] for one in read(run("prices history llama --json"))] == [
        "superseded",
        "in force",
        "in force",
    ]
    assert read(run("prices show llama --json"))["free"] is True
    shown = read(run("prices show llama --user ada --json"))
    assert (shown["prices"], shown["provider_prices"], shown["cost_version"]) == ({"input": "1"}, {}, 2)
    assert read(run("prices show llama --json"))["cost_version"] == 2
    assert [one["version"] for one in read(run("prices list --json"))] == [2, 3]
    assert read(run("prices list --model llama --json")) == read(run("prices list --json"))


def test_prices_set_with_future_start_is_upcoming_and_with_past_start_is_refused(run: Callable[..., Result]) -> None:
    later = read(run("prices set llama --free --from 2999-01-01 --json"))
    assert (later["state"], later["starts_at"]) == ("upcoming", FUTURE)
    assert "no price" in run("prices show llama", code=1).stderr
    assert "past" in run("prices set llama --free --from 2020-01-01", code=2).stderr


def test_prices_markup_changes_the_charged_price_that_show_returns(run: Callable[..., Result]) -> None:
    run("prices set llama --input 0.15 --output 0.60")
    assert read(run("prices markup --json")) == []
    default = read(run("prices markup --default 7.5% --json"))
    assert (default["scope"], default["subject"], default["markup"]) == ("default", None, "7.5%")
    assert read(run("prices markup --model llama --fee 0.0005 --json"))["request_fee"] == "0.0005"
    assert read(run("prices show llama --json"))["request_fee"] == "0.0005"
    assert read(run("prices markup 7.5% --model llama --fee 0 --json"))["request_fee"] == "0.00"
    shown = read(run("prices show llama --json"))
    assert (shown["markup"], shown["charged"]) == ("7.5%", {"input": "0.16125", "output": "0.645"})
    assert read(run("prices markup --user ada -50% --json"))["markup"] == "-50%"
    assert read(run("prices markup 3% --model llama --from 2999-01-01 --json"))["subject"] == "lab/llama"
    assert read(run("prices show llama --user ada --json"))["charged"] == {"input": "0.075", "output": "0.3"}
    listed = [(one["scope"], one["subject"], one["markup"], one["state"]) for one in read(run("prices markup --json"))]
    assert listed == [
        ("default", None, "7.5%", "in force"),
        ("model", "lab/llama", "7.5%", "in force"),
        ("user", "ada", "-50%", "in force"),
        ("model", "lab/llama", "3%", "upcoming"),
    ]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("set llama", 2, "no price"),
        ("set llama --free --input 1", 2, "at once"),
        ("set llama --input x", 2, "not a price"),
        ("set llama --free --from tomorrow", 2, "not a date"),
        ("set none --free", 1, "no model"),
        ("set llama --free --user none", 1, "no user"),
        ("markup 5%", 2, "for whom"),
        ("markup --user ada", 2, "for whom"),
        ("markup --default 5% 6%", 2, "for whom"),
        ("markup --default 5% --user ada 6%", 2, "for whom"),
        ("markup --user ada --model llama 6%", 2, "for a user or for a model"),
        ("markup --default much", 2, "not a mark-up"),
        ("markup --fee 0.1", 2, "for whom"),
        ("markup --default 5% --fee much", 2, "not an amount"),
        ("markup --user ada --fee -1", 2, "not negative"),
        ("missing --days 7 --within 7d", 2, "two times"),
        ("markup --defualt 5%", 2, ""),
    ],
)
def test_prices_command_with_bad_input_changes_nothing(
    run: Callable[..., Result], line: str, code: int, said: str
) -> None:
    assert said in run(f"prices {line}", code=code).stderr
    assert read(run("prices list --json")) == read(run("prices markup --json")) == []


def test_prices_missing_lists_requested_models_without_a_price(run: Callable[..., Result], instance: Path) -> None:
    raw = Database(instance / "softix.db", SystemClock()).connect()
    raw.execute(NOTE_UNPRICED, (1, 1_800_000_000_000_000))
    raw.close()
    assert read(run("prices missing --json")) == [
        {"model": "llama", "provider": "lab", "asks": 1, "last_asked_at": "2027-01-15T08:00:00.000000Z"}
    ]
    assert "softix prices set" in run("prices missing").stderr
    days = (SystemClock().now_us() - 1_800_000_000_000_000) // DAY_US + 1
    assert len(read(run(f"prices missing --days {max(days, 1)} --json"))) == 1
    run("prices set llama --free")
    assert read(run("prices missing --json")) == []


def test_prices_set_help_names_the_unit_of_each_option() -> None:
    text = CliRunner().invoke(main, ["prices", "set", "--help"]).output
    for option, unit in {
        "--cached-input": "Per million tokens.",
        "--web-search": "Per 1000 calls.",
        "--audio-second": "Per second.",
        "--image ": "Per image.",
        "--request": "Per request.",
        "--search-unit": "Per 1000 search units",
        "--character": "Per million characters",
    }.items():
        [line] = [line for line in text.splitlines() if line.strip().startswith(option)]
        assert unit in line


@pytest.mark.parametrize("name", sorted(prices.commands))
def test_prices_command_help_contains_an_example(name: str) -> None:
    result = CliRunner().invoke(main, ["prices", name, "--help"])
    assert result.exit_code == 0 and f"softix prices {name}" in " ".join(result.output.split())


def remedy(text: str) -> str:
    """What follows `softix` in the printed command."""
    [command] = re.findall(r"softix (prices set \S+(?: --\S+ [\d.]+)+)", text)
    return str(command)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("models add bare --provider lab", 0),
        ("prices show llama", 1),
        ("prices missing", 0),
        ("doctor", 1),
        ("usage correct {request} --reprice --note n --yes", 1),
    ],
)
def test_printed_remedy_for_a_missing_price_prices_the_model(
    run: Callable[..., Result], instance: Path, line: str, code: int
) -> None:
    run("keys create --user ada")
    run("balance add ada@example.org 5.00 --note test")
    connection = Database(instance / "softix.db", SystemClock()).connect()
    post(connection, [make_settlement(make_intent(1, 0), meters={"input_tokens": 1000})], SystemClock().now_us())
    connection.close()
    result = CliRunner().invoke(
        main, ["--data-dir", str(instance), *shlex.split(line.format(request=format_request_id(1)))]
    )
    assert result.exit_code in (0, code), result.output
    command = remedy(result.output)
    run(command)
    priced = read(run(f"models show {command.split()[2]} --json"))
    assert priced["prices"] == {"input": "0.15", "output": "0.60"}
