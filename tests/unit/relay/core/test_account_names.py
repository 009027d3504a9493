import pytest

from softix_proxy.relay.core.account_names import may_name_account, names_account, without_account

UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("reached for gpt-4o in organization org-4Xk2mmPqRz81 on", "reached for gpt-4o in organization [redacted] on"),
        ("Project `proj_aBcD1234efgh` does not have access", "Project `[redacted]` does not have access"),
        (f"your organization's limit (org: {UUID})", "your organization's limit (org: [redacted])"),
        (f"Tenant {UUID} is blocked", "Tenant [redacted] is blocked"),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.x is not there", "[redacted] is not there"),
        ("account 123456789012 has no access", "account [redacted] has no access"),
        (f"/subscriptions/{UUID}/resourceGroups/acme-rg/providers/x in use", "/subscriptions/[redacted] in use"),
        ("see https://acme-ai.openai.azure.com/openai", "see https://[redacted].openai.azure.com/openai"),
        ("Permission denied on resource project acme-prod-1234.", "Permission denied on resource project [redacted]."),
        ("projects/987654321/locations/eu", "projects/[redacted]/locations/eu"),
        ("Consumer project_number:987654321", "Consumer project_number:[redacted]"),
        ("svc" "@acme-prod.iam.gserviceaccount.com lacks a role", "[redacted] lacks a role"),
        ("cannot connect to http://vllm:8000/v1", "cannot connect to http://[redacted]/v1"),
        ("cannot connect to http://gpu1.acme.internal:8000/v1", "cannot connect to http://[redacted]/v1"),
        ("upstream 10.0.0.5:8000 refused", "upstream [redacted] refused"),
        ("upstream https://203.0.113.9/ refused", "upstream https://[redacted]/ refused"),
    ],
)  # fmt: skip
def test_text_with_the_name_of_an_account_loses_the_name(text: str, left: str) -> None:
    assert without_account(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "You can find your API key at https://platform.openai.com/account/api-keys.",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens.",
        "user-provided schema: team-leaders are not allowed in org-structure",
        "Invalid value: 'user_message'. Supported values are: 'text' and 'image_url'.",
        "The file https://example.com/a.png could not be fetched (request id req_011CQ9Xabcdef12345)",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "models/gemini-2.5-pro is not found for API version v1beta",
        "Version 1.10.0.5 of the API",
    ],
)
def test_text_without_the_name_of_an_account_stays(text: str) -> None:
    assert without_account(text) == text


def test_members_and_headers_that_name_an_account_are_known() -> None:
    assert names_account("organization_id") and names_account("userId") is False and names_account("Project")
    assert not names_account("code") and not names_account("model")
    assert may_name_account("req_1\norg-abc") and not may_name_account("req_1\n12")
