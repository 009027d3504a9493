from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result
from support.books import make_intent, make_settlement, post
from support.process import environment

from softix_proxy.domain.core.clock import DAY_US, format_instant, parse_instant
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.storage.sqlite.core.database import Database

Softix = Callable[..., Result]
Read = Callable[[str], Any]
NOW_US = parse_instant("2026-11-25T12:00:00Z")
YESTERDAY, TODAY, TOMORROW = (str(format_instant(NOW_US + days * DAY_US))[:10] for days in (-1, 0, 1))
PERIOD = f"--from {YESTERDAY} --to {TOMORROW}"


def test_usage_list_with_filters_returns_the_matching_rows(database: Database, run: Softix, read: Read) -> None:
    assert [row["request_id"] for row in read("usage list")] == [format_request_id(2), format_request_id(1)]
    [row] = read("usage list --user ada@example.org --model llama --errors --limit 5")
    assert (row["status_code"], row["error"], row["charge"]) == (502, "provider_broke_off", "0.00")
    lines = [line.split("\t") for line in run("usage list").stdout.splitlines()]
    assert lines[0][:4] == ["posted_at", "request_id", "user_name", "model"]
    assert lines[2][2:] == ["ada", "llama", "1000", "100", "0.0028", "200", "-"]
    assert "no user" in run("usage list --user eve", code=1).stderr
    assert "the period is empty" in run(f"usage list --from {TODAY} --to {TODAY}", code=2).stderr


def test_usage_summary_by_model_contains_the_model_and_its_charge(database: Database, run: Softix, read: Read) -> None:
    told = read(f"usage summary --by model {PERIOD}")
    assert "llama" in json.dumps(told) and "0.0028" in json.dumps(told)
    assert "lab/llama" in run(f"usage summary --by model {PERIOD}").stdout


def test_usage_summary_with_html_writes_an_escaped_page(
    database: Database, run: Softix, read: Read, tmp_path: Path
) -> None:
    connection = database.connect()
    connection.execute("UPDATE users SET name = '<script>alert(1)</script>'")
    connection.execute("UPDATE keys SET label = '<b>'")
    connection.close()
    page = tmp_path / "october.html"
    assert str(page) in run(f"usage summary {PERIOD} --html {page}").stderr
    text = page.read_text()
    assert "lab/llama" in text and "$0.0028" in text and "charged 0.0028," in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text and "&lt;b&gt;" in text
    assert "<script" not in text and "<b>x" not in text and text.endswith("</html>\n")
    assert "exists" in run(f"usage summary {PERIOD} --html {page}", code=1).stderr
    assert read(f"usage summary {PERIOD} --html {page} --force") == {"html": str(page)}
    assert "whole days" in run(f"usage summary --from {TODAY}T12:00:00Z --html {tmp_path}/x.html", code=2).stderr
    assert not (tmp_path / "x.html").exists()


def test_usage_show_of_a_charged_request_prints_each_price_line(database: Database, run: Softix, read: Read) -> None:
    told = read(f"usage show {format_request_id(1)}")
    assert (told["charge"], told["lines_charge"], told["price_version"]) == ("0.0028", "0.0028", 1)
    assert told["lines"][0] == {
        "meter": "input_tokens",
        "quantity": 1000,
        "unit_price": "2.00",
        "per": 1_000_000,
        "provider_cost": "0.002",
        "charge": "0.002",
    }
    shown = run(f"usage show {format_request_id(1)}").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "input_tokens 1,000 × 2.00 / 1,000,000 × 1 = 0.002" in lines
    assert lines[-1] == "sum: 0.0028 USD"
    assert "× 2.00" not in run(f"usage show {format_request_id(2)}").stdout
    assert "not a request id" in run("usage show 17", code=2).stderr


def test_usage_tail_prints_the_latest_rows(database: Database, run: Softix) -> None:
    first, second = run("usage tail").stdout.splitlines()
    assert format_request_id(1) in first and "1000→100" in first and "$0.0028" in first
    assert second.endswith("provider_broke_off")
    told = [json.loads(line) for line in run("usage tail -n 1 --json").stdout.splitlines()]
    assert [row["request_id"] for row in told] == [format_request_id(2)]


def test_usage_tail_with_follow_prints_new_rows_until_interrupted(database: Database, instance: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "softix_proxy", "--data-dir", str(instance), "usage", "tail", "--follow"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(2)]
    connection = database.connect()
    post(connection, [make_settlement(make_intent(3, 0))], NOW_US + 1_000_000)
    connection.close()
    seen.append(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert [format_request_id(number) in line for number, line in enumerate(seen, 1)] == [True] * 3
    assert "Traceback" not in errors


def test_usage_tail_with_filters_shows_and_follows_only_matching_rows(database: Database, instance: Path) -> None:
    filters = ("--user", "ada", "--model", "lab/llama", "--errors", "--status", "5xx")
    process = subprocess.Popen(
        [sys.executable, "-m", "softix_proxy", "--data-dir", str(instance), "usage", "tail", "-f", "--json", *filters],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    seen = [json.loads(process.stdout.readline())]
    connection = database.connect()
    failed = {"error": "provider_overloaded", "status_code": 503}
    settlements = [make_settlement(make_intent(3, 0)), make_settlement(make_intent(4, 0), charge_pico=0, **failed)]
    post(connection, settlements, NOW_US + 1_000_000)
    connection.close()
    seen.append(json.loads(process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert [row["request_id"] for row in seen] == [format_request_id(2), format_request_id(4)]
    assert (process.returncode, errors) == (0, "")


def test_usage_tail_with_an_unknown_name_or_status_is_refused(database: Database, run: Softix) -> None:
    assert "no user" in run("usage tail --user eve", code=1).stderr
    assert "no key" in run("usage tail --follow --key eve", code=1).stderr
    assert "no model" in run("usage tail --model eve", code=1).stderr
    assert "5xx" in run("usage tail --status 5x", code=2).stderr
    assert run("usage tail --status 404").stdout == ""


def test_usage_list_with_a_status_returns_the_matching_rows(database: Database, read: Read) -> None:
    assert [row["request_id"] for row in read("usage list --status 502 --status 4xx")] == [format_request_id(2)]
