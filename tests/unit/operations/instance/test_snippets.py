import ast
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.operations.instance.connect import CLIENTS, ClientAccess
from softix_proxy.operations.instance.snippets import (
    ADDRESS_PLACEHOLDER,
    KEY_PLACEHOLDER,
    MODEL_PLACEHOLDER,
    SDKS,
    api_address,
    snippets,
)

ACCESS = ClientAccess("https://api.example.org", KEY_PLACEHOLDER, "gpt-4o")
MADE = {snippet.name: snippet for snippet in snippets(ACCESS)}
HOSTILE = ClientAccess("https://api.example.org", "k'e\"y\\", "m'o\"d\\el")


def test_each_sdk_and_each_client_has_its_lines() -> None:
    assert list(MADE) == [*SDKS, *CLIENTS]
    for snippet in MADE.values():
        assert "https://api.example.org" in snippet.text and KEY_PLACEHOLDER in snippet.text
        assert snippet.text.endswith("\n") and snippet.title


@pytest.mark.parametrize("name", [name for name in SDKS if name.endswith("-python")])
@pytest.mark.parametrize("access", [ACCESS, HOSTILE])
def test_lines_of_python_are_python_whatever_the_names_are(name: str, access: ClientAccess) -> None:
    tree = ast.parse("\n".join(SDKS[name].lines(access)))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert {access.key, access.model} <= texts


@pytest.mark.parametrize("access", [ACCESS, HOSTILE])
def test_lines_of_curl_are_one_command_whatever_the_names_are(access: ClientAccess) -> None:
    words = shlex.split("\n".join(SDKS["curl"].lines(access)).replace("\\\n", ""))
    assert words[:2] == ["curl", "https://api.example.org/v1/chat/completions"]
    assert f"Authorization: Bearer {access.key}" in words
    assert json.loads(words[-1])["model"] == access.model


def test_base_url_has_v1_for_openai_alone() -> None:
    for name, snippet in MADE.items():
        with_v1 = "https://api.example.org/v1" in snippet.text
        assert with_v1 == (not re.search("anthropic|google|azure|claude", name)), name


def test_settings_of_clients_are_readable_and_name_their_file() -> None:
    assert json.loads(MADE["claude-code"].text)["env"]["ANTHROPIC_MODEL"] == "gpt-4o"
    assert tomllib.loads(MADE["codex"].text)["model"] == "gpt-4o"
    assert MADE["codex"].place == "~/.codex/config.toml" and MADE["openai"].place == ".env"
    assert MADE["cursor"].place == "" and MADE["cursor"].hint


def test_missing_model_has_a_placeholder_where_one_is_needed() -> None:
    made = {snippet.name: snippet.text for snippet in snippets(ClientAccess("https://api.example.org", "k"))}
    assert all(MODEL_PLACEHOLDER in made[name] for name in (*SDKS, "continue"))
    assert MODEL_PLACEHOLDER not in made["claude-code"]


@pytest.mark.parametrize(
    ("api_url", "port", "is_local", "expected"),
    [
        ("https://api.example.org/", 8484, False, ("https://api.example.org", True)),
        ("http://10.0.0.5:8484", 8484, True, ("http://10.0.0.5:8484", True)),
        (None, 8484, True, ("http://127.0.0.1:8484", True)),
        (None, 0, True, (ADDRESS_PLACEHOLDER, False)),
        (None, 8484, False, (ADDRESS_PLACEHOLDER, False)),
    ],
)
def test_address_is_the_operators_or_that_of_this_machine_or_unknown(
    api_url: str | None, port: int, is_local: bool, expected: tuple[str, bool]
) -> None:
    assert api_address(PortalSection(api_url=api_url), ServerSection(port=port), is_local=is_local) == expected


@pytest.mark.parametrize(
    ("host", "tls", "expected"),
    [
        ("0.0.0.0", None, "http://127.0.0.1:8484"),
        ("", None, "http://127.0.0.1:8484"),
        ("::", None, "http://[::1]:8484"),
        ("fd00::1", Path("tls.crt"), "https://[fd00::1]:8484"),
    ],
)
def test_local_address_is_one_that_can_be_opened(host: str, tls: Path | None, expected: str) -> None:
    assert ServerSection(host=host, tls_cert=tls, tls_key=tls).local_url == expected
