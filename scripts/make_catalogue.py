"""Makes softix_proxy/data/catalogue, the shipped price catalogue, from the package genai-prices (MIT).

    python scripts/make_catalogue.py --litellm WHEEL            write the catalogue as of today
    python scripts/make_catalogue.py --litellm WHEEL --check    fail if the files are not what the packages give

Prices come from genai-prices. Names that it knows by a pattern only, limits of tokens, and service tiers that it lacks
where both agree on the standard price, come from LiteLLM's list (MIT), read out of the wheel. softix never imports
either. What they get wrong or leave open is settled by the reviewed tables of scripts/catalogue/sections.toml, each row
with its source.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import genai_prices.data  # noqa: E402
from catalogue import package  # noqa: E402
from catalogue.litellm import Entry, LiteLLM  # noqa: E402
from catalogue.sections import Section, load  # noqa: E402
from genai_prices.types import ModelInfo, Provider  # noqa: E402

from softix_proxy.domain.pricing import PriceSheet  # noqa: E402
from softix_proxy.operations.models import NAME  # noqa: E402

TARGET = ROOT / "softix_proxy" / "data" / "catalogue"
PACKAGE = "genai-prices"
SOLD_WITHOUT_OUTPUT = re.compile("embed|moderation")
Row = dict[str, Any]


class Named(NamedTuple):
    """One name of a model, and who knows it."""

    section: Section
    name: str
    model: ModelInfo
    own: bool
    """The provider's own model, with its tiers; else one that it sells at its maker's standard price."""
    entry: Entry | None


def limits(section: Section, name: str, stated_context: int | None, entry: Entry | None) -> tuple[Any, Any]:
    """Context and most output tokens; None where nobody says."""
    context, most = next(((c, m) for pattern, c, m in section.limits if re.search(pattern, name)), (-1, -1))
    if context < 0:
        context = stated_context or (entry.limit("max_input_tokens") if entry else None)
    if most < 0:
        most = entry.limit("max_output_tokens") if entry and not section.limits else None
    if most is not None and context is not None:
        most = min(most, context)
    return context, most


def finished(section: Section, name: str, bands: list[Row]) -> Row:
    """With what the tables set right; a sheet as it is stored."""
    for override in section.overrides:
        if re.search(override["pattern"], name):
            for band in bands:
                band["prices"] = dict(sorted((band["prices"] | override["prices"]).items()))
    for band in bands:
        if "claude-" in name and "cache_write_5m" in band["prices"]:
            # 1-hour cache writes cost twice the input: https://platform.claude.com/docs/en/about-claude/pricing
            twice = format((2 * Decimal(band["prices"]["input"])).normalize(), "f")
            band["prices"] = dict(sorted(({"cache_write_1h": twice} | band["prices"]).items()))
    return {"bands": [*bands, *section.surcharged(name, bands)]}


def is_nothing(bands: Sequence[Row]) -> bool:
    return not any(Decimal(price) for band in bands for price in band["prices"].values())


def sheet(named: Named, context: int | None, day: date) -> Row | None:
    """None where there is no price, one of nothing that nobody states, or none for the answer."""
    if named.entry is not None and any(re.search(pattern, named.name) for pattern, _ in named.section.theirs):
        bands: list[Row] | None = named.entry.standard(context)
    else:
        bands = package.bands(named.model, day, context, tiers=named.own)
    if bands is None or (is_nothing(bands) and not named.name.endswith(":free")):
        return None
    if is_nothing(bands):
        return {"free": True}
    prices = bands[0]["prices"]
    if "input" in prices and "output" not in prices and not SOLD_WITHOUT_OUTPUT.search(named.name):
        return None
    if named.entry is not None:
        bands += named.entry.tiers(bands, context)
    made = finished(named.section, named.name, bands)
    PriceSheet.parse(made)
    return made


def row(named: Named, day: date) -> Row | None:
    context, most = limits(named.section, named.name, named.model.context_window, named.entry)
    now = sheet(named, context, day)
    if now is None:
        return None
    if "output" not in (now.get("bands") or [{"prices": {"output": ""}}])[0]["prices"] and most is None:
        most = 0 if SOLD_WITHOUT_OUTPUT.search(named.name) else None
    made = {"name": named.name, "context": context, "max_output": most, "sheet": now}
    later = []
    for start in package.starts(named.model, day):
        then = sheet(named, context, start)
        if then is not None and then != (later[-1]["sheet"] if later else now):
            later.append({"from": start.isoformat(), "sheet": then})
    return made | ({"later": later} if later else {})


def rows(section: Section, providers: dict[str, Provider], litellm: LiteLLM, day: date) -> Iterator[Row]:
    provider = providers[section.package]
    others = list(litellm.names(section))
    for name, model in package.names(section, provider, others):
        yield from _told(Named(section, name, model, True, litellm.find(section, name)), day)
    known = {name for name, _ in package.names(section, provider, others)}
    for name in sorted(set(others) - known):
        # A model that this provider sells at its maker's price; the tiers are the maker's own.
        model = provider.find_model(name, all_providers=list(providers.values()))
        if provider.fallback_model_providers and model and section.wants(name) and section.name == "azure":
            yield from _told(Named(section, name, model, False, litellm.find(section, name)), day)
    for name in section.free:
        context, most = limits(section, name, None, litellm.find(section, name))
        yield {"name": name, "context": context, "max_output": most, "sheet": {"free": True}}
    for addition in section.additions:
        made = {"bands": [{"prices": dict(sorted(addition["prices"].items()))}]}
        PriceSheet.parse(made)
        for name in addition["names"]:
            entry = litellm.find(section, name)
            context = entry.limit("max_input_tokens") if entry else None
            yield {"name": name, "context": context, "max_output": 0, "sheet": made}


def _told(named: Named, day: date) -> Iterator[Row]:
    made = row(named, day)
    if made is None or not NAME.fullmatch(named.name):
        print(f"left out, no price in units that are metered: {named.section.name} {named.name}", file=sys.stderr)
    else:
        yield made


def generate(litellm: LiteLLM, day: date) -> dict[str, str]:
    """File name → text, the same for the same day and packages: one model a line, sorted."""
    providers = {provider.id: provider for provider in genai_prices.data.providers}
    made, index = {}, {}
    for section in load():
        models = sorted(rows(section, providers, litellm, day), key=lambda row: row["name"])
        text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in models)
        made[f"{section.name}.jsonl"] = text
        index[section.name] = {"models": len(models), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    head = {
        "version": day.strftime("%Y.%m.%d"),
        "generated_on": day.isoformat(),
        "source": {
            "package": PACKAGE,
            "version": importlib.metadata.version(PACKAGE),
            "licence": "MIT",
            "sha256": hashlib.sha256(Path(str(genai_prices.data.__file__)).read_bytes()).hexdigest(),
        },
        "second_source": {"package": "litellm", "version": litellm.version, "sha256": litellm.sha256},
        "sections": index,
    }
    return {"index.json": json.dumps(head, indent=1) + "\n", **made}


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the shipped price catalogue.")
    parser.add_argument("--litellm", type=Path, required=True, help="LiteLLM's wheel: pip download --no-deps litellm")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("--on", type=date.fromisoformat, default=datetime.now(UTC).date(), help="prices as of this day")
    asked = parser.parse_args()
    litellm = LiteLLM(asked.litellm)
    if asked.check:
        made = json.loads((TARGET / "index.json").read_text("utf-8"))["generated_on"]
        wanted = generate(litellm, date.fromisoformat(made))
        present = {path.name: path.read_text("utf-8") for path in TARGET.iterdir()}
        print("the catalogue is what the packages give" if present == wanted else "it differs: run without --check")
        return 0 if present == wanted else 1
    TARGET.mkdir(exist_ok=True)
    for name, text in generate(litellm, asked.on).items():
        (TARGET / name).write_text(text, "utf-8")
        print(f"{name}: {text.count(chr(10))} lines, {len(text)} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
