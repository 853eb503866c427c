"""What Datadog's answers hold: the entities of the source, and how each nested record is laid flat.

v2 records are JSON:API: the fields stand in `attributes`, an event's own ones in `attributes.attributes`.
A record that does not name its parent (a history its SLO, a result its test) is landed inside an object that
does, `{"slo_id": ..., "data": <the text as received>}`: see `under_parent` of `datadog_paging`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ingestion.contracts import Entity, words

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


def flatten_slo_history(record: dict[str, Any]) -> dict[str, Any]:
    """A history to its window, its value and the errors that took the value's place.

    `sli_value` is null when the query behind it failed; then `errors` of the overall part says why, or `errors`
    beside the data does.
    """
    overall = record.get("overall")
    overall = overall if isinstance(overall, dict) else {}
    flat = {name: value for name, value in record.items() if name != "overall"}
    _pick(flat, "sli_value", (overall, "sli_value"))
    _pick(flat, "span_precision", (overall, "span_precision"))
    _pick(flat, "history", (overall, "history"))
    flat["errors"] = overall.get("errors") or None
    return flat


def flatten_correction(record: dict[str, Any]) -> dict[str, Any]:
    """A correction to its columns; start, end and the stamps are epoch seconds, duration is seconds.

    A correction that recurs has rrule and duration and no end.
    """
    attributes = _attributes(record)
    flat = _rest(record, attributes)
    _pick(flat, "id", (record, "id"))
    for column in CORRECTION_COLUMNS[1:]:
        _pick(flat, column, (attributes, column))
    return flat


def flatten_incident(record: dict[str, Any]) -> dict[str, Any]:
    """An incident to its columns; custom fields stand below `fields`, each an object with a `value`."""
    attributes = _attributes(record)
    fields = attributes.get("fields")
    fields = fields if isinstance(fields, dict) else {}
    flat = _rest(record, attributes)
    _pick(flat, "id", (record, "id"))
    for column in ("public_id", "title", "severity", "created", "detected", "resolved", "modified"):
        _pick(flat, column, (attributes, column))
    for column in ("state", "services", "detection_method", "monitor_id", "servicenow_ticket"):
        _pick(flat, column, (fields.get(column), "value"), (attributes, column))
    return flat


def flatten_synthetic_test(record: dict[str, Any]) -> dict[str, Any]:
    """A test with the seconds between its runs from its options."""
    flat = dict(record)
    _pick(flat, "tick_every", (record.get("options"), "tick_every"))
    return flat


def flatten_synthetic_result(record: dict[str, Any]) -> dict[str, Any]:
    """A result with its verdict and milliseconds; `checked_at` is check_time (epoch milliseconds) as ISO 8601."""
    result = record.get("result")
    result = result if isinstance(result, dict) else {}
    flat = dict(record)
    _pick(flat, "passed", (result, "passed"))
    _pick(flat, "response_ms", (result.get("timings"), "total"), (result, "duration"))
    milliseconds = record.get("check_time")
    if isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool):
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
        flat["checked_at"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return flat


def flatten_rum_event(record: dict[str, Any]) -> dict[str, Any]:
    """A view of a real user to (id, timestamp, service, view, milliseconds, errors); loading_time is nanoseconds."""
    attributes = _attributes(record)
    inner = attributes.get("attributes")
    inner = inner if isinstance(inner, dict) else {}
    view = inner.get("view")
    view = view if isinstance(view, dict) else {}
    flat = _rest(record, attributes)
    _pick(flat, "id", (record, "id"))
    _pick(flat, "timestamp", (attributes, "timestamp"))
    _pick(flat, "service", (attributes, "service"), (inner, "service"))
    _pick(flat, "event_type", (inner, "type"))
    _pick(flat, "application_id", (inner.get("application"), "id"))
    _pick(flat, "view_name", (view, "name"), (view, "url_path"))
    _pick(flat, "loading_time", (view, "loading_time"))
    _pick(flat, "error_count", (view.get("error"), "count"))
    return flat


CORRECTION_COLUMNS = tuple(
    words("id slo_id category start end duration rrule timezone description created_at modified_at")
)


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
    Entity(
        source="datadog",
        name="slo_history",
        partitioning="monthly",
        columns=tuple(words("slo_id from_ts to_ts outcome sli_value span_precision errors history type")),
        key=("slo_id", "from_ts", "to_ts"),
        description="What Datadog says an SLO reached in a UTC month; outcome read, or deleted_under_way.",
        optional=frozenset(words("sli_value span_precision errors history type")),
        known_fields=frozenset(words("group_by groups monitors series thresholds type_id")),
        endpoint="/api/v1/slo/{parent}/history",
        record_key="data",
        is_single_record=True,
        flatten=flatten_slo_history,
    ),
    Entity(
        source="datadog",
        name="slo_correction",
        partitioning="snapshot",
        columns=CORRECTION_COLUMNS,
        key=("id",),
        description="One correction: time that is taken out of an SLO, once or by an RRULE.",
        optional=frozenset(words("end duration rrule timezone description modified_at")),
        known_fields=frozenset(f"attributes.{name}" for name in (*CORRECTION_COLUMNS, "creator", "modifier"))
        | {"relationships"},
        endpoint="/api/v1/slo/correction",
        record_key="data",
        flatten=flatten_correction,
    ),
    Entity(
        source="datadog",
        name="incident",
        partitioning="snapshot",
        columns=tuple(
            words(
                "id public_id title severity state services detection_method monitor_id servicenow_ticket "
                "created detected resolved modified"
            )
        ),
        key=("id",),
        description="One incident declared in Datadog; servicenow_ticket is the ticket it opened.",
        optional=frozenset(words("resolved monitor_id servicenow_ticket services detection_method severity state")),
        known_fields=frozenset(
            f"attributes.{name}"
            for name in words(
                "archived case_id commander created created_by created_by_uuid creation_idempotency_key "
                "customer_impact_duration customer_impact_end customer_impact_scope customer_impact_start "
                "customer_impacted declared declared_by declared_by_uuid detected field_analytics fields "
                "incident_type_uuid is_test last_modified_by last_modified_by_uuid modified non_datadog_creator "
                "notification_handles public_id resolved severity state time_to_detect time_to_internal_response "
                "time_to_repair time_to_resolve title visibility"
            )
        )
        | {"relationships"},
        endpoint="/api/v2/incidents",
        record_key="data",
        flatten=flatten_incident,
    ),
    Entity(
        source="datadog",
        name="synthetic_test",
        partitioning="snapshot",
        columns=tuple(words("public_id name type status monitor_id tags locations tick_every")),
        key=("public_id",),
        description="One synthetic test, as it is now; the tag service:<code> names the service it asks.",
        optional=frozenset(("monitor_id",)),
        known_fields=frozenset(
            words("config created_at creator message modified_at options overall_state restricted_roles steps subtype")
        ),
        endpoint="/api/v1/synthetics/tests",
        record_key="tests",
        flatten=flatten_synthetic_test,
    ),
    Entity(
        source="datadog",
        name="synthetic_result",
        partitioning="daily",
        columns=tuple(words("test_public_id result_id check_time checked_at probe_dc status passed response_ms")),
        key=("result_id",),
        description="One run of a synthetic test from one location; status 0 passed, 1 failed, 2 no data.",
        stamp="checked_at",
        stamp_formats=STAMP_FORMATS,
        optional=frozenset(("response_ms", "passed")),
        known_fields=frozenset(words("check_version result")),
        endpoint="/api/v1/synthetics/tests/{parent}/results",
        record_key="results",
        flatten=flatten_synthetic_result,
    ),
    Entity(
        source="datadog",
        name="rum_event",
        partitioning="daily",
        columns=tuple(words("id timestamp service event_type application_id view_name loading_time error_count")),
        key=("id",),
        description="One page view of a real user, with its milliseconds and errors; nothing names the user.",
        stamp="timestamp",
        stamp_formats=STAMP_FORMATS,
        optional=frozenset(words("service application_id view_name loading_time error_count")),
        known_fields=frozenset(f"attributes.{name}" for name in ("timestamp", "attributes", "service", "tags")),
        endpoint="/api/v2/rum/events",
        record_key="data",
        flatten=flatten_rum_event,
    ),
)
