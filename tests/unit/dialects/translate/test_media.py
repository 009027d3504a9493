from __future__ import annotations

import pytest

from softix_proxy.dialects.translate.canonical import MediaPart
from softix_proxy.dialects.translate.media import from_url, guess_mime, kind_of, to_url
from softix_proxy.domain.errors import RefusedError


@pytest.mark.parametrize("url", ["data:image/png;base64,AAAA", "https://example.org/a.png"])
def test_there_and_back(url: str) -> None:
    assert to_url(from_url(url, "image")) == url


def test_parameters_of_a_data_url() -> None:
    assert from_url("data:text/plain;charset=utf-8;base64,AA", "document") == MediaPart("document", "text/plain", "AA")
    with pytest.raises(RefusedError, match="base64"):
        from_url("data:text/plain,hello", "document")


def test_kinds_and_types() -> None:
    assert [kind_of(mime) for mime in ("image/png", "audio/wav", "video/mp4", "application/pdf", "")] == [
        "image",
        "audio",
        "video",
        "document",
        "document",
    ]
    assert guess_mime(MediaPart("image", url="https://example.org/a.JPG?x=1")) == "image/jpeg"
    assert guess_mime(MediaPart("image", "image/webp", url="https://example.org/a.jpg")) == "image/webp"
    assert guess_mime(MediaPart("document", url="https://example.org/a")) == ""
