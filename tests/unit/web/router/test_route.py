from typing import Any

import pytest

from softix_proxy.web.router.route import Auth, Route


async def nobody(context: Any) -> Any:
    raise AssertionError("nobody asks here")


@pytest.mark.parametrize(("pattern", "is_fixed"), [("/models", True), ("/models/{model:path}", False)])
def test_route_with_a_name_in_its_pattern_is_not_fixed(pattern: str, is_fixed: bool) -> None:
    assert Route("GET", pattern, nobody, Auth.PUBLIC).is_fixed is is_fixed
