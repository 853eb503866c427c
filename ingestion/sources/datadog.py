"""Datadog by its API v1 (monitors, SLOs) and v2 (events, downtimes).

Vendor terms: authentication by the headers DD-API-KEY and DD-APPLICATION-KEY. Monitors are paged by page and
page_size and have no total; SLOs by limit and offset (metadata.page.total_filtered_count); downtimes by
page[offset] and page[limit] (meta.page.total_filtered_count); events by the cursor meta.page.after. A list
without a total ends with an empty page, never with a short one: a short page in the middle must not end it.
v2 records are JSON:API: the fields stand in `attributes`, an event's own ones in `attributes.attributes`.
A monitor's change of state is an event with source:alert; its states are OK, Alert, Warn, No Data.
`filter[to]` may be inclusive: an event on the edge can come with both days, and its id tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from ingestion.contracts import Entity, InconsistentExtractError, Page, Source, Window, words
from ingestion.http import Client, RecordsAnswer, required, safe_url
from ingestion.rate_limit import stated_maximum

PAGE_SIZE = 100
EVENT_PAGE_SIZE = 1000
STAMP_FORMATS = ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%SZ")


def _attributes(record: dict[str, Any]) -> dict[str, Any]:
    attributes = record.get("attributes")
    return attributes if isinstance(attributes, dict) else {}


def _pick(into: dict[str, Any], column: str, *places: tuple[dict[str, Any], str]) -> None:
    """Put the first place that has the field into `column`; no place, no column (so it counts as missing)."""
    for holder, name in places:
        if isinstance(holder, dict) and name in holder:
            into[column] = holder[name]
            return


def _rest(record: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    """Every other field under its own name, so that a new one is reported as drift."""
    rest = {name: value for name, value in record.items() if name not in ("id", "type", "attributes")}
    rest.update({f"attributes.{name}": value for name, value in attributes.items()})
    return rest


def flatten_transition(record: dict[str, Any]) -> dict[str, Any]:
    """An event of a monitor to (id, timestamp, monitor_id, source_state, destination_state, service).

    The service is the event's own field, else its first tag service:<code>.
    """
    attributes = _attributes(record)
    inner = attributes.get("attributes")
    inner = inner if isinstance(inner, dict) else {}
    monitor = inner.get("monitor")
    monitor = monitor if isinstance(monitor, dict) else {}
    transition = monitor.get("transition")
    transition = transition if isinstance(transition, dict) else {}
    flat = _rest(record, attributes)
    _pick(flat, "id", (record, "id"))
    _pick(flat, "timestamp", (attributes, "timestamp"))
    _pick(flat, "monitor_id", (inner, "monitor_id"), (monitor, "id"))
    _pick(flat, "source_state", (transition, "source_state"))
    _pick(flat, "destination_state", (transition, "destination_state"))
    tags = inner.get("tags") or attributes.get("tags") or monitor.get("tags") or []
    tagged = [tag[8:] for tag in tags if isinstance(tag, str) and tag.startswith("service:")]
    _pick(flat, "service", (inner, "service"), ({"service": tagged[0]} if tagged else {}, "service"))
    return flat


def flatten_downtime(record: dict[str, Any]) -> dict[str, Any]:
    """A downtime to (id, status, scope, start, end, message, created, canceled).

    A one-time schedule has start and end of its own; a recurring one has them in current_downtime.
    """
    attributes = _attributes(record)
    schedule = attributes.get("schedule")
    schedule = schedule if isinstance(schedule, dict) else {}
    current = schedule.get("current_downtime")
    current = current if isinstance(current, dict) else {}
    flat = _rest(record, attributes)
    _pick(flat, "id", (record, "id"))
    for column in ("status", "scope", "message", "created", "canceled"):
        _pick(flat, column, (attributes, column))
    for column in ("start", "end"):
        _pick(flat, column, (schedule, column), (current, column))
    return flat


ENTITIES = (
    Entity(
        source="datadog",
        name="monitor",
        partitioning="snapshot",
        columns=("id", "name", "type", "query", "tags", "overall_state", "created", "modified", "options"),
        key=("id",),
        description="One monitor, as it is now; the tag service:<code> ties it to a service of the seeds.",
        known_fields=frozenset(
            words(
                "assets creator deleted draft_status matching_downtimes message multi org_id "
                "overall_state_modified priority restricted_roles restriction_policy state"
            )
        ),
        endpoint="/api/v1/monitor",
    ),
    Entity(
        source="datadog",
        name="monitor_transition",
        partitioning="daily",
        columns=("id", "timestamp", "monitor_id", "source_state", "destination_state", "service"),
        key=("id",),
        description="One change of a monitor's state (OK, Alert, Warn, No Data), UTC to the millisecond.",
        stamp="timestamp",
        stamp_formats=STAMP_FORMATS,
        optional=frozenset(("service",)),
        known_fields=frozenset(
            f"attributes.{name}" for name in ("timestamp", "attributes", "message", "tags", "title", "text", "source")
        ),
        endpoint="/api/v2/events",
        record_key="data",
        flatten=flatten_transition,
    ),
    Entity(
        source="datadog",
        name="slo",
        partitioning="snapshot",
        columns=("id", "name", "type", "monitor_ids", "thresholds", "tags"),
        key=("id",),
        description="One service level objective, as it is now.",
        optional=frozenset(("monitor_ids",)),
        known_fields=frozenset(
            words(
                "configured_alert_ids created_at creator description groups modified_at monitor_tags query "
                "sli_specification target_threshold timeframe warning_threshold"
            )
        ),
        endpoint="/api/v1/slo",
        record_key="data",
    ),
    Entity(
        source="datadog",
        name="downtime",
        partitioning="snapshot",
        columns=("id", "status", "scope", "start", "end", "message", "created", "canceled"),
        key=("id",),
        description="One planned downtime (maintenance); scope is service:<code>, canceled an instant.",
        optional=frozenset(("canceled", "message", "end")),
        known_fields=frozenset(
            f"attributes.{name}"
            for name in words(
                "status scope message created canceled schedule modified display_timezone monitor_identifier "
                "mute_first_recovery_notification notify_end_states notify_end_types"
            )
        )
        | {"relationships"},
        endpoint="/api/v2/downtime",
        record_key="data",
        flatten=flatten_downtime,
    ),
)


class Datadog(Source):
    """API v1 and v2 by key headers (DATADOG_URL, DD_API_KEY, DD_APP_KEY)."""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when DATADOG_URL is set."""
        if os.environ.get("DATADOG_URL"):
            return True, "DATADOG_URL is set"
        return False, "DATADOG_URL is not set"

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """Page as the endpoint of this entity does it."""
        with Client(
            required("DATADOG_URL"),
            headers={"DD-API-KEY": required("DD_API_KEY"), "DD-APPLICATION-KEY": required("DD_APP_KEY")},
            credential_names="DD_API_KEY and DD_APP_KEY",
            notify=notify,
            max_requests_per_minute=stated_maximum("datadog"),
        ) as client:
            if entity.name == "monitor_transition":
                yield from _cursor_pages(client, entity, window)
            else:
                yield from _numbered_pages(client, entity)


