"""Makes new inputs of known ones: always the same ones for a seed, so that a finding of one machine is one of all."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from scripts.fuzz.targets import MOST_BYTES

TOKENS = (
    b"\0",
    b"\r\n",
    b"\n\n",
    b"\r\r",
    b"\xff\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"data: ",
    b"event: ",
    b"[DONE]",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b"\\u0000",
    b"\\ud83d",
    b"null",
    b"true",
    b"-1",
    b"0.5",
    b"1e400",
    b"NaN",
    b"9" * 20,
    b'"model":',
    b'"usage":',
    b'"error":',
    b'"input_tokens":',
    b'"prompt_tokens":',
    b'"choices":[]',
    b"%2e%2e",
    b"%2f",
    b"../",
    b"--softix",
    b"--softix--\r\n",
    b'Content-Disposition: form-data; name="model"\r\n\r\n',
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b",",
    b";",
    b"=1+1",
    b"\x1b[31m",
    b"\xe2\x80\xa8",
)
"""What parsers look for, and what confuses them."""


def mutate(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One to eight changes of one of the seeds."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        at = chance.randrange(len(data) + 1)
        end = min(at + chance.choice((1, 1, 2, 4, 16, 64)), len(data))
        kind = chance.randrange(7)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] = chance.randrange(256)
        elif kind == 1:
            data[at:at] = chance.choice(TOKENS)
        elif kind == 2:
            del data[at:end]
        elif kind == 3:
            data[at:at] = data[at:end] * chance.choice((1, 2, 30))
        elif kind == 4:
            data[at:end] = chance.choice(TOKENS)
        elif kind == 5:
            other = chance.choice(seeds)
            data[at:] = other[chance.randrange(len(other) + 1) :]
        else:
            data[at:at] = chance.randbytes(chance.choice((1, 2, 8)))
    return bytes(data[:MOST_BYTES])


def inputs(name: str, seeds: Sequence[bytes], runs: int, seed: int = 0) -> Iterator[bytes]:
    """Every seed, and then so many changed ones."""
    yield from seeds
    chance = random.Random(f"{name} {seed}")
    for _ in range(runs):
        yield mutate(chance, seeds)
