"""The rows of the table: what is measured, how, and the bar that softix is to meet."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.proxies import BEFORE, Proxy, Stand
from bench.technical import technical

ROUNDS = 3
SHORT_ROUNDS = 9
"""Where one takes a second or two."""


@dataclass(frozen=True)
class Cell:
    what: str
    value: str
    bar: str = ""
    met: bool | None = None


Row = Callable[[Stand, "Options"], list[Cell]]


@dataclass(frozen=True)
class Options:
    requests: int
    stored_rows: int
    stored_keys: int


def load(url: str, key: str, **told: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", json.dumps({"url": url, "key": key, **told})]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def first(proxy: Proxy) -> None:
    """One request, without the start of a load generator."""
    headers = {"authorization": f"Bearer {proxy.key}", "content-type": "application/json"}
    body = json.dumps({"model": "gpt-bench", "max_tokens": 100, "messages": []}).encode()
    request = urllib.request.Request(f"{proxy.url}/v1/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def _proxies(stand: Stand) -> list[Proxy]:
    return [proxy for proxy in (stand.bare(), stand.softix(), stand.before(), stand.nginx()) if proxy is not None]


def _cpu_us(proxy: Proxy, units: int, **told: Any) -> float:
    before_s = proxy.cpu_s()
    found = load(proxy.url, proxy.key, headers=proxy.headers, **told)
    assert not found["bad"], f"{proxy.name}: {found['bad']} bad answers"
    return (proxy.cpu_s() - before_s) / units * 1e6


def compared(proxies: list[Proxy], units: int, rounds: int = ROUNDS, **told: Any) -> dict[str, list[float]]:
    """CPU in µs a unit, a value for each round; rounds are interleaved, since machines are noisy."""
    found: dict[str, list[float]] = {proxy.name: [] for proxy in proxies}
    for number in range(rounds + 1):
        for proxy in proxies:
            value = _cpu_us(proxy, units, **told)
            if number:  # the first is to warm up
                found[proxy.name].append(value)
    return found


def ratio(found: dict[str, list[float]], one: str, other: str) -> float:
    return median(a / b for a, b in zip(found[one], found[other], strict=True))


def table(found: dict[str, list[float]], unit: str) -> list[Cell]:
    return [Cell(f"CPU {unit}, {name}", f"{median(values):.0f} µs") for name, values in found.items()]


def to_before(found: dict[str, list[float]], what: str, one: str = "softix", other: str = BEFORE) -> list[Cell]:
    """This checkout beside the earlier one, where one was given."""
    if other not in found:
        return []
    times = ratio(found, one, other)
    return [Cell(f"{what}: softix / softix before", f"{times:.3f} ×", "≤ 1.02 ×", times <= 1.02)]


def small(stand: Stand, options: Options) -> list[Cell]:
    """CPU for a small JSON request, the whole path, durable, at 32 connections."""
    told = {"mode": "closed", "requests": options.requests, "connections": 32}
    found = compared(_proxies(stand), options.requests, rounds=SHORT_ROUNDS, **told)
    to_bare = ratio(found, "softix", "bare aiohttp")
    cells = [*table(found, "a request"), Cell("softix / bare aiohttp", f"{to_bare:.2f} ×", "≤ 2 ×", to_bare <= 2)]
    cells += to_before(found, "a request")
    if "nginx" in found:
        cells.append(Cell("softix / nginx", f"{ratio(found, 'softix', 'nginx'):.1f} ×", "stretch ≤ 5 ×"))
    return cells


def latency(stand: Stand, options: Options) -> list[Cell]:
    """Latency added to the provider's own at 200 requests a second."""
    told = {"mode": "open", "rate": 200, "seconds": 5}
    softix, bare = stand.softix(), stand.bare()
    added: dict[str, list[tuple[float, float]]] = {"softix": [], "bare aiohttp": []}
    for number in range(ROUNDS + 1):
        direct = load(stand.provider_url, "none", **told)
        for proxy in (softix, bare):
            found = load(proxy.url, proxy.key, **told)
            if number:  # the first is to warm up
                added[proxy.name].append((found["p50_ms"] - direct["p50_ms"], found["p99_ms"] - direct["p99_ms"]))
    cells = []
    for name, values in added.items():
        p50, p99 = (median(column) for column in zip(*values, strict=True))
        met = (p50 <= 1.5 and p99 <= 3) if name == "softix" else None
        bar = "" if met is None else "≤ 1.5 / 3 ms"
        cells.append(Cell(f"added p50 / p99, {name}", f"{p50:.2f} / {p99:.2f} ms", bar, met))
    return cells


