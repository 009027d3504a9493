from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


@pytest.fixture(autouse=True)
def lab(run: Softix) -> None:
    run("users create ada --email ada@example.org --regions eu")
    for name, region in (("one", "eu"), ("two", "us")):
        run(f"providers add {name} --type openai-compatible --base-url http://{name}.example --region {region}")
        run(f"models add llama --provider {name} --free")


def test_routes_commands_return_the_route_as_it_was_written(run: Softix, read: Read) -> None:
    made = read("routes set best = one/llama weight 3, two/llama weight 1 --retries 2 --first-byte-timeout 20s")
    assert made["name"] == "best" and made["retries"] == 2 and made["first_byte_ms"] == 20_000
    assert [(target["target"], target["weight"], target["tier"]) for target in made["targets"]] == [
        ("one/llama", 3, 1),
        ("two/llama", 1, 1),
    ]
    run("routes set best one/llama, then two/llama concurrency 4 idle 500ms --no-sticky --first-byte-timeout none")
    [listed] = read("routes list")
    assert listed["written"] == "one/llama, then two/llama concurrency 4 idle 500ms"
    assert listed["first_byte_ms"] is None and listed["sticky"] is False
    assert read("routes show best")["id"] == made["id"]
    assert read("routes disable best")["status"] == "disabled"
    assert read("routes enable best")["status"] == "active"
    assert read("routes remove best --yes")["status"] == "removed"
    assert "no route" in run("routes show best", code=1).output


def test_routes_explain_lists_each_candidate_with_its_reason(run: Softix, read: Read) -> None:
    run("routes set best one/llama, then two/llama")
    found = read("routes explain --model best --user ada")
    assert [(row["target"], row["taken"], row["reason"], row["place"]) for row in found] == [
        ("one/llama", True, None, 1),
        ("two/llama", False, "region", None),
    ]
    assert "two/llama" in run("routes explain --model llama --user ada").output
    assert read("routes health") == []


def test_routes_set_with_bad_input_exits_with_one_line(run: Softix) -> None:
    for line in ("routes set best", "routes set best one/llama weight x", "routes set best one/llama --idle-timeout x"):
        result = run(line, code=2)
        assert "Traceback" not in result.output and result.output.startswith("softix: ")
