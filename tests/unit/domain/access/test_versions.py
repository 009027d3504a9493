from __future__ import annotations

from softix_proxy.domain.access.versions import version_of


def test_version_is_another_one_as_soon_as_a_field_is() -> None:
    assert version_of({"a": 1, "b": None}) == version_of({"b": None, "a": 1})
    different = [{"a": 1}, {"a": "1"}, {"a": 1, "b": None}, {"a": 2}, {"b": 1}, [1], "1", None]
    assert len({version_of(each) for each in different}) == len(different)
    assert len(version_of({})) == 32
