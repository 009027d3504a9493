"""Makes docs/reference/openapi.json from the list of routes: what softix answers, and who may ask.

python scripts/make_openapi.py            write the file
python scripts/make_openapi.py --check    fail if the file is not what the routes say

Bodies of requests are the providers' own. The description has of them what softix reads; the rest passes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from softix_proxy import __version__  # noqa: E402
from softix_proxy.dialects.core.base import Endpoint  # noqa: E402
from softix_proxy.dialects.registry import ENDPOINTS  # noqa: E402
from softix_proxy.domain.core.errors import Code  # noqa: E402
from softix_proxy.exports.metering.columns import COLUMNS  # noqa: E402
from softix_proxy.web.route_table import ROUTES  # noqa: E402
from softix_proxy.web.router.route import ANY, WEBSOCKET, Auth, Route  # noqa: E402

PLACE = ROOT / "docs" / "reference" / "openapi.json"
Json = dict[str, Any]
TEXT: Json = {"type": "string"}
LIST: Json = {"type": "array", "items": {}, "minItems": 1}
OBJECT: Json = {"type": "object"}
TEXT_OR_LIST: Json = {"oneOf": [TEXT, LIST]}
PARTS: Json = {
    "type": "object",
    "properties": {"parts": {"type": "array", "items": {"type": "object", "properties": {"text": TEXT}}}},
    "required": ["parts"],
}
NEEDS: Mapping[str, Mapping[str, Json]] = {
    "chat_completions": {"messages": LIST},
    "completions": {"prompt": TEXT_OR_LIST},
    "responses": {"input": TEXT_OR_LIST},
    "input_tokens": {"input": TEXT_OR_LIST},
    "embeddings": {"input": TEXT_OR_LIST},
    "moderations": {"input": TEXT_OR_LIST},
    "image_generations": {"prompt": TEXT},
    "image_edits": {"prompt": TEXT, "image": {"type": "string", "format": "binary"}},
    "image_variations": {"image": {"type": "string", "format": "binary"}},
    "speech": {"input": TEXT, "voice": TEXT},
    "transcriptions": {"file": {"type": "string", "format": "binary"}},
    "translations": {"file": {"type": "string", "format": "binary"}},
    "rerank": {"query": TEXT, "documents": LIST},
    "rerank_v2": {"query": TEXT, "documents": LIST},
    "messages": {"messages": LIST, "max_tokens": {"type": "integer", "minimum": 0}},
    "count_tokens": {"messages": LIST},
    "generate_content": {"contents": {"type": "array", "items": PARTS}},
    "stream_generate_content": {"contents": {"type": "array", "items": PARTS}},
    "gemini_count_tokens": {"contents": {"type": "array", "items": PARTS}},
    "embed_content": {"content": PARTS},
    "batch_embed_contents": {"requests": {"type": "array", "items": OBJECT}},
}
"""The members that an endpoint's provider needs, beside the model."""
MAYBE: Mapping[str, Json] = {"stream": {"type": "boolean"}}
MONITORED = ("/", "/api/hello", "/healthz", "/readyz", "/metrics")
"""The paths without a version before them."""
ABOUT: Mapping[str, str] = {
    "/": "softix and its version",
    "/api/hello": "softix and its version, where Claude Code asks",
    "/healthz": "200 as long as the process answers",
    "/readyz": "200 if requests can be served, otherwise 503 with the reason",
    "/metrics": "what Prometheus reads; only for the networks of server.metrics_networks",
    "/models": "the models that the key may use, in the shape of the client's dialect",
    "/models/{model}": "one model that the key may use",
    "/key": "the key's limits, caps and spend, and the balance that it uses",
    "/usage/{request_id}": "what one request of the same user used and cost",
    "/realtime": "a realtime session over a WebSocket",
}
"""What a page tells, by its pattern."""
RESULTS: Mapping[str, str] = {
    "/key": "KeyStanding",
    "/usage/{request_id}": "UsageRow",
    "/": "Name",
    "/api/hello": "Name",
}
NULLABLE_TEXT: Json = {"type": ["string", "null"]}
NULLABLE_NUMBER: Json = {"type": ["integer", "null"], "minimum": 0}
AMOUNT: Json = {"type": "string", "pattern": r"^-?\d+\.\d{2,12}$"}


def described(members: Mapping[str, Json], *, optional: Mapping[str, Json] | None = None) -> Json:
    return {
        "type": "object",
        "properties": {**members, **(optional or {})},
        "required": list(members),
        "additionalProperties": True,
    }


