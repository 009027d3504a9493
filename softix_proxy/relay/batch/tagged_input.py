"""Writes the file of a batch with tags in the place of the client's words, while it passes.

A line is tagged by the rule for a single request. The length of the result is known before, because each line was read
for its admission.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from softix_proxy.dialects.batches import BatchItem, with_body
from softix_proxy.dialects.request.fields import invalid
from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.relay.batch.batch_request import BatchRequest
from softix_proxy.relay.request.forward import TagOf
from softix_proxy.relay.request.large_body import scan
from softix_proxy.relay.request.tags import tagged

_SENT_AT_ONCE_BYTES = 64 * 1024


async def tagged_line(item: BatchItem, words: Sequence[tuple[str, str]], tag_of: TagOf) -> bytes:
    """Returns the line of a request with tags as the values of these members. A line without words stays as it is."""
    if not words:
        return item.line + b"\n"
    line, body = await scan(item.line), await scan(item.body)  # they are used as long as this function runs
    written = with_body(item.line, tagged(item.body, words, tag_of)) + b"\n"
    del line, body
    return written


class TaggedInput:
    """The rest of a form after its `head`, which uploads the file. It implements `domain.ports.upstream.BodyRemainder`.

    `lines` are read anew. `requests` are what was read from the same lines before.
    """

    def __init__(self, lines: AsyncGenerator[BatchItem, None], requests: Sequence[BatchRequest], tag_of: TagOf) -> None:
        boundary = secrets.token_hex(16).encode()
        self.head = b"".join(
            (
                b'--%b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n' % boundary,
                b'--%b\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n' % boundary,
                b"Content-Type: application/jsonl\r\n\r\n",
            )
        )
        self._tail = b"\r\n--%b--\r\n" % boundary
        self._lines = lines
        self._requests = requests
        self._tag_of = tag_of
        self.size_bytes = sum(request.line_bytes for request in requests) + len(self._tail)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the lines. Raises RefusedError if they are not those that were admitted."""
        requests, waiting, number = self._requests, bytearray(), 0
        async with aclosing(self._lines) as lines:
            async for item in lines:
                request = requests[number] if number < len(requests) else None
                if request is None or request.custom_id != item.custom_id:
                    raise _changed()
                line = await tagged_line(item, request.spec.tags, self._tag_of)
                if len(line) != request.line_bytes:
                    raise _changed()
                number += 1
                waiting += line
                if len(waiting) >= _SENT_AT_ONCE_BYTES:
                    yield bytes(waiting)
                    waiting.clear()
        if number < len(requests):
            raise _changed()
        yield bytes(waiting) + self._tail


def _changed() -> RefusedError:
    return invalid("The file of the batch has changed while it was read.")
