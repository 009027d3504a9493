from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from support.provider import FakeProvider

from softix_proxy.domain.ports.upstream import Fetched

Softix = Callable[..., Result]


def test_providers_test_with_working_provider_shows_each_check_as_passed(
    run: Softix, shared_provider: FakeProvider
) -> None:
    run(f"providers add vllm --base-url {shared_provider.base_url} --free")
    tested = run("providers test vllm")
    lines = [line.split("\t") for line in tested.stdout.splitlines()]
    assert [line[:2] for line in lines] == [
        ["check", "works"], ["models", "✓"], ["plain", "✓"], ["stream", "✓"], ["tools", "✓"], ["usage", "✓"],
        ["fields", "✓"],
    ]  # fmt: skip
    assert "at the operator's cost" in tested.stderr
    told = json.loads(run("providers test vllm --model claude-test --json").stdout)
    assert (told["name"], told["model"], told["ok"], told["remedy"]) == ("vllm", "claude-test", True, None)
    assert [(check["check"], check["ok"]) for check in told["checks"]] == [
        ("models", True), ("plain", True), ("stream", True), ("tools", True), ("usage", True),
        ("fields", True),
    ]  # fmt: skip
    assert all(check["latency_ms"] >= 0 for check in (check for check in told["checks"] if check["check"] != "usage"))


def test_providers_test_with_unreachable_provider_exits_with_code_1_and_a_remedy(run: Softix) -> None:
    run("providers add lab --type openai-compatible --base-url http://127.0.0.1:9")
    run("models add llama --provider lab --free")
    tested = run("providers test lab", code=1)
    assert "plain\t✗\t" in tested.stdout and "stream\t–\t-\tnot tried" in tested.stdout
    assert "→" in tested.stderr
    assert "no provider 'none'" in run("providers test none", code=1).stderr


def test_providers_test_with_refused_fields_prints_the_remedy_and_writes_it_on_request(
    run: Softix, shared_provider: FakeProvider
) -> None:
    model = "--model fake.refuses.stream_options/seed:x"
    run(f"providers add lab --type openai-compatible --base-url {shared_provider.base_url}")
    tested = run(f"providers test lab {model}")
    assert "fields\t✗\t" in tested.stdout and "it does not take stream_options, seed" in tested.stdout
    told = json.loads(run(f"providers test lab {model} --json").stdout)
    assert (told["refused_fields"], told["written"]) == (["stream_options", "seed"], False)
    run(told["remedy"].removeprefix("softix "))
    assert json.loads(run("providers show lab --json").stdout)["drop_fields"] == ["stream_options", "seed"]
    assert "fields\t✓\t" in run(f"providers test lab {model}").stdout
    run("providers update lab --keep-field stream_options --keep-field seed")
    written = run(f"providers test lab {model} --write")
    assert "Written: lab is not sent stream_options, seed any more." in written.stderr
    assert json.loads(run("providers list --json").stdout)[0]["drop_fields"] == ["stream_options", "seed"]


def test_providers_test_with_wrong_version_in_base_url_writes_the_working_url(
    run: Softix, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(url: str, *_: object, **__: object) -> Fetched:
        return Fetched(200, b'{"data":[{"id":"a"}]}') if url == "http://127.0.0.1:9/api/models" else Fetched(404, b"")

    monkeypatch.setattr("softix_proxy.upstream.probe.fetch", fetch)
    run("providers add lab --type openai-compatible --base-url http://127.0.0.1:9/api/v1")
    told = json.loads(run("providers test lab --json", code=1).stdout)
    assert told["remedy"] == "softix providers update lab --base-url http://127.0.0.1:9/api/chat/completions"
    run("providers test lab --write", code=1)
    assert json.loads(run("providers show lab --json").stdout)["version_in_url"] is True
