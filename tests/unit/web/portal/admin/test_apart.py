import threading

import pytest
from support.operators_side import OperatorsSide

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.catalog import models
from softix_proxy.web.portal.admin.apart import apart


async def test_operation_runs_on_another_thread_with_the_same_database(side: OperatorsSide) -> None:
    async def where() -> int:
        return threading.get_ident()

    assert await apart(where()) != threading.get_ident()
    assert [entry.full_name for entry in await apart(models.list_all(side.storage))] == ["lab/llama"]


async def test_error_of_an_operation_is_raised(side: OperatorsSide) -> None:
    with pytest.raises(NotFoundError):
        await apart(models.show(side.storage, "none"))
