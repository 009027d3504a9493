"""Libraries that stand on the SDKs: a tool is called, its result goes back, and the answer is streamed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from clients.conftest import MODELS, library, package, program, settled
from support.agent_server import DONE, PROOF
from support.daemon import Prepared

KINDS = ("openai", "anthropic")
"""Of the libraries' clients."""


def task(home: Path) -> tuple[str, Path]:
    proof = home / "proof.txt"
    return f"Write the file proof={proof}", proof


def chat_model(served: Prepared, kind: str, model: str) -> Any:
    if kind == "openai":
        library("langchain_openai")
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model=model, base_url=served.openai_url, api_key=served.key, max_retries=0)
    library("langchain_anthropic")
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(
        model_name=model, base_url=served.url, api_key=served.key, max_retries=0, timeout=30, stop=None
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", MODELS)
async def test_langchain_with_a_tool_writes_the_file_and_streams_the_response(
    served: Prepared, home: Path, kind: str, dialect: str
) -> None:
    prompt, proof = task(home)
    model = chat_model(served, kind, MODELS[dialect])
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_core.tools import tool

    @tool
    def write_proof(path: str, content: str) -> str:
        """Writes a file."""
        Path(path).write_text(content)
        return "written"

    messages: list[Any] = [HumanMessage(prompt)]
    asked = await model.bind_tools([write_proof]).ainvoke(messages)
    [call] = asked.tool_calls
    messages += [asked, ToolMessage(write_proof.invoke(call["args"]), tool_call_id=call["id"])]
    pieces = [chunk async for chunk in model.bind_tools([write_proof]).astream(messages)]
    assert "".join(str(chunk.text) for chunk in pieces) == DONE
    assert proof.read_text() == PROOF
    counted = sum((chunk.usage_metadata or {}).get("output_tokens", 0) for chunk in pieces)
    assert (counted > 0) is (kind == "anthropic"), "it asks no other address than OpenAI's own for usage"
    assert len(settled(served)) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", MODELS)
async def test_pydantic_ai_with_a_tool_writes_the_file_and_streams_the_response(
    served: Prepared, home: Path, kind: str, dialect: str
) -> None:
    library("pydantic_ai")
    from pydantic_ai import Agent

    prompt, proof = task(home)
    model: Any
    if kind == "openai":
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        model = OpenAIChatModel(
            MODELS[dialect], provider=OpenAIProvider(base_url=served.openai_url, api_key=served.key)
        )
    else:
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        model = AnthropicModel(MODELS[dialect], provider=AnthropicProvider(base_url=served.url, api_key=served.key))
    agent: Any = Agent(model)

    @agent.tool_plain
    def write_proof(path: str, content: str) -> str:
        Path(path).write_text(content)
        return "written"

    result = await agent.run(prompt)
    assert result.output == DONE and proof.read_text() == PROOF
    async with agent.run_stream(prompt) as stream:
        assert await stream.get_output() == DONE
    assert len(settled(served)) == 4


@pytest.mark.parametrize("dialect", MODELS)
async def test_google_genai_with_a_function_calls_it_and_streams_the_response(
    served: Prepared, home: Path, dialect: str
) -> None:
    """It calls the function itself, and sends what that returned."""
    library("google.genai")
    from google import genai

    prompt, proof = task(home)

    def write_proof(path: str, content: str) -> str:
        """Writes a file."""
        Path(path).write_text(content)
        return "written"

    google = genai.Client(api_key=served.key, http_options={"base_url": served.url})
    asked: Any = {"model": MODELS[dialect], "contents": prompt, "config": {"tools": [write_proof]}}
    answer = await google.aio.models.generate_content(**asked)
    assert answer.text == DONE and proof.read_text() == PROOF
    proof.unlink()
    chunks = [chunk async for chunk in await google.aio.models.generate_content_stream(**asked)]
    assert "".join(chunk.text or "" for chunk in chunks).endswith(DONE) and proof.read_text() == PROOF
    assert len(settled(served)) == 4


@pytest.mark.parametrize("dialect", MODELS)
@pytest.mark.parametrize("script", ["openai_sdk.mjs", "anthropic_sdk.mjs"])
async def test_node_sdk_with_a_tool_writes_the_file_and_streams_the_response(
    served: Prepared, home: Path, script: str, dialect: str
) -> None:
    node, (prompt, proof) = program("node"), task(home)
    package(script)
    told = {"PROXY_URL": served.url, "PROXY_KEY": served.key, "PROXY_MODEL": MODELS[dialect], "PROMPT": prompt}
    process = await asyncio.create_subprocess_exec(
        *(node, str(Path(__file__).with_name(script))),
        env={**told, "PATH": os.environ["PATH"], "HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    assert json.loads(out) == {"plain": DONE, "tool": "write_proof", "done": DONE, "streamed": True}
    assert proof.read_text() == PROOF
    rows = settled(served)
    assert len(rows) == 3 and {row["usage_source"] for row in rows} == {"provider"}


async def test_llm_command_with_a_model_of_softix_prints_the_response(served: Prepared, home: Path) -> None:
    library("llm")
    folder = home / "llm"
    folder.mkdir()
    entry = {"model_id": "softix", "model_name": MODELS["openai"], "api_base": served.openai_url}
    entry["api_key_name"] = "softix"
    (folder / "keys.json").write_text(json.dumps({"softix": served.key}))
    (folder / "extra-openai-models.yaml").write_text(json.dumps([entry]))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "llm", "-m", "softix", "Say something", "--no-log"),
        env={"LLM_USER_PATH": str(folder), "HOME": str(home), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out.decode().strip()) == (0, DONE), err.decode()
    assert len(settled(served)) == 1
