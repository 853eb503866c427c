"""ServiceNow by its Table API (GET /api/now/table/<table>), or by the same tables as exported files.

Vendor terms: values come as strings and instants as UTC 'YYYY-MM-DD HH:MM:SS' because we ask for
sysparm_display_value=false (display values are in the user's own zone and format); references come as
{link, value}, an empty one as ''. `sysparm_query` is an encoded query: conditions joined by ^, and ORDERBY.
Instants in it are compared in the zone of the integration user: give that user the zone GMT. A condition on
an unknown field is silently ignored by the instance, and rows the user may not read are counted in
X-Total-Count but left out of the page: both are detected (a stamp outside the window, a page shorter than the
total). `sys_updated_on` moves at each update, so a window holds the records whose *latest* update falls in
it. Durations (glide_duration) come as an instant that far after 1970-01-01 00:00:00.

What is windowed: tables that grow with the tickets (incident, sys_audit, change_request, task_sla). What is read
whole each time: lists, definitions, and tables small enough to be (problem, kb_knowledge, surveys), so that a
record that was deleted is gone from the current batch.

Without SERVICENOW_URL the tables are read from the folder SERVICENOW_TABLE_EXPORT_PATH instead (see
`servicenow_export_files`). That is another way in, not another source: the records, their keys and their raw tables
are the same, so nothing downstream needs to know which way they came.

Delivers: OPS-3.1, LTI-7.1
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ingestion.contracts import Entity, InconsistentExtractError, Page, Source, SourceError, Window, words
from ingestion.http import Client, required
from ingestion.oauth import oauth2_from_environment
from ingestion.rate_limit import stated_maximum
from ingestion.sources.servicenow_export_files import EXPORT_VARIABLE, EXPORT_VERSION, exported_pages

STAMP_FORMATS = ("%Y-%m-%d %H:%M:%S",)
PAGE_SIZE = 1000
KEY_PAGE_SIZE = 10_000
# sys_ids in one query: an address stays below 4,000 characters.
KEYS_PER_QUESTION = 100
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
    optional: str = "",
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
        optional=frozenset(optional.split()),
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
        "short_description active problem_id",
        "One incident as it stood at its latest update inside the window.",
        "sys_updated_on",
        TASK_FIELDS
        | frozenset(
            words(
                "business_stc calendar_stc caused_by child_incidents hold_reason incident_state notify "
                "parent_incident rfc severity subcategory origin_id origin_table cause "
                "u_first_contact u_root_cause"
            )
        ),
        optional="problem_id",
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
        "sys_id name sys_class_name operational_status install_status unverified duplicate_of first_discovered "
        "last_discovered discovery_source attested attested_date attested_by sys_updated_on",
        "One configuration item of whatever class, as it is now; name is the configuration item code of the seeds. "
        "unverified, attested and last_discovered say how far the record can be trusted.",
        known_fields=SYSTEM_FIELDS
        | frozenset(
            words(
                "asset asset_tag assigned assigned_to assignment_group attestation_score attestation_status "
                "attributes business_unit can_print category change_control checked_in checked_out comments company "
                "correlation_id cost cost_cc cost_center delivery_date department dns_domain due due_in environment "
                "fault_count fqdn gl_account install_date invoice_number ip_address justification lease_id "
                "life_cycle_stage life_cycle_stage_status location mac_address maintenance_schedule managed_by "
                "managed_by_group manufacturer model_id model_number monitor order_date owned_by po_number "
                "product_instance_id purchase_date schedule serial_number short_description skip_sync start_date "
                "subcategory support_group supported_by sys_class_path vendor warranty_expiration"
            )
        ),
        optional="install_status unverified duplicate_of first_discovered last_discovered discovery_source attested "
        "attested_date attested_by sys_updated_on",
    ),
    _table(
        "cmdb_rel_ci",
        "sys_id parent child type sys_updated_on",
        "One relation between two configuration items (services are items too), as it is now; type is the sys_id of "
        "its cmdb_rel_type, which names it from both ends.",
        known_fields=SYSTEM_FIELDS | frozenset(words("connection_strength percent_outage port")),
    ),
    _table(
        "ast_contract",
        "sys_id number short_description vendor state starts ends",
        "One contract, as it is now; number is the contract code of the seeds.",
    ),
    _table(
        "problem",
        "sys_id number opened_at sys_created_on sys_updated_on state priority assignment_group assigned_to "
        "business_service cmdb_ci first_reported_by_task known_error confirmed_at resolved_at resolution_code "
        "closed_at related_incidents short_description active",
        "One problem, as it is now. Incidents point to it (incident.problem_id).",
        known_fields=TASK_FIELDS
        | frozenset(
            words(
                "category cause_notes confirmed_by duplicate_of fix_at fix_by fix_communicated_at "
                "fix_communicated_by fix_notes major_problem problem_state reopen_count reopened_at reopened_by "
                "resolved_by review_outcome rfc subcategory user_input workaround workaround_applied "
                "workaround_communicated_at workaround_communicated_by"
            )
        ),
    ),
    _table(
        "contract_sla",
        "sys_id name type target collection duration schedule active",
        "One SLA definition of the instance, as it is now; the seed itsm_sla_definition says which SLT it stands for.",
        known_fields=SYSTEM_FIELDS
        | frozenset(
            words(
                "advanced_condition_type cancel_condition condition_class contract domain_path duration_type "
                "enable_logging flow pause_condition relative_duration_works_on reset_action reset_condition "
                "resume_condition retroactive retroactive_pause schedule_source schedule_source_field set_start_to "
                "short_description start_condition stop_condition sys_class_name sys_name sys_overrides sys_package "
                "sys_policy sys_scope sys_update_name timezone timezone_source vendor when_to_cancel when_to_resume "
                "workflow service_offering"
            )
        ),
    ),
    _table(
        "task_sla",
        "sys_id task sla stage active has_breached start_time end_time planned_end_time original_breach_time "
        "pause_time pause_duration business_pause_duration duration business_duration time_left business_time_left "
        "percentage business_percentage schedule timezone sys_created_on sys_updated_on",
        "One SLA attached to a task, as ServiceNow's own engine computed it at its latest update inside the window.",
        "sys_updated_on",
        SYSTEM_FIELDS | frozenset(words("breakdowns cancel_reason reset_at sla_flow_context wf_context wf_activity")),
    ),
    _table(
        "kb_knowledge",
        "sys_id number short_description workflow_state author kb_knowledge_base kb_category published valid_to "
        "sys_view_count use_count rating sys_created_on sys_updated_on",
        "One version of a knowledge article, as it is now, with who wrote it and how often it was read and used.",
        known_fields=SYSTEM_FIELDS
        | frozenset(
            words(
                "active article_id article_type base_version can_read_user_criteria cannot_read_user_criteria "
                "category cmdb_ci confidence description direct disable_commenting disable_suggesting "
                "display_attachments display_number flagged generated_with_now_assist governance helpful_count image "
                "instant_feedback_given language latest meta meta_description ownership_group parent "
                "replacement_article retired revised_by roles scheduled_publish_date source summary "
                "taxonomy_topic text topic ui_page version versioning_id view_as_allowed wiki"
            )
        ),
    ),
    _table(
        "asmt_assessment_instance",
        "sys_id number metric_type state user task_id trigger_table trigger_id taken_on expiration_date "
        "sys_created_on sys_updated_on",
        "One survey sent to one person, as it is now; task_id is the task it asks about.",
        known_fields=SYSTEM_FIELDS
        | frozenset(
            words(
                "active_source add_info_responses allow_retake anonymize_responses assessment_group due_date "
                "evaluation_method percent_answered preview related_id_1 related_id_2 related_id_3 related_table_1 "
                "related_table_2 related_table_3 signature_result template trigger_condition"
            )
        ),
    ),
    _table(
        "asmt_metric_result",
        "sys_id instance metric metric_definition actual_value scaled_value string_value user source_table source_id "
        "sys_created_on sys_updated_on",
        "One answer of a survey, as it is now.",
        known_fields=SYSTEM_FIELDS
        | frozenset(
            words(
                "assessment_group hide instance_question ml_label_code_sentiment normalized_value reference_id "
                "related_id_1 related_id_2 related_id_3 stakeholder translated_value weight"
            )
        ),
    ),
)

# The audit table holds every audited table of the instance: take only what the clock needs.
WANTED_VALUES: MappingProxyType[str, dict[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sys_audit": {
            "tablename": ("incident",),
            "fieldname": words("state priority assignment_group assigned_to business_service cmdb_ci contract"),
        }
    }
)


class ServiceNow(Source):
    """The Table API (SERVICENOW_URL) with basic authentication (SERVICENOW_USER, SERVICENOW_PASSWORD) or OAuth 2.0.

    With SERVICENOW_CLIENT_ID and SERVICENOW_CLIENT_SECRET set, tokens come from /oauth_token.do: by client
    credentials, or by SERVICENOW_REFRESH_TOKEN when that is set too. Without SERVICENOW_URL, the folder of exported
    tables (SERVICENOW_TABLE_EXPORT_PATH).
    """

    def is_configured(self) -> tuple[bool, str]:
        """Configured when SERVICENOW_URL is set, or the folder of exported tables; the API goes first."""
        if os.environ.get("SERVICENOW_URL"):
            return True, "SERVICENOW_URL is set"
        if os.environ.get(EXPORT_VARIABLE):
            return True, f"{EXPORT_VARIABLE} is set (exported tables, no API)"
        return False, f"neither SERVICENOW_URL nor {EXPORT_VARIABLE} is set"

    def version(self) -> str:
        """The version of the way the tables come by."""
        return self.connector_version if os.environ.get("SERVICENOW_URL") else EXPORT_VERSION

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The records of a window, from the API or from exported files."""
        if not os.environ.get("SERVICENOW_URL"):
            yield from exported_pages(entity, window, notify, WANTED_VALUES.get(entity.name, {}))
            return
        with _client(notify) as client:
            yield from _pages(client, entity, encoded_query(entity, window), {}, PAGE_SIZE)

    def may_come_again(self, entity: Entity) -> bool:
        """Exported files may be dropped again, or late."""
        return not os.environ.get("SERVICENOW_URL")

    def count(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> int | None:
        """X-Total-Count of the window, with one record on the page; None where the instance does not count.

        An export says nothing of what was deleted since.
        """
        if not os.environ.get("SERVICENOW_URL"):
            return None
        params = {
            "sysparm_query": encoded_query(entity, window),
            "sysparm_fields": "sys_id",
            "sysparm_limit": "1",
            "sysparm_offset": "0",
        }
        with _client(notify) as client:
            answer = client.get_records(entity.endpoint, params, entity)
            return _total(answer.headers.get("X-Total-Count"), answer.url)

    def keys(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> set[str]:
        """The sys_ids of the window, in pages that carry nothing else but the stamp."""
        with _client(notify) as client:
            return _sys_ids(client, entity, encoded_query(entity, window))

    def existing_keys(self, entity: Entity, keys: Collection[str], notify: Callable[[str], None]) -> set[str]:
        """Those of some sys_ids the table still has."""
        wanted, found = sorted(keys), set()
        with _client(notify) as client:
            for first in range(0, len(wanted), KEYS_PER_QUESTION):
                among = ",".join(wanted[first : first + KEYS_PER_QUESTION])
                found |= _sys_ids(client, entity, f"sys_idIN{among}^{encoded_query(entity, Window('snapshot'))}")
        return found & set(wanted)


def _sys_ids(client: Client, entity: Entity, query: str) -> set[str]:
    fields = {"sysparm_fields": f"sys_id,{entity.stamp}" if entity.stamp else "sys_id"}
    pages = _pages(client, entity, query, fields, KEY_PAGE_SIZE)
    return {str(record.values["sys_id"]) for page in pages for record in page.records if not record.reason}


def _pages(client: Client, entity: Entity, query: str, extra: dict[str, str], page_size: int) -> Iterator[Page]:
    """Page by offset under a stable order; X-Total-Count must hold, without it the Link header."""
    offset, total, last = 0, None, ("", "")
    while True:
        params = {
            "sysparm_query": query,
            "sysparm_display_value": "false",
            **extra,
            "sysparm_limit": str(page_size),
            "sysparm_offset": str(offset),
        }
        answer = client.get_records(
            entity.endpoint, params, entity, ahead=lambda headers, params=params: _following(params, headers)
        )
        where = answer.url
        page_total = _total(answer.headers.get("X-Total-Count"), where)
        if offset and page_total != total:
            raise InconsistentExtractError(
                f"the total of {entity.name} changed under way: {total} at first, {page_total} now",
                where,
                "records of this window are being written; run again when the window is quiet",
            )
        total = page_total
        count = len(answer.records)
        promised = count if total is None else min(page_size, max(total - offset, 0))
        if count != promised:
            raise InconsistentExtractError(
                f"a page of {entity.name} at offset {offset} has {count} records; "
                f"X-Total-Count {total} and the limit {page_size} promise {promised}",
                where,
                "let the integration user read every row of the table (rows hidden by an access rule "
                "are counted but left out), then run again",
            )
        last = _check_order(entity, answer.records, last, where)
        yield Page(answer.records, total)
        offset += page_size
        if total is not None:
            if offset >= total:
                return
        elif not count or (answer.headers.get("Link") and 'rel="next"' not in answer.headers["Link"]):
            return


def _client(notify: Callable[[str], None]) -> Client:
    """By tokens when a client id is set, else by user and password."""
    url = required("SERVICENOW_URL")
    oauth = oauth2_from_environment("SERVICENOW", url.rstrip("/") + "/oauth_token.do")
    return Client(
        url,
        auth=None if oauth else (required("SERVICENOW_USER"), required("SERVICENOW_PASSWORD")),
        oauth=oauth,
        credential_names="SERVICENOW_USER and SERVICENOW_PASSWORD",
        no_match_text="No Record found",
        notify=notify,
        max_requests_per_minute=stated_maximum("servicenow"),
    )


def _following(params: dict[str, str], headers: Mapping[str, str]) -> dict[str, str] | None:
    """The parameters of the next page, where the total says that there is one."""
    offset = int(params["sysparm_offset"]) + int(params["sysparm_limit"])
    total = headers.get("X-Total-Count", "")
    return {**params, "sysparm_offset": str(offset)} if total.isdigit() and offset < int(total) else None


def encoded_query(entity: Entity, window: Window) -> str:
    """The window as an encoded query with a stable order: by stamp, then sys_id."""
    parts = []
    if entity.stamp and window.start_at and window.end_at:
        parts.append(f"{entity.stamp}>={window.start_at:%Y-%m-%d %H:%M:%S}")
        parts.append(f"{entity.stamp}<{window.end_at:%Y-%m-%d %H:%M:%S}")
    for column, wanted in WANTED_VALUES.get(entity.name, {}).items():
        parts.append(f"{column}={wanted[0]}" if len(wanted) == 1 else f"{column}IN{','.join(wanted)}")
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
    description="ServiceNow: incidents and their history, SLAs, problems, changes, the CMDB, knowledge, surveys.",
    connector_version="servicenow-table-api/2",
    entities={entity.name: entity for entity in ENTITIES},
)
