"""Commands that print JSON in no other test of this process, so that their answers are described too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from softix_proxy.storage.sqlite.core.database import Database

_SETTINGS = """
[mail]
transport = "smtp"
host = "mail.example.org"
user = "softix"
from_address = "softix@example.org"

[oidc]
issuer = "https://id.example.org"
client_id = "softix"
"""


def test_key_of_a_provider_is_added_and_removed(run: Callable[..., Result]) -> None:
    run("providers add lab --type openai-compatible --base-url http://lab.example --no-test")
    for line, stdin in (
        ("providers set-key lab --key-stdin --json", "sk-one"),
        ("providers set-key lab --key-stdin --add --label second --json", "sk-two"),
    ):
        assert json.loads(run(line, stdin=stdin).stdout)["has_key"] is True
    left = json.loads(run("providers remove-key lab second --yes --json").stdout)
    assert "second" not in json.dumps(left)


def test_secrets_of_the_instance_are_stored_and_told_of(run: Callable[..., Result], instance: Path) -> None:
    (instance / "config.toml").write_text(_SETTINGS)
    assert json.loads(run("mail set-password --password-stdin --json", stdin="word").stdout)
    assert json.loads(run("oidc set-secret --key-stdin --json", stdin="word").stdout)["client_id"] == "softix"
    assert json.loads(run("secrets status --json").stdout)


def test_proposed_price_is_rejected(
    read: Callable[[str], Any], run: Callable[..., Result], database: Database, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("model,input,output\nllama,3.00,9.00\n")
    run(f"prices import {prices}")
    assert [one["model"] for one in read("prices reject --all --yes")] == ["llama"]
