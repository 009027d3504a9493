from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from support.certificates import write_pair
from support.webhook_receiver import DIES, HANGS, REDIRECTS, webhook_receiver

from softix_proxy.domain.ports.webhook_post import WebhookAnswer, WebhookFault
from softix_proxy.upstream.webhook_client import HttpWebhookPost

HEADERS = {"webhook-id": "evt_a", "content-type": "application/json"}


async def post(url: str, *, allow_private: bool = True, timeout_s: float = 20) -> WebhookAnswer:
    return await HttpWebhookPost(timeout_s=timeout_s).post(url, HEADERS, b"{}", allow_private=allow_private)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (200, WebhookAnswer(200, None)),
        (204, WebhookAnswer(204, None)),
        (400, WebhookAnswer(400, WebhookFault.REFUSED)),
        (410, WebhookAnswer(410, WebhookFault.GONE)),
        (429, WebhookAnswer(429, WebhookFault.REFUSED)),
        (503, WebhookAnswer(503, WebhookFault.REFUSED)),
        (REDIRECTS, WebhookAnswer(302, WebhookFault.REDIRECTED)),
        (DIES, WebhookAnswer(None, WebhookFault.BROKE_OFF)),
    ],
)
async def test_answer_of_a_receiver_is_its_status_and_a_redirect_is_not_followed(
    answer: int | str, told: WebhookAnswer
) -> None:
    async with webhook_receiver([answer]) as receiver:
        assert await post(receiver.url) == told
        [received] = receiver.received
        assert (received.body, received.headers["webhook-id"], received.path) == (b"{}", "evt_a", "/softix")
        assert "cookie" not in received.headers and "authorization" not in received.headers


async def test_receiver_that_does_not_answer_in_time_is_left() -> None:
    async with webhook_receiver([HANGS]) as receiver:
        assert await post(receiver.url, timeout_s=0.2) == WebhookAnswer(None, WebhookFault.TIMED_OUT)


async def test_receiver_that_is_not_there_or_speaks_no_http_is_told_apart() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert await post(f"http://127.0.0.1:{free.getsockname()[1]}") == WebhookAnswer(None, WebhookFault.UNREACHABLE)

    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(chat, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await post(f"http://127.0.0.1:{port}") == WebhookAnswer(None, WebhookFault.BROKE_OFF)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_name_that_leads_into_a_private_network_is_not_dialled_unless_it_is_allowed(host: str) -> None:
    async with webhook_receiver() as receiver:
        port = receiver.url.split(":")[-1]
        told = await post(f"http://{host}:{port}", allow_private=False)
        assert told == WebhookAnswer(None, WebhookFault.PRIVATE_ADDRESS) and not receiver.received


async def test_address_of_a_clouds_secrets_is_not_dialled_even_if_private_ones_are_allowed() -> None:
    told = await post("http://169.254.169.254/latest", allow_private=True)
    assert told == WebhookAnswer(None, WebhookFault.PRIVATE_ADDRESS)


async def test_certificate_is_checked(tmp_path: Path) -> None:
    chain, key = write_pair(tmp_path, "receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    async with webhook_receiver(tls=context) as receiver:
        assert await post(receiver.url) == WebhookAnswer(None, WebhookFault.TLS_FAILED)
        trusting = HttpWebhookPost(chain)
        assert await trusting.post(receiver.url, HEADERS, b"{}", allow_private=True) == WebhookAnswer(204, None)
