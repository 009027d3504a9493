import asyncio
import gzip
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoKeys
from support.open_files import used_up
from support.raw_provider import LIMITS, OK, PROMPT, SECRET, STREAM, Server, Vault, call, fault, upstream

from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import Code, FailureError
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest
from softix_proxy.domain.routing.routes import SETTINGS, Timeouts
from softix_proxy.upstream.client import HttpUpstream, ProviderOrigin, RequestTimeouts, UpstreamLimits, compose


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()


async def test_sent_request_has_only_its_own_headers_and_the_key(server: Server) -> None:
    async with upstream() as client:
        answer = await client.send(call(server.port), lambda: None)
        assert (answer.status, answer.is_stream, answer.secret) == (200, False, SECRET)
        assert ("content-type", "application/json") in answer.headers
        assert await answer.read(100) == b"{}"
        answer.release()
    head, _, body = server.heads[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /base/v1/messages?beta=true http/1.1" and body == PROMPT.encode()
    assert sorted(line.split(b":")[0] for line in lines[1:]) == [
        b"accept-encoding",
        b"content-length",
        b"host",
        b"x-api-key",
        b"x-thing",
    ]
    assert f"x-api-key: {SECRET}".encode() in lines


@pytest.mark.parametrize(("shared", "connections"), [(False, 2), (True, 1)])
async def test_connection_is_reused_only_by_the_same_key_unless_shared(
    server: Server, shared: bool, connections: int
) -> None:
    async with upstream(share_connections=shared) as client:
        for key in (1, 2, 1, 2, 2):
            answer = await client.send(call(server.port, key=key), lambda: None)
            await answer.read(100)
            answer.release()
    assert (len(server.heads), server.connections) == (5, connections)


async def test_stream_is_read_as_it_comes_and_can_be_aborted(server: Server) -> None:
    server.answer = STREAM
    async with upstream() as client:
        answer = await client.send(call(server.port), lambda: None)
        assert answer.is_stream and await answer.chunk() == b"data:"
        waiting = asyncio.create_task(answer.chunk())
        await asyncio.sleep(0)
        answer.abort()
        with pytest.raises(ProviderFault) as caught:
            await waiting
        answer.release()
        assert caught.value.started
        await asyncio.wait_for(server.lost.wait(), 5)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", Code.PROVIDER_BROKE_OFF),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", Code.PROVIDER_BROKE_OFF),
        (b"nonsense\r\n\r\n", Code.PROVIDER_BROKE_OFF),
        (OK[:-1].replace(b"length: 2", b"length: 9"), Code.PROVIDER_TIMEOUT),
        (None, Code.PROVIDER_TIMEOUT),
    ],
)
async def test_fault_after_the_start_is_not_retried(server: Server, answer: bytes | None, code: Code) -> None:
    server.answer = answer
    async with upstream(first_byte_timeout_s=0.1) as client:
        caught = await fault(client, call(server.port))
    assert (caught.code, caught.started) == (code, True)
    assert len(server.heads) == 1


async def test_silent_stream_times_out(server: Server) -> None:
    server.answer = STREAM
    async with upstream(idle_timeout_s=0.05) as client:
        answer = await client.send(call(server.port), lambda: None)
        assert await answer.chunk() == b"data:"
        with pytest.raises(ProviderFault) as caught:
            await answer.chunk()
        answer.release()
    assert caught.value.code is Code.PROVIDER_TIMEOUT


async def test_response_head_above_the_limit_is_a_fault(server: Server) -> None:
    server.answer = OK[:-2].replace(b"length: 2", b"length: 2000") + b"x" * 2000
    async with upstream() as client:
        caught = await fault(client, call(server.port))
    assert caught.code is Code.PROVIDER_BROKE_OFF


async def test_connection_that_surely_did_not_start_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream(connect_retries=2) as client:
        tried = 0
        connect = client._pool._connect

        async def count(place: Any, timeout_s: float) -> Any:
            nonlocal tried
            tried += 1
            return await connect(place, timeout_s)

        monkeypatch.setattr(client._pool, "_connect", count)
        unused = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = unused.sockets[0].getsockname()[1]
        unused.close()
        caught = await fault(client, call(port))
    assert (caught.code, caught.started, tried) == (Code.PROVIDER_UNREACHABLE, False, 3)


async def test_redirect_is_not_followed(server: Server) -> None:
    server.answer = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n"
    async with upstream() as client:
        answer = await client.send(call(server.port), lambda: None)
        answer.release()
    assert answer.status == 302 and len(server.heads) == 1


