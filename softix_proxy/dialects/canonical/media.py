"""Reads and writes data URLs and media types."""

from __future__ import annotations

import re
from collections.abc import Mapping

from softix_proxy.dialects.canonical.types import MediaKind, MediaPart
from softix_proxy.dialects.request.fields import invalid

_DATA = re.compile(r"data:([\w.+/-]*)(?:;[\w=.+-]+)*;base64,", re.ASCII)
_KINDS: Mapping[str, MediaKind] = {"image": "image", "audio": "audio", "video": "video"}
_BY_ENDING = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "mp4": "video/mp4",
}


def kind_of(mime: str) -> MediaKind:
    return _KINDS.get(mime.partition("/")[0], "document")


def from_url(url: str, kind: MediaKind, mime: str = "") -> MediaPart:
    """Returns a part with the data of a data URL, or with any other URL unchanged."""
    match = _DATA.match(url)
    if match is not None:
        return MediaPart(kind, mime=match[1] or mime, data=url[match.end() :])
    if url.startswith("data:"):
        raise invalid("A data URL must hold base64.")
    return MediaPart(kind, mime=mime, url=url)


def to_url(media: MediaPart) -> str:
    """Returns the URL, or a data URL of the data. The part must not be plain text."""
    return media.url or f"data:{media.mime or 'application/octet-stream'};base64,{media.data}"


def guess_mime(media: MediaPart) -> str:
    """Returns the given media type, or the one that the ending of the name suggests. Empty if it suggests none."""
    path = (media.url or media.name).partition("?")[0]
    return media.mime or _BY_ENDING.get(path.rpartition(".")[2].lower(), "")
