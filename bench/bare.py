"""What every proxy on aiohttp pays at least: a pass-through that knows nothing."""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop
from aiohttp import ClientSession, TCPConnector, web

_NOT_PASSED = {"host", "content-length", "authorization", "transfer-encoding"}


async def main(provider: str) -> None:
    session = ClientSession(connector=TCPConnector(limit=0), auto_decompress=False)

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED}
        async with session.post(provider + request.path, data=await request.read(), headers=headers) as answer:
            kept = {"Content-Type": answer.headers["Content-Type"]}
            if not kept["Content-Type"].startswith("text/event-stream"):
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(json.dumps({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
