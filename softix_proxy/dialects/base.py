"""What the relay knows of a wire format: fields read from a request, usage read from an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from fractions import Fraction
from typing import Literal, NamedTuple, Protocol

from softix_proxy.domain.models import NAME_LETTERS
from softix_proxy.domain.pricing import STANDARD
from softix_proxy.domain.records import record
from softix_proxy.domain.usage import Meters

Family = Literal["openai", "anthropic", "gemini"]
"""Whose conventions hold for keys, errors and model lists."""

MODEL_NAME = re.compile(rf"[{NAME_LETTERS}]{{1,128}}", re.ASCII)
"""What may be kept of a model name that an outsider wrote; to be matched in full."""


_INPUT_ONLY = ("input_tokens",)
_BOTH_WAYS = ("input_tokens", "output_tokens")


class Scale(NamedTuple):
    """Of a meter, for each byte of the body."""

    most: Fraction
    typical: Fraction
    """Charged where the answer tells nothing, as an estimate."""


@record(frozen=True, slots=True)
class Ask:
    """The few fields of a request that decide where it goes and what it may cost."""

    model: str
    stream: bool = False
    max_output_tokens: int | None = None
    """What the client set; None where it set nothing."""
    choices: int = 1
    """How many answers are produced: `n` or `best_of`, times the prompts in a list."""
    service_tier: str = STANDARD
    open_input: bool = False
    """Input that is not in the body (a URL, a file id, a stored conversation): only the context bounds it."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """Meter → the most calls of a hosted tool that this request may make."""
    wants_usage: bool = True
    """False where the client did not ask for the usage frame and must not see it."""
    counted: Meters = field(default_factory=dict)
    """What the request itself tells of its cost: charged beside what the provider reports."""
    priced_by: tuple[str, ...] = ()
    """Meters of which the price must name one, since nothing else of the answer would be charged; empty: any."""
    typical: Meters | None = None
    """What is charged where the answer tells nothing, as an estimate; None: judged by the bytes."""
    unwrapped: str | None = None
    """The type of what the client gets where usage is asked for by events that it did not ask for."""
    most_input_tokens: int | None = None
    """Where neither the body's bytes nor the context bound the input."""
    by_size: Mapping[str, Scale] = field(default_factory=dict)
    """Meter → how much of it the body's size allows."""
    echoes: bool = False
    """The answer may repeat the request, so that its text does not tell how much was made."""
    reads_nothing: bool = False
    """There is nothing in it to be read, so that no input may be a true count."""
    adjustable: bool = True
    """Where the client set no output limit, an affordable one may be written into the request."""

    @property
    def bills(self) -> tuple[str, ...]:
        """The meters that it will surely, or by its tools, make run; none where `priced_by` is what counts."""
        if self.priced_by:
            return ()
        tokens = _INPUT_ONLY if self.max_output_tokens == 0 else _BOTH_WAYS
        return (*tokens, *self.calls) if self.calls else tokens

    def translated(self) -> Ask:
        """What is left of it in another dialect: tools that a provider runs itself do not come along."""
        return replace(self, calls={}) if self.calls else self


@record(frozen=True, slots=True)
class UsageReport:
    """What the provider said of its own work. Cumulative: a later report replaces an earlier one."""

    meters: Meters
    service_tier: str | None = STANDARD
    """None where the answer does not tell: the one that was asked for."""
    model_served: str | None = None
    """Only if it matches MODEL_NAME; anything else is not ours to keep."""
    clamped: bool = False
    """The parts exceeded the whole and were cut to it."""
    undivided: bool = False
    """Only the sum of input and output was told; all of it stands as input."""
    unmade: bool = False
    """The answer says that no model made it, a guardrail for example, so that counts of nothing are true."""
    unpriced: tuple[str, ...] = ()
    """Paid work that the answer tells of and no meter counts: names of a fixed list, for the row's note."""


class StreamMeter(Protocol):
    """Reads usage from a stream in passing. One per answer; `feed` takes chunks split anywhere.

    The bytes returned by all `feed`s, with those of `take_held` where it was called, are the provider's bytes
    unchanged, less the usage frame that the client did not ask for. The `"usage":null` that other frames carry because
    it was asked for stays.
    """

    report: UsageReport | None
    """The last that the provider said. While `ended` is false, output that passed since is not yet in it."""
    ended: bool
    """The terminal event has been seen: nothing more of this answer will be billed."""
    finishing: bool
    """The model has stopped; usage or the terminal event is about to come."""
    failure: str | None
    """The code, from the fixed list of dialects.errors, of an error that the provider sent within the stream."""

    def feed(self, chunk: bytes) -> bytes:
        """What may be sent now: whole events, up to the terminal one."""
        ...

    def take_held(self) -> bytes:
        """The terminal event and what came after it, or an event that never became whole: sent after the settlement.

        To be called once, when `ended` becomes true or the stream is over; further chunks then pass as they come.
        """
        ...

    def estimate_output_tokens(self) -> int:
        """What was produced, judged by what passed; used only where the answer was cut before its last report."""
        ...


class ProviderEndpoint(Protocol):
    """Where a provider is asked, and how its answers are metered. Stateless; no I/O."""

    name: str
    path: str
    """The path at the provider, from `/v1` on; `{model}` stands for the model's name there."""
    metered: bool
    framed: bool
    """Its streams say by their type that they are, and else the answer is read whole."""
    form_fields: frozenset[str] | None
    """The texts that matter of its requests, which are forms; None: they are JSON.

    The body that `read` and `rewrite` get of a form may end within its first file.
    """

    def report(self, body: bytes) -> UsageReport | None:
        """Usage of a whole JSON answer; None where it has none."""
        ...

    def stream(self, *, hide_usage: bool) -> StreamMeter: ...


class Endpoint(ProviderEndpoint, Protocol):
    """One POST route's wire format, as clients speak it as well."""

    family: Family

    def read(self, body: bytes) -> Ask:
        """Raises RefusedError(INVALID_REQUEST) with a message that quotes no input."""
        ...

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_field: str | None = None,
    ) -> bytes:
        """The body with only these top-level fields changed or added; every other value byte for byte.

        The body is one that `read` accepted. A limit goes into each field for it that the body has, else into
        `output_field` (default: the dialect's own). `ask_usage` matters only where usage comes on request.
        """
        ...
