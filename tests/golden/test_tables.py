"""How every table of the CLI looks in terminals of 80, 120 and 200 columns.

`tables/<module>.<table>.txt` holds the three, of rows whose values are as long as they get. After a change, and to be
read before it is kept:

python tests/golden/test_tables.py --update
"""

from __future__ import annotations

import importlib
import io
import pkgutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

import softix_proxy.cli
from softix_proxy.cli.console.tables import TableLayout, fitting, grid, lines, plain
from softix_proxy.cli.metering.usage_summary import picture
from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.operations.metering.usage import UsageSummary

HERE = Path(__file__).parent / "tables"
WIDTHS = (80, 120, 200)
INSTANT = "2026-11-30T08:01:31.123456Z"
PRICES = {"input": "0.25", "cached_input": "0.125", "output": "10", "reasoning": "10", "web_search": "0.01"}
LONG: Mapping[str, Any] = {
    "for": "user",
    "default": True,
    "default_of": ["usr_0704k8z7g00000", "usr_0704k8z7g00001"],
    "limits": [{"model": "openai/*", "rpm": 60, "tpm": None, "spend": [{"period": "month", "amount": "123456.78"}]}],
    "enabled": False,
    "notices": "Most requests of a key end with errors of the provider, and those of other keys do not.",
    "text": "The key spent 12345.67 US dollars in this hour. At this hour of the week it usually spends at most 0.50.",
    "thresholds": [{"name": "others_percent", "value": 20, "unit": "percent of others' requests"}],
    "effect": "unchanged",
    "section": "credit_limits",
    "fields": "rpm 60 → 120, models gpt-5, claude-* → gpt-5, claude-*, meta-llama/llama-4-maverick-17b-128e-instruct",
    "key": "sx_live_AbCdEfGhIjKlMnOpQrStUvWxYz0123456",
    "line": 2_000,
    "action": "organisations.cancel-invitation",
    "active_keys": 12_345,
    "address": "2001:db8:85a3:8d3:1319:8a2e:370:7348",
    "device": "ChromeOS",
    "family": "OpenAI JavaScript SDK",
    "tls": "TLSv1.3",
    "age_s": 86_400,
    "actor": "acc_0704k8z7g00000",
    "actor_kind": "os-user",
    "channel": "portal",
    "defined_by": "configuration",
    "last_used_on": "2026-11-30",
    "operations": ["mail.retry", "organisations.cancel-invitation", "organisations.invite"],
    "outcome": "refused",
    "permission": "organisations.write",
    "permissions": ["keys.revoke", "organisations.read", "organisations.write", "users.read"],
    "at": INSTANT,
    "attempts": 12,
    "credit": "123456.78",
    "display_name": "Augusta Ada King, Countess of Lovelace",
    "disputed": "123456.78",
    "intent": "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "keys": 12_345,
    "label": "the phone in the office",
    "key_prefix": "sx_live_AbCdEf",
    "limit": "requests_per_minute",
    "left": "1234.567890123456",
    "members": 1_234,
    "mode": "test",
    "owners": 12,
    "paid": "123456.78",
    "payment": "pay_0704k8z7g00000",
    "percent": 100,
    "project": "prj_0704k8z7g00000",
    "refunded": "123456.78",
    "since": INSTANT,
    "spent": "1234.567890123456",
    "stripe": "123456.78",
    "above": 200_000,
    "account": "liabilities:prepaid",
    "added": "1234.567890123456",
    "after": "1234.567890123456",
    "amount": "-1234.567890123456",
    "asks": 12_345,
    "attempt": 2,
    "balance": "1234.567890123456",
    "base_url": "https://europe-west4.example.org/v1beta",
    "batch": "batch_68f2a0c4d1b88190a3f0d2c1b4e5f607",
    "before": "1234.567890123456",
    "bill": "1234.567890123456",
    "breaker": "half-open",
    "booked_at": INSTANT,
    "cap": "1234567.89",
    "change": "+12.5%",
    "charge": "1234.567890123456",
    "check": "database",
    "context": 1_048_576,
    "correction_row_id": 1796025691123456,
    "cost": "1234.567890123456",
    "currency": "USD",
    "day": "2026-11-30",
    "detail": "the sum of the entries is not what the wallet says, by 0.000000000001 of US dollars",
    "difference": "-1234.567890123456",
    "drop_fields": ["stream_options", "parallel_tool_calls"],
    "due": "12345.67",
    "ended_in": "the last minute",
    "endpoint": "stream_generate_content",
    "email": "augusta.ada.king@analytical-engines.example.org",
    "error": "provider_unreachable",
    "error_rate": "12.3%",
    "errors": 1_234,
    "event": "evt_0704k8z7g00000",
    "events": ["balance.low", "cap.reached", "period.closed"],
    "expected": "0.000123456789",
    "explained": "12 requests that the provider does not know, 3 at another price, 1 in another month",
    "failed": 1_234,
    "failures": 1_234,
    "factor": "12.345",
    "format": "quickbooks",
    "free": False,
    "from": INSTANT,
    "has_key": True,
    "held": "1234.567890123456",
    "id": "usr_0704k8z7g00000",
    "in_flight": 123,
    "input_tokens": 123_456_789,
    "issued_on": "2026-11-30",
    "kind": "credit note",
    "last_error": "provider_overloaded",
    "last_request_id": "req_070rk08e80000",
    "latency_ms": 123_456,
    "markup": "12.5%",
    "max_output": 128_000,
    "missing": "1234.567890123456",
    "model": "meta-llama/llama-4-maverick-17b-128e-instruct",
    "member": "documents",
    "message": "three models have no price, so that whoever asks for one of them is refused",
    "name": "analytical-engines",
    "net": "12345.67",
    "new": "0.0000125",
    "note": "invoice 17 of November, paid by bank transfer from Vienna",
    "number": "INV-2026-00017",
    "of": "1234567.89",
    "old": "0.00001",
    "on_hang_up": "cancel",
    "open_requests": 10_000,
    "output_tokens": 12_345_678,
    "paid_in": "12345.67",
    "period": "2026-11",
    "place": "pricing/openai.md, line 120",
    "prefix": "sx_live_AbCdEf",
    "price": "cache_write_5m",
    "priced": True,
    "prices": PRICES,
    "provider": "openai-europe",
    "provider_key": "production",
    "provider_cost": "1234.567890123456",
    "provider_cost_after": "1234.567890123456",
    "provider_cost_before": "1234.567890123456",
    "provider_cost_difference": "-1234.567890123456",
    "provider_type": "openai-compatible",
    "reason": "it answers in too many cases with an error, and is asked again in 25 s",
    "reference": "pay-2026-11-30-000017",
    "region": "eu",
    "remedy": "softix prices missing shows them; price one with softix prices set MODEL --input 0.15 --output 0.60",
    "request_fee": "0.0001",
    "request_id": "req_070rk08e80000",
    "requests": 1_234_567,
    "result": "differs",
    "retries": 2,
    "role": "owner-operator",
    "rows": 12_345_678,
    "rule": "wallet_equals_entries",
    "scope": "user and model",
    "severity": "warning",
    "sha256": "0f" * 32,
    "softix": "1234.567890123456",
    "source": "catalogue",
    "state": "in force",
    "status": "disabled",
    "status_code": 200,
    "sticky": True,
    "stream": True,
    "subject": "usr_0704k8z7g00000",
    "taken": True,
    "target": "openai-europe/gpt-5.2-2026-10-01",
    "tax": "1234.56",
    "tier": "priority",
    "times": 12_345,
    "to": INSTANT,
    "total": "12345.67",
    "ttfb_ms": 12_345,
    "type": "openai-compatible",
    "uncharged": "1234.567890123456",
    "url": "https://hooks.analytical-engines.example.org/softix",
    "user": "analytical-engines",
    "user_id": "usr_0704k8z7g00000",
    "user_name": "analytical-engines",
    "value": "/var/lib/softix/instances/production/softix.db",
    "version": 1_234,
    "waiting": 1_234,
    "weight": 100,
    "why": "Prices of a day are kept, so that each row can be worked out again later.",
    "what": "100,000 tokens of input of which half are cached, and 1,000 of output",
    "works": "✓",
    "written": ["openai-europe/gpt-5.2 × 3", "azure-europe/gpt-5.2 × 1", "then openrouter/openai/gpt-5.2"],
    "zone": "Europe/Vienna",
}
SHORT: Mapping[str, Any] = {
    **dict.fromkeys(LONG),
    "id": "usr_1",
    "model": "m",
    "name": "ada",
    "user": "ada",
    "user_name": "ada",
    "provider": "lab",
    "request_id": "req_070rk08e80001",
    "amount": "25.00",
    "balance": "0.00",
    "charge": "0.00",
    "for": "key",
    "default": False,
    "default_of": [],
    "limits": [],
}


