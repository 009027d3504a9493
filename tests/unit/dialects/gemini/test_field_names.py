from __future__ import annotations

from softix_proxy.dialects.gemini.field_names import camel, json_schema, without_dialect


def test_camel_with_snake_case_names_changes_only_the_outer_names() -> None:
    assert camel({"inline_data": {"mime_type": "a"}, "text": 1}) == {"inlineData": {"mime_type": "a"}, "text": 1}
    node = {"text": 1}
    assert camel(node) is node


def test_json_schema_from_the_schema_of_google_is_converted() -> None:
    given = {
        "type": "OBJECT",
        "properties": {"my_name": {"type": "STRING", "nullable": True}, "b": {"any_of": [{"type": "INTEGER"}]}},
        "property_ordering": ["b"],
        "required": ["b"],
        "items": {"type": "NUMBER", "min_items": 1},
    }
    assert json_schema(given) == {
        "type": "object",
        "properties": {"my_name": {"type": ["string", "null"]}, "b": {"anyOf": [{"type": "integer"}]}},
        "required": ["b"],
        "items": {"type": "number", "minItems": 1},
    }


def test_json_schema_nested_too_deeply_stays_unconverted() -> None:
    schema: object = {"type": "STRING"}
    for _ in range(100):
        schema = {"type": "ARRAY", "items": schema}
    assert str(json_schema(schema)).count("array") == 65


def test_schema_without_dialect_loses_its_schema_name() -> None:
    assert without_dialect({"$schema": "x", "type": "object"}) == {"type": "object"}
    assert without_dialect(None) is None
