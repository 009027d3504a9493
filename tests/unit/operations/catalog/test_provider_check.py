from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.provider import FakeProvider, told

from softix_proxy import assembly
from softix_proxy.assembly import Instance
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.catalog import models, provider_check, providers
from softix_proxy.operations.catalog.provider_check import ProviderCheck
from softix_proxy.upstream.probe import fetch

KEY = f"sk-{secrets.token_hex(16)}"
WHAT = ["models", "plain", "stream", "tools", "usage", "fields"]


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Instance]:
    for name in ("SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    settings = assembly.read_settings(None, tmp_path / "softix")
    await assembly.initialise(settings)
    async with assembly.open_instance(settings) as opened:
        yield opened


async def tried(opened: Instance, kind: str, url: str, model: str | None = "gpt-test") -> ProviderCheck:
    vault = await opened.vault()
    await providers.add(opened.storage, vault, name="lab", kind=ProviderType(kind), base_url=url, key=KEY)
    async with assembly.reaching(opened, vault) as upstream:
        return await provider_check.run(opened.storage, vault, upstream, partial(fetch), "lab", model)


def works(trial: ProviderCheck) -> dict[str, bool | None]:
    assert KEY not in repr(trial)
    return {check.what: check.ok for check in trial.checks}


@pytest.mark.parametrize("kind", ["openai", "openai-compatible", "mistral", "anthropic"])
async def test_provider_check_of_a_working_provider_passes_each_check(
    opened: Instance, fake_provider: FakeProvider, kind: str
) -> None:
    trial = await tried(opened, kind, fake_provider.base_url)
    told = works(trial)
    if kind == "mistral":  # the fake tells usage in streams only to who asks
        assert told.pop("usage") is False
    if kind == "anthropic":
        assert told.pop("fields") is None
    assert trial.ok and all(told.values()) and set(told) <= set(WHAT) and trial.refused_fields == ()
    asked = [request for request in await fake_provider.requests() if request["method"] == "POST"]
    assert len(asked) == (3 if kind == "anthropic" else 4)
    limits = [
        {**request["fields"]}.get("max_tokens", request["fields"].get("max_completion_tokens")) for request in asked
    ]
    assert limits == [64, 64, 512, 64][: len(asked)]


async def test_provider_check_of_gemini_passes_except_for_tools(opened: Instance, fake_provider: FakeProvider) -> None:
    trial = await tried(opened, "gemini", fake_provider.base_url)
    told = works(trial)
    assert (told["plain"], told["stream"], told["usage"]) == (True, True, True)
    assert told["tools"] is False, "the fake calls none in this dialect"
    paths = [request["path"] for request in await fake_provider.requests() if request["method"] == "POST"]
    assert [path.rpartition(":")[2] for path in paths] == [
        "generateContent",
        "streamGenerateContent",
        "generateContent",
    ]


async def test_provider_check_after_a_failed_plain_answer_tries_nothing_else(
    opened: Instance, fake_provider: FakeProvider
) -> None:
    await fake_provider.script(told(status=401, canary="canary-of-an-error"))
    trial = await tried(opened, "openai-compatible", fake_provider.base_url)
    assert not trial.ok and trial.remedy
    assert works(trial) == {**dict.fromkeys(WHAT), "models": True, "plain": False}
    assert "canary" not in repr(trial) and "401" in trial.checks[1].detail


@pytest.mark.parametrize(
    ("directive", "failed"),
    [({"error_after": 2}, "stream"), ({"cut_after": 2}, "stream"), ({"no_usage": True}, "usage")],
)
async def test_provider_check_with_one_failing_feature_reports_it(
    opened: Instance, fake_provider: FakeProvider, directive: dict[str, Any], failed: str
) -> None:
    await fake_provider.script("", told(**directive), "")
    trial = await tried(opened, "openai-compatible", fake_provider.base_url)
    assert trial.ok and works(trial)[failed] is False


@pytest.mark.parametrize(
    ("refuses", "found"),
    [
        ("stream_options", ("stream_options",)),
        ("seed/parallel_tool_calls/stream_options/user", ("stream_options", "parallel_tool_calls", "seed", "user")),
    ],
)
async def test_provider_check_with_refused_fields_finds_them_and_goes_on_without_them(
    opened: Instance, fake_provider: FakeProvider, refuses: str, found: tuple[str, ...]
) -> None:
    trial = await tried(opened, "openai-compatible", fake_provider.base_url, f"fake.refuses.{refuses}:x")
    told = works(trial)
    assert (told["plain"], told["stream"], told["tools"], told["fields"]) == (True, True, True, False)
    assert trial.refused_fields == found and set(trial.checks[5].detail.replace(",", "").split()) >= set(found)
    assert trial.remedy == "softix providers update lab" + "".join(f" --drop-field {name}" for name in found)


@pytest.mark.parametrize("refuses", ["max_tokens", "messages", "model"])
async def test_provider_check_with_a_required_field_refused_fails(
    opened: Instance, fake_provider: FakeProvider, refuses: str
) -> None:
    trial = await tried(opened, "openai-compatible", fake_provider.base_url, f"fake.refuses.{refuses}:x")
    assert not trial.ok and trial.refused_fields == () and "422" in trial.checks[1].detail
    assert len([seen for seen in await fake_provider.requests() if seen["method"] == "POST"]) == 1


async def test_provider_check_of_an_unreachable_provider_fails(opened: Instance) -> None:
    trial = await tried(opened, "openai-compatible", "http://127.0.0.1:9")
    assert works(trial) == {**dict.fromkeys(WHAT), "models": False, "plain": False}
    assert "cannot be reached" in trial.checks[0].detail


async def test_provider_check_without_a_model_takes_the_cheapest_listed_text_model(
    opened: Instance, fake_provider: FakeProvider
) -> None:
    vault, url = await opened.vault(), fake_provider.base_url
    await providers.add(opened.storage, vault, name="lab", kind=ProviderType.VLLM, base_url=url)
    prices = {
        "dear": ("gpt-test", {"input": "2", "output": "4"}),
        "cheap": ("claude-test", {"input": "1", "output": "2"}),
        "speech": ("gpt-test", {"input": "0.1", "output": "0.1", "audio_output": "1"}),
        "embedding": ("gpt-test", {"input": "0.1"}),
        "unlisted": ("gone", {"input": "0.1", "output": "0.1"}),
    }
    for name, (there, price) in prices.items():
        sheet = PriceSheet.parse({"bands": [{"prices": price}]})
        await models.add(opened.storage, name=name, provider="lab", upstream_name=there, sheet=sheet)
    async with assembly.reaching(opened, vault) as upstream:
        run = partial(provider_check.run, opened.storage, vault, upstream, partial(fetch), "lab")
        assert (await run()).model == "claude-test"
        assert (await run("lab/dear")).model == "gpt-test"


async def test_provider_check_with_a_free_model_prefers_a_priced_text_model(
    opened: Instance, fake_provider: FakeProvider
) -> None:
    """OpenAI lists its moderation, which is free and writes no text."""
    vault, url = await opened.vault(), fake_provider.base_url
    await providers.add(opened.storage, vault, name="lab", kind=ProviderType.VLLM, base_url=url)
    add = partial(models.add, opened.storage, provider="lab")
    await add(name="moderation", upstream_name="gpt-test", sheet=PriceSheet.parse({"free": True}))
    async with assembly.reaching(opened, vault) as upstream:
        run = partial(provider_check.run, opened.storage, vault, upstream, partial(fetch), "lab")
        assert (await run()).model == "gpt-test"
        priced = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]})
        await add(name="chat", upstream_name="claude-test", sheet=priced)
        assert (await run()).model == "claude-test"


async def test_provider_check_without_any_model_fails_with_a_remedy(opened: Instance) -> None:
    vault = await opened.vault()
    await providers.add(opened.storage, vault, name="lab", kind=ProviderType.PERPLEXITY, key=KEY)
    async with assembly.reaching(opened, vault) as upstream:
        trial = await provider_check.run(opened.storage, vault, upstream, partial(fetch), "lab")
        assert (trial.ok, trial.model) == (False, None) and "--model" in trial.remedy
        await providers.add(opened.storage, vault, name="demo", kind=ProviderType.DEMO)
        with pytest.raises(ConflictError, match="inside the daemon"):
            await provider_check.run(opened.storage, vault, upstream, partial(fetch), "demo")
