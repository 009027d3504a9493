"""What real clients do, and what passes between them and the provider."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.daemon import Prepared
from support.provider import FakeProvider, fake, told
from support.sdks import has_sent
from support.tenants import DRAINED, OFFERED, SPECIAL, rows, tenant
from support.wire import CHAT, MESSAGES, ROUTES, STREAMED, Route, begin_stream, connect, post, send

from softix_proxy.dialects.request.tags import HEADERS as TAGGED

ANTHROPIC = {"anthropic-version": "2023-06-01"}
Session = aiohttp.ClientSession


def sent_headers(record: dict[str, Any]) -> dict[str, str]:
    """What the provider got; names in lower case."""
    return {name.lower(): value for name, value in record["headers"]}


@pytest.mark.parametrize("route", [CHAT, MESSAGES], ids=["openai", "anthropic"])
@pytest.mark.parametrize("header", ["authorization", "x-api-key", "x-goog-api-key", "api-key"])
async def test_api_key_in_any_header_is_accepted_and_not_passed_on(
    header: str, route: Route, client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    proof = {header: client.key if header != "authorization" else f"bearer {client.key}"}
    assert (await post(session, client.url, route, proof)).status == 200
    assert (await send(session, "GET", f"{client.url}/v1/models", proof)).status == 200
    assert (await send(session, "GET", f"{client.url}/v1/models", {})).status == 401
    [record] = await fake_provider.requests()
    assert not has_sent(record, client.key)


async def test_api_key_in_the_query_is_refused(client: Prepared, session: Session, fake_provider: FakeProvider) -> None:
    """It would end up in the logs of whatever stands in between."""
    found = await send(session, "GET", f"{client.url}/v1/models?key={client.key}&api_key={client.key}", {})
    assert found.status == 401
    route = CHAT._replace(path=f"{CHAT.path}?key={client.key}")
    refused = await post(session, client.url, route, client.headers)
    assert refused.status == 401 and refused.headers["x-softix-cost-usd"] == "0.00"
    renamed = CHAT._replace(path=f"{CHAT.path}?token={client.key}")
    assert (await post(session, client.url, renamed, client.headers)).status == 401
    assert await fake_provider.requests() == []


async def test_model_list_has_the_client_s_shape_and_only_allowed_models(client: Prepared, session: Session) -> None:
    everything = await tenant(client, offered=())
    narrow = await tenant(client, offered=("claude-t*",))
    wanted = ((client, set(OFFERED)), (everything, {*OFFERED, *DRAINED, *SPECIAL}), (narrow, {"claude-test"}))
    for of, names in wanted:
        url = f"{client.url}/v1/models?limit=1000"
        theirs = json.loads((await send(session, "GET", url, {**of.headers, **ANTHROPIC})).body)
        plain = json.loads((await send(session, "GET", url, of.headers)).body)
        listed = [model["id"] for model in plain["data"]]
        assert names <= set(listed) and (of is everything or names == set(listed))
        assert [model["id"] for model in theirs["data"]] == listed
        assert (theirs["first_id"], theirs["last_id"], theirs["has_more"]) == (listed[0], listed[-1], False)
        assert {model["object"] for model in plain["data"]} == {"model"} and plain["object"] == "list"
        assert {model["type"] for model in theirs["data"]} == {"model"}
    for name, status in (("claude-test", 200), ("gpt-test", 404), ("no-such", 404)):
        assert (await send(session, "GET", f"{client.url}/v1/models/{name}", narrow.headers)).status == status


async def test_websocket_to_responses_is_refused_with_status_426(client: Prepared, session: Session) -> None:
    """Codex tries one first, and goes on at once when it is told so."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await session.ws_connect(f"{client.url}/v1/responses", headers=client.headers)
    assert raised.value.status == 426 and raised.value.headers is not None
    assert raised.value.headers["Upgrade"] and raised.value.headers["x-softix-request-id"]


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1/v1"])
async def test_base_url_with_a_missing_or_doubled_version_is_served(
    prefix: str, any_client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    for route in ROUTES.values():
        path = prefix + re.sub("^/v1(beta)?", "", route.path)
        found = await post(session, any_client.url, route._replace(path=path), any_client.headers)
        assert found.status == 200, path
    for path in ("/models", "/models/gpt-test", "/key"):
        assert (await send(session, "GET", any_client.url + prefix + path, any_client.headers)).status == 200
    seen = [record["path"] for record in await fake_provider.requests()]
    assert seen == [route.path for route in ROUTES.values()]


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/"), ("GET", "/"), ("HEAD", "/api/hello"), ("HEAD", "/v1")])
async def test_root_path_without_a_key_is_served(method: str, path: str, client: Prepared, session: Session) -> None:
    found = await send(session, method, client.url + path, {})
    assert found.status == 200 and (found.body == b"") == (method == "HEAD")


async def answers_of_both(
    session: Session, client: Prepared, provider: FakeProvider, route: Route, **options: Any
) -> Any:
    more = options.pop("headers", {})
    return (
        await post(session, provider.base_url, route, {**more, "authorization": "Bearer sk-direct"}, **options),
        await post(session, client.url, route, {**more, **client.headers}, **options),
    )


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if not route.always])
async def test_response_equals_that_of_the_provider_byte_for_byte(
    name: str, any_client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    direct, through = await answers_of_both(session, any_client, fake_provider, ROUTES[name])
    assert through.status == 200 and through.drawn == direct.drawn
    assert through.headers["content-type"] == direct.headers["content-type"]
    assert float(through.headers["x-softix-overhead-ms"]) > 0
    [row] = await rows(any_client)
    assert (row["request_id"], row["charge"]) == (
        through.headers["x-softix-request-id"],
        through.headers["x-softix-cost-usd"],
    )


@pytest.mark.parametrize("size", [0, 1, 13])
@pytest.mark.parametrize("name", STREAMED)
async def test_stream_equals_that_of_the_provider_byte_for_byte(
    name: str, size: int, any_client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    asks: dict[str, Any] = {"stream": True}
    if ROUTES[name].last_event == b"data: [DONE]":
        asks["stream_options"] = {"include_usage": True}
    direct, through = await answers_of_both(
        session, any_client, fake_provider, ROUTES[name], json=asks, headers=fake(split=size) if size else {}
    )
    assert through.status == 200 and through.drawn == direct.drawn
    assert through.headers["content-type"] == direct.headers["content-type"]
    assert "x-softix-request-id" in through.headers and "x-softix-cost-usd" not in through.headers


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_obfuscation": False}])
@pytest.mark.parametrize("name", ["chat_completions", "completions"])
async def test_usage_event_that_the_client_did_not_request_is_removed_from_the_stream(
    name: str, options: Any, client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    route, asks = ROUTES[name], {"stream": True} if options is None else {"stream": True, "stream_options": options}
    through = await post(session, client.url, route, client.headers, json=asks)
    [record] = await fake_provider.requests()
    assert record["fields"]["stream_options"]["include_usage"] is True
    asks["stream_options"] = {**(options or {}), "include_usage": True}
    direct = await post(session, fake_provider.base_url, route, {}, json=asks)
    frames = direct.drawn.split(b"\n\n")
    [usage] = [frame for frame in frames if b'"prompt_tokens"' in frame]
    assert through.drawn == b"\n\n".join(frame for frame in frames if frame is not usage)
    assert (await rows(client))[0]["usage_source"] == "provider"


BODIES = {
    "chat_completions": b'{ "model":"gpt-test",\n"messages":[{"role":"user","content":"caf\\u00e9 \xc3\xa9"}]'
    b' ,"max_tokens":64,'
    b'"x-new": {"deep":[1.0, 1e3, null]},"seed":12345678901234567890, "temperature" : 0.70 }',
    "messages": b'{"max_tokens":64, "messages":[{"role":"user","content":[{"type":"text","text":"caf\\u00e9"}]}],'
    b'"metadata":{"user_id":"u"},"a_new_field":[{}],"model":"claude-test","temperature":1.000}\n',
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("packed", [None, "gzip", "deflate"])
async def test_request_body_reaches_the_provider_unchanged_and_unpacked(
    packed: str | None, name: str, client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    body = BODIES[name]
    data = {None: body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[packed]
    headers = {**client.headers, "content-type": "application/json", **({"content-encoding": packed} if packed else {})}
    assert (await post(session, client.url, ROUTES[name], headers, data=data)).status == 200
    [record] = await fake_provider.requests()
    if name == "chat_completions":  # nobody knows by which name this server knows the output limit
        body = body.rstrip()[:-1] + b',"max_completion_tokens":64}'
    assert record["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert "content-encoding" not in sent_headers(record)
    assert sent_headers(record)["content-length"] == str(len(body))


async def test_packed_body_that_grows_too_large_is_refused(hasty_client: Prepared, session: Session) -> None:
    data = gzip.compress(b'{"model": "gpt-test", "x": "' + b"x" * 3_000_000 + b'"}')
    headers = {**hasty_client.headers, "content-encoding": "gzip"}
    assert (await post(session, hasty_client.url, CHAT, headers, data=data)).status == 413


@pytest.mark.parametrize(
    ("name", "query", "passed"),
    [
        ("messages", "beta=true", "beta=true"),
        ("messages", "beta=true&x=%2F+a%20b&&y", "beta=true"),
        ("count_tokens", "beta=true&beta=%2F+a%20b", "beta=true&beta=/ a b"),  # as the provider decodes it
        ("count_tokens", "q=?", ""),
        ("chat_completions", "api-version=?", "api-version=?"),
    ],
)
async def test_listed_query_parameters_are_passed_as_they_came(
    name: str, query: str, passed: str, client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    route = ROUTES[name]._replace(path=f"{ROUTES[name].path}?{query}")
    await answers_of_both(session, client, fake_provider, route)
    direct, through = await fake_provider.requests()
    assert direct["query"].startswith(query[:2])
    assert (through["path"], through["query"]) == (direct["path"], passed)


PASS = {
    "idempotency-key": "once",
    "user-agent": "somebody/1.0",
    "x-stainless-lang": "python",
    "accept": "application/json",
    "content-type": "application/json",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "x-request-id": "r",
    "x-client-request-id": "c",
}
OF_A_FAMILY = {
    "chat-lab": {"openai-beta": "assistants=v2", "originator": "codex_cli_rs", "session_id": "s", "version": "0.1"},
    "message-lab": {
        "anthropic-beta": "one-2025-01-01,two-2025-02-02",
        "anthropic-version": "2023-06-01",
        "anthropic-dangerous-direct-browser-access": "true",
        "x-claude-code-session-id": "s",
        "x-app": "cli",
    },
}
"""Each is dropped where the other family is asked."""
STAY = {
    "x-vertex-ai-llm-shared-request-type": "priority",
    "anthropic-workspace-id": "wrkspc_1",
    "anthropic-user-profile-id": "uprof_1",
    "x-amzn-bedrock-performanceconfig-latency": "optimized",
    "x-nobody-knows": "1",
    "baggage": "a=b",
    "connection": "keep-alive, x-of-this-hop",
    "x-of-this-hop": "1",
    "keep-alive": "timeout=5",
    "te": "trailers",
    "proxy-authorization": "Basic Zm9v",
    "proxy-connection": "keep-alive",
    "cookie": "session=1",
    "openai-organization": "org-mine",
    "openai-project": "proj-mine",
    "x-forwarded-for": "10.1.2.3",
    "x-real-ip": "10.1.2.3",
    "forwarded": "for=10.1.2.3",
    "via": "1.1 other",
    "x-softix-anything": "1",
}


@pytest.mark.parametrize("route", [CHAT, MESSAGES], ids=["openai", "anthropic"])
async def test_request_headers_to_the_provider_are_only_those_listed(
    route: Route, client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    """Others' keys in the other headers stay here as well."""
    others = {"x-api-key": "sk-other", "x-goog-api-key": "sk-other", "api-key": "sk-other"}
    every = {name: value for family in OF_A_FAMILY.values() for name, value in family.items()}
    found = await post(session, client.url, route, {**PASS, **every, **STAY, **others, **client.headers})
    assert found.status == 200
    [record] = await fake_provider.requests()
    sent = sent_headers(record)
    assert not (STAY.keys() & sent.keys())
    assert not has_sent(record, client.key) and not has_sent(record, "sk-other")
    lab, header, form = (
        ("chat-lab", "authorization", "Bearer {}") if route is CHAT else ("message-lab", "x-api-key", "{}")
    )
    passed = PASS | OF_A_FAMILY[lab]
    assert sent[header] == form.format(client.provider_keys[lab])
    assert len(record["headers"]) == len(sent), "no header twice"
    words = {name: value for name, value in passed.items() if name in TAGGED}
    assert (passed.items() - words.items()) <= sent.items()
    assert all(sent[name] != value for name, value in words.items()), "other keys may say the same word"
    assert sent.keys() - passed.keys() == {header, "host", "content-length", "accept-encoding"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", [CHAT, MESSAGES], ids=["openai", "anthropic"])
async def test_response_headers_to_the_client_are_only_those_listed(
    route: Route, stream: bool, client: Prepared, session: Session, fake_provider: FakeProvider
) -> None:
    asks = {"stream": stream}
    found = await post(session, client.url, route, {**client.headers, **fake(headers=True)}, json=asks)
    assert found.status == 200
    assert found.headers["request-id" if route is MESSAGES else "x-request-id"] == "req_fake0"
    assert found.headers["openai-processing-ms"] == "12" and found.headers["openai-version"] == "2020-10-01"
    assert found.headers["server"] == "softix"
    kept = {name for name in found.headers if "organization" in name or "project" in name or "ratelimit" in name}
    assert not kept and not ({"set-cookie", "strict-transport-security"} & found.headers.keys())
    secrets = (client.key, *client.provider_keys.values())
    assert not any(secret in value for secret in secrets for value in found.headers.values())


async def test_key_in_an_error_is_not_passed(client: Prepared, session: Session, fake_provider: FakeProvider) -> None:
    secret = client.provider_keys["chat-lab"]
    for status in (400, 500):
        await fake_provider.script(told(status=status, canary=secret))
        found = await post(session, client.url, CHAT, client.headers)
        assert found.status == status and secret.encode() not in found.body and b"[redacted]" in found.body


@pytest.mark.parametrize("name", STREAMED)
async def test_disconnect_at_the_end_charges_all(name: str, any_client: Prepared, fake_provider: FakeProvider) -> None:
    """As OpenAI's SDKs do. The answer is whole, and so is its row."""
    route = ROUTES[name]
    reader, writer = await begin_stream(any_client, route)
    await reader.readuntil(route.last_event)
    writer.transport.abort()
    await fake_provider.until("finished")
    [row] = await rows(any_client)
    [record] = await fake_provider.requests()
    assert (row["usage_source"], row["error"], row["status_code"]) == ("provider", None, 200)
    if route.meters is None:
        assert (row["input_tokens"], row["output_tokens"]) == (record["input_tokens"], record["output_tokens"])
    else:
        assert {meter: row[meter] for meter in route.meters} == route.meters


async def test_request_that_expects_100_continue_gets_it_only_with_a_known_key(client: Prepared) -> None:
    """As curl does with large ones; a stranger is refused before."""
    body = json.dumps(CHAT.ask).encode()
    for key, status in ((client.key, b"100"), ("sk-none", b"401")):
        reader, writer = await connect(client)
        head = f"POST {CHAT.path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {key}\r\nexpect: 100-continue\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n")).split()[1] == status
        if status == b"100":
            writer.write(body)
            await reader.readuntil(b"\r\n")
            assert (await reader.readuntil(b"\r\n")).split()[1] == b"200"
        writer.close()


async def test_key_endpoint_shows_the_key_s_own_limits_spend_and_balance(client: Prepared, session: Session) -> None:
    answered = await post(session, client.url, CHAT, client.headers)
    cost = answered.headers["x-softix-cost-usd"]
    shown = json.loads((await send(session, "GET", f"{client.url}/v1/key", client.headers)).body)
    assert (shown["id"], shown["user_id"], shown["models"]) == (client.key_id, client.user_id, list(OFFERED))
    assert shown["spent"] == dict.fromkeys(("day", "week", "month", "total"), cost)
    assert float(shown["balance"]) == pytest.approx(25 - float(cost), abs=1e-12)
    assert (shown["available"], shown["held"], shown["open_requests"]) == (shown["balance"], "0.00", 0)
    assert client.key not in json.dumps(shown)
    assert shown["balance"] == client.balance()["balance"]


async def test_usage_endpoint_shows_only_the_user_s_own_requests(client: Prepared, session: Session) -> None:
    answered = await post(session, client.url, CHAT, client.headers)
    url = f"{client.url}/v1/usage/{answered.headers['x-softix-request-id']}"
    assert json.loads((await send(session, "GET", url, client.headers)).body) == (await rows(client))[0]
    other = await tenant(client)
    for headers, status in ((other.headers, 404), ({}, 401)):
        assert (await send(session, "GET", url, headers)).status == status
    for wrong in ("req_0", "nonsense", ""):
        assert (await send(session, "GET", f"{client.url}/v1/usage/{wrong}", client.headers)).status == 404


EVERY = [
    ("GET", "/", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/v1/models", 200),
    ("GET", "/v1/key", 200),
    ("GET", "/v1/nothing", 404),
    ("GET", "/favicon.ico", 404),
    ("GET", "/v1/embeddings", 405),
    ("GET", "/v1/chat/completions", 400),
    ("DELETE", "/v1/models", 405),
    ("OPTIONS", "/v1/chat/completions", 405),
    ("POST", "/v1/files", 400),
    ("POST", "/v1/chat/completions", 400),
    ("GET", "/v1/usage/req_0", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), EVERY)
async def test_every_response_has_a_request_id(
    method: str, path: str, status: int, client: Prepared, session: Session
) -> None:
    found = await send(session, method, client.url + path, client.headers)
    assert found.status == status and found.headers["x-softix-request-id"].startswith("req_")


async def test_metrics_parse_and_name_no_user(client: Prepared, session: Session, fake_provider: FakeProvider) -> None:
    await post(session, client.url, CHAT, client.headers)
    await post(session, client.url, CHAT, {**client.headers, **fake(status=500)})
    text = (await send(session, "GET", f"{client.url}/metrics", {})).body.decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    each = "requests tokens charge_usd open_requests held_usd request_errors latency_seconds time_to_first_byte_seconds"
    assert {f"softix_{name}" for name in each.split()} <= families.keys()
    statuses = {sample.labels["status"]: sample.value for sample in families["softix_requests"].samples}
    assert statuses["200"] and statuses["500"] and families["softix_open_requests"].samples[0].value == 0
    labels = {value for family in families.values() for sample in family.samples for value in sample.labels.values()}
    assert not labels & {client.user, client.user_id, client.key_id}