def streaming(stand: Stand, options: Options) -> list[Cell]:
    """CPU a chunk at 20 ms apart, and many streams without loss."""
    proxies = _proxies(stand)
    told = {"mode": "streams", "streams": 64, "chunks": 100, "every_ms": 20}
    found = compared(proxies, 64 * 100, rounds=SHORT_ROUNDS if stand.against else ROUNDS, **told)
    to_bare = ratio(found, "softix", "bare aiohttp")
    cells = [*table(found, "a chunk"), Cell("softix / bare aiohttp", f"{to_bare:.2f} ×", "≤ 1.5 ×", to_bare <= 1.5)]
    cells += to_before(found, "a chunk")
    if "nginx" in found:
        to_nginx = ratio(found, "softix", "nginx")
        cells.append(Cell("softix / nginx", f"{to_nginx:.2f} ×", "≤ 3 ×", to_nginx <= 3))
    for streams, chunks, every_ms in ((500, 250, 20), (2000, 50, 200)):
        cells += _many(stand, proxies, streams, chunks, every_ms)
    return cells


def _many(stand: Stand, proxies: list[Proxy], streams: int, chunks: int, every_ms: int) -> list[Cell]:
    many = {"mode": "streams", "streams": streams, "chunks": chunks, "every_ms": every_ms}
    lost: dict[str, int] = dict.fromkeys((proxy.name for proxy in proxies), 0)
    slower: dict[str, list[float]] = {proxy.name: [] for proxy in proxies}
    for _ in range(ROUNDS):
        direct = load(stand.provider_url, "none", **many)
        for proxy in proxies:
            through = load(proxy.url, proxy.key, **many)
            lost[proxy.name] += through["bad"]
            slower[proxy.name].append(through["p99_ms"] / direct["p99_ms"])
    cells = []
    for name, ratios in slower.items():
        what = f"{streams} streams at {1000 // every_ms}/s, {name}: lost · p99 / direct"
        told, met = f"{lost[name]} · {median(ratios):.3f}", lost[name] == 0 and median(ratios) <= 1.02
        cells.append(Cell(what, told, "0 · ≤ 1.02", met) if name == "softix" else Cell(what, told))
    return cells


def translate(stand: Stand, options: Options) -> list[Cell]:
    """A client of one dialect on a provider of another, against the same client's own: a request, and a chunk."""
    softix, cells = stand.softix(), []
    for unit, units, most, told in (
        ("a request", options.requests, 1.5, {"mode": "closed", "requests": options.requests, "connections": 32}),
        ("a chunk", 64 * 100, 2.0, {"mode": "streams", "streams": 64, "chunks": 100, "every_ms": 20}),
    ):
        found: dict[str, list[float]] = {"passed through": [], "translated": []}
        for number in range(ROUNDS + 1):
            for name, path in (("passed through", "/v1/chat/completions"), ("translated", "/v1/messages")):
                value = _cpu_us(softix, units, path=path, **told)
                if number:  # the first is to warm up
                    found[name].append(value)
        times = ratio(found, "translated", "passed through")
        cells += [
            *table(found, unit),
            Cell(f"{unit}: translated / passed", f"{times:.2f} ×", f"≤ {most} ×", times <= most),
        ]
    return cells


