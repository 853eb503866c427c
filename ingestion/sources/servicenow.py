"""ServiceNow by its Table API (GET /api/now/table/<table>).

Vendor terms: values come as strings and instants as UTC 'YYYY-MM-DD HH:MM:SS' because we ask for
sysparm_display_value=false (display values are in the user's own zone and format); references come as
{link, value}, an empty one as ''. `sysparm_query` is an encoded query: conditions joined by ^, and ORDERBY.
Instants in it are compared in the zone of the integration user: give that user the zone GMT. A condition on
an unknown field is silently ignored by the instance, and rows the user may not read are counted in
X-Total-Count but left out of the page: both are detected (a stamp outside the window, a page shorter than the
total). `sys_updated_on` moves at each update, so a window holds the records whose *latest* update falls in
it.

Delivers: OPS-3.1
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from ingestion.contracts import Entity, InconsistentExtractError, Page, Source, SourceError, Window, words
from ingestion.http import Client, required, safe_url

STAMP_FORMATS = ("%Y-%m-%d %H:%M:%S",)
PAGE_SIZE = 1000
SYS_ID = re.compile(r"[0-9a-f]{32}")

# Fields every table has, and those every task has, on an instance as delivered: in `_record`, not drift.
SYSTEM_FIELDS = frozenset(
    words(
        "sys_class_name sys_created_by sys_created_on sys_domain sys_domain_path sys_id sys_mod_count "
        "sys_tags sys_updated_by sys_updated_on"
    )
)
TASK_FIELDS = SYSTEM_FIELDS | frozenset(
    words(
        "action_status active activity_due additional_assignee_list approval approval_history approval_set "
        "assigned_to assignment_group business_duration business_impact business_service calendar_duration "
        "close_notes closed_at closed_by cmdb_ci comments comments_and_work_notes company contact_type "
        "contract correlation_display correlation_id delivery_plan delivery_task description due_date "
        "escalation expected_start follow_up group_list impact knowledge location made_sla number opened_at "
        "opened_by order parent priority reassignment_count route_reason service_offering short_description "
        "sla_due state time_worked universal_request upon_approval upon_reject urgency user_input "
        "watch_list work_end work_notes work_notes_list work_start"
    )
)


def _table(
    name: str,
    columns: str,
    description: str,
    stamp: str | None = None,
    known_fields: frozenset[str] = SYSTEM_FIELDS,
) -> Entity:
    return Entity(
        source="servicenow",
        name=name,
        partitioning="daily" if stamp else "snapshot",
        columns=tuple(columns.split()),
        key=("sys_id",),
        description=description,
        stamp=stamp,
        stamp_formats=STAMP_FORMATS if stamp else (),
        known_fields=known_fields,
        endpoint=f"/api/now/table/{name}",
        record_key="result",
    )


ENTITIES = (
    _table(
        "incident",
        "sys_id number opened_at opened_by caller_id sys_created_on sys_updated_on sys_mod_count state "
        "priority impact urgency assignment_group assigned_to business_service cmdb_ci contract "
        "category contact_type reopen_count reassignment_count resolved_at resolved_by closed_at close_code made_sla "
        "short_description active",
        "One incident as it stood at its latest update inside the window.",
        "sys_updated_on",
        TASK_FIELDS
        | frozenset(
            words(
                "business_stc calendar_stc caused_by child_incidents hold_reason incident_state notify "
                "parent_incident problem_id rfc severity subcategory origin_id origin_table cause"
            )
        ),
    ),
    _table(
        "sys_audit",
        "sys_id tablename documentkey fieldname oldvalue newvalue sys_created_on user record_checkpoint",
        "One change of one audited field of an incident (documentkey is the incident's sys_id). Append-only.",
        "sys_created_on",
        SYSTEM_FIELDS | frozenset(("reason", "internal_checkpoint")),
    ),
    _table(
        "change_request",
        "sys_id number type state risk start_date end_date opened_at sys_updated_on business_service "
        "assignment_group close_code",
        "One change request as it stood at its latest update inside the window.",
        "sys_updated_on",
        TASK_FIELDS
        | frozenset(
            words(
                "backout_plan cab_date cab_delegate cab_recommendation cab_required category change_plan "
                "chg_model conflict_last_run conflict_status implementation_plan justification on_hold "
                "on_hold_reason on_hold_task outside_maintenance_schedule phase phase_state "
                "production_system reason requested_by requested_by_date review_comments review_date "
                "review_status risk_impact_analysis risk_value scope std_change_producer_version test_plan "
                "unauthorized"
            )
        ),
    ),
    _table("sys_user_group", "sys_id name active", "One assignment group, as it is now."),
    _table(
        "sys_user",
        "sys_id user_name name email employee_number active time_zone",
        "One user, as it is now; employee_number leads to HR.",
    ),
    _table(
        "cmdb_ci_service",
        "sys_id name number busines_criticality support_group operational_status",
        "One business service, as it is now; number is the service code of the seeds "
        "(busines_criticality is the vendor's own spelling).",
    ),
    _table(
        "cmdb_ci",
        "sys_id name sys_class_name operational_status",
        "One configuration item of whatever class, as it is now; name is the configuration item code of the seeds.",
    ),
    _table(
        "ast_contract",
        "sys_id number short_description vendor state starts ends",
        "One contract, as it is now; number is the contract code of the seeds.",
    ),
)

# The audit table holds every audited table of the instance: ask only for what the clock needs.
EXTRA_CONDITIONS = {
    "sys_audit": "tablename=incident^fieldnameINstate,priority,assignment_group,assigned_to,business_service,"
    "cmdb_ci,contract"
}


class ServiceNow(Source):
    """The Table API with basic authentication (SERVICENOW_URL, SERVICENOW_USER, SERVICENOW_PASSWORD)."""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when SERVICENOW_URL is set."""
        if os.environ.get("SERVICENOW_URL"):
            return True, "SERVICENOW_URL is set"
        return False, "SERVICENOW_URL is not set"

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """Page by offset under a stable order; X-Total-Count must hold, without it the Link header."""
        with Client(
            required("SERVICENOW_URL"),
            auth=(required("SERVICENOW_USER"), required("SERVICENOW_PASSWORD")),
            credential_names="SERVICENOW_USER and SERVICENOW_PASSWORD",
            no_match_text="No Record found",
            notify=notify,
        ) as client:
            offset, total, last = 0, None, ("", "")
            while True:
                params = {
                    "sysparm_query": encoded_query(entity, window),
                    "sysparm_display_value": "false",
                    "sysparm_limit": str(PAGE_SIZE),
                    "sysparm_offset": str(offset),
                }
                answer = client.get_records(entity.endpoint, params, entity)
                where = safe_url(answer.url)
                page_total = _total(answer.headers.get("X-Total-Count"), where)
                if offset and page_total != total:
                    raise InconsistentExtractError(
                        f"the total of {entity.name} changed under way: {total} at first, {page_total} now",
                        where,
                        "records of this window are being written; run again when the window is quiet",
                    )
                total = page_total
                count = len(answer.records)
                promised = count if total is None else min(PAGE_SIZE, max(total - offset, 0))
                if count != promised:
                    raise InconsistentExtractError(
                        f"a page of {entity.name} at offset {offset} has {count} records; "
                        f"X-Total-Count {total} and the limit {PAGE_SIZE} promise {promised}",
                        where,
                        "let the integration user read every row of the table (rows hidden by an access rule "
                        "are counted but left out), then run again",
                    )
                last = _check_order(entity, answer.records, last, where)
                yield Page(answer.records, total)
                offset += PAGE_SIZE
                if total is not None:
                    if offset >= total:
                        return
                elif not count or (answer.headers.get("Link") and 'rel="next"' not in answer.headers["Link"]):
                    return


