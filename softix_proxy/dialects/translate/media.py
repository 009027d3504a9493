"""Data URLs and media types."""

from __future__ import annotations

import re
from collections.abc import Mapping

from softix_proxy.dialects.fields import invalid
from softix_proxy.dialects.translate.canonical import MediaKind, MediaPart

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
    """A data URL as its data, any other as it is."""
    match = _DATA.match(url)
    if match is not None:
        return MediaPart(kind, mime=match[1] or mime, data=url[match.end() :])
    if url.startswith("data:"):
        raise invalid("A data URL must hold base64.")
    return MediaPart(kind, mime=mime, url=url)


def to_url(media: MediaPart) -> str:
    """Of data and of a URL; a plain text is none."""
    return media.url or f"data:{media.mime or 'application/octet-stream'};base64,{media.data}"


def guess_mime(media: MediaPart) -> str:
    """What was said, else what the ending of the name tells; empty if it tells nothing."""
    path = (media.url or media.name).partition("?")[0]
    return media.mime or _BY_ENDING.get(path.rpartition(".")[2].lower(), "")
