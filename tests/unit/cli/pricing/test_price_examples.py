from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result

from softix_proxy.operations.pricing import price_examples

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_prices_check_with_the_shipped_prices_agrees_with_every_example(run: Softix, read: Read) -> None:
    done = run("prices check")
    assert "0 wrong" in done.stderr and done.stdout.startswith("result\tprovider_type\t")
    told = read("prices check --provider groq")
    assert {one["provider_type"] for one in told} == {"groq"} and {one["result"] for one in told} == {"agrees"}
    assert all(one["source"].startswith("https://") and one["expected"] for one in told)
    assert read("prices check --provider none") == []


def test_prices_check_with_a_wrong_price_exits_with_code_1(run: Softix, monkeypatch: pytest.MonkeyPatch) -> None:
    example = price_examples.load()[0]
    monkeypatch.setattr(price_examples, "load", lambda: [replace(example, usd_pico=1)])
    done = run("prices check", code=1)
    assert done.stdout.splitlines()[1].startswith("wrong\t") and "softix prices import --catalog" in done.stderr
