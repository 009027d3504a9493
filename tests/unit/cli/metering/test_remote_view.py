from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from softix_proxy.cli.metering.remote_view import remote_view
from softix_proxy.domain.core.errors import BadInputError, FailureError, NotFoundError, NotPermittedError, OperatorError
from softix_proxy.operations.metering.live import LiveWish


class Other:
    """Another machine, which answers whatever a test says."""

    def __init__(self) -> None:
        self.status = 200
        self.body = '{"at": "now"}'
        self.asked: list[web.BaseRequest] = []

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request)
        headers = {"Location": "http://127.0.0.1:1/"} if self.status == 302 else {}
        return web.Response(status=self.status, text=self.body, headers=headers)


@pytest.fixture
async def other() -> AsyncIterator[tuple[Other, str]]:
    made, app = Other(), web.Application()
    app.router.add_get("/admin/v1/top", made.answer)
    async with TestServer(app) as server:
        yield made, f"http://127.0.0.1:{server.port}"


async def test_wish_is_the_query_and_the_answer_is_the_picture(other: tuple[Other, str]) -> None:
    made, url = other
    wish = LiveWish(user="a b", model="gpt", errors_only=True, order="held", reverse=True)
    async with remote_view(url, " sx_admin_x ") as view:
        assert (await view.look(wish)).fields == {"at": "now"}
    [request] = made.asked
    assert dict(request.query) == {"sort": "held", "reverse": "true", "errors": "true", "user": "a b", "model": "gpt"}
    assert request.headers["Authorization"] == "Bearer sx_admin_x"


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (401, '{"detail": "no token", "remedy": "make one"}', NotPermittedError, "no token"),
        (403, '{"detail": "needs usage.read"}', NotPermittedError, "needs usage.read"),
        (404, '{"detail": "no user"}', NotFoundError, "no user"),
        (404, "<html>", FailureError, "no admin API of softix .status 404."),
        (302, "", FailureError, "no admin API of softix .status 302."),
        (200, "[]", FailureError, "no admin API"),
        (503, '{"detail": "busy"}', FailureError, "busy"),
    ],
)
async def test_other_answer_is_told(
    other: tuple[Other, str], status: int, body: str, error: type[OperatorError], told: str
) -> None:
    made, url = other
    made.status, made.body = status, body
    async with remote_view(url, "sx_admin_x") as view:
        with pytest.raises(error, match=told):
            await view.look(LiveWish())
    assert len(made.asked) == 1


async def test_machine_that_does_not_answer_is_told(other: tuple[Other, str], unused_tcp_port: int) -> None:
    async with remote_view(f"http://127.0.0.1:{unused_tcp_port}", "sx_admin_x") as view:
        with pytest.raises(FailureError, match="cannot be reached: no connection"):
            await view.look(LiveWish())


@pytest.mark.parametrize("url", ["portal", "http://portal.example.org", "https://portal.example.org/x", "ftp://x"])
async def test_address_that_is_none_of_a_portal_is_refused(url: str) -> None:
    with pytest.raises(BadInputError, match="--server"):
        async with remote_view(url, "sx_admin_x"):
            pass


async def test_token_is_needed() -> None:
    with pytest.raises(BadInputError, match="asks for an admin token"):
        async with remote_view("https://portal.example.org", None):
            pass