async def test_provider_key_that_does_not_open_is_not_sent(server: Server) -> None:
    async with upstream() as client:
        caught = await fault(client, call(server.port, sealed=b"damaged"))
    assert (caught.code, caught.started, server.heads) == (Code.PROVIDER_REFUSED, False, [])


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://[fe80::1]", "http://[::ffff:169.254.169.254]"])
async def test_link_local_address_is_unreachable(url: str) -> None:
    async with upstream(connect_retries=0, first_byte_timeout_s=2) as client:
        caught = await fault(client, call(0, base_url=url))
    assert (caught.code, caught.started) == (Code.PROVIDER_UNREACHABLE, False)


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://a.example", ProviderOrigin("a.example", 443, True, "a.example", "")),
        ("http://a.example:81/x/", ProviderOrigin("a.example", 81, False, "a.example:81", "/x")),
        ("http://[::1]:82", ProviderOrigin("::1", 82, False, "[::1]:82", "")),
    ],
)
def test_base_url_is_split_into_its_parts(base_url: str, origin: ProviderOrigin) -> None:
    assert ProviderOrigin.of(base_url) == origin


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b"])
def test_header_value_with_a_line_break_is_refused(value: str) -> None:
    asked = replace(call(1), headers=[("x-thing", value)])
    with pytest.raises(ProviderFault):
        compose(ProviderOrigin.of("http://a.example"), asked, {})


def test_header_value_is_sent_byte_for_byte() -> None:
    odd = b"caf\xc3\xa9 \xff".decode("utf-8", "surrogateescape")
    head = compose(ProviderOrigin.of("http://a.example"), replace(call(1), headers=[("x-thing", odd)]), {})
    assert b"x-thing: caf\xc3\xa9 \xff\r\n" in head


async def test_provider_type_without_a_base_url_uses_the_given_one() -> None:
    client = HttpUpstream(Vault(), LIMITS, None, {ProviderType.ANTHROPIC: "http://demo:1"})  # type: ignore[arg-type]
    asked = call(0, base_url="x").provider
    provider = replace(asked, base_url="")
    assert client._origin(provider) == ProviderOrigin("demo", 1, False, "demo:1", "")
    await client.close()


def test_unreadable_certificates_raise_a_failure(tmp_path: Path) -> None:
    for name in ("none.pem", "bad.pem"):
        (tmp_path / "bad.pem").write_text("nonsense")
        with pytest.raises(FailureError, match="cannot read certificates"):
            HttpUpstream(Vault(), LIMITS, tmp_path / name)  # type: ignore[arg-type]


def test_timeouts_of_a_call_win_over_the_settings() -> None:
    limits = UpstreamLimits(10, 600, 300, 0, 0)
    assert RequestTimeouts.of(SETTINGS, limits) == (10, 600, 300)
    assert RequestTimeouts.of(Timeouts(first_byte_ms=1500), limits) == (10, 1.5, 300)
    assert RequestTimeouts.of(Timeouts(20, 30, 40), limits) == (0.02, 0.03, 0.04)


# Credentials that are no plain key


def header_of(head: bytes, name: bytes) -> str:
    [value] = [line.split(b": ", 1)[1] for line in head.split(b"\r\n") if line.lower().startswith(name + b": ")]
    return value.decode()


async def sent(client: HttpUpstream, asked: UpstreamRequest) -> tuple[int, str | None]:
    answer = await client.send(asked, lambda: None)
    await answer.read(100)
    answer.release()
    return answer.status, answer.secret


async def test_access_token_is_fetched_kept_and_forgotten_after_a_refusal(server: Server) -> None:
    tokens = Server()
    listening = await asyncio.start_server(tokens.connected, "127.0.0.1", 0)
    body = b'{"access_token":"token-%d","expires_in":3600}'
    tokens.answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (len(body) - 1) + body % 1
    authority = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    vault = Vault()
    vault.secret = json.dumps({"tenant_id": "t", "client_id": "c", "client_secret": SECRET, "authority": authority})
    asked = call(server.port)
    async with upstream(vault) as client, listening:
        assert [await sent(client, asked) for _ in range(2)] == [(200, "token-1")] * 2
        tokens.answer = tokens.answer.replace(b"token-1", b"token-2")
        server.answer = OK.replace(b"200 OK", b"401 Unauthorized")
        assert await sent(client, asked) == (401, "token-1")
        server.answer = OK
        assert await sent(client, asked) == (200, "token-2")
    assert [header_of(head, b"authorization") for head in server.heads] == [
        "Bearer token-1", "Bearer token-1", "Bearer token-1", "Bearer token-2"
    ]  # fmt: skip
    assert len(tokens.heads) == 2 and all(SECRET.encode() not in head for head in server.heads)