def schemas() -> Json:
    codes: Json = {"type": "string", "description": f"softix's own: {', '.join(Code)}; or the provider's"}
    openai = described(
        {"message": TEXT}, optional={"code": codes | {"type": ["string", "null"]}, "type": NULLABLE_TEXT}
    )
    anthropic = described({"type": TEXT, "message": TEXT}, optional={"code": codes})
    standing: Json = {
        **dict.fromkeys(("id", "prefix", "user_id", "name", "status", "created_at", "currency"), TEXT),
        **{name: {"type": "array", "items": TEXT} for name in ("models", "allow_ip", "regions")},
        **dict.fromkeys(("rpm", "tpm", "concurrency"), NULLABLE_NUMBER),
        **dict.fromkeys(("cap", "cap_period", "expires_at"), NULLABLE_TEXT),
        **dict.fromkeys(("balance", "available", "credit_limit", "held"), AMOUNT),
        "spent": {"type": "object", "additionalProperties": AMOUNT},
        "open_requests": {"type": "integer", "minimum": 0},
    }
    row = {column.name: {"type": ["string", "integer", "boolean", "null"]} for column in COLUMNS}
    return {
        "Name": described({"name": TEXT, "version": TEXT}),
        "KeyStanding": described(standing),
        "UsageRow": described(row),
        "openaiError": described({"error": openai}),
        "anthropicError": described({"type": {"const": "error"}, "error": anthropic}),
        "geminiError": described({"error": described({"code": {"type": "integer"}, "message": TEXT, "status": TEXT})}),
    }


def path_of(route: Route) -> str:
    """The path as clients write it, with its version."""
    endpoint = ENDPOINTS.get(route.label)
    if endpoint is not None:
        return endpoint.path
    pattern = route.pattern.replace(":path}", "}")
    return pattern if pattern in MONITORED else f"/v1{pattern}"


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def content(*schemas: Json, kind: str = "application/json") -> Json:
    return {kind: {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": [*schemas]}}}


def body_of(endpoint: Endpoint) -> Json:
    members = dict(NEEDS[endpoint.name])
    if endpoint.family != "gemini":
        members = {"model": TEXT, **members}
    kind = "application/json" if endpoint.form_fields is None else "multipart/form-data"
    return {"required": True, "content": content(described(members, optional=MAYBE), kind=kind)}


def responses(route: Route) -> Json:
    families = [route.family] if route.family else list(route.families) or ["openai", "anthropic", "gemini"]
    errors = content(*(reference(f"{family}Error") for family in families))
    pattern = route.pattern.replace(":path}", "}")
    result = content(reference(RESULTS[pattern])) if pattern in RESULTS else {"*/*": {}}
    found: Json = {"200": {"description": "The answer.", "content": result}}
    if route.method == "HEAD":
        found["200"] = {"description": "The head of the answer."}
    if pattern == "/readyz":
        found["503"] = {"description": "Requests cannot be served now.", "content": content(OBJECT)}
        return found
    if route.method == WEBSOCKET:
        found = {"101": {"description": "The session is open."}}
    for status, text in (("4XX", "Refused: the code says why."), ("5XX", "softix or the provider failed.")):
        found[status] = {"description": text} | ({} if route.method == "HEAD" else {"content": errors})
    return found


def operation(route: Route, path: str) -> Json:
    pattern = route.pattern.replace(":path}", "}")
    method = "get" if route.method == WEBSOCKET else route.method.lower()
    endpoint = ENDPOINTS.get(route.label)
    words = path.replace("{", "").replace("}", "").replace(":", "/google_").strip("/").split("/")
    told: Json = {
        "operationId": "_".join([method, *filter(None, words)]),
        "summary": ABOUT.get(pattern, f"{route.label}: forwarded and metered" if endpoint else "kept at the provider"),
        "responses": responses(route),
    }
    names = [part[1:].partition("}")[0] for part in path.split("/") if part.startswith("{")]
    if names:
        told["parameters"] = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    if endpoint is not None:
        told["requestBody"] = body_of(endpoint)
    elif route.method == "POST":
        told["requestBody"] = {"content": {"*/*": {}}}
    if route.auth in (Auth.PUBLIC, Auth.METRICS_NETWORK):
        told["security"] = []
    return told


def described_routes() -> Iterator[Route]:
    return (route for route in ROUTES if route.method != ANY and "{rest" not in route.pattern)


def document() -> Json:
    paths: dict[str, Json] = {}
    for route in described_routes():
        path = path_of(route)
        paths.setdefault(path, {})["get" if route.method == WEBSOCKET else route.method.lower()] = operation(
            route, path
        )
    headers = {"apiKey": "x-api-key", "googleKey": "x-goog-api-key", "azureKey": "api-key"}
    schemes: Json = {name: {"type": "apiKey", "in": "header", "name": header} for name, header in headers.items()}
    schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "softix-proxy",
            "version": __version__,
            "description": "Made by scripts/make_openapi.py: change the routes, then run `make reference`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8484"}],
        "security": [{name: []} for name in ("bearer", *headers)],
        "paths": paths,
        "components": {"securitySchemes": schemes, "schemas": schemas()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the description of the HTTP surface.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    made = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if PLACE.is_file() and PLACE.read_text("utf-8") == made:
        print("the description is current")
        return 0
    if not check:
        PLACE.write_text(made, "utf-8")
    print(f"{'out of date' if check else 'written'}: {PLACE.relative_to(ROOT)}")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())
