"""Asks a running server for each path by each method as each kind of client, and writes down what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import aiohttp

from softix_proxy.domain.core.errors import Code

KEY = "ada"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "WEBSOCKET")
"""The last one is a GET that asks for a WebSocket."""
_UPGRADE = {"upgrade": "websocket", "connection": "upgrade"}
_SAYS_NOTHING = frozenset(("content-length", "content-type", "date"))
_ALWAYS = {"server": "softix"}
_COSTS = {"x-softix-cost-usd": "0.00"}
_CHANGING = ("x-softix-request-id", "x-softix-overhead-ms")
_MODEL = "none"
"""Nobody has it, so that no request reaches a provider."""

PATHS = (
    # Inference.
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/responses/input_tokens",
    "/v1/embeddings",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/images/variations",
    "/v1/audio/speech",
    "/v1/audio/transcriptions",
    "/v1/audio/translations",
    "/v1/rerank",
    "/v2/rerank",
    "/v1/messages",
    "/v1/messages/count_tokens",
    *(
        f"/v1beta/models/{_MODEL}:{verb}"
        for verb in ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
    ),
    "/v1/realtime",
    # What is kept at providers.
    "/v1/files",
    "/v1/files/f1",
    "/v1/files/f1/content",
    "/v1/files/f1/Content",
    "/v1/files/f1/other",
    "/v1/files/f1/content/more",
    "/v1/files/f1:download",
    "/v1/files/f1:other",
    "/v1/batches",
    "/v1/batches/b1",
    "/v1/batches/b1/cancel",
    "/v1/batches/b1:cancel",
    "/v1/batches/b1/results",
    "/v1/messages/batches",
    "/v1/messages/batches/m1",
    "/v1/messages/batches/m1/results",
    "/v1/messages/batches/m1/cancel",
    "/v1/messages/batches/m1:cancel",
    "/v1/messages/batches/m1/other",
    "/v1beta/files",
    "/v1beta/files/f1",
    "/v1beta/files/f1:download",
    "/v1beta/batches/b1:cancel",
    "/anthropic/v1/files",
    "/anthropic/v1/files/f1",
    # What a key may ask about.
    "/v1/models",
    "/v1beta/models",
    "/anthropic/v1/models",
    "/v1/models/llama",
    "/v1/models/lab/llama",
    "/v1/models/none",
    "/v1beta/models/llama",
    "/v1/key",
    "/v1/usage/req_0000000000000",
    # What watches the daemon.
    "/",
    "/v1",
    "/api/hello",
    "/healthz",
    "/readyz",
    "/metrics",
    # Azure's way to name a model.
    "/openai/deployments/none/chat/completions",
    "/openai/deployments/lab/none/embeddings",
    "/openai/deployments/none/images/edits",
    "/openai/deployments/none",
    "/openai/deployments/none/messages",
    "/openai/deployments/chat/completions",
    # Another spelling.
    "//v1//Chat/./completions/",
    "/v1/v1/MESSAGES/",
    "/v1/%6dodels/lab%2Fllama",
    "/V1/Files/F1/CONTENT",
    # Queries.
    "/v1/chat/completions?key=canary",
    "/v1/models?alt=sse&key=canary",
    "/v1/files?key=canary",
    "/v1/models/llama:generateContent?fields=candidates",
    "/v1beta/models/none:generateContent?alt=sse",
    "/v1/files?limit=0",
    # What is served by nobody here.
    "/v1/responses/r1",
    "/v1/chat/completions/c1",
    "/v1/uploads",
    "/v1/vector_stores",
    "/v1/agents",
    "/v1/realtime/calls",
    "/v1/live/sessions",
    "/v1beta/cachedContents",
    "/v1/models/llama:predict",
    "/v1beta/models/:generateContent",
    "/v1/key/more",
    "/v1/usage",
    "/v1/images/of/me",
    "/v1/filesystem",
    "/v1/wombat",
    "/nowhere",
)
STOPPING = "While softix stops:"
PATHS_OF_STOPPING = ("/v1/chat/completions", "/v1/files", "/v1/realtime", "/v1/models", "/readyz", "/healthz")
_CLIENTS: Mapping[str, Mapping[str, str]] = {
    "openai": {"authorization": "Bearer {key}"},
    "anthropic": {"x-api-key": "{key}", "anthropic-version": "2023-06-01"},
    "gemini": {"x-goog-api-key": "{key}"},
}


class Told(NamedTuple):
    """How somebody asked, and what the answer was; `shape` is whose errors look like it, empty where it is none."""

    method: str
    key: str
    client: str
    shape: str
    answer: str

    @property
    def absolute(self) -> str:
        return self.answer.replace("{shape}", f" in {self.shape}'s words")

    @property
    def relative(self) -> str:
        own = self.shape in ("", self.client)
        return self.answer.replace("{shape}", " in the client's own words") if own else self.absolute


async def ask_for(session: aiohttp.ClientSession, base: str, path: str, counted: list[tuple[str, Code]]) -> list[Told]:
    """Every way to ask for this path, and what came of it. `counted` is where the server notes what it refuses."""
    found = []
    for method in METHODS:
        for key in ("", KEY):
            for client, headers in _CLIENTS.items():
                sent = {name: value.format(key=key) for name, value in headers.items()}
                sent |= _UPGRADE if method == "WEBSOCKET" else {}
                verb = "GET" if method == "WEBSOCKET" else method
                options: dict[str, Any] = {"data": b"{}"} if method in ("POST", "PUT") else {}
                url = aiohttp.client.URL(base + path, encoded=True)
                counted.clear()
                async with session.request(verb, url, headers=sent, **options) as answer:
                    shape, told = _written(answer.status, answer.headers, await answer.read())
                found.append(Told(method, key or "-", client, shape, told + _counted(counted)))
    return found


def _written(status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    kind = headers.get("content-type", "-")
    shape, text = _body(body, headers.get("x-softix-request-id", "")) if body else ("", "(empty)")
    parts = [str(status), text]
    has = {name.lower(): value for name, value in headers.items() if name.lower() not in _SAYS_NOTHING}
    expected = {**_ALWAYS, **(_COSTS if kind == "application/json" else {})}
    changing = {name for name in _CHANGING if kind == "application/json" or name == _CHANGING[0]}
    parts += [f"-{name}" for name in sorted({*expected, *changing} - has.keys())]
    parts += [f"+{name}" for name in sorted({*_CHANGING} & has.keys() - changing)]
    parts += [
        f"+{name}: {value}"
        for name, value in sorted(has.items())
        if name not in _CHANGING and expected.get(name) != value
    ]
    parts += [f"({kind})"] if kind != "application/json" else []
    return shape, " ".join(parts)


def _counted(refusals: Sequence[tuple[str, Code]]) -> str:
    """Under which endpoint the refusal is counted, where it is one of the tables."""
    return "".join(f" [{code.value} of {endpoint}]" for endpoint, code in refusals)


def _body(body: bytes, request_id: str) -> tuple[str, str]:
    """Of a refusal whose shape it has, its code and its message; of anything else the text."""
    try:
        fields = json.loads(body)
    except ValueError:
        return "", body.decode().strip()
    error = fields.get("error") if isinstance(fields, dict) else None
    if not isinstance(error, dict):
        return "", json.dumps(fields)
    if "details" in error:
        [info] = error["details"]
        shape, code, named = "gemini", info["reason"].lower(), info["metadata"]["request_id"]
    elif fields.get("type") == "error":
        shape, code, named = "anthropic", error["code"], fields["request_id"]
    else:
        shape, code, named = "openai", error["code"], error["request_id"]
    assert named == request_id, "the body names another request than the header"
    return shape, f"{code}{{shape}}: {error['message']}"


def as_table(told: Sequence[Told]) -> list[str]:
    """One line for all ways to ask that are answered alike: methods, key, clients, answer."""
    lines: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for method in METHODS:
        lines.setdefault(tuple(_of_a_method([each for each in told if each.method == method])), []).append(method)
    return [
        f"  {','.join(methods):<11} {key:<3} {clients:<16} {answer}"
        for rows, methods in lines.items()
        for key, clients, answer in rows
    ]


def _of_a_method(told: Sequence[Told]) -> Iterator[tuple[str, str, str]]:
    """Key, clients, answer; a star stands for all of them."""
    by_key = [list(_of_a_key([each for each in told if each.key == key])) for key in ("-", KEY)]
    if by_key[0] == by_key[1]:
        yield from (("*", clients, answer) for clients, answer in by_key[0])
        return
    for key, rows in zip(("-", KEY), by_key, strict=True):
        yield from ((key, clients, answer) for clients, answer in rows)


def _of_a_key(told: Sequence[Told]) -> Iterator[tuple[str, str]]:
    for answers in ({each.absolute for each in told}, {each.relative for each in told}):
        if len(answers) == 1:
            yield "*", answers.pop()
            return
    grouped: dict[str, list[str]] = {}
    for each in told:
        grouped.setdefault(each.relative, []).append(each.client)
    yield from ((",".join(clients), answer) for answer, clients in grouped.items())
