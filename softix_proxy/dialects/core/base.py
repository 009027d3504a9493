"""The protocols that the relay uses for a wire format: they read fields from a request and usage from a response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from fractions import Fraction
from typing import Literal, NamedTuple, Protocol

from softix_proxy.dialects.core.spoken import CARRIED_TIERS
from softix_proxy.dialects.request.members import MemberTable
from softix_proxy.domain.access.objects import ObjectRef
from softix_proxy.domain.catalog.models import NAME_LETTERS
from softix_proxy.domain.core.records import record
from softix_proxy.domain.pricing.meters import Meters
from softix_proxy.domain.pricing.rates import STANDARD

Family = Literal["openai", "anthropic", "gemini"]
"""The provider family whose conventions for keys, errors and model lists an endpoint follows."""

MODEL_NAME = re.compile(rf"[{NAME_LETTERS}]{{1,128}}", re.ASCII)
"""The pattern of a model name that softix may keep although an outsider wrote it. It must match the whole name."""


_INPUT_ONLY = ("input_tokens",)
_BOTH_WAYS = ("input_tokens", "output_tokens")


class Scale(NamedTuple):
    """The factors between the bytes of a request body and the quantity of one meter."""

    most: Fraction
    typical: Fraction
    """The factor for the estimate that is charged if the response reports no usage."""


class CallShare(NamedTuple):
    """The part of a request's bound that depends on the limit which softix writes for the calls of hosted tools."""

    tools: Mapping[str, int]
    """The number of tools to which the limit applies, by the meter of their calls."""
    rounds: int
    """The number of times that the model reads the input whatever the limit is."""
    rounds_each: int
    """The further times for each call that the limit allows."""
    most_rounds: int | None = None
    """The most times that the provider has the model read, if it stops by itself."""


