from __future__ import annotations

import pytest

from softix_proxy.dialects.registry import ENDPOINTS

EMBEDDINGS = ENDPOINTS["embeddings"]


@pytest.mark.parametrize("value", [b'"a"', b'["a","b"]', b"[1,2]", b"[[1],[2,3]]"])
def test_request_with_text_or_tokens_has_no_open_input(value: bytes) -> None:
    spec = EMBEDDINGS.read(b'{"model":"m","input":%s}' % value)
    assert spec.max_output_tokens == 0 and not spec.open_input


@pytest.mark.parametrize("more", [b'"input":[{"image":"x"}]', b'"input":{"text":"a"}', b'"messages":[{"role":"user"}]'])
def test_request_with_other_input_has_open_input(more: bytes) -> None:
    assert EMBEDDINGS.read(b'{"model":"m",%s}' % more).open_input


def test_rewrite_with_an_output_limit_changes_nothing() -> None:
    body = b'{"model":"m","input":"a"}'
    assert EMBEDDINGS.rewrite(body, model=None, max_output_tokens=5, ask_usage=True) is body
    assert EMBEDDINGS.rewrite(body, model="n", max_output_tokens=None, ask_usage=False) == b'{"model":"n","input":"a"}'


def test_embeddings_meter_with_usage_in_a_stream_reports_it() -> None:
    meter = EMBEDDINGS.stream(hide_usage=False)
    meter.feed(b'data: {"usage":{"prompt_tokens":5,"total_tokens":5}}\n\n')
    assert meter.report is not None and meter.report.meters == {"input_tokens": 5}
