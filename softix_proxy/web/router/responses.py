"""Responses that softix makes by itself."""

from __future__ import annotations

from aiohttp import web

JSON = "application/json"


def respond(body: bytes, status: int = 200, content_type: str = JSON) -> web.Response:
    response = web.Response(status=status, body=body)
    response.headers["Content-Type"] = content_type
    return response
