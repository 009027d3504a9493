import asyncio
from typing import Any

from support.playbook import SSE, Exchange

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.ports.upstream import ProviderFault

STREAM = {"model": "llama", "messages": [], "stream": True, "stream_options": {"include_usage": True}}
PATH = "/v1/chat/completions"
HELLO = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


async def test_stream_response_reaches_the_client_with_its_headers(place: Any) -> None:
    place.upstream.answer = Exchange(HELLO, HELLO, DONE, headers=SSE)
    status, headers, body = await place.ask("POST", PATH, json=STREAM)
    assert (status, body) == (200, (HELLO + HELLO + DONE).decode())
    assert headers["content-type"] == "text/event-stream" and headers["x-softix-request-id"].startswith("req_")


async def test_stream_broken_off_by_the_provider_ends_without_its_last_chunk(place: Any) -> None:
    broken = ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
    place.upstream.answer = Exchange(HELLO, broken, headers=SSE)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    body = b'{"model":"llama","messages":[],"stream":true}'
    writer.write(
        b"POST %s HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: %d\r\n\r\n" % (PATH.encode(), len(body))
    )
    writer.write(body)
    try:
        answer = await reader.read()
    except ConnectionError:
        answer = b""
    assert not answer.endswith(b"0\r\n\r\n")
    assert place.journal.settlements[0].error == "provider_broke_off"
    writer.close()


async def test_stream_of_a_client_that_disconnects_is_aborted_and_settled_by_estimate(place: Any) -> None:
    waiting, aborted = asyncio.Event(), asyncio.Event()

    class Endless(Exchange):
        async def chunk(self) -> bytes:
            if self.script:
                return await super().chunk()
            waiting.set()
            await aborted.wait()
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)

        def abort(self) -> None:
            aborted.set()

    place.upstream.answer = Endless(HELLO, headers=SSE)
    answer = await place.session.post(place.url + PATH, json=STREAM, headers={"x-api-key": "ada"})
    await waiting.wait()
    answer.close()
    await asyncio.wait_for(aborted.wait(), 10)
    async with asyncio.timeout(10):
        while place.context.running:
            await asyncio.sleep(0)
    [settlement] = place.journal.settlements
    assert settlement.error == "client_hung_up" and settlement.source.value == "estimate"
