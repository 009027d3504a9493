from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.provider import FakeProvider

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.upstream import Fetched
from softix_proxy.operations.catalog import catalogue

Softix = Callable[..., Result]
LIST = b'{"data":[{"id":"llama3.2:3b"},{"id":"qwen3"}]}'


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of this machine, where an Ollama listens and nobody else."""
    asked: list[str] = []

    async def fetch(url: str, headers: Mapping[str, str], document: object = None, **_: object) -> Fetched:
        asked.append(url)
        if ":11434/" in url:
            return Fetched(200, LIST)
        raise FailureError("the provider cannot be reached", "start it")

    monkeypatch.setattr("softix_proxy.upstream.probe.fetch", fetch)
    return asked


def test_providers_add_with_known_type_as_name_adds_its_catalogue_models(
    run: Softix, read: Callable[[str], Any], monkeypatch: Any
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-any")
    run("providers add groq --key-env SOME_KEY")
    assert read("providers show groq")["base_url"] == "https://api.groq.com/openai"
    assert len(read("models list --provider groq")) == len(catalogue.load().models("groq"))
    run("providers add mistral --key-env SOME_KEY --models mistral-small-latest,mistral-embed")
    assert {model["name"] for model in read("models list --provider mistral")} == {
        "mistral-small-latest",
        "mistral-embed",
    }
    assert read("providers show mistral")["region"] == "eu"


def test_providers_add_with_cloud_resource_or_project_builds_the_base_url(
    run: Softix, read: Callable[[str], Any], tmp_path: Path
) -> None:
    account = {"type": "service_account", "client_email": "a", "private_key": "b", "token_uri": "https://c.example"}
    (tmp_path / "account.json").write_text(json.dumps(account, indent=2))
    run(f"providers add vertex --project house --location global --key-file {tmp_path}/account.json")
    url = "https://aiplatform.googleapis.com/v1/projects/house/locations/global"
    assert read("providers show vertex")["base_url"] == url
    assert all(model["name"].startswith(("gemini-", "claude-")) for model in read("models list --provider vertex"))
    run("providers add azure --resource house --key-stdin", stdin=json.dumps(account))
    assert read("providers show azure")["base_url"] == "https://house.openai.azure.com/openai"


def test_providers_add_with_running_local_server_reports_its_address_and_models(
    run: Softix, read: Callable[[str], Any], local: list[str]
) -> None:
    added = run("providers add ollama")
    assert "Found ollama at http://127.0.0.1:11434, with 2 models." in added.stderr
    assert "llama3.2:3b, qwen3" in added.stderr and "softix models add NAME" in added.stderr
    assert read("models list") == [] and local == ["http://127.0.0.1:11434/v1/models"]
    run("providers remove ollama --yes")
    run("providers add ollama --free")
    assert [(model["name"], model["prices"]) for model in read("models list")] == [("llama3.2:3b", {}), ("qwen3", {})]


def test_providers_add_with_models_option_adds_only_the_named_models(
    run: Softix, read: Callable[[str], Any], local: list[str]
) -> None:
    added = run("providers add mine --type ollama --models qwen3")
    assert "refused until priced: softix prices set mine/qwen3 --free" in added.stderr
    assert [(model["name"], model["priced"]) for model in read("models list")] == [("qwen3", False)]
    assert "it has: llama3.2:3b, qwen3" in run("providers add other --type ollama --models gone", code=2).stderr
    assert [provider["name"] for provider in read("providers list")] == ["mine"]


def test_providers_add_without_running_local_server_reports_the_tried_address(run: Softix, local: list[str]) -> None:
    failed = run("providers add lmstudio --json", code=1)
    told = json.loads(failed.stderr)
    assert told["error"].startswith("no lmstudio on this machine (http://127.0.0.1:1234: ")
    assert "--base-url" in told["remedy"]


def test_providers_add_with_base_url_and_free_adds_the_models_of_the_server(
    run: Softix, read: Callable[[str], Any], shared_provider: FakeProvider
) -> None:
    run(f"providers add vllm --base-url {shared_provider.base_url} --free")
    assert {model["name"] for model in read("models list")} == {"gpt-test", "claude-test"}


# Whether it answers


def test_providers_add_reports_whether_the_server_responds_and_how_to_retry(
    run: Softix, shared_provider: FakeProvider
) -> None:
    told = run(f"providers add lab --type openai-compatible --base-url {shared_provider.base_url}").stderr
    assert f"Tested: {shared_provider.base_url}/v1/models lists 2 models." in told
    told = run("providers add away --type openai-compatible --base-url http://lab.example").stderr
    [line] = [line for line in told.splitlines() if line.startswith("Not proven")]
    assert "the host name is not known" in line and line.endswith("softix providers test away)")


def test_providers_add_with_rejected_key_reports_it_and_adds_the_provider(
    run: Softix, read: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(url: str, *_: object, **__: object) -> Fetched:
        return Fetched(401, b"")

    monkeypatch.setattr("softix_proxy.upstream.probe.fetch", fetch)
    monkeypatch.setenv("SOME_KEY", "sk-any")
    told = json.loads(run("providers add groq --key-env SOME_KEY --json").stdout)["tested"]
    assert (told["ok"], told["status"], told["message"]) == (False, 401, "the provider does not accept the key")
    assert told["remedy"] == "softix providers set-key groq"
    assert read("providers show groq")["status"] == "active"


def test_providers_add_and_update_with_no_test_send_no_request(run: Softix, local: list[str]) -> None:
    line = "providers add lab --type openai-compatible --base-url http://127.0.0.1:11434 --json"
    assert json.loads(run(f"{line} --no-test").stdout)["tested"] is None and not local
    run("providers update lab --base-url http://127.0.0.1:11434/v1 --no-test")
    assert not local
    assert "leave --no-test out" in run(f"{line.replace(' lab ', ' l2 ')} --free --no-test", code=2).stderr
    run(f"{line.replace(' lab ', ' l3 ')} --free --no-test --models qwen3")
    assert not local
    run("providers update lab --base-url http://127.0.0.1:11434/v1")
    assert local == ["http://127.0.0.1:11434/v1/models"]


@pytest.mark.parametrize(
    ("base_url", "stored", "said"),
    [
        ("http://127.0.0.1:11434/api/v3", "http://127.0.0.1:11434/api/v3", "and no /v1"),
        ("http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434", "adds /v1"),
        ("http://127.0.0.1:11434/x/chat/completions", "http://127.0.0.1:11434/x", "and no /v1"),
    ],
)
def test_providers_add_with_unusual_base_url_reports_the_stored_url(
    run: Softix, read: Callable[[str], Any], local: list[str], base_url: str, stored: str, said: str
) -> None:
    told = run(f"providers add lab --type openai-compatible --base-url {base_url}").stderr
    assert f"The base URL is {stored}: " in told and said in told
    assert read("providers show lab")["base_url"] == stored
    assert local == [base_url.replace("/chat/completions", "") + "/models"]


def test_providers_add_with_azure_deployment_url_prints_the_command_that_adds_its_model(
    run: Softix, read: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "any")
    url = "https://r.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    told = run(f"providers add azure --key-env SOME_KEY --base-url '{url}'").stderr
    [line] = [line for line in told.splitlines() if "my-gpt" in line]
    run(line.partition("softix ")[2].replace("NAME", "gpt-mine") + " --free")
    assert read("models show azure/gpt-mine")["upstream_name"] == "my-gpt"
    assert read("providers show azure")["base_url"] == "https://r.openai.azure.com/openai"