@record(frozen=True, slots=True)
class RequestSpec:
    """The few fields of a request that decide where it goes and what it may cost."""

    model: str
    stream: bool = False
    max_output_tokens: int | None = None
    """The output limit that the client set. None if it set none."""
    choices: int = 1
    """The number of completions that the provider produces: `n` or `best_of`, times the number of prompts in a list."""
    inputs: int = 1
    """The number of inputs that the model reads each by itself. The context window bounds one of them."""
    service_tier: str = STANDARD
    open_input: bool = False
    """Whether the request refers to input that is not in the body (a URL, a file id, a stored conversation).

    Only the context window bounds such input.
    """
    calls: Mapping[str, int] = field(default_factory=dict)
    """A mapping from a meter to the most calls of a hosted tool that this request may make."""
    wants_usage: bool = True
    """False if the client did not request the usage chunk and must not see it."""
    counted: Meters = field(default_factory=dict)
    """The meters that are known from the request itself.

    They are charged in addition to the provider's usage report.
    """
    priced_by: tuple[str, ...] = ()
    """The meters of which the price must name at least one. Empty if the price may name any meters.

    Without such a meter, nothing else of the response would be charged.
    """
    typical: Meters | None = None
    """The meters that are charged as an estimate if the response reports no usage.

    None if the estimate is made from the number of bytes.
    """
    unwrapped: str | None = None
    """The content type that the client expects if softix requests a stream of events only to get the usage.

    The client did not request these events, so softix takes the content out of them.
    """
    most_input_tokens: int | None = None
    """The upper bound of the input tokens if neither the number of bytes nor the context window bounds the input."""
    by_size: Mapping[str, Scale] = field(default_factory=dict)
    """A mapping from a meter to the quantity of it that the size of the body allows."""
    echoes: bool = False
    """Whether the response may repeat the request. Then its text does not show how much the model produced."""
    reads_nothing: bool = False
    """Whether the request has no text to read. Then a report of no input tokens may be true."""
    hides: frozenset[str] = frozenset(("work",))
    """The parts of the response's cost that may be out of sight while it is streamed (`dialects.request.hiding`).

    Without better knowledge it may hide anything.
    """
    adjustable: bool = True
    """Whether softix may write an affordable output limit into the request if the client set none."""
    unknown_members: int = 0
    """The number of members without a class; see `dialects.request.members`."""
    fees: tuple[str, ...] = ()
    """The meters of which the price must state a fee for this request, since the answer does not report it."""
    stated: tuple[str, ...] = ()
    """The meters that need a price of their own, because the request asks for what they count, such as sound."""
    tier_of: tuple[str, ...] = ()
    """The meters whose price depends on the service tier. Empty if the tier applies to all of them."""
    refs: tuple[ObjectRef, ...] = ()
    """The things at the provider that the request names. Admission finds out whose they are."""
    stored_kinds: frozenset[str] = frozenset()
    """The kinds of things that the provider keeps of the answer, so that later requests can name them."""
    tags: tuple[tuple[str, str], ...] = ()
    """The members that are words of the client's own choice for something at the provider, and the words."""
    limited_by: tuple[str, ...] = ()
    """The names under which the client gave its output limit. A provider may know another name."""
    predicted_tokens: int = 0
    """The most output tokens that may be billed beside the limit, because a prediction of the client is rejected."""
    rounds: int = 1
    """The most times that the provider may have the model read the input, because its own tools run in between."""
    call_limit: int | None = None
    """The number of tool calls to which softix limits the request, because the client did not. None changes nothing."""
    call_share: CallShare | None = None
    """The part of the bound that depends on `call_limit`. None if there is no such limit."""
    widest_context_tokens: int = 0
    """The context that the request may give the model. It counts if it is larger than the model's own."""
    widest_output_tokens: int = 0
    """The output that the request may give the model. It counts if it is larger than the model's own."""
    members: tuple[str, ...] = ()
    """The members of the request that may make it cost more than its size shows, by softix's own names.

    If the request costs more than was held for it, the bound is widened for requests with these members.
    """

    @property
    def bills(self) -> tuple[str, ...]:
        """Returns the meters that the request surely, or through its tools, uses.

        Empty if `priced_by` decides instead.
        """
        if self.priced_by:
            return ()
        tokens = _INPUT_ONLY if self.max_output_tokens == 0 else _BOTH_WAYS
        return (*tokens, *self.calls, *self.fees) if self.calls or self.fees else tokens

    def with_calls(self, call_limit: int) -> RequestSpec:
        """Returns the spec of the request if softix limits its tool calls to this number, and not to `call_limit`.

        What the client itself has limited stays.
        """
        share = self.call_share
        if self.call_limit is None or share is None:
            return self
        less = self.call_limit - call_limit
        calls = {meter: most - less * share.tools.get(meter, 0) for meter, most in self.calls.items()}
        rounds = share.rounds + share.rounds_each * call_limit
        if share.most_rounds is not None:
            rounds = min(rounds, share.most_rounds)
        return replace(self, calls=calls, rounds=rounds, call_limit=call_limit)

    def translated(self, endpoint: str) -> RequestSpec:
        """Returns the spec of the request as it is translated for this endpoint.

        Tools that a provider runs itself are not translated, nor are tiers that its dialect does not have.
        """
        found = self
        if self.calls or self.fees or self.rounds > 1:
            found = replace(self, calls={}, fees=(), rounds=1, call_limit=None, call_share=None)
        if found.service_tier in CARRIED_TIERS.get(endpoint, (found.service_tier,)):
            return found
        return replace(found, service_tier=STANDARD)


@record(frozen=True, slots=True)
class UsageReport:
    """The usage that the provider reported. Reports are cumulative: a later one replaces an earlier one."""

    meters: Meters
    service_tier: str | None = STANDARD
    """The service tier that the response names. None if it names none. Then the requested tier applies."""
    model_served: str | None = None
    """The model that the response names.

    None if the name does not match MODEL_NAME, since softix must not keep it then.
    """
    clamped: bool = False
    """Whether the parts exceeded the total and were cut to it."""
    undivided: bool = False
    """Whether only the sum of input and output was reported. Then all of it is counted as input."""
    unmade: bool = False
    """Whether the response says that no model produced it, for example a guardrail. Then counts of zero are true."""
    unpriced: tuple[str, ...] = ()
    """The paid work that the response reports and that no meter counts.

    These are names from a fixed list. They go into the note of the usage row.
    """


