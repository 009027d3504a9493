from __future__ import annotations

from softix_proxy.dialects.bedrock.field_names import FORMATS, MIMES


def test_each_format_of_images_is_told_by_its_type() -> None:
    assert {FORMATS["image"][mime]: mime for mime in MIMES.values()} == MIMES
    assert set(FORMATS["image"].values()) == MIMES.keys()
