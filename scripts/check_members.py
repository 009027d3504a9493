"""Compares the classes of members in softix_proxy/dialects with the types of the providers' own SDKs.

    python scripts/check_members.py            list what the installed SDKs can send and no table has
    python scripts/check_members.py --list     list every member that they can send, with its class

A member that an SDK can send and no table has passes uncounted as something known, so a new SDK needs a look: whoever
adds a member decides what it does to the bill. The types of OpenAI's and Anthropic's SDKs are imported. Google's SDK
has converters, which are parsed: what they set is what is sent.
"""

from __future__ import annotations

import argparse
import ast
import functools
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from softix_proxy.dialects.anthropic import members as anthropic
from softix_proxy.dialects.gemini import members as gemini
from softix_proxy.dialects.openai import members as openai
from softix_proxy.dialects.request.members import MemberTable

TYPES: Mapping[str, tuple[MemberTable, Sequence[str]]] = {
    "chat_completions": (openai.CHAT, ["openai.types.chat.completion_create_params:CompletionCreateParams"]),
    "completions": (openai.COMPLETIONS, ["openai.types.completion_create_params:CompletionCreateParams"]),
    "responses": (openai.RESPONSES, ["openai.types.responses.response_create_params:ResponseCreateParams"]),
    "input_tokens": (openai.INPUT_TOKENS, ["openai.types.responses.input_token_count_params:InputTokenCountParams"]),
    "embeddings": (openai.EMBEDDINGS, ["openai.types.embedding_create_params:EmbeddingCreateParams"]),
    "moderations": (openai.MODERATIONS, ["openai.types.moderation_create_params:ModerationCreateParams"]),
    "image_generations": (openai.IMAGES, ["openai.types.image_generate_params:ImageGenerateParams"]),
    "image_edits": (openai.IMAGE_EDITS, ["openai.types.image_edit_params:ImageEditParams"]),
    "image_variations": (
        openai.IMAGE_VARIATIONS,
        ["openai.types.image_create_variation_params:ImageCreateVariationParams"],
    ),
    "speech": (openai.SPEECH, ["openai.types.audio.speech_create_params:SpeechCreateParams"]),
    "transcriptions": (
        openai.TRANSCRIPTIONS,
        ["openai.types.audio.transcription_create_params:TranscriptionCreateParams"],
    ),
    "translations": (openai.TRANSLATIONS, ["openai.types.audio.translation_create_params:TranslationCreateParams"]),
    "realtime": (
        openai.REALTIME,
        [
            "openai.types.realtime.realtime_session_create_request_param:RealtimeSessionCreateRequestParam",
            "openai.types.realtime.realtime_response_create_params_param:RealtimeResponseCreateParamsParam",
        ],
    ),
    "messages": (
        anthropic.MESSAGES,
        [
            "anthropic.types.message_create_params:MessageCreateParams",
            "anthropic.types.beta.message_create_params:MessageCreateParams",
            "anthropic.types.beta.message_create_params:ParseMessageCreateParamsBase",
        ],
    ),
    "count_tokens": (
        anthropic.COUNT_TOKENS,
        [
            "anthropic.types.message_count_tokens_params:MessageCountTokensParams",
            "anthropic.types.beta.message_count_tokens_params:MessageCountTokensParams",
        ],
    ),
}
"""Endpoint → its table, and the types of its requests."""
HEADERS = frozenset(("betas",))
"""The members of Anthropic's types that its SDK sends as a header."""
_CONFIG = ("_GenerateContentConfig_to_mldev", "_GenerateContentConfig_to_vertex")
_EMBEDDINGS = (
    "_EmbedContentConfig_to_mldev",
    "_EmbedContentConfig_to_vertex",
    "_EmbedContentParametersPrivate_to_mldev",
    "_EmbedContentParametersPrivate_to_vertex",
)
CONVERTERS: Mapping[str, tuple[MemberTable, Sequence[str], str, int]] = {
    "generate_content": (gemini.GENERATE_CONTENT, _CONFIG, "parent_object", 0),
    "generate_content.generationConfig": (gemini.CONFIG, _CONFIG, "to_object", 0),
    "generate_content.": (
        gemini.GENERATE_CONTENT,
        ("_GenerateContentParameters_to_mldev", "_GenerateContentParameters_to_vertex"),
        "to_object",
        0,
    ),
    "gemini_count_tokens": (
        gemini.COUNT_TOKENS,
        ("_CountTokensConfig_to_vertex", "_CountTokensParameters_to_mldev", "_CountTokensParameters_to_vertex"),
        "",
        0,
    ),
    "batch_embed_contents": (gemini.BATCH_EMBED_CONTENTS, _EMBEDDINGS, "requests[]", 0),
    "embed_content.requests": (gemini.EMBED_CONTENT, _EMBEDDINGS, "requests[]", 1),
    "embed_content": (gemini.EMBED_CONTENT, _EMBEDDINGS, "content embedContentConfig", 0),
}
"""Endpoint → its table, Google's converters, what they set it in, and the place of the name in the path that is set.

`requests[]` and other names are the beginning of that path.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the classes of members with the SDKs' types.")
    parser.add_argument("--list", action="store_true", help="list every member that the SDKs can send")
    everything = parser.parse_args().list
    missing = 0
    for endpoint, name, kind in found():
        if kind is None:
            missing += 1
        if everything or kind is None:
            print(f"{endpoint} {name}: {kind or 'no class; add it to members.py of its dialect'}")
    return 1 if missing else 0


def found() -> Iterator[tuple[str, str, str | None]]:
    """Yields each member that an SDK can send: the endpoint, the name, and the class if it has one."""
    for endpoint, (table, kinds) in TYPES.items():
        names = {name for kind in kinds for name in typed_members(kind)} - HEADERS
        yield from ((endpoint, name, table.classes.get(name)) for name in sorted(names))
    for endpoint, (table, functions, place, depth) in CONVERTERS.items():
        names = {name for function in functions for name in converted_members(function, place, depth)}
        if not names:
            raise SystemExit(f"{endpoint}: no member can be read of {functions}; teach scripts/check_members.py")
        yield from ((endpoint, name, table.classes.get(name)) for name in sorted(names))


def typed_members(kind: str) -> frozenset[str]:
    """Returns the members of a TypedDict, or of several in a union."""
    module, _, name = kind.partition(":")
    found = getattr(import_module(module), name)
    parts = typing.get_args(found) or (found,)
    return frozenset(member for part in parts for member in part.__required_keys__ | part.__optional_keys__)


def converted_members(function: str, place: str, depth: int) -> Iterator[str]:
    """Yields what one of Google's converters sets there."""
    for call in ast.walk(_converters()[function]):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "setv":
            target, path = ast.unparse(call.args[0]), ast.literal_eval(call.args[1])
            fits = place in ("", target) or path[0] in place.split()
            if fits and len(path) > depth and path[0] != "_url":
                yield path[depth].removesuffix("[]")


@functools.cache
def _converters() -> Mapping[str, ast.FunctionDef]:
    spec = find_spec("google.genai.models")
    if spec is None or spec.origin is None:
        raise SystemExit("google-genai is not installed: pip install -e '.[test]'")
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


if __name__ == "__main__":
    sys.exit(main())
