"""The routes for what a key may know."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.router.route import Auth, Handler, Route
from softix_proxy.web.self_service import keys, models, usage


def _page(pattern: str, handler: Handler) -> list[Route]:
    return [Route("GET", pattern, handler, Auth.API_KEY), Route("HEAD", pattern, handler, Auth.API_KEY)]


ROUTES: Sequence[Route] = (
    *_page("/models", models.list_all),
    *_page("/models/{model:path}", models.show),
    *_page("/key", keys.show),
    *_page("/usage/{request_id:path}", usage.show),
)
