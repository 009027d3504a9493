from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.relay.stored_objects.operation_table import OPERATIONS, find_operation
from softix_proxy.web.inference.stored_objects import FOLDERS, ROUTES
from softix_proxy.web.router.route import ANY


def test_stored_object_route_has_an_operation() -> None:
    for route in ROUTES:
        if route.method != ANY:
            done = find_operation(route.method, route.pattern.replace("{id}", "a"))
            assert done is not None, (route.method, route.pattern)


def test_stored_object_operation_has_a_route() -> None:
    rows = {(route.method, route.pattern) for route in ROUTES}
    for folder, operations in OPERATIONS.items():
        for each in operations:
            path = folder + "".join(f"/{'{id}' if name == 'id' else name}" for name in each.path)
            assert (each.method, path) in rows


def test_stored_object_folder_has_a_route_for_every_other_path_below_it() -> None:
    assert {folder for folder, _ in FOLDERS} == set(OPERATIONS)
    rest = {route.pattern for route in ROUTES if route.method == ANY}
    assert {f"{folder}/{{rest:path}}" for folder, _ in FOLDERS} <= rest


@pytest.mark.parametrize("path", ["/v1/files?purpose=batch", "/v1/batches", "/v1/messages/batches?limit=5"])
async def test_stored_object_list_without_objects_is_empty_and_free(path: str, place: Any) -> None:
    status, headers, body = await place.ask("GET", path)
    assert status == 200 and body["data"] == [] and headers["x-softix-cost-usd"] == "0.00"
