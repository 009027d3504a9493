"""What a person copies to connect a program: a few lines for each SDK, and the settings of each client."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import NamedTuple

from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.operations.instance.connect import CLIENTS, ClientAccess, settings_text

KEY_PLACEHOLDER = "sx_live_…"
MODEL_PLACEHOLDER = "MODEL"


@dataclass(frozen=True, slots=True)
class SdkSnippet:
    """Some lines of a program that uses an SDK."""

    title: str
    lines: Callable[[ClientAccess], Sequence[str]]


class Snippet(NamedTuple):
    """Lines that a person copies."""

    name: str
    """The name in addresses and tests: `openai-python`."""
    title: str
    text: str
    place: str = ""
    """The file to which they belong, as a person writes it. Empty for lines of a program."""
    hint: str = ""


def _quoted(text: str) -> str:
    """Returns a literal that Python and JavaScript both read."""
    return json.dumps(text, ensure_ascii=False)


def _model(access: ClientAccess) -> str:
    return _quoted(access.model or MODEL_PLACEHOLDER)


def _curl(access: ClientAccess) -> Sequence[str]:
    body = json.dumps(
        {"model": access.model or MODEL_PLACEHOLDER, "messages": [{"role": "user", "content": "Hello"}]},
        ensure_ascii=False,
    )
    return (
        f"curl {quote(f'{access.base_url}/v1/chat/completions')} \\",
        f"  -H {quote(f'Authorization: Bearer {access.key}')} \\",
        f"  -H {quote('Content-Type: application/json')} \\",
        f"  -d {quote(body)}",
    )


def _openai_python(access: ClientAccess) -> Sequence[str]:
    return (
        "from openai import OpenAI",
        "",
        f"client = OpenAI(base_url={_quoted(f'{access.base_url}/v1')}, api_key={_quoted(access.key)})",
        f'answer = client.responses.create(model={_model(access)}, input="Hello")',
        "print(answer.output_text)",
    )


def _openai_node(access: ClientAccess) -> Sequence[str]:
    return (
        'import OpenAI from "openai";',
        "",
        "const client = new OpenAI({",
        f"  baseURL: {_quoted(f'{access.base_url}/v1')}, apiKey: {_quoted(access.key)},",
        "});",
        f'const answer = await client.responses.create({{ model: {_model(access)}, input: "Hello" }});',
        "console.log(answer.output_text);",
    )


def _anthropic_python(access: ClientAccess) -> Sequence[str]:
    return (
        "from anthropic import Anthropic",
        "",
        f"client = Anthropic(base_url={_quoted(access.base_url)}, api_key={_quoted(access.key)})",
        "answer = client.messages.create(",
        f'    model={_model(access)}, max_tokens=1000, messages=[{{"role": "user", "content": "Hello"}}]',
        ")",
        "print(answer.content[0].text)",
    )


def _anthropic_node(access: ClientAccess) -> Sequence[str]:
    return (
        'import Anthropic from "@anthropic-ai/sdk";',
        "",
        "const client = new Anthropic({",
        f"  baseURL: {_quoted(access.base_url)}, apiKey: {_quoted(access.key)},",
        "});",
        "const answer = await client.messages.create({",
        f'  model: {_model(access)}, max_tokens: 1000, messages: [{{ role: "user", content: "Hello" }}],',
        "});",
        "console.log(answer.content[0].text);",
    )


def _google_python(access: ClientAccess) -> Sequence[str]:
    return (
        "from google import genai",
        "",
        "client = genai.Client(",
        f'    api_key={_quoted(access.key)}, http_options={{"base_url": {_quoted(access.base_url)}}}',
        ")",
        f'answer = client.models.generate_content(model={_model(access)}, contents="Hello")',
        "print(answer.text)",
    )


def _azure_python(access: ClientAccess) -> Sequence[str]:
    return (
        "from openai import AzureOpenAI",
        "",
        "client = AzureOpenAI(",
        f'    azure_endpoint={_quoted(access.base_url)}, api_key={_quoted(access.key)}, api_version="2024-10-21"',
        ")",
        "answer = client.chat.completions.create(",
        f'    model={_model(access)}, messages=[{{"role": "user", "content": "Hello"}}]',
        ")",
        "print(answer.choices[0].message.content)",
    )


SDKS: Mapping[str, SdkSnippet] = {
    "curl": SdkSnippet("curl", _curl),
    "openai-python": SdkSnippet("OpenAI's SDK for Python", _openai_python),
    "openai-node": SdkSnippet("OpenAI's SDK for JavaScript", _openai_node),
    "anthropic-python": SdkSnippet("Anthropic's SDK for Python", _anthropic_python),
    "anthropic-node": SdkSnippet("Anthropic's SDK for JavaScript", _anthropic_node),
    "google-python": SdkSnippet("Google's SDK for Python", _google_python),
    "azure-python": SdkSnippet("OpenAI's SDK for Azure", _azure_python),
}


def snippets(access: ClientAccess) -> list[Snippet]:
    """Returns the lines for each SDK and each client. It loads what writes TOML and YAML, so call it in a thread."""
    made = [Snippet(name, sdk.title, "\n".join(sdk.lines(access)) + "\n") for name, sdk in SDKS.items()]
    for name, client in CLIENTS.items():
        used = access if access.model or not client.needs_model else replace(access, model=MODEL_PLACEHOLDER)
        place = "/".join(("~", *client.place)) if client.place and not client.here else "/".join(client.place)
        title = client.title[:1].upper() + client.title[1:]
        made.append(Snippet(name, title, settings_text(client, used), place, client.hint))
    return made


class ApiAddress(NamedTuple):
    """The address of the API as a person is shown it."""

    url: str
    is_known: bool
    """Whether it is an address, and not the words that stand for one."""


ADDRESS_PLACEHOLDER = "https://API-ADDRESS"


def api_address(portal: PortalSection, server: ServerSection, *, is_local: bool) -> ApiAddress:
    """Returns the operator's address of the API.

    Without one, it is where the API listens if the portal itself is reached on this machine (`is_local`). Else nobody
    but the operator knows it.
    """
    if portal.api_url is not None:
        return ApiAddress(portal.api_url.rstrip("/"), True)
    if is_local and server.port:
        return ApiAddress(server.local_url, True)
    return ApiAddress(ADDRESS_PLACEHOLDER, False)
