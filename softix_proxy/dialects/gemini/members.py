"""The classes of the members that Google's SDK can send (google-genai 3.6.1, the converters of `google.genai.models`).

`scripts/check_members.py` compares these tables with the converters of the installed SDK. Google's servers take each
name in two spellings, so the tables have both.
"""

from __future__ import annotations

from softix_proxy.dialects.request.members import MemberTable, both_spellings

_ROUTED = "`{}` lets the provider run another model, at another price. Send the request without it."

CONFIG = MemberTable(
    free=both_spellings(
        """audioTimestamp enableAffectiveDialog enableEnhancedCivicAnswers frequencyPenalty logprobs mediaResolution
        presencePenalty responseJsonSchema responseLogprobs responseMimeType responseSchema seed speechConfig
        stopSequences temperature topK topP"""
    ),
    priced=both_spellings("candidateCount imageConfig maxOutputTokens responseModalities thinkingConfig"),
    brings_work=both_spellings("audioTranscriptionConfig modelConfig modelSelectionConfig routingConfig"),
    refused={
        spelling: _ROUTED.format(spelling)
        for spelling in both_spellings("modelConfig modelSelectionConfig routingConfig").split()
    },
)
"""What `generationConfig` has."""

GENERATE_CONTENT = MemberTable(
    free=both_spellings("labels safetySettings store toolConfig"),
    priced=both_spellings("contents generationConfig model serviceTier systemInstruction"),
    brings_work="tools",
    names_object=both_spellings("cachedContent continuationToken modelArmorConfig outputConfig"),
    opens=both_spellings("cachedContent continuationToken"),
    nested=dict.fromkeys(both_spellings("generationConfig").split(), CONFIG),
)
"""Generation of content. `modelArmorConfig` names a template, and `outputConfig` a bucket."""

COUNT_TOKENS = MemberTable(GENERATE_CONTENT, priced=both_spellings("generateContentRequest"))
"""Counts of tokens, which cost nothing."""

EMBED_CONTENT = MemberTable(
    free=both_spellings("autoTruncate outputDimensionality taskType title"),
    priced="content model",
    brings_input=both_spellings("embedContentConfig"),
)
"""One embedding. Its configuration may have text read from a document or a recording."""

BATCH_EMBED_CONTENTS = MemberTable(priced="model requests", nested={"requests": EMBED_CONTENT})