def start(stand: Stand, options: Options) -> list[Cell]:
    """Start to first served request, and memory."""
    softix, before = stand.softix(), stand.before()
    found: dict[str, list[float]] = {}
    for _ in range(SHORT_ROUNDS if before else ROUNDS):
        softix = _started(stand, softix, found)
        before = _started(stand, before, found) if before else None
    served_s = median(found["softix"])
    idle = softix.memory_mb()
    softix.forget_peak()
    load(softix.url, softix.key, mode="streams", streams=2000, chunks=50, every_ms=200)
    busy = softix.memory_mb("VmHWM")
    cells = [
        Cell("start to first served request", f"{served_s:.2f} s", "≤ 0.7 s", served_s <= 0.7),
        Cell("memory, idle", f"{idle:.0f} MB", "≤ 65 MB", idle <= 65),
        Cell("memory, 2,000 streams", f"{busy:.0f} MB", "≤ 130 MB", busy <= 130),
    ]
    if before is not None:
        cells += [*to_before(found, "start"), Cell("memory, idle, softix before", f"{before.memory_mb():.0f} MB")]
    return cells


def _started(stand: Stand, proxy: Proxy, found: dict[str, list[float]]) -> Proxy:
    """Ended and started again; notes the seconds until it has served a request."""
    proxy.process.terminate()
    proxy.process.wait()
    began_s = time.monotonic()
    proxy = stand.reopen(proxy)
    first(proxy)
    found.setdefault(proxy.name, []).append(time.monotonic() - began_s)
    return proxy


def large(stand: Stand, options: Options) -> list[Cell]:
    """Four bodies of 10 MB in flight."""
    softix, bare = stand.softix(), stand.bare()
    told = {"mode": "closed", "requests": 24, "connections": 4, "body_bytes": 10_000_000}
    idle = softix.memory_mb()
    softix.forget_peak()
    found = {proxy.name: _cpu_us(proxy, 24, **told) / 1000 for proxy in (bare, softix)}
    more = softix.memory_mb("VmHWM") - idle
    return [
        *(Cell(f"CPU a body, {name}", f"{value:.1f} ms") for name, value in found.items()),
        Cell("memory above idle", f"{more:.0f} MB", "≤ 120 MB", more <= 120),
    ]


def stored(stand: Stand, options: Options) -> list[Cell]:
    """Admission on a full database against an empty one; export and summary of what it holds."""
    from bench.stored import export_rows_per_s, fill, longest_commit_ms, summary_s

    empty, full = stand.softix(), stand.softix()
    place = full.data_dir
    assert place is not None
    full.process.terminate()
    full.process.wait()
    asyncio.run(fill(place, options.stored_rows, options.stored_keys))
    full = stand.reopen(full)
    empty.name, full.name = "empty", "full"
    found = compared([empty, full], options.requests, mode="closed", requests=options.requests, connections=32)
    to_empty = ratio(found, "full", "empty")
    longest_ms = longest_commit_ms(full.url)
    rate, cpu_rate = export_rows_per_s(place)
    summed_s = summary_s(place)
    size = f"{options.stored_rows:,} rows, {options.stored_keys:,} keys"
    return [
        *table(found, "a request"),
        Cell(f"{size} / empty", f"{to_empty:.2f} ×", "≤ 1.2 ×", to_empty <= 1.2),
        Cell("longest commit", f"{longest_ms:.1f} ms", "≤ 10 ms", longest_ms <= 10),
        Cell("CSV export", f"{rate:,.0f} rows/s", "≥ 200,000", rate >= 200_000),
        Cell("CSV export, on a core by itself", f"{cpu_rate:,.0f} rows/s"),
        Cell("a month's summary", f"{summed_s:.3f} s", "≤ 1 s", summed_s <= 1),
    ]


ROWS: dict[str, Row] = {
    row.__name__: row for row in (small, latency, streaming, translate, start, large, stored, technical)
}
