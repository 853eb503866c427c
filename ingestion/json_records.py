"""A JSON page taken apart into its records, each with its exact text.

The standard decoder walks the page; the text of each record is the slice it consumed, so what is landed is
what was received to the character, and one bad record can be turned away with its bytes while the page lives.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ingestion.contracts import Entity, Record

_SPACE = re.compile(r"[ \t\n\r]*")


class _Float(float):
    """A JSON number with the text it came in: 1.10 stays '1.10' when it is landed as text."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> _Float:
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse_value(text: str) -> Any:
    """One JSON value that is the whole of a text, its numbers with their digits. Raises ValueError for another."""
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError(f"something follows the JSON at character {end}")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_Float, parse_constant=_refuse_constant)


def parse_page(body: bytes, entity: Entity) -> tuple[list[Record], dict[str, Any]]:
    """Records of a page and the rest of its envelope.

    The records are the top-level array, or the array under `entity.record_key` (the object there, where the entity
    says that an answer holds a single record); a key of two parts (Rows.Row) is an array inside an object, and an
    object without it has no records. Raises ValueError when the body is not JSON or has no such array: then nothing
    of it can be trusted.
    """
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    try:
        slices, envelope = _walk(text, entity.record_key, entity.is_single_record)
    except (IndexError, RecursionError) as error:
        raise ValueError(f"the JSON ends too early or nests too deep ({type(error).__name__})") from error
    # most pages hold nothing a record would have to be searched for
    is_plain = text.isascii() and "\\u" not in text
    return [build_record(item, value, entity, is_plain=is_plain) for item, value in slices], envelope


def _walk(
    text: str, record_key: str | None, is_single_record: bool = False
) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    position = _skip(text, 0)
    slices: list[tuple[str, Any]] | None = None
    envelope: dict[str, Any] = {}
    if record_key is None:
        slices, position = _array(text, position)
    else:
        outer, _, inner = record_key.partition(".")
        position = _expect(text, position, "{")
        while text[position] != "}":
            name, position = _DECODER.raw_decode(text, position)
            position = _expect(text, _skip(text, position), ":")
            if name == outer and not inner and text[position] == "[":
                slices, position = _array(text, position)
            elif name == outer and inner and text[position] == "{":
                slices, position = _array_within(text, position, inner)
            elif name == record_key and is_single_record and text[position] == "{":
                value, end = _DECODER.raw_decode(text, position)
                slices, position = [(text[position:end], value)], end
            else:
                envelope[name], position = _DECODER.raw_decode(text, position)
            position = _skip(text, position)
            if text[position] == ",":
                position = _skip(text, position + 1)
        position += 1
    if _skip(text, position) != len(text):
        raise ValueError(f"something follows the JSON at character {position}")
    if slices is None:
        raise ValueError(f"the answer has no list {record_key!r}, only {sorted(map(str, envelope))[:10]}")
    return slices, envelope


def _array_within(text: str, position: int, name: str) -> tuple[list[tuple[str, Any]], int]:
    """The array of that name in the object at this position; nothing where the object has none."""
    slices: list[tuple[str, Any]] = []
    position = _expect(text, position, "{")
    while text[position] != "}":
        field, position = _DECODER.raw_decode(text, position)
        position = _expect(text, _skip(text, position), ":")
        if field == name and text[position] == "[":
            slices, position = _array(text, position)
        else:
            _, position = _DECODER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return slices, position + 1


def member_text(text: str, name: str) -> str | None:
    """The exact text of a member of a JSON object that has been parsed before; None where it has no such member."""
    position = _expect(text, _skip(text, 0), "{")
    while text[position] != "}":
        found, position = _DECODER.raw_decode(text, position)
        position = _expect(text, _skip(text, position), ":")
        _, end = _DECODER.raw_decode(text, position)
        if found == name:
            return text[position:end]
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return None


def _array(text: str, position: int) -> tuple[list[tuple[str, Any]], int]:
    position = _expect(text, position, "[")
    slices = []
    scan_once = _DECODER.scan_once
    while text[position] != "]":
        try:
            value, end = scan_once(text, position)
        except StopIteration as error:
            raise json.JSONDecodeError("Expecting value", text, error.value) from None
        slices.append((text[position:end], value))
        position = end if text[end] > " " else _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
        elif text[position] != "]":
            raise ValueError(f"expected , or ] at character {position}")
    return slices, position + 1


def _skip(text: str, position: int) -> int:
    if text[position : position + 1] > " ":
        return position
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _expect(text: str, position: int, character: str) -> int:
    if text[position] != character:
        raise ValueError(f"expected {character} at character {position}")
    return _skip(text, position + 1)


def build_record(text: str, value: Any, entity: Entity, *, is_plain: bool = False) -> Record:
    """A good record, or a rejected one with its bytes and the reason it cannot be landed.

    `is_plain` says that the text is known to be ASCII without escapes by number.
    """
    reason = None
    flat: dict[str, Any] = {}
    if not is_plain and (not _is_text(text) or ("\\u" in text and not _is_text(json.dumps(value, ensure_ascii=False)))):
        reason = "undecodable_bytes: not UTF-8 text"
    elif not isinstance(value, dict):
        reason = f"not_an_object: {type(value).__name__}"
    else:
        flat = entity.flatten(value) if entity.flatten else value
        reason = missing_key(flat, entity)
    if reason:
        return Record(values=flat or None, reason=reason, raw=text.encode("utf-8", "surrogateescape"))
    return Record(text=text, values=flat)


def missing_key(values: dict[str, Any], entity: Entity) -> str | None:
    """The reason when a key column is absent or empty: such a record could never be told from another."""
    absent = [column for column in entity.key if values.get(column) in (None, "")]
    return f"missing_key: {', '.join(absent)}" if absent else None


def _is_text(text: str) -> bool:
    """Whether the text can be stored as UTF-8 (no byte that was none, no half of a surrogate pair)."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_text(value: Any) -> str | None:
    """A value as the raw tables hold it: text as received, of a reference its value, else JSON text."""
    if value.__class__ is str or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Float):
        return value.text
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dict) and "value" in value and value.keys() <= {"link", "value", "display_value"}:
        return to_text(value["value"])
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
