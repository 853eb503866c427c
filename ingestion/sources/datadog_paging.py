"""How Datadog's lists are paged, each endpoint in its own way, and how records below a parent are asked for.

A list without a total ends with an empty page, never with a short one: a short page in the middle must not end
it. Incidents say where the next page begins and leave it out on the last one. Synthetic results come newest
first, a bounded number of them (150, 50 on some sites), with no cursor: the same window is asked for again up to
the oldest result so far, until nothing new comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ingestion.contracts import Entity, InconsistentExtractError, Page, Record, SourceError, Window
from ingestion.http import Client, RecordsAnswer, safe_url
from ingestion.json_records import build_record

# A search may skip over shards without a match; it does not go on so for ever.
MAX_EMPTY_PAGES = 10
PAGE_SIZE = 100
EVENT_PAGE_SIZE = 1000
MAX_READS_OF_A_TEST = 2_000

# How each list names its page; number is counted from 0.
NUMBERED: dict[str, Callable[[int], dict[str, str]]] = {
    "monitor": lambda number: {"page": str(number), "page_size": str(PAGE_SIZE)},
    "slo": lambda number: {"limit": str(PAGE_SIZE), "offset": str(number * PAGE_SIZE)},
    "slo_correction": lambda number: {"limit": str(PAGE_SIZE), "offset": str(number * PAGE_SIZE)},
    "synthetic_test": lambda number: {"page_size": str(PAGE_SIZE), "page_number": str(number)},
    "downtime": lambda number: {"page[limit]": str(PAGE_SIZE), "page[offset]": str(number * PAGE_SIZE)},
}
# What is searched for among events, by entity.
EVENT_QUERIES = {"monitor_transition": "source:alert", "rum_event": "@type:view"}


def numbered_pages(client: Client, entity: Entity) -> Iterator[Page]:
    """Pages by number or offset, until the total is reached or, without a total, until an empty page."""
    number, received, total, was_short = 0, 0, None, False
    while True:
        answer = client.get_records(entity.endpoint, NUMBERED[entity.name](number), entity)
        where = safe_url(answer.url)
        page_total = _page_total(answer)
        if number and page_total != total:
            raise InconsistentExtractError(
                f"the total of {entity.name} changed under way: {total} at first, {page_total} now",
                where,
                "the list is being changed; run again when it is quiet",
            )
        total, count = page_total, len(answer.records)
        if was_short and count:
            raise InconsistentExtractError(
                f"a page of {entity.name} was shorter than {PAGE_SIZE} though more records follow",
                where,
                "run again; if it stays so, tell the vendor: a page was cut short",
            )
        received += count
        yield Page(answer.records, total)
        if not count or (total is not None and received >= total):
            if total is not None and received < total:
                raise InconsistentExtractError(
                    f"{entity.name} ended after {received} of {total} records",
                    where,
                    "run again; if it stays so, check what the application key may read",
                )
            return
        number, was_short = number + 1, count < PAGE_SIZE


def _page_total(answer: RecordsAnswer) -> int | None:
    meta = answer.envelope.get("meta") or answer.envelope.get("metadata") or {}
    page = meta.get("page") if isinstance(meta, dict) else None
    total = page.get("total_filtered_count", page.get("total_count")) if isinstance(page, dict) else None
    return total if isinstance(total, int) else None


def cursor_pages(client: Client, entity: Entity, window: Window) -> Iterator[Page]:
    """Pages of events in order of time; a cursor that comes back would go round for ever and is refused."""
    cursor, seen, empty_count = None, set(), 0
    while True:
        params = {"filter[query]": EVENT_QUERIES[entity.name], "sort": "timestamp", "page[limit]": str(EVENT_PAGE_SIZE)}
        if window.start_at and window.end_at:
            params["filter[from]"] = f"{window.start_at:%Y-%m-%dT%H:%M:%SZ}"
            params["filter[to]"] = f"{window.end_at:%Y-%m-%dT%H:%M:%SZ}"
        if cursor:
            params["page[cursor]"] = cursor
        answer = client.get_records(entity.endpoint, params, entity)
        yield Page(answer.records)
        meta = answer.envelope.get("meta")
        page = meta.get("page") if isinstance(meta, dict) else None
        cursor = page.get("after") if isinstance(page, dict) else None
        if not cursor:
            return
        empty_count = 0 if answer.records else empty_count + 1
        if cursor in seen or empty_count > MAX_EMPTY_PAGES:
            raise InconsistentExtractError(
                f"{entity.name}: the cursor of the next page was given before, or leads from empty page to empty page",
                safe_url(answer.url),
                "run again; if it stays so, ask for a shorter window",
            )
        seen.add(cursor)


def next_offset_pages(client: Client, entity: Entity) -> Iterator[Page]:
    """Pages by meta.pagination.next_offset, which the last page leaves out (or gives as null).

    It is the offset and the page's size: a page that was cut short does not reach it.
    """
    offset = 0
    while True:
        params = {"page[size]": str(PAGE_SIZE), "page[offset]": str(offset)}
        answer = client.get_records(entity.endpoint, params, entity)
        yield Page(answer.records)
        meta = answer.envelope.get("meta")
        pagination = meta.get("pagination") if isinstance(meta, dict) else None
        following = pagination.get("next_offset") if isinstance(pagination, dict) else None
        if following is None:
            return
        if following != offset + len(answer.records) or following == offset:
            raise InconsistentExtractError(
                f"{entity.name}: {len(answer.records)} records came at offset {offset}, and the next page begins at "
                f"{following!r}",
                safe_url(answer.url),
                "run again; if it stays so, the list is being changed under way or a page was cut short",
            )
        offset = following


def parent_keys(client: Client, parents: Entity) -> list[str]:
    """The keys of every parent that is listed now, in the order of the list."""
    key = parents.key[0]
    return [
        str(record.values[key])
        for page in numbered_pages(client, parents)
        for record in page.records
        if record.values and record.reason is None
    ]


def is_gone(answer: RecordsAnswer) -> bool:
    """Whether the answer stands for a 404: a client that was told so gives a bare count of nothing."""
    return not answer.envelope and answer.headers.get("X-Total-Count") == "0"


def under_parent(record: Record, name: str, parent_key: str, also: Mapping[str, Any] | None = None) -> Record:
    """The record inside an object that names its parent; its own text stays as received, to the character.

    Without it two histories that say the same would be one record said twice.
    """
    head = json.dumps({name: parent_key, **(also or {})}, ensure_ascii=False, separators=(",", ":"))[:-1]
    if record.text is None:
        inner = record.raw or b"null"
        return record._replace(raw=head.encode() + b',"data":' + inner + b"}")
    return record._replace(text=f'{head},"data":{record.text}}}')


def _bearing(entity: Entity, more: Mapping[str, Any]) -> Entity:
    """The entity with what the request knows put beside what the record says."""
    flatten = entity.flatten
    assert flatten is not None

    def flat(record: dict[str, Any]) -> dict[str, Any]:
        return {**flatten(record), **more}

    return replace(entity, flatten=flat)


def slo_history_pages(
    client: Client, parents: Client, slos: Entity, entity: Entity, window: Window, notify: Callable[[str], None]
) -> Iterator[Page]:
    """One history per listed SLO over the window. An SLO deleted under way is a record that says so.

    `client` answers a 404 with nothing; `parents` lists the SLOs and takes no 404.
    """
    start_at, end_at = window.start_at, window.end_at
    if start_at is None or end_at is None:
        raise SourceError("a history needs a window", entity.name, "extract a month, YYYY-MM")
    bounds = {"from_ts": str(int(start_at.timestamp())), "to_ts": str(int(end_at.timestamp()))}
    gone_ids: set[str] = set()
    for slo_id in parent_keys(parents, slos):
        known = {"slo_id": slo_id, **bounds, "outcome": "read"}
        answer = client.get_records(entity.endpoint.format(parent=slo_id), bounds, _bearing(entity, known))
        if is_gone(answer):
            gone_ids.add(slo_id)
            notify(f"SLO {slo_id} was deleted while its history was read; recorded as deleted_under_way")
            gone = {**known, "outcome": "deleted_under_way"}
            yield Page([build_record(json.dumps(gone), gone, replace(entity, flatten=None))])
            continue
        beside = answer.envelope.get("errors") or None
        also = {"errors": beside} if beside else {}
        yield Page(
            [
                under_parent(
                    record._replace(values={**record.values, "errors": record.values.get("errors") or beside})
                    if record.values
                    else record,
                    "slo_id",
                    slo_id,
                    also,
                )
                for record in answer.records
            ]
        )
    _check_they_are_gone(parents, slos, gone_ids)


def _check_they_are_gone(parents: Client, entity: Entity, gone: set[str]) -> None:
    """A 404 below a parent means that it was deleted only when the list no longer has it."""
    still_listed = gone & set(parent_keys(parents, entity)) if gone else set()
    if still_listed:
        raise SourceError(
            f"{', '.join(sorted(still_listed))} answers 404 though it is listed",
            entity.endpoint,
            "see whether the keys may read what stands below it, and whether the product is switched on",
        )


def synthetic_result_pages(
    client: Client, parents: Client, tests: Entity, entity: Entity, window: Window, notify: Callable[[str], None]
) -> Iterator[Page]:
    """The results of every listed test within the window. A test deleted under way is told and left out."""
    start_at, end_at = window.start_at, window.end_at
    if start_at is None or end_at is None:
        raise SourceError("results need a window", entity.name, "extract a day, YYYY-MM-DD")
    first, last = int(start_at.timestamp() * 1000), int(end_at.timestamp() * 1000)
    gone: set[str] = set()
    for public_id in parent_keys(parents, tests):
        bearing = _bearing(entity, {"test_public_id": public_id})
        until, seen = last, set()
        for _ in range(MAX_READS_OF_A_TEST):
            params = {"from_ts": str(first), "to_ts": str(until)}
            answer = client.get_records(entity.endpoint.format(parent=public_id), params, bearing)
            if is_gone(answer):
                gone.add(public_id)
                notify(f"synthetic test {public_id} was deleted while its results were read; those so far are kept")
                break
            fresh = []
            for record in answer.records:
                values = record.values or {}
                # to_ts may be inclusive: a result on the edge belongs to the window it opens
                if record.reason is None and not first <= _milliseconds(values.get("check_time"), first) < last:
                    continue
                # one that cannot be read is the same one when its bytes are
                name = values["result_id"] if record.reason is None else record.raw
                if name in seen:
                    continue
                seen.add(name)
                fresh.append(record)
            stamps = [_milliseconds((record.values or {}).get("check_time"), until) for record in fresh]
            if fresh:
                yield Page([under_parent(record, "test_public_id", public_id) for record in fresh])
            # the edge again, since several places may report in the same millisecond
            oldest = min(stamps, default=first)
            if not fresh or oldest <= first or (oldest + 1 >= until and until != last):
                break
            until = oldest + 1
        else:
            raise SourceError(
                f"the results of test {public_id} did not end after {MAX_READS_OF_A_TEST} answers",
                entity.endpoint,
                "extract fewer days at a time",
            )
    _check_they_are_gone(parents, tests, gone)


def _milliseconds(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
