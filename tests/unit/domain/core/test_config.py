from dataclasses import dataclass, fields

from softix_proxy.domain.core.config import setting


def test_setting_with_limits_carries_its_description_in_the_metadata() -> None:
    @dataclass(frozen=True)
    class Section:
        wait_s: int = setting(3, "Time to wait.", least=1)

    (only,) = fields(Section)
    assert Section().wait_s == 3 and only.metadata == {"doc": "Time to wait.", "least": 1, "restart": False}
