from __future__ import annotations

import json
from collections.abc import Callable

from click.testing import Result
from support.provider import FakeProvider

Softix = Callable[..., Result]


def test_a_table_with_marks_and_the_same_as_json(run: Softix, shared_provider: FakeProvider) -> None:
    run(f"providers add vllm --base-url {shared_provider.base_url} --free")
    tested = run("providers test vllm")
    lines = [line.split("\t") for line in tested.stdout.splitlines()]
    assert [line[:2] for line in lines] == [
        ["check", "works"], ["models", "✓"], ["plain", "✓"], ["stream", "✓"], ["tools", "✓"], ["usage", "✓"]
    ]  # fmt: skip
    assert "at the operator's cost" in tested.stderr
    told = json.loads(run("providers test vllm --model claude-test --json").stdout)
    assert (told["name"], told["model"], told["ok"], told["remedy"]) == ("vllm", "claude-test", True, None)
    assert [(check["check"], check["ok"]) for check in told["checks"]] == [
        ("models", True), ("plain", True), ("stream", True), ("tools", True), ("usage", True)
    ]  # fmt: skip
    assert all(check["latency_ms"] >= 0 for check in told["checks"][:4])


def test_exit_1_with_a_remedy_where_nobody_answers(run: Softix) -> None:
    run("providers add lab --type openai-compatible --base-url http://127.0.0.1:9")
    run("models add llama --provider lab --free")
    tested = run("providers test lab", code=1)
    assert "plain\t✗\t" in tested.stdout and "stream\t–\t-\tnot tried" in tested.stdout
    assert "→" in tested.stderr
    assert "no provider 'none'" in run("providers test none", code=1).stderr