def tables() -> dict[str, TableLayout]:
    """`<module>.<name>` → each table that a command declares."""
    found: dict[str, TableLayout] = {}
    for module in pkgutil.walk_packages(softix_proxy.cli.__path__, "softix_proxy.cli."):
        declared = vars(importlib.import_module(module.name))
        names = ((name.strip("_").lower(), value) for name, value in declared.items())
        found |= {
            f"{module.name.rpartition('.')[2]}.{name}": value for name, value in names if isinstance(value, TableLayout)
        }
    return found


def value_of(column: str) -> tuple[Any, Any]:
    if column.endswith("_at"):
        return INSTANT, "2026-11-30T08:01:31.000000Z"
    return LONG[column], SHORT[column]


def drawn(table: TableLayout, width: int) -> str:
    """What a terminal of this width shows of a long and a short row."""
    both = {column: value_of(column) for column in table.columns}
    rows = [{column: values[number] for column, values in both.items()} for number in (0, 1)]
    columns = fitting(table, rows, width)
    if not columns:
        return "\n\n".join("\n".join(lines(row)) for row in rows)
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(grid(table, rows, columns))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def summary_drawn(width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    first = parse_instant("2026-10-01") // DAY_US
    whole = parse_usd("123456.789")
    names = ("meta-llama/llama-4-maverick-17b-128e-instruct", "gpt-5.2")
    totals = [UsageTotal(name, name, 1_234_567, 12, 123_456_789_000, 2_345_678_000, whole, whole) for name in names]
    days = [UsageTotal(f"2026-10-0{day}", f"2026-10-0{day}", day, 1, 10, 20, day, day * whole) for day in (1, 2, 3)]
    trends = {name: {first + number: day for number, day in enumerate(days)} for name in names}
    monkeypatch.setenv("COLUMNS", str(width))
    picture(UsageSummary("model", "UTC", first, first + 31, totals, days, trends))
    return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())


