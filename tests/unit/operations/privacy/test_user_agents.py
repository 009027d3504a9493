from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from softix_proxy.domain.privacy.technical_data import UNKNOWN, Agent
from softix_proxy.operations.privacy import user_agents
from softix_proxy.operations.privacy.user_agents import OTHER, agent_of, program_of

CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.6778.86 Safari/537.36"
SAFARI = (
    "Mozilla/5.0 ({0}; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"
    " Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("", UNKNOWN),
        (CHROME.format("X11; Linux x86_64"), Agent("Chrome", "131.0", "Linux")),
        (CHROME.format("Windows NT 10.0; Win64; x64"), Agent("Chrome", "131.0", "Windows")),
        (CHROME.format("X11; CrOS x86_64 14541.0.0"), Agent("Chrome", "131.0", "ChromeOS")),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0",
            Agent("Firefox", "133.0", "macOS"),
        ),
        (SAFARI.format("iPhone"), Agent("Safari", "17.5", "iPhone")),
        (SAFARI.format("iPad"), Agent("Safari", "17.5", "iPad")),
        ("OpenAI/Python 1.54.0", Agent("OpenAI Python SDK", "1.54.0", "")),
        ("AsyncOpenAI/Python 1.54.0", Agent("OpenAI Python SDK", "1.54.0", "")),
        ("OpenAI/JS 4.73.1", Agent("OpenAI JavaScript SDK", "4.73.1", "")),
        ("Anthropic/Python 0.39.0", Agent("Anthropic Python SDK", "0.39.0", "")),
        ("claude-cli/2.0.14 (external, cli)", Agent("Claude Code", "2.0.14", "")),
        ("codex_cli_rs/0.46.0 (Mac OS 15.0.1; arm64) Apple_Terminal/455", Agent("Codex", "0.46.0", "")),
        ("google-genai-sdk/1.2.0 gl-python/3.11.7", Agent("Google Gen AI SDK", "1.2.0", "")),
        ("python-httpx/0.27.2", Agent("HTTPX", "0.27.2", "")),
        ("curl/8.1.2", Agent("curl", "8.1.2", "")),
        ("axios/1.6.0", Agent("Axios", "1.6", "")),
        ("Python/3.11 aiohttp/3.9.1", Agent("aiohttp", "3.9", "")),
    ],
)
async def test_program_is_read_as_family_version_and_device(text: str, agent: Agent) -> None:
    assert await agent_of(text) == agent
    assert await agent_of(text) == agent, "the second time as well"


@pytest.mark.parametrize(
    "template",
    [
        "{}",
        "{}/1.0",
        "{}bot/1.0",
        "Mozilla/5.0 (compatible; {}bot/2.1; +https://example.org/{})",
        "Mozilla/5.0 (Linux; Android 14; {} Build/UP1A) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36",
        "curl/8.1.2-{}",
        "OpenAI/Python {}",
        "claude-cli/1.{}.2",
        "Mozilla/5.0 (X11; {}) Gecko/20100101 Firefox/133.{}",
        "Dalvik/2.1.0 (Linux; U; Android 9; {} Build/{})",
    ],
)
async def test_nothing_that_a_client_wrote_passes_through(template: str) -> None:
    canary = f"canary{secrets.token_hex(8)}"
    read = await agent_of(template.replace("{}", canary))
    assert canary[:6] not in " ".join(read)


async def test_hostile_texts_are_read_in_a_bounded_time_as_other_programs() -> None:
    for text in ("(" * 8_000, "Mozilla/5.0 " * 700, "\ud800 \x00", "Chrome/" + "1" * 8_000, "a/" * 4_000):
        assert (await agent_of(text)).family in (OTHER, "Chrome")
        assert all(len(part) < 24 for part in await agent_of(text))


async def test_memory_of_texts_is_bounded_and_holds_digests_only() -> None:
    for number in range(1_100):
        await agent_of(f"curl/8.{number}")
    assert len(user_agents._known) <= 1_000
    assert all(len(digest) == 32 for digest in user_agents._known)


def test_sdk_is_found_without_the_library_of_browsers() -> None:
    code = (
        "import sys; from softix_proxy.operations.privacy.user_agents import program_of; "
        "assert program_of('OpenAI/Python 1.54.0').family == 'OpenAI Python SDK'; "
        "assert not [name for name in sys.modules if name.startswith('ua_parser')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert program_of("Mozilla/5.0") is None
