"""The whole URL table: the routes of all web packages, and the refusal of every other path."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.web.core.app_context import AppContext
from softix_proxy.web.inference import routes as inference
from softix_proxy.web.inference.unserved import UnservedPaths
from softix_proxy.web.monitoring import routes as monitoring
from softix_proxy.web.router.app import App
from softix_proxy.web.router.route import Route
from softix_proxy.web.self_service import routes as self_service

ROUTES: Sequence[Route] = (*inference.ROUTES, *self_service.ROUTES, *monitoring.ROUTES)


def make_app(context: AppContext) -> App:
    return App(context, ROUTES, UnservedPaths(ROUTES).refuse, deployable=inference.DEPLOYABLE)