def _numbered_pages(client: Client, entity: Entity) -> Iterator[Page]:
    """Pages by number or offset, until the total is reached or, without a total, until an empty page."""
    number, received, total, was_short = 0, 0, None, False
    while True:
        if entity.name == "monitor":
            params = {"page": str(number), "page_size": str(PAGE_SIZE)}
        elif entity.name == "slo":
            params = {"limit": str(PAGE_SIZE), "offset": str(number * PAGE_SIZE)}
        else:
            params = {"page[limit]": str(PAGE_SIZE), "page[offset]": str(number * PAGE_SIZE)}
        answer = client.get_records(entity.endpoint, params, entity)
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


def _cursor_pages(client: Client, entity: Entity, window: Window) -> Iterator[Page]:
    """Pages of events in order of time; a cursor that comes back would go round for ever and is refused."""
    cursor, seen = None, set()
    while True:
        params = {"filter[query]": "source:alert", "sort": "timestamp", "page[limit]": str(EVENT_PAGE_SIZE)}
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
        if cursor in seen:
            raise InconsistentExtractError(
                f"{entity.name}: the cursor of the next page was given before",
                safe_url(answer.url),
                "run again; if it stays so, ask for a shorter window",
            )
        seen.add(cursor)


DATADOG = Datadog(
    name="datadog",
    description="Datadog: monitors with their changes of state, SLOs, downtimes.",
    connector_version="datadog-api/1",
    entities={entity.name: entity for entity in ENTITIES},
)
