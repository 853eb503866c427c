"""JSON pages taken apart to the character, and values as the raw tables hold them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts import Entity
from ingestion.json_records import parse_page, to_text

WRAPPED = Entity("s", "e", "snapshot", ("id", "name"), ("id",), "", record_key="result")
BARE = Entity("s", "e", "snapshot", ("id", "name"), ("id",), "")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(
    records=st.lists(st.dictionaries(st.text(max_size=3) | st.just("id"), values, max_size=4), max_size=5),
    envelope=st.dictionaries(st.text(max_size=3), values, max_size=3),
    indent=st.sampled_from([None, 1, "\t"]),
    is_first=st.booleans(),
)
def test_slices_are_the_text_received(records: list, envelope: dict, indent: object, is_first: bool) -> None:
    whole = {"result": records, **envelope} if is_first else {**envelope, "result": records}
    body = json.dumps(whole, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    parsed, rest = parse_page(body, WRAPPED)
    assert len(parsed) == len(records)
    assert rest == envelope
    for record, original in zip(parsed, records, strict=True):
        content = record.text.encode() if record.reason is None else record.raw
        assert content in body
        assert json.loads(content.decode("utf-8", "surrogatepass")) == original
        assert (record.reason is None) == (original.get("id") not in (None, ""))


@given(st.lists(st.text(st.characters(codec="utf-8")).map(lambda text: {"id": "1", "name": text})))
def test_any_text_comes_through(records: list) -> None:
    parsed, _ = parse_page(json.dumps(records).encode(), BARE)
    assert [record.values["name"] for record in parsed] == [record["name"] for record in records]
    assert all(record.reason is None for record in parsed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b'[{"id": 1}',
        b'[{"id": 1},',
        b'[{"id": 1} {"id": 2}]',
        b'[{"id": 1}] trailing',
        b'{"result": []}',
        b"[Infinity]",
        b"[" * 100_000,
    ],
)
def test_broken_bodies_raise_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_page(body, BARE)


def test_numbers_keep_their_text_and_references_give_their_value() -> None:
    body = (
        b'[{"id": 12345678901234567890, "amount": 1.10, "tiny": 1e-7, "flag": true, "none": null,'
        b' "reference": {"link": "https://x/1", "value": "abc"}, "empty": {"link": "", "value": ""},'
        b' "tags": ["a", "\xc3\xbc"], "other": {"value": 1, "unit": "s"}}]'
    )
    (record,), _ = parse_page(body, BARE)
    assert {name: to_text(value) for name, value in record.values.items()} == {
        "id": "12345678901234567890",
        "amount": "1.10",
        "tiny": "1e-7",
        "flag": "true",
        "none": None,
        "reference": "abc",
        "empty": "",
        "tags": '["a","ü"]',
        "other": '{"value":1,"unit":"s"}',
    }


def test_byte_order_mark_before_json_is_no_error() -> None:
    (record,), _ = parse_page(b'\xef\xbb\xbf[{"id":"1"}]', BARE)
    assert record.text == '{"id":"1"}'