def compared(name: str, made: Mapping[int, str]) -> None:
    text = "".join(f"--- {width} columns\n{shown.strip(chr(10))}\n" for width, shown in made.items())
    path = HERE / f"{name}.txt"
    if "--update" in sys.argv:
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text, f"{path.name} is out of date: read what changed, then run with --update"


@pytest.mark.parametrize("name", sorted(tables()))
def test_table_at_three_widths_is_as_recorded(name: str) -> None:
    compared(name, {width: drawn(tables()[name], width) for width in WIDTHS})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", sorted(tables()))
def test_table_at_each_width_cuts_no_value_and_fits_the_width(name: str, width: int) -> None:
    table = tables()[name]
    shown = drawn(table, width)
    rows = [{column: value_of(column)[0] for column in table.columns}]
    kept = fitting(table, rows, width) or table.columns
    if fitting(table, rows, width):
        assert max(cell_len(line) for line in shown.splitlines()) <= width
    for column in kept:
        text = plain(rows[0][column])
        words = text.split() if column in table.prose else [text[:19] if text == INSTANT else text]
        assert all(word in shown for word in words if len(word) <= 24 or column not in table.prose), (column, shown)


def test_summary_at_three_widths_is_as_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {width: summary_drawn(width, monkeypatch, capsys) for width in WIDTHS}
    for width, shown in made.items():
        assert max(map(cell_len, shown.splitlines())) <= width
        assert "meta-llama/llama-4-maverick-17b-128e-instruct" in shown and "$740,740.73" in shown and "…" not in shown
    compared("usage_summary.picture", made)


def test_recorded_tables_have_no_leftover_files() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == {*tables(), "usage_summary.picture"}


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    raise SystemExit(pytest.main([__file__, "-n", "0", "-k", "recorded"]))
