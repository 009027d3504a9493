from softix_proxy.domain.access.templates import TEMPLATE_KINDS, WHOLE_INSTANCE, TemplateCap, TemplatePart


def test_part_without_a_limit_is_empty() -> None:
    assert TemplatePart("openai/*").is_empty
    full = (
        TemplatePart("", rpm=1),
        TemplatePart("", tpm=1),
        TemplatePart("", concurrency=1),
        TemplatePart(caps=(TemplateCap("day", 0),)),
    )
    assert not any(part.is_empty for part in full)


def test_kinds_of_templates_and_the_place_of_the_instance_are_what_is_stored() -> None:
    assert TEMPLATE_KINDS == ("key", "user") and WHOLE_INSTANCE == 0