class Written(NamedTuple):
    """The text that a model has produced in a stream so far: its answer, its reasoning and its calls."""

    text: str
    """The text, or the beginning of it if it is too long to be counted."""
    letters: int
    """The number of letters of all of it."""
    pieces: int
    """The number of pieces in which it came. None of them is empty, so each has at least one token."""


class StreamMeter(Protocol):
    """A meter that reads usage from one streamed response while it passes. `feed` takes chunks that are split anywhere.

    Together, the bytes that `feed` and `take_held` return are the provider's bytes unchanged. Only a usage chunk that
    the client did not request is left out. Other chunks carry `"usage":null` because softix requested usage; this
    member stays.
    """

    report: UsageReport | None
    """The last report of the provider. While `ended` is false, it does not include the output that passed after it."""
    ended: bool
    """Whether the terminal event has passed. After it, nothing more of this response is billed."""
    finishing: bool
    """Whether the model has stopped. Then usage or the terminal event follows soon."""
    failure: str | None
    """The code of an error that the provider sent within the stream.

    It is one of the fixed list in `dialects.core.errors`.
    """
    stored_refs: tuple[ObjectRef, ...]
    """The things that the provider keeps of the response, as far as it has passed."""

    def feed(self, chunk: bytes) -> bytes:
        """Returns the bytes that may be sent now: whole events, up to but not including the terminal one."""
        ...

    def take_held(self) -> bytes:
        """Returns the terminal event and everything after it, or an event that never became complete.

        These bytes are sent after the settlement. The caller calls this once, when `ended` becomes true or the stream
        is over. Chunks that come later pass unchanged.
        """
        ...

    def estimate_output_tokens(self) -> int:
        """Estimates roughly and quickly the output tokens from the content that passed, to check a report."""
        ...

    def written(self) -> Written:
        """Returns the text that passed. It is counted if the response was cut before its last report."""
        ...


class ProviderEndpoint(Protocol):
    """An endpoint of a provider: its URL path and the meters of its responses. It is stateless and does no I/O."""

    name: str
    path: str
    """The path at the provider, from `/v1` on. `{model}` is replaced with the provider's name of the model."""
    metered: bool
    framed: bool
    """Whether a streamed response declares itself by its content type. A response without this type is read whole."""
    form_fields: frozenset[str] | None
    """The text fields that softix reads from a form. None if requests are JSON and not forms.

    The body of a form that `read` and `rewrite` get may end within its first file.
    """

    def report(self, body: bytes) -> UsageReport | None:
        """Returns the usage of a whole JSON response. None if it reports none."""
        ...

    def stream(self, *, hide_usage: bool) -> StreamMeter: ...


class Endpoint(ProviderEndpoint, Protocol):
    """The wire format of one POST route that clients can use as well."""

    family: Family
    members: MemberTable
    """The classes of the members that requests may have."""
    bound_header: str
    """The header that changes what a request may cost, in lower case. Empty if there is none."""

    def read(self, body: bytes) -> RequestSpec:
        """Reads the spec of a request. Raises RefusedError(INVALID_REQUEST) with a message that quotes no input."""
        ...

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_fields: tuple[str, ...] = (),
    ) -> bytes:
        """Returns the body with only these top-level fields changed or added. Every other value stays byte for byte.

        The body is one that `read` accepted. The output limit goes into each of its fields that the body has, and into
        those of `output_fields`. If there are none, it goes into the dialect's own. `ask_usage` matters only if the
        provider reports usage on request.
        """
        ...

    def with_header(self, spec: RequestSpec, value: str) -> RequestSpec:
        """Returns the spec of a request whose header `bound_header` has this value."""
        ...

    def limit_calls(self, body: bytes, limit: int) -> bytes:
        """Returns the body with this limit on the calls of hosted tools, wherever the client set none."""
        ...