def encoded_query(entity: Entity, window: Window) -> str:
    """The window as an encoded query with a stable order: by stamp, then sys_id."""
    parts = []
    if entity.stamp and window.start_at and window.end_at:
        parts.append(f"{entity.stamp}>={window.start_at:%Y-%m-%d %H:%M:%S}")
        parts.append(f"{entity.stamp}<{window.end_at:%Y-%m-%d %H:%M:%S}")
    if entity.name in EXTRA_CONDITIONS:
        parts.append(EXTRA_CONDITIONS[entity.name])
    if entity.stamp:
        parts.append(f"ORDERBY{entity.stamp}")
    parts.append("ORDERBYsys_id")
    return "^".join(parts)


def _total(header: str | None, where: str) -> int | None:
    if header is None:
        return None
    if not header.isdigit():
        raise SourceError(
            f"X-Total-Count is {header!r}, not a number",
            where,
            "check what stands between us and the instance",
        )
    return int(header)


def _check_order(entity: Entity, records: list[Any], last: tuple[str, str], where: str) -> tuple[str, str]:
    """Hold the records to the order we asked for; an unstable order lets offset paging skip rows.

    A record without the stamp says nothing about the order. sys_ids are compared only when both are the usual
    32 hexadecimal digits: others sort by the database's collation, which we do not know.
    """
    for record in records:
        if record.reason or (entity.stamp and not record.values.get(entity.stamp)):
            continue
        stamp = str(record.values[entity.stamp]) if entity.stamp else ""
        sys_id = str(record.values.get("sys_id") or "")
        if stamp < last[0] or (
            stamp == last[0] and sys_id < last[1] and SYS_ID.fullmatch(sys_id) and SYS_ID.fullmatch(last[1])
        ):
            raise InconsistentExtractError(
                f"the records of {entity.name} are not in the order asked for: {stamp} {sys_id} came after "
                f"{last[0]} {last[1]}",
                where,
                "the instance must honour ORDERBY in sysparm_query, else paging can skip rows",
            )
        last = (stamp, sys_id)
    return last


SERVICENOW = ServiceNow(
    name="servicenow",
    description="ServiceNow: incidents with their field history, changes, groups, users, services.",
    connector_version="servicenow-table-api/1",
    entities={entity.name: entity for entity in ENTITIES},
)
