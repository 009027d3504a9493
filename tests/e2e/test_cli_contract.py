"""What scripts rely on: the names of commands and of JSON fields, through one story on a real instance."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Instance
from support.provider import FakeProvider
from support.wire import CHAT, MESSAGES, Route, post

KEY = {
    "id", "prefix", "user_id", "name", "status", "models", "allow_ip", "rpm", "tpm", "concurrency", "cap",
    "cap_period", "expires_at", "created_at",
}  # fmt: skip
PROVIDER = {"id", "name", "type", "base_url", "on_hang_up", "status", "has_key", "created_at", "drop_fields"}
BALANCE = {"user_id", "balance", "held", "available", "credit_limit", "currency"}
ROW = {
    "row_id", "posted_at", "usage_at", "request_id", "user_id", "user_name", "key_id", "key_prefix", "provider",
    "model", "model_served", "endpoint", "input_tokens", "cached_input_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "price_version", "provider_cost", "charge",
    "currency", "status_code", "latency_ms", "ttfb_ms", "usage_source",
}  # fmt: skip
TOTAL = {"requests", "errors", "input_tokens", "output_tokens", "provider_cost", "charge"}
FAR = ["--from", "2026-01-01", "--to", "2100-01-01"]


def has(found: Any, fields: set[str]) -> Any:
    """Everything named is there; more may be."""
    for each in found if isinstance(found, list) else [found]:
        assert fields <= each.keys(), fields - each.keys()
    assert found
    return found


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """One for all commands that are refused: none of them changes anything."""
    made = Instance(tmp_path_factory.mktemp("refused"))
    made.cli("init")
    return made


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Instance]:
    made = Instance(tmp_path)
    yield made
    await made.kill()


async def test_cli_story_from_init_to_export_has_the_promised_json_fields(
    instance: Instance, fake_provider: FakeProvider, tmp_path: Path
) -> None:
    softix = instance.cli
    has(softix("init"), {"data_dir", "database", "master_key", "made"})
    key = _people_and_keys(instance)
    _providers_and_models(instance, fake_provider.base_url)
    _balances(instance)
    async with instance.serving(), aiohttp.ClientSession() as session:
        asked = [await _ask(session, instance, key, route) for route in (CHAT, MESSAGES)]
    rows = has(softix("usage", "list"), ROW)
    assert {row["request_id"] for row in rows} == set(asked)
    has(softix("usage", "show", asked[0]), ROW | {"lines"})
    for by in ("user", "key", "model", "provider", "day"):
        summary = has(softix("usage", "summary", "--by", by, *FAR), {"by", "from", "to", "currency", "rows", "total"})
        has(summary["rows"], TOTAL)
        assert summary["total"]["requests"] == 2
    out = tmp_path / "usage.csv"
    exported = has(softix("usage", "export", *FAR, "--out", str(out)), {"out", "rows", "charge", "provider_cost"})
    with out.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0].keys() >= ROW and [line["request_id"] for line in lines] == asked
    assert exported["charge"] == summary["total"]["charge"]
    _after(instance)


def _people_and_keys(instance: Instance) -> str:
    softix = instance.cli
    user = has(
        softix("users", "create", "ada", "--email", "ada@example.org", "--role", "user"),
        {"id", "name", "email", "role", "status", "created_at"},
    )
    softix("users", "create", "bob", "--email", "bob@example.org", "--postpaid")
    assert {each["name"] for each in softix("users", "list")} == {"ada", "bob"}
    limits = [
        "--rpm",
        "60",
        "--tpm",
        "100000",
        "--concurrency",
        "4",
        "--cap",
        "20.00",
        "--cap-period",
        "month",
        "--expires",
        "30d",
    ]
    made = has(
        softix(
            "keys", "create", "--user", user["id"], "--name", "ci", "--models", "gpt-*,claude-*", *limits,
            "--allow-ip", "127.0.0.0/8",
        ),
        KEY | {"key"},
    )  # fmt: skip
    for reference in (made["id"], made["prefix"], "ci"):
        assert "key" not in has(softix("keys", "show", reference), KEY)
    for reference in ("ada", "ada@example.org", user["id"]):
        assert softix("users", "show", reference)["id"] == user["id"]
    has(softix("keys", "list", "--user", "ada"), KEY)
    assert softix("keys", "update", "ci", "--cap", "19.50")["cap"] == "19.50"
    return str(made["key"])


def _providers_and_models(instance: Instance, url: str) -> None:
    softix = instance.cli
    for name, kind, model in (("chat", "openai-compatible", "gpt-test"), ("talk", "anthropic", "claude-test")):
        has(softix("providers", "add", name, "--type", kind, "--base-url", url, "--key-stdin", stdin="sk-1"), PROVIDER)
        prices = [
            "--input",
            "0.15",
            "--output",
            "0.60",
            "--cached-input",
            "0.075",
            "--max-output",
            "4096",
            "--context",
            "100000",
        ]
        has(softix("models", "add", model, "--provider", name, *prices), {"name", "provider", "status", "prices"})
    assert {each["name"] for each in has(softix("providers", "list"), PROVIDER)} == {"chat", "talk"}
    has(softix("models", "show", "chat/gpt-test"), {"name", "provider", "upstream_name", "max_output", "context"})
    assert any(each["name"].startswith("claude-") for each in softix("models", "list")), "the shipped catalogue"
    has(softix("prices", "show", "gpt-test"), {"version", "prices"})
    has(softix("prices", "history", "gpt-test"), {"version", "state", "starts_at"})
    assert softix("prices", "missing") == []
    has(softix("prices", "markup", "--default", "7.5%"), {"version", "markup", "state"})
    assert softix("providers", "test", "chat")["ok"] is True


def _balances(instance: Instance) -> None:
    softix = instance.cli
    has(softix("balance", "add", "ada@example.org", "25.00", "--note", "invoice 7"), BALANCE)
    assert softix("balance", "set", "ada@example.org", "30.00")["difference"] == "5.00"
    assert softix("balance", "credit-limit", "ada@example.org", "10.00")["available"] == "40.00"
    assert has(softix("balance", "show", "ada"), BALANCE)["balance"] == "30.00"
    has(softix("balance", "history", "ada"), {"posted_at", "kind", "amount", "balance", "note"})


async def _ask(session: aiohttp.ClientSession, instance: Instance, key: str, route: Route) -> str:
    answered = await post(session, instance.url, route, {"authorization": f"Bearer {key}"})
    assert answered.status == 200, answered.body
    assert float(answered.headers["x-softix-cost-usd"]) > 0 and answered.headers["x-softix-overhead-ms"]
    return answered.headers["x-softix-request-id"]


def _after(instance: Instance) -> None:
    softix = instance.cli
    assert has(softix("ledger", "verify"), {"ok", "findings"})["ok"] is True
    rotated = has(softix("keys", "rotate", "ci", "--grace", "24h"), {"id", "key", "prefix", "user_id"})
    assert softix("keys", "revoke", rotated["id"], "--yes")["status"] == "revoked"
    assert softix("users", "disable", "bob")["status"] == "disabled"
    assert softix("users", "enable", "bob")["status"] == "active"
    assert softix("users", "update", "bob", "--email", "b@example.org")["email"] == "b@example.org"
    assert softix("models", "disable", "gpt-test")["status"] == "disabled"
    softix("providers", "set-key", "chat", "--key-stdin", stdin="sk-2")
    assert softix("providers", "disable", "chat")["status"] == "disabled"
    softix("providers", "remove", "chat", "--yes")
    report = has(softix("doctor", "--offline"), {"ok", "findings"})
    assert report["ok"] is True
    assert softix("config", "check")["ok"] is True
    assert softix("config", "show")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("keys create", 2),
        ("keys create --user nobody", 1),
        ("users create ada --email not-an-address", 2),
        ("balance add ada@example.org 1e3", 2),
        ("usage export --from 2026-11-01 --to 2026-10-01", 2),
        ("usage show req_0", 2),
        ("nonsense", 2),
    ],
)
def test_cli_failure_with_json_is_reported_on_standard_error_only(initialised: Instance, line: str, code: int) -> None:
    """On standard error; standard output stays empty."""
    done = initialised.run("--json", *line.split())
    assert (done.code, done.stdout) == (code, ""), done
    assert "Traceback" not in done.stderr and done.stderr.strip()
