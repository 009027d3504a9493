"""Answers and streams are in tests/golden; here is what is refused, and the names of tiers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from softix_proxy.dialects.openai.images import image_report
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import Code, RefusedError

IMAGES = ENDPOINTS["image_generations"]


def ask(**fields: Any) -> Any:
    return IMAGES.read(json.dumps({"model": "m", "prompt": "a river", **fields}).encode())


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({}, "standard"),
        ({"quality": "standard", "size": "1024x1024"}, "standard"),
        ({"quality": "auto", "size": "auto"}, "standard"),
        ({"size": "1024x1792"}, "1024x1792"),
        ({"quality": "standard", "size": "1024x1792"}, "1024x1792"),
        ({"quality": "hd", "size": "1024x1024"}, "hd"),
        ({"quality": "hd", "size": "1024x1792"}, "hd/1024x1792"),
    ],
)
def test_image_tier_of_each_quality_and_size_is_read(fields: dict[str, str], tier: str) -> None:
    assert ask(**fields).service_tier == tier


def test_image_output_limit_with_a_larger_size_or_previews_is_higher() -> None:
    small, large = ask(size="1024x1024").max_output_tokens, ask(size="3840x2160").max_output_tokens
    assert 4160 < small < large / 7
    assert ask(size="1024x1024", partial_images=3).max_output_tokens == small + 300
    assert ask().max_output_tokens == ask(size="1536x1024").max_output_tokens


@pytest.mark.parametrize(
    "fields",
    [{"size": "wombat"}, {"size": "0x5"}, {"quality": "wombat"}, {"n": 0}, {"n": "2"}, {"partial_images": -1}],
)
def test_image_request_with_bad_fields_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as raised:
        ask(**fields)
    assert raised.value.code is Code.INVALID_REQUEST and "wombat" not in raised.value.message


def test_image_request_for_several_streamed_images_is_refused() -> None:
    with pytest.raises(RefusedError) as raised:
        ask(stream=True, n=2)
    assert raised.value.code is Code.ENDPOINT_NOT_METERED


@pytest.mark.parametrize("usage", [None, {}, [], {"output_tokens": 0, "input_tokens": 0}, {"cost": 1}])
def test_image_report_without_tokens_counts_images(usage: Any) -> None:
    report = image_report(usage, 2)
    assert report is not None and report.meters == {"images": 2}
    assert image_report(usage, 0) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data":5}', b"{}"])
def test_image_report_of_a_body_that_is_no_answer_is_none(body: bytes) -> None:
    assert IMAGES.report(body) is None


def test_tier_of_an_image_changes_the_price_of_images_only() -> None:
    assert ask(quality="hd").tier_of == ("images",)


def test_image_request_with_an_unknown_member_opens_the_hold() -> None:
    spec = ask(wombat=1)
    assert (spec.open_input, spec.unknown_members) == (True, 1)
