import pytest

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web.routes import INFERENCE, NAMED, PAGES, canonical


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/messages", "/messages"),
        ("/v1/v1/messages/", "/messages"),
        ("/messages", "/messages"),
        ("/v1", "/"),
        ("/v1/", "/"),
        ("/", "/"),
        ("", "/"),
        ("/v11/messages", "/v11/messages"),
        ("/v1beta/x", "/v1beta/x"),
    ],
)
def test_any_number_of_v1(path: str, found: str) -> None:
    assert canonical(path) == found


def test_every_endpoint_has_its_route_and_none_has_two() -> None:
    assert sorted(endpoint.name for endpoint in INFERENCE.values()) == sorted(ENDPOINTS)
    assert not set(INFERENCE) & set(PAGES)
    assert all(canonical(path) == path for path in (*INFERENCE, *PAGES))
    assert all(prefix.endswith("/") for prefix in NAMED)