async def test_request_without_an_access_token_is_not_sent(server: Server) -> None:
    vault = Vault()
    vault.secret = json.dumps(
        {"tenant_id": "t", "client_id": "c", "client_secret": SECRET, "authority": "http://127.0.0.1:9"}
    )
    async with upstream(vault) as client:
        caught = await fault(client, call(server.port))
    assert (caught.code, caught.started, server.heads) == (Code.PROVIDER_REFUSED, False, [])


async def test_access_token_when_out_of_files_raises_a_fault_without_blaming_the_key(server: Server) -> None:
    vault = Vault()
    vault.secret = json.dumps(
        {"tenant_id": "t", "client_id": "c", "client_secret": SECRET, "authority": "http://127.0.0.1:9"}
    )
    async with upstream(vault) as client:
        await fault(client, call(server.port))  # what is imported and started at the first use
        with used_up():
            caught = await fault(client, call(server.port))
    assert (caught.code, caught.started, server.heads) == (Code.OUT_OF_FILES, False, [])


async def test_request_with_aws_keys_is_signed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    vault, host = Vault(), "bedrock-runtime.eu-central-1.amazonaws.com"
    token = secrets.token_hex(8)
    vault.secret = json.dumps(
        {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": SECRET, "aws_session_token": token}
    )
    asked = call(0, base_url=f"http://{host}:{server.port}/base")
    asked = replace(asked, path="/model/a.claude-v1:0/converse", headers=[*asked.headers, ("content-type", "a/json")])
    async with upstream(vault) as client:
        look_up = client._pool._loop.getaddrinfo

        async def found(name: str, port: int, **options: Any) -> Any:
            assert name == host
            return await look_up("127.0.0.1", port, **options)

        monkeypatch.setattr(client._pool._loop, "getaddrinfo", found)
        assert await sent(client, asked) == (200, "AKIAEXAMPLE")
    head, _, body = server.heads[0].partition(b"\r\n\r\n")
    proof, path = header_of(head, b"authorization"), head.split(b" ")[1].decode()
    signed = proof.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert signed == ["content-type", "host", "x-amz-date", "x-amz-security-token"]
    headers = {name: header_of(head, name.encode()) for name in signed}
    again = AWSRequest("POST", f"http://{headers['host']}{path}", data=body, headers=headers)
    again.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(BotoKeys("AKIAEXAMPLE", SECRET, token), "bedrock", "eu-central-1")
    text = signer.string_to_sign(again, signer.canonical_request(again))
    assert proof.endswith(f"Signature={signer.signature(text, again)}")
    assert SECRET.encode() not in head


async def test_request_with_aws_keys_without_region_or_whole_body_is_refused(server: Server) -> None:
    vault = Vault()
    vault.secret = json.dumps({"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": SECRET})
    asked = call(server.port)
    lab = replace(asked.provider, region="eu-central-1")
    async with upstream(vault) as client:
        assert (await fault(client, asked)).code is Code.PROVIDER_REFUSED, "nothing tells the region"
        assert (await fault(client, replace(asked, provider=lab, rest=object()))).code is Code.PROVIDER_REFUSED  # type: ignore[arg-type]
        assert await sent(client, replace(asked, provider=lab)) == (200, "AKIAEXAMPLE")
    assert len(server.heads) == 1


@pytest.mark.parametrize("how", ["read", "chunk", "pour"])
async def test_compressed_answer_is_read_as_if_it_was_not(server: Server, how: str) -> None:
    text = b'{"usage":' + b"1" * 200_000 + b"}"
    packed = gzip.compress(text, mtime=0)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    server.answer = head.encode() + packed
    async with upstream() as client:
        answer = await client.send(call(server.port), lambda: None)
        assert answer.headers == []
        parts: list[bytes] = []
        if how == "read":
            parts.append(await answer.read(10**6))
        elif how == "chunk":
            while part := await answer.chunk():
                parts.append(part)
        else:
            while await answer.pour(lambda part: parts.append(part) or len(parts) % 2 == 0):  # type: ignore[func-returns-value]
                pass
        answer.release()
    assert b"".join(parts) == text


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\n" + gzip.compress(b"x", mtime=0)[:5],
    ],
)
async def test_answer_that_cannot_be_inflated_is_a_fault_after_the_start(server: Server, answer: bytes) -> None:
    server.answer = answer
    async with upstream() as client:
        found = await fault(client, call(server.port))
    assert (found.code, found.started) == (Code.PROVIDER_BROKE_OFF, True)
