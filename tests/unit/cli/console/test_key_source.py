from __future__ import annotations

import io
import json
import secrets
import sys
from types import SimpleNamespace
from typing import Any

import click
import pytest

from softix_proxy.cli.console.key_source import KeySource
from softix_proxy.domain.catalog.credentials import EntraClient, parse
from softix_proxy.domain.core.errors import BadInputError

KEY = "sk-" + secrets.token_urlsafe(24)


def test_key_source_on_a_terminal_prompts_with_hidden_input(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def prompt(text: str, **options: Any) -> str:
        asked.append((text, options))
        return f" {KEY} "

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert KeySource(False, None, None).read("openai", ask=True) == KEY
    assert KeySource(True, None, None).read("openai", ask=False) == KEY
    assert KeySource(False, None, None).read("openai", ask=False) is None
    assert asked == [("API key for openai", {"hide_input": True, "err": True})] * 2
    KeySource(False, None, None, label="Client secret").read("the OpenID client", ask=True)
    assert asked[2][0] == "Client secret for the OpenID client"
    monkeypatch.setattr(click, "prompt", lambda *_args, **_options: " ")
    with pytest.raises(BadInputError):
        KeySource(False, None, None).read("openai", ask=True)


@pytest.mark.parametrize("before", ["", "\n"])
def test_key_source_on_standard_input_reads_a_whole_document_or_the_first_line(
    monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    entra = {"tenant_id": "t", "client_id": "c", "client_secret": KEY}
    monkeypatch.setattr(sys, "stdin", io.StringIO(before + json.dumps(entra, indent=2) + "\n"))
    assert parse(KeySource(True, None, None).read("a", ask=False) or "") == EntraClient("t", "c", KEY)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{KEY}\nthe next line\n"))
    assert KeySource(True, None, None).read("a", ask=False) == KEY
