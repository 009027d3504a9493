from __future__ import annotations

import subprocess
import sys

import pytest

from softix_proxy.dialects.core.spoken import dialect_of, is_claude


@pytest.mark.parametrize(
    "model",
    ["us.anthropic.claude-sonnet-4-6-v1:0", "anthropic.claude-3-7-sonnet-20250219-v1:0", "claude-opus-4@20250514"],
)
def test_claude_model_at_each_cloud_is_known_by_its_name(model: str) -> None:
    assert is_claude(model) and not is_claude("meta.llama3-70b-instruct-v1:0")


@pytest.mark.parametrize(
    ("endpoint", "dialect"),
    [("messages", "messages"), ("stream_generate_content", "generate_content"), ("embeddings", None)],
)
def test_dialect_of_an_endpoint_is_returned(endpoint: str, dialect: str | None) -> None:
    assert dialect_of(endpoint) == dialect


def test_registry_import_in_a_new_process_does_not_load_the_translation() -> None:
    asks = "import softix_proxy.dialects.registry, sys; print('softix_proxy.dialects.translate' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
