"""Reads the beta features of a request, as far as they change the most that it can cost.

They come in the header `anthropic-beta`, separated by commas. Their names end with a date. A feature that is not known
may widen the context, as `context-1m` does. So the bound counts with the widest context that is known.
"""

from __future__ import annotations

import re
from dataclasses import replace

from softix_proxy.dialects.core.base import RequestSpec
from softix_proxy.domain.catalog.models import DEFAULT_CONTEXT_TOKENS, DEFAULT_MAX_OUTPUT_TOKENS

HEADER = "anthropic-beta"
_DATE = re.compile(r"-\d{4}-?\d{2}-?\d{2}$", re.ASCII)
_CONTEXT = re.compile(r"context-(\d{1,3})([km])", re.ASCII)
_OUTPUT = re.compile(r"output-(\d{1,4})k", re.ASCII)
_UNITS = {"k": 1000, "m": 1_000_000}
SAME_BOUNDS = frozenset(
    [
        "adaptive-thinking",
        "adaptive-thinking-display",
        "advanced-tool-use",
        "advisor-tool",
        "afk-mode",
        "ccr-byoc",
        "claude-code",
        "code-execution",
        "compact",
        "computer-use",
        "context-hint",
        "context-management",
        "dev-full-thinking",
        "effort",
        "environments",
        "extended-cache-ttl",
        "fallback-credit",
        "fast-mode",
        "files-api",
        "fine-grained-tool-streaming",
        "interleaved-thinking",
        "managed-agents",
        "mcp-client",
        "mcp-servers",
        "message-batches",
        "mid-conversation-system",
        "model-context-window-exceeded",
        "oauth",
        "pdfs",
        "prompt-caching",
        "prompt-caching-scope",
        "redact-thinking",
        "server-side-fallback",
        "skills",
        "structured-outputs",
        "summarize-connector-text",
        "task-budgets",
        "thinking-token-count",
        "token-counting",
        "token-efficient-tools",
        "tool-examples",
        "tool-search",
        "tool-search-tool",
        "user-profiles",
        "web-fetch",
        "web-search",
    ]
)
"""The features, without their dates, that leave context and output as they are. What they bring is in the body."""


def with_betas(spec: RequestSpec, value: str) -> RequestSpec:
    """Returns the spec with the widest limits that the features in this header may give the model."""
    context = output = 0
    for name in value.split(","):
        beta = _DATE.sub("", name.strip().lower())
        if not beta or beta in SAME_BOUNDS:
            continue
        if match := _OUTPUT.fullmatch(beta):
            output = max(output, int(match[1]) * _UNITS["k"])
        elif match := _CONTEXT.fullmatch(beta):
            context = max(context, int(match[1]) * _UNITS[match[2]])
        else:
            context, output = max(context, DEFAULT_CONTEXT_TOKENS), max(output, DEFAULT_MAX_OUTPUT_TOKENS)
    if not (context or output):
        return spec
    return replace(spec, widest_context_tokens=context, widest_output_tokens=output, members=(*spec.members, HEADER))
