"""The table of names against the request types of Google's SDK, and what is no name of a file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types
from support.sdk_types import members

from softix_proxy.dialects.gemini.endpoint import GenerateContent
from softix_proxy.dialects.gemini.references import RULES, names_kept
from softix_proxy.domain.access.objects import ObjectRef

TYPES = (types.Content, types.GenerateContentConfig, types.EmbedContentConfig, types.CountTokensConfig)
EXCEPTIONS = {
    "File.download_uri": "the SDK sends a file by its `uri` alone",
    "File.name": "the SDK sends a file by its `uri` alone",
}


def test_each_member_of_the_sdk_that_looks_like_a_name_is_in_the_table_or_an_exception() -> None:
    found = members(*TYPES)
    assert len(found) > 300
    named = [member for member in found if member.looks_like_a_name]
    known = RULES.kinds.keys() | RULES.harmless
    assert [str(each) for each in named if each.plain not in known and str(each) not in EXCEPTIONS] == []


def refs(**body: Any) -> tuple[ObjectRef, ...]:
    return GenerateContent().of("m", "").read(json.dumps(body).encode()).refs


def test_own_data_of_the_client_names_nothing() -> None:
    call = {"functionCall": {"id": "c", "name": "f", "args": {"fileUri": "gs://x"}}}
    result = {"functionResponse": {"id": "c", "name": "f", "response": {"fileUri": "gs://x"}}}
    image = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    declared = {"functionDeclarations": [{"name": "f", "parameters": {"properties": {"fileUri": {}}}}]}
    contents = [{"role": "user", "parts": [call, result, image]}]
    config = {"responseSchema": {"properties": {"fileUri": {}}}}
    assert refs(contents=contents, tools=[declared, {"googleSearch": {}}], generationConfig=config) == ()


@pytest.mark.parametrize("uri", ["https://www.youtube.com/watch?v=9hE5-98ZeCg", "https://youtu.be/9hE5-98ZeCg"])
def test_public_video_names_nothing(uri: str) -> None:
    assert refs(contents=[{"parts": [{"fileData": {"fileUri": uri}}]}]) == ()


@pytest.mark.parametrize(
    "uri",
    ["https://www.youtube.com.evil.example/watch?v=9hE5-98ZeCg", "https://youtu.be/x/files/1", "files/1", "http://a/b"],
)
def test_any_other_uri_names_a_file(uri: str) -> None:
    assert refs(contents=[{"parts": [{"fileData": {"fileUri": uri}}]}]) == (ObjectRef("file_uri", uri),)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.com/picture.png", False),
        ("https://example.com/v1beta/FILES/x", True),
        ("https://example.com/v1beta/%66iles/x", True),
        ("https://generativelanguage.googleapis.com/x", True),
        ("gs://bucket/x", True),
        ("https://[", True),
    ],
)
def test_url_of_a_client_of_another_dialect_may_name_a_file(url: str, kept: bool) -> None:
    assert names_kept(url) is kept
