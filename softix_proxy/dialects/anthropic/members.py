"""The classes of the members that Anthropic's SDK can send (anthropic 2.14.0, `anthropic.types` and its betas).

`scripts/check_members.py` compares these tables with the types of the installed SDK.
"""

from __future__ import annotations

from softix_proxy.dialects.request.members import MemberTable

MESSAGES = MemberTable(
    free="""cache_control metadata output_config output_format stop_sequences stream temperature thinking tool_choice
    top_k top_p""",
    priced="""billing_policy fallbacks inference_geo max_tokens messages model models service_tier speed system""",
    brings_input="compaction context_management",
    brings_work="mcp_servers tools",
    names_object="container diagnostics fallback_credit_token thread user_profile_id workspace_id",
    opens="container mcp_servers thread",
)
"""Messages, and the requests of its batches.

What is written to the cache is metered by its lifetime. A token of a refused request lowers the provider's price for
the next one.
"""

COUNT_TOKENS = MemberTable(MESSAGES)
"""Counts of tokens, which cost nothing."""
