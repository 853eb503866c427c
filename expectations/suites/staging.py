"""Gate staging, between staging and core: are the records identified, typed and referring to each other?

What would change a clock or a cent blocks; what is only untidy warns. Where a few bad rows are normal in
real data a rule stands twice: any row warns, with its keys, and more than a stated share of the rows blocks.
Sets of allowed values are read from the seeds (schema reference), which must be built before this gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from expectations.checks import CheckSpec, FromQuery, On, quoted
from expectations.suites import staging_finance, staging_jira, staging_people
from ingestion.contracts import Entity
from ingestion.sources import SOURCES

TOLERATED_SHARE = 0.01
PRIORITIES = (1, 2, 3, 4, 5)
SAMPLE_KINDS = ("synthetic", "real_user", "log_scraped")
SLA_STAGES = ("starting", "in_progress", "paused", "completed", "cancelled", "achieved", "breached")
MONITOR_STATES = ("OK", "Alert", "Warn", "No Data")
PERIOD = r"^[0-9]{4}-(0[1-9]|1[0-2])$"
QUARTER = r"^[0-9]{4}-Q[1-4]$"
CURRENCY = r"^[A-Z]{3}$"

# Staging model and its key, by source.entity.
MODELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "servicenow.incident": ("staging.stg_servicenow__incidents", ("incident_id",)),
    "servicenow.sys_audit": ("staging.stg_servicenow__audit_entries", ("audit_entry_id",)),
    "servicenow.change_request": ("staging.stg_servicenow__change_requests", ("change_request_id",)),
    "servicenow.sys_user_group": ("staging.stg_servicenow__groups", ("group_id",)),
    "servicenow.sys_user": ("staging.stg_servicenow__users", ("user_id",)),
    "servicenow.cmdb_ci_service": ("staging.stg_servicenow__services", ("service_id",)),
    "servicenow.cmdb_ci": ("staging.stg_servicenow__configuration_items", ("configuration_item_id",)),
    "servicenow.cmdb_rel_ci": ("staging.stg_servicenow__item_relations", ("item_relation_id",)),
    "servicenow.problem": ("staging.stg_servicenow__problems", ("problem_id",)),
    "servicenow.contract_sla": ("staging.stg_servicenow__sla_definitions", ("sla_definition_id",)),
    "servicenow.task_sla": ("staging.stg_servicenow__task_slas", ("task_sla_id",)),
    "servicenow.kb_knowledge": ("staging.stg_servicenow__articles", ("article_id",)),
    "servicenow.asmt_assessment_instance": ("staging.stg_servicenow__surveys", ("survey_id",)),
    "servicenow.asmt_metric_result": ("staging.stg_servicenow__survey_answers", ("survey_answer_id",)),
    "servicenow.ast_contract": ("staging.stg_servicenow__contracts", ("contract_id",)),
    "servicenow_event_log.incident_event": (
        "staging.stg_servicenow_event_log__incident_events",
        ("number", "sys_mod_count", "sys_updated_at"),
    ),
    "jira.issue": ("staging.stg_jira__issues", ("issue_id",)),
    "jira.issue_changelog": ("staging.stg_jira__changelogs", ("issue_id", "history_id")),
    "jira.project": ("staging.stg_jira__projects", ("project_id",)),
    "jira.field": ("staging.stg_jira__fields", ("field_id",)),
    "jira.account": ("staging.stg_jira__accounts", ("account_id",)),
    "jira.queue": ("staging.stg_jira__queues", ("service_desk_id", "queue_id")),
    "datadog.monitor": ("staging.stg_datadog__monitors", ("monitor_id",)),
    "datadog.monitor_transition": ("staging.stg_datadog__monitor_transitions", ("monitor_transition_id",)),
    "datadog.slo": ("staging.stg_datadog__slos", ("slo_id",)),
    "datadog.downtime": ("staging.stg_datadog__downtimes", ("downtime_id",)),
    "datadog.slo_history": ("staging.stg_datadog__slo_histories", ("slo_id", "window_from_at", "window_to_at")),
    "datadog.slo_correction": ("staging.stg_datadog__slo_corrections", ("slo_correction_id",)),
    "datadog.incident": ("staging.stg_datadog__incidents", ("incident_id",)),
    "datadog.synthetic_test": ("staging.stg_datadog__synthetic_tests", ("test_public_id",)),
    "datadog.synthetic_result": ("staging.stg_datadog__synthetic_results", ("synthetic_result_id",)),
    "datadog.rum_event": ("staging.stg_datadog__rum_events", ("rum_event_id",)),
    "legacy_log.log_line": ("staging.stg_legacy_log__lines", ("log_name", "log_file", "line_number")),
    "monitor_samples.monitor_sample": (
        "staging.stg_monitor_samples__samples",
        ("monitor_id", "probe_location", "sampled_at", "received_at"),
    ),
    "bamboohr.employee": ("staging.stg_bamboohr__employees", ("employee_id",)),
    "bamboohr.job_info": ("staging.stg_bamboohr__job_infos", ("job_info_id",)),
    "bamboohr.employment_status": ("staging.stg_bamboohr__employment_statuses", ("employment_status_id",)),
    "bamboohr.incentive_target": ("staging.stg_bamboohr__incentive_targets", ("incentive_target_id",)),
    "bamboohr.employment_term": ("staging.stg_bamboohr__employment_terms", ("employment_term_id",)),
    "bamboohr.team_assignment": ("staging.stg_bamboohr__team_assignments", ("team_assignment_id",)),
    "bamboohr.plan_acknowledgement": ("staging.stg_bamboohr__plan_acknowledgements", ("plan_acknowledgement_id",)),
    "bamboohr.shift": ("staging.stg_bamboohr__shifts", ("shift_id",)),
    "bamboohr.on_call_rotation": ("staging.stg_bamboohr__on_call_rotations", ("on_call_rotation_id",)),
    "bamboohr.time_off_request": ("staging.stg_bamboohr__time_off_requests", ("time_off_request_id",)),
    "workday.worker": ("staging.stg_workday__workers", ("worker_id", "effective_on")),
    "payroll.register_line": ("staging.stg_payroll__register_lines", ("payroll_line_id",)),
    "ledger.journal_line": ("staging.stg_ledger__journal_lines", ("voucher_number", "line_number")),
    **staging_finance.MODELS,
}
STAMP_OF_RUN = """
    select as_of_at from landing.run_context qualify row_number() over (order by started_at desc, run_id
        desc) = 1
"""
ITSM = ("LTI-7.1",)


def checks() -> list[CheckSpec]:
    """All checks of the gate, source by source."""
    specs = []
    for source in SOURCES.values():
        for entity in source.entities.values():
            specs += _identity(entity)
        specs += RULES[source.name]() if source.name in RULES else ()
    return specs + finance_checks()


def finance_checks() -> list[CheckSpec]:
    """Those of `staging_finance`, with the keys and sources of their models."""
    return staging_finance.checks(_on)


def _on(name: str, also: Sequence[str] = (), **more: object) -> On:
    """The checks of a staging model, by source.entity; `also` names other sources the checks need."""
    table, key = MODELS[name]
    source = name.partition(".")[0]
    return On(table, table.partition(".")[2], keys=key, sources=(source, *also), **more)


def _identity(entity: Entity) -> Iterator[CheckSpec]:
    """What holds for every staging model: its key, and that no record was lost on the way from raw."""
    on = _on(f"{entity.source}.{entity.name}")
    for column in on.keys:
        yield on.known(column, "the raw gate should have stopped this: look at the raw rows of the batch")
    yield on.unique(
        on.keys,
        f"{on.table} has one row per {' + '.join(on.keys)}.",
        "the staging model no longer keeps one version of each record: look at its first step",
    )
    keys = ", ".join(map(quoted, entity.key))
    current, gone = "", _gone_count(entity)
    if entity.partitioning != "daily":
        gone = "0"
        current = (
            "where _batch_id in (select s.current_batch_id from landing.extract_state as s "
            f"where s.source = '{entity.source}' and s.entity = '{entity.name}')"
        )
    yield on.no_rows(
        "loses_nothing",
        f"""
        select raw_count, staged_count
        from (select count(*) - ({gone}) as raw_count from (select distinct {keys} from {entity.table} {current}) as
            raw_keys)
        cross join (select count(*) as staged_count from checked)
        where raw_count <> staged_count
        """,
        f"{on.table} has as many rows as {entity.table} has different records that are not gone from the source.",
        "the staging model drops or multiplies records: compare its keys with the raw table's",
        reads=(entity.table, "landing.extract_state", "landing.deleted_record"),
    )


def _within_the_clock(on: On, column: str, mend: str) -> CheckSpec:
    """No instant before 2000: the clock counts seconds from there, and builds a calendar from the first instant on."""
    keys = ", ".join(f"checked.{key}" for key in on.keys)
    return on.no_rows(
        f"{column}_is_within_the_clock",
        f"select {keys}, {column} from checked where {column} < timestamp '2000-01-01'",
        f"No {on.table}.{column} lies before 2000.",
        f"a default date or a swapped year: {mend}",
    )


def _gone_count(entity: Entity) -> str:
    """SQL for the number of records found gone from the source that have not landed since."""
    key = f"concat_ws('|', {', '.join(f'landed.{quoted(column)}' for column in entity.key)})"
    return f"""
        select count(*)
        from (
            select batch_id, record_key, max(found_at) as found_at from landing.deleted_record
            where source = '{entity.source}' and entity = '{entity.name}'
            group by batch_id, record_key having max_by(is_deleted, found_at)
        ) as gone
        where not exists (
            select 1 from {entity.table} as landed
            where {key} = gone.record_key and landed._extracted_at > gone.found_at
        )
    """


def _refers(
    on: On,
    column: str,
    to: str,
    to_column: str,
    mend: str,
    *,
    is_strict: bool = False,
    share: float = TOLERATED_SHARE,
    where: str = "true",
) -> Iterator[CheckSpec]:
    """Referential integrity: each value of a column stands in another table. Strict: one stray blocks.

    Otherwise any stray warns and more than `share` of the rows blocks. where: the rows the rule is for.
    """
    keys = ", ".join(f"checked.{key}" for key in on.keys)
    strays = f"""
        select {keys}, checked.{column} from checked
        where checked.{column} is not null and {where}
        and not exists (select 1 from {to} as other where other.{to_column} = checked.{column})
    """
    says = f"Each {on.table}.{column} stands in {to}.{to_column}"
    if is_strict:
        yield on.no_rows(f"{column}_refers", strays, f"{says}.", mend, reads=(to,))
        return
    yield on.no_rows(f"{column}_refers", strays, f"{says}.", mend, "warn", reads=(to,))
    yield on.no_rows(
        f"{column}_refers_mostly",
        strays,
        f"{says}, but for at most {share:.0%} of the rows.",
        mend,
        tolerated_share=share,
        reads=(to,),
    )


def _tolerated(
    on: On, name: str, failing: str, says: str, mend: str, *, per: str | None = None, **more: object
) -> Iterator[CheckSpec]:
    """A rule that warns of any row and blocks beyond the tolerated share of the rows (per: of the values of
    per).
    """
    yield on.no_rows(name, failing, f"{says}.", mend, "warn", **more)
    yield on.no_rows(
        f"{name}_mostly",
        failing,
        f"{says}, but for at most {TOLERATED_SHARE:.0%} of the {f'different {per}s' if per else 'rows'}.",
        mend,
        tolerated_share=TOLERATED_SHARE,
        tolerated_of=f"count(distinct {per})" if per else "count(*)",
        **more,
    )


def _in_set_tolerated(on: On, column: str, values: object, mend: str, **more: object) -> Iterator[CheckSpec]:
    yield on.in_set(column, values, mend, "warn", **more)
    yield on.in_set(column, values, mend, mostly=1 - TOLERATED_SHARE, **more)


def _servicenow() -> Iterator[CheckSpec]:
    states = FromQuery("select source_value from reference.ticket_state where source_system = 'servicenow'")
    state_mend = "map the state in seeds/slt/ticket_state.csv and give it a role in slt_condition.csv"
    on = _on("servicenow.incident", requirements=ITSM)
    on = replace(on, keys=("number", "incident_id"))
    yield on.known("number", "an incident without a number cannot be traced: have it mended in ServiceNow")
    yield on.unique(
        ("number",),
        "No two incidents share a number.",
        "two records carry one number: only one of them would be measured; have one renumbered",
        name="number_is_unique",
    )
    yield on.known("opened_at", "a ticket without an opening has no clock: have it mended in ServiceNow")
    yield _within_the_clock(on, "opened_at", "have the opening mended in ServiceNow")
    yield _within_the_clock(
        _on("servicenow.sys_audit", requirements=ITSM), "sys_created_at", "have the audit entry mended or left out"
    )
    yield from _in_set_tolerated(on, "state", states, state_mend, reads=("reference.ticket_state",))
    yield from _in_set_tolerated(
        on, "priority", PRIORITIES, "targets exist for priorities 1 to 5: have the priority mended"
    )
    yield from _tolerated(
        on,
        "not_resolved_before_opened",
        """
        select number, incident_id, opened_at, resolved_at, closed_at from checked
        where resolved_at < opened_at or closed_at < opened_at
        """,
        "No incident is resolved or closed before it was opened (such a ticket is never paid)",
        "have the timestamps mended in ServiceNow; until then the ticket counts as invalid",
    )
    yield on.no_rows(
        "not_updated_before_opened",
        "select number, incident_id, opened_at, sys_updated_at from checked where sys_updated_at < opened_at",
        "No incident was last updated before it was opened.",
        "an import or a wrong zone: see that the integration user has the zone GMT",
        "warn",
    )
    for column, to, to_column in (
        ("assignment_group_id", GROUPS, "group_id"),
        ("assigned_to_id", USERS, "user_id"),
        ("business_service_id", SERVICES, "service_id"),
        ("configuration_item_id", ITEMS, "configuration_item_id"),
        ("contract_id", CONTRACTS, "contract_id"),
    ):
        yield from _refers(on, column, to, to_column, "see whether the integration user may read all of it")
    yield from _tolerated(
        on,
        "has_history",
        f"""
        select checked.number, checked.incident_id, checked.opened_at from checked
        where not exists (
            select 1 from {AUDIT} as entry
            where entry.document_id = checked.incident_id and entry.field_name = 'state'
        )
        """,
        "Each incident has the history of its state (without it the clock is a guess)",
        "see that auditing of incident.state is on, and that sys_audit was extracted from the opening on",
        reads=(AUDIT,),
    )
    yield from _drift(on)
    groups = _on("servicenow.sys_user_group", requirements=ITSM)
    yield groups.known("group_name", "name the group in ServiceNow: teams are found by the group's name")
    yield from _group_teams(groups)
    users = _on("servicenow.sys_user")
    yield users.unique(
        ("employee_number",),
        "No two ServiceNow users carry one employee number.",
        "work of two accounts would go to one person: have the accounts mended",
        "warn",
        name="employee_number_is_unique",
    )
    users = _on("servicenow.sys_user", also=("bamboohr",))
    yield from _refers(
        users,
        "employee_number",
        EMPLOYEES,
        "employee_number",
        "the account names an employee the HRIS does not know: have one of them mended",
        share=0.05,
    )
    services = _on("servicenow.cmdb_ci_service")
    yield services.known("service_code", "number the service in the CMDB by its code", "warn")
    yield services.no_rows(
        "service_code_is_governed",
        f"""
        select checked.service_id, checked.service_code, checked.service_name, count(*) as incident_count
        from checked inner join {INCIDENTS} as incident on incident.business_service_id = checked.service_id
        where not exists (
            select 1 from reference.service as governed where governed.service_code = checked.service_code
        )
        group by all order by incident_count desc
        """,
        "Each service that has incidents is governed in seeds/services/service.csv.",
        "add the service (its calendar, owner and vendor decide the target) or tell the CMDB owner",
        "warn",
        reads=(INCIDENTS, "reference.service"),
    )
    yield from _audit()
    yield from service_desk()
    changes = _on("servicenow.change_request")
    yield changes.no_rows(
        "ends_after_it_starts",
        """
        select change_request_id, number, planned_start_at, planned_end_at from checked
        where planned_end_at < planned_start_at
        """,
        "No change is planned to end before it starts.",
        "have the planned times mended in ServiceNow",
        "warn",
    )


def service_desk() -> Iterator[CheckSpec]:
    """Problems, attached SLAs, the CMDB, articles and surveys: what leads to a ticket, an item or a person does so."""
    items = _on("servicenow.cmdb_ci", requirements=("SLT-8.6",))
    yield items.known("configuration_item_code", "name the item in the CMDB: tickets and requests name it so", "warn")
    yield items.no_rows(
        "code_names_one_item",
        """
        select min(configuration_item_id) as configuration_item_id, configuration_item_code, count(*) as item_count
        from checked where configuration_item_code is not null and duplicate_of_id is null
        group by configuration_item_code having count(*) > 1
        """,
        "No two items of the CMDB share a name, duplicates marked as such apart.",
        "mark one as the duplicate of the other in the CMDB: until then the one seen last is taken",
        "warn",
    )
    for name, column, others in (
        ("servicenow.cmdb_rel_ci", "parent_item_id", ((ITEMS, "configuration_item_id"), (SERVICES, "service_id"))),
        ("servicenow.cmdb_rel_ci", "child_item_id", ((ITEMS, "configuration_item_id"), (SERVICES, "service_id"))),
        ("servicenow.incident", "problem_id", ((PROBLEMS, "problem_id"),)),
        ("servicenow.task_sla", "sla_definition_id", ((SLA_DEFINITIONS, "sla_definition_id"),)),
        ("servicenow.kb_knowledge", "author_id", ((USERS, "user_id"),)),
        ("servicenow.asmt_metric_result", "survey_id", ((SURVEYS, "survey_id"),)),
    ):
        on = _on(name, requirements=ITSM)
        nowhere = " and ".join(
            f"not exists (select 1 from {to} as other where other.{to_column} = checked.{column})"
            for to, to_column in others
        )
        yield on.no_rows(
            f"{column}_leads_somewhere",
            f"select {', '.join(on.keys)}, {column} from checked where {column} is not null and {nowhere}",
            f"Each {on.table}.{column} stands in {' or '.join(to for to, _ in others)}.",
            "see whether the integration user may read all of it",
            "warn",
            reads=tuple(to for to, _ in others),
        )
    slas = _on("servicenow.task_sla", requirements=ITSM)
    yield slas.known("start_at", "an attached SLA without a start measures nothing: see what the user may read", "warn")
    yield slas.in_set("stage", SLA_STAGES, "the engine has a stage the reconciliation does not know", "warn")
    yield slas.no_rows(
        "verdict_follows_its_share_mostly",
        """
        select task_sla_id, task_id, has_breached, coalesce(business_elapsed_share, elapsed_share) as elapsed_share
        from checked where stage = 'completed'
        and has_breached <> (coalesce(business_elapsed_share, elapsed_share) > 1)
        """,
        f"has_breached of a completed SLA says what its own percentage does, but for at most {TOLERATED_SHARE:.0%}.",
        "have the SLAs named repaired in ServiceNow (Repair SLAs); rec_itsm_task_sla lists them one by one",
        tolerated_share=TOLERATED_SHARE,
    )
    definitions = _on("servicenow.contract_sla", requirements=ITSM)
    yield definitions.no_rows(
        "stands_for_an_slt",
        """
        select sla_definition_id, sla_name from checked where is_active and table_name = 'incident' and not exists (
            select 1 from reference.itsm_sla_definition as mapped
            where mapped.source_system = 'servicenow' and mapped.sla_name = checked.sla_name
        )
        """,
        "Each SLA definition that attaches to incidents stands for an SLT of ours.",
        "map it in seeds/cmdb/itsm_sla_definition.csv, or its verdicts are compared with nothing",
        "warn",
        reads=("reference.itsm_sla_definition",),
    )


def _group_teams(on: On) -> Iterator[CheckSpec]:
    """Groups that hold tickets are teams: a ticket without a team counts for nobody."""
    failing = f"""
        select checked.group_id, checked.group_name, count(*) as incident_count
        from checked inner join {INCIDENTS} as incident on incident.assignment_group_id = checked.group_id
        where not exists (
            select 1 from reference.team as team where team.assignment_group_name = checked.group_name
        )
        group by all
    """
    says = "Each assignment group that holds incidents is a team of seeds/services/team.csv"
    mend = "add the team, or its new assignment_group_name, to seeds/services/team.csv"
    reads = (INCIDENTS, "reference.team")
    yield on.no_rows("team_is_known", f"{failing} order by incident_count desc", f"{says}.", mend, "warn", reads=reads)
    yield on.no_rows(
        "team_is_known_mostly",
        f"""
        with failing as ({failing}) select failing.* from failing
        where (select sum(incident_count) from failing)
            > {TOLERATED_SHARE} * (select count(*) from {INCIDENTS} where assignment_group_id is not null)
        order by incident_count desc
        """,
        f"{says}, but for at most {TOLERATED_SHARE:.0%} of the assigned incidents.",
        mend,
        reads=reads,
    )


def _audit() -> Iterator[CheckSpec]:
    audited = "checked.table_name = 'incident'"
    on = _on("servicenow.sys_audit", requirements=ITSM)
    for column in ("document_id", "field_name", "sys_created_at"):
        yield on.known(column, "an audit entry without it says nothing: see what the integration user may read")
    yield from _refers(
        on,
        "document_id",
        INCIDENTS,
        "incident_id",
        "an incident was not extracted: backfill the day of the entry",
        where=audited,
    )
    yield on.no_rows(
        "priority_is_a_number",
        """
        select audit_entry_id, document_id, new_value, sys_created_at from checked
        where table_name = 'incident' and field_name = 'priority' and new_value is not null
        and not regexp_matches(new_value, '^[0-9]+$')
        """,
        "Audited priorities are numbers.",
        "the instance audits display values: ask for the stored ones (sysparm_display_value=false)",
    )
    yield from _tolerated(
        on,
        "state_is_known",
        """
        select audit_entry_id, document_id, new_value, sys_created_at from checked
        where table_name = 'incident' and field_name = 'state' and new_value is not null and not exists (
            select 1 from reference.ticket_state as mapped
            where mapped.source_system = 'servicenow' and mapped.source_value = checked.new_value
        )
        """,
        "Audited states are mapped in seeds/slt/ticket_state.csv",
        "map the state in seeds/slt/ticket_state.csv and give it a role in slt_condition.csv",
        reads=("reference.ticket_state",),
    )
    yield from _tolerated(
        on,
        "history_is_unbroken",
        """
        with ordered as (
            select
                *, row_number() over history as entry_number, lag(new_value) over history as previous_value
            from checked where table_name = 'incident'
            window history as (
                partition by document_id, field_name order by sys_created_at, record_checkpoint,
                    audit_entry_id
            )
        )
        select audit_entry_id, document_id, field_name, previous_value, old_value, new_value, sys_created_at
        from ordered where entry_number > 1 and old_value is distinct from previous_value
        """,
        "Each audited value takes over from the one before it: old_value is the previous new_value",
        "an entry is missing or out of order: backfill the days of the incident named",
    )
    yield on.no_rows(
        "order_is_one",
        """
        with ordered as (
            select *, lag(sys_created_at) over (
                partition by document_id, field_name order by record_checkpoint, sys_created_at
            ) as previous_at
            from checked where table_name = 'incident' and record_checkpoint is not null
        )
        select audit_entry_id, document_id, field_name, record_checkpoint, previous_at, sys_created_at
        from ordered where sys_created_at < previous_at
        """,
        "The checkpoints of a record count up with time.",
        "a node of the instance has a wrong clock, or history was imported: the time decides, not the number",
        "warn",
        requirements=("SLT-3.2",),
    )
    yield on.no_rows(
        "not_before_opening",
        f"""
        select checked.audit_entry_id, incident.number, checked.field_name, checked.sys_created_at,
            incident.opened_at
        from checked inner join {INCIDENTS} as incident on incident.incident_id = checked.document_id
        where checked.sys_created_at < incident.opened_at
        """,
        "No entry was written before its incident was opened.",
        "opened_at was set by hand: the clock starts at opened_at",
        "warn",
        reads=(INCIDENTS,),
    )


def _drift(on: On) -> Iterator[CheckSpec]:
    """The entity against its own history: the last full week's tickets against up to a year of weeks."""
    yield on.no_rows(
        "volume_is_usual",
        f"""
        with run as ({STAMP_OF_RUN}),
        bounds as (
            select
                date_trunc('week', run.as_of_at) - interval 7 day as last_week_at,
                date_trunc('week', (select min(opened_at) from checked)) + interval 7 day as first_week_at
            from run
        ),
        weeks as (
            select week_at, count(checked.number) as ticket_count
            from bounds
            cross join unnest(generate_series(
                greatest(first_week_at, last_week_at - interval 364 day), last_week_at, interval 7 day
            )) as spine (week_at)
            left join checked on checked.opened_at >= week_at and checked.opened_at < week_at + interval 7 day
            group by week_at
        ),
        history as (
            select count(*) as week_count, avg(ticket_count) as usual_count, stddev_samp(ticket_count) as
                spread
            from weeks cross join bounds where week_at < last_week_at
        )
        select week_at, ticket_count, round(usual_count, 1) as usual_count, round(spread, 1) as
            standard_deviation
        from weeks cross join bounds cross join history
        where week_at = last_week_at and week_count >= 8
        and abs(ticket_count - usual_count) > greatest(4 * spread, 0.1 * usual_count)
        """,
        "The last full week brought a usual number of incidents: within four standard deviations (and a "
        "tenth) of "
        "the weeks of the year before, of which there must be eight.",
        "see whether tickets were lost, doubled or recategorised; a quiet or a bad week is nothing to mend",
        "warn",
        reads=("landing.run_context",),
    )
    yield on.no_rows(
        "priorities_are_usual",
        f"""
        with run as ({STAMP_OF_RUN}),
        counted as (
            select
                priority,
                count(*) filter (where opened_at >= as_of_at - interval 28 day) as recent_count,
                count(*) filter (where opened_at < as_of_at - interval 28 day) as earlier_count
            from checked cross join run where opened_at <= as_of_at and priority is not null group by priority
        ),
        shared as (
            select
                *, recent_count / nullif(sum(recent_count) over (), 0) as recent_share,
                earlier_count / nullif(sum(earlier_count) over (), 0) as earlier_share,
                sum(recent_count) over () as recent_total, sum(earlier_count) over () as earlier_total
            from counted
        )
        select priority, recent_count, round(recent_share, 4) as recent_share, round(earlier_share, 4) as
            earlier_share
        from shared
        where recent_total >= 200 and earlier_total >= 1000
        and abs(recent_share - earlier_share) > 4 * sqrt(earlier_share * (1 - earlier_share) / recent_total)
            + 0.02
        """,
        "The mix of priorities of the last 28 days is usual: each share within four standard errors (and two "
        "points) of all earlier tickets, where there are 200 and 1,000 of them.",
        "see whether the rules of categorisation were changed: it moves the figures that are paid by",
        "warn",
        reads=("landing.run_context",),
    )


def _event_log() -> Iterator[CheckSpec]:
    on = _on("servicenow_event_log.incident_event", requirements=ITSM)
    states = FromQuery("select source_value from reference.ticket_state where source_system = 'servicenow_event_log'")
    yield on.known("opened_at", "an event without the opening has no clock: have the export mended")
    yield from _in_set_tolerated(
        on,
        "incident_state",
        states,
        "map the state in seeds/slt/ticket_state.csv and give it a role in slt_condition.csv",
        reads=("reference.ticket_state",),
    )
    yield on.known("priority", "the export must hold the priority of each event", mostly=1 - TOLERATED_SHARE)
    yield _within_the_clock(on, "opened_at", "have the export mended")
    yield _within_the_clock(on, "sys_updated_at", "have the export mended")
    yield from _in_set_tolerated(on, "priority", PRIORITIES, "targets exist for priorities 1 to 5")
    yield from _tolerated(
        on,
        "not_resolved_before_opened",
        """
        select number, min(opened_at) as opened_at, min(resolved_at) as resolved_at, min(closed_at) as
            closed_at, count(*) as event_count
        from checked where resolved_at < opened_at or closed_at < opened_at group by number
        """,
        "No incident is resolved or closed before it was opened (such a ticket is never paid)",
        "the export contradicts itself: the ticket counts as invalid",
        per="number",
    )
    for name, per, failing, says in (
        (
            "not_updated_before_opened",
            None,
            "select number, sys_mod_count, sys_updated_at, opened_at from checked where sys_updated_at < opened_at",
            "No event is older than the opening of its incident",
        ),
        (
            "order_is_one",
            None,
            """
            with ordered as (
                select *, lag(sys_updated_at) over (partition by number order by sys_mod_count,
                    source_row_number) as previous_at
                from checked
            )
            select number, sys_mod_count, previous_at, sys_updated_at from ordered
            where sys_updated_at < previous_at
            """,
            "The update counter of an incident counts up with time",
        ),
        (
            "opening_is_one",
            "number",
            """
            select number, count(distinct opened_at) as openings, min(opened_at) as first_opened_at,
                max(opened_at) as last_opened_at
            from checked group by number having count(distinct opened_at) > 1
            """,
            "All events of an incident tell the same opening",
        ),
    ):
        yield from _tolerated(
            on,
            name,
            failing,
            says,
            "the export contradicts itself: see how int_ticket_event orders it",
            per=per,
        )


def _jira() -> Iterator[CheckSpec]:
    yield from staging_jira.rules(_on("jira.issue"), _on("jira.issue_changelog"))


def _datadog() -> Iterator[CheckSpec]:
    monitors = _on("datadog.monitor")
    governed = "give the monitor a tag service:<code> of seeds/services/service.csv"
    yield monitors.known("service_code", governed, "warn")
    yield from _refers(monitors, "service_code", "reference.service", "service_code", governed, share=0.1)
    on = _on("datadog.monitor_transition")
    yield on.known("transition_at", "a transition without an instant is no transition")
    yield on.known("monitor_id", "a transition without a monitor is no transition")
    yield from _in_set_tolerated(
        on, "destination_state", MONITOR_STATES, "a new state counts as unknown: teach int_monitor_interval"
    )
    yield from _refers(on, "monitor_id", MONITORS, "monitor_id", "the monitor was deleted: its past cannot be assigned")
    yield on.no_rows(
        "states_follow",
        """
        with ordered as (
            select *, lag(destination_state) over (partition by monitor_id order by transition_at,
                monitor_transition_id) as previous_state
            from checked
        )
        select monitor_transition_id, monitor_id, transition_at, previous_state, source_state from ordered
        where previous_state is not null and source_state is not null and source_state <> previous_state
        """,
        "Each transition starts from the state the one before it ended in.",
        "a transition is missing: backfill the days between the two",
        "warn",
        requirements=("SLT-3.2",),
    )
    downtimes = _on("datadog.downtime")
    yield downtimes.known("start_at", "a downtime without a start takes nothing out", "warn")
    yield downtimes.no_rows(
        "ends_after_it_starts",
        "select downtime_id, scope, start_at, end_at from checked where end_at < start_at",
        "No downtime ends before it starts.",
        "have the downtime mended in Datadog",
        "warn",
    )
    yield downtimes.known("service_code", "scope the downtime to service:<code>: else it takes nothing out", "warn")
    yield from _refers(
        downtimes,
        "service_code",
        "reference.service",
        "service_code",
        "the scope names a service that seeds/services/service.csv does not know",
        share=0.1,
    )
    yield from _datadog_observed()


def _datadog_observed() -> Iterator[CheckSpec]:
    """Histories, corrections, synthetic and real-user results."""
    histories = _on("datadog.slo_history")
    yield histories.no_rows(
        "has_a_value_or_says_why",
        """
        select slo_id, window_from_at, window_to_at from checked
        where read_outcome = 'read' and sli_percent is null and error_list is null
        """,
        "Where Datadog gives no figure for an objective, it gives the error.",
        "extract the month again; if it stays so, look at the objective in Datadog",
        "warn",
    )
    corrections = _on("datadog.slo_correction")
    yield corrections.no_rows(
        "takes_a_known_time_out",
        """
        select slo_correction_id, slo_id, start_at, end_at, duration_seconds, recurrence_rule from checked
        where (recurrence_rule is null and coalesce(end_at <= start_at, true))
            or (recurrence_rule is not null and (
                coalesce(duration_seconds, 0) <= 0
                or not regexp_matches(recurrence_rule, 'FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)')
            ))
        """,
        "A correction has an end, or a rule the warehouse can lay out and a duration.",
        "have the correction mended in Datadog: as it is, it takes nothing out here",
        "warn",
    )
    yield corrections.in_set(
        "time_zone",
        FromQuery("select name from pg_timezone_names()"),
        "have the correction's zone mended in Datadog: its occurrences cannot be placed",
    )
    results = _on("datadog.synthetic_result", requirements=("SVC-3.1",))
    yield results.in_set(
        "test_public_id",
        FromQuery("select record_key from reference.monitor_binding where record_kind = 'synthetic_test'"),
        "bind the test to a monitor in seeds/services/monitor_binding.csv: until then its results count for no service",
        "warn",
        reads=("reference.monitor_binding",),
    )
    views = _on("datadog.rum_event", requirements=("SVC-3.1",))
    yield views.in_set(
        "service_code",
        FromQuery("select record_key from reference.monitor_binding where record_kind = 'real_user'"),
        "bind the service's users to a monitor in seeds/services/monitor_binding.csv: until then nothing counts",
        "warn",
        reads=("reference.monitor_binding",),
    )


def _bamboohr() -> Iterator[CheckSpec]:
    on = _on("bamboohr.employee")
    mend = "have the record mended in the HRIS: pay is prorated by it"
    yield on.known("employee_number", mend)
    yield on.unique(
        ("employee_number",),
        "No two employees share a number.",
        "payroll pays by the number: have one of the two mended in the HRIS",
        name="employee_number_is_unique",
    )
    yield on.known("hired_on", mend)
    yield on.no_rows(
        "leaves_after_hiring",
        "select employee_id, employee_number, hired_on, terminated_on from checked where terminated_on < hired_on",
        "Nobody leaves before being hired.",
        mend,
    )
    yield on.no_rows(
        "leaving_agrees",
        f"""
        with terminated as (
            -- whoever was taken on again after leaving has not left
            select employee_id, effective_on as terminated_on from (
                select * from {STATUSES} qualify row_number() over (
                    partition by employee_id
                    order by effective_on desc, length(employment_status_id) desc, employment_status_id desc
                ) = 1
            ) where employment_status = 'Terminated'
        )
        select checked.employee_id, checked.employee_number, checked.terminated_on,
            terminated.terminated_on as status_terminated_on
        from checked left join terminated on terminated.employee_id = checked.employee_id
        where checked.terminated_on is distinct from terminated.terminated_on
        """,
        "The directory and the status history agree on the day a person leaves (the directory decides).",
        mend,
        "warn",
        reads=(STATUSES,),
    )
    for name in ("job_info", "employment_status", "incentive_target"):
        child = _on(f"bamboohr.{name}")
        yield child.known("employee_id", mend)
        yield child.known("effective_on", mend)
        yield from _refers(child, "employee_id", EMPLOYEES, "employee_id", mend, is_strict=True)
    jobs = _on("bamboohr.job_info")
    yield jobs.no_rows(
        "department_is_a_team",
        f"""
        select checked.job_info_id, checked.employee_id, checked.effective_on, checked.department_name
        from checked
        where exists (select 1 from {TARGETS} as target where target.employee_id = checked.employee_id)
        and not exists (
            select 1 from reference.team as team where team.hris_department = checked.department_name
        )
        """,
        "The departments of those who have an incentive target are teams (without a team nothing is earned).",
        "add the department as hris_department of a team in seeds/services/team.csv, or mend it in the HRIS",
        reads=(TARGETS, "reference.team"),
    )
    targets = _on("bamboohr.incentive_target")
    yield targets.known("quarterly_target_amount", mend)
    yield targets.check(
        "amount_is_not_negative",
        "ExpectColumnValuesToBeBetween",
        "No incentive target is negative.",
        mend,
        arguments={"column": "quarterly_target_amount", "min_value": 0},
    )
    yield targets.known("currency_code", mend)
    yield targets.in_set(
        "currency_code",
        FromQuery("select distinct currency_code from reference.team"),
        "the currency of a target is one a team is paid in (seeds/services/team.csv): mend it in the HRIS",
        reads=("reference.team",),
    )
    yield targets.unique(
        ("employee_id", "effective_on"),
        "A person has one target from a given day on (of two the later entered holds).",
        mend,
        "warn",
        name="day_is_unique",
    )
    yield targets.no_rows(
        "currency_is_the_teams",
        f"""
        select checked.incentive_target_id, checked.employee_id, checked.currency_code,
            string_agg(distinct team.currency_code, ', ') as team_currency_codes
        from checked
        inner join {JOBS} as job on job.employee_id = checked.employee_id
        inner join reference.team as team on team.hris_department = job.department_name
        group by all having not bool_or(team.currency_code = checked.currency_code)
        """,
        "A person's target is in the currency of a team the person has worked in.",
        "have the currency mended in the HRIS, or accept that the person is paid in another one",
        "warn",
        reads=(JOBS, "reference.team"),
    )


def _payroll() -> Iterator[CheckSpec]:
    on = _on("payroll.register_line")
    mend = "have the register mended and dropped again"
    for column in ("employee_number", "earning_code", "amount", "currency_code", "pay_period"):
        yield on.known(column, mend)
    yield on.matches("pay_period", PERIOD, "Pay periods are months, YYYY-MM.", mend)
    yield on.matches("currency_code", CURRENCY, "Currencies are ISO 4217 codes.", mend)
    yield on.in_set(
        "earning_code",
        FromQuery("select earning_code from reference.payroll_earning_code"),
        "add the code to seeds/finance/payroll_earning_code.csv: its role decides whether it is incentive pay",
        reads=("reference.payroll_earning_code",),
    )
    yield on.known("cost_centre_code", mend)
    yield on.in_set(
        "cost_centre_code",
        FromQuery("select cost_centre_code from reference.cost_centre"),
        "add the cost centre to seeds/finance/cost_centre.csv, or mend the register",
        reads=("reference.cost_centre",),
    )
    yield on.no_rows(
        "incentive_names_its_quarter",
        f"""
        select checked.payroll_line_id, checked.employee_number, checked.pay_period, checked.earned_quarter
        from checked inner join reference.payroll_earning_code as code on code.earning_code =
            checked.earning_code
        where code.earning_role = 'incentive'
        and not regexp_matches(coalesce(checked.earned_quarter, ''), '{QUARTER}')
        """,
        "Each incentive line names the quarter it was earned in, YYYY-Qn (else it cannot be reconciled).",
        mend,
        "warn",
        reads=("reference.payroll_earning_code",),
    )
    on = _on("payroll.register_line", also=("bamboohr",))
    yield from _refers(
        on,
        "employee_number",
        EMPLOYEES,
        "employee_number",
        "payroll pays somebody the HRIS does not know: ask who it is",
    )


def _ledger() -> Iterator[CheckSpec]:
    on = _on("ledger.journal_line")
    mend = "have the journal mended and the month's file dropped again"
    for column in ("posted_on", "fiscal_period", "account_code", "currency_code"):
        yield on.known(column, mend)
    yield on.matches("fiscal_period", PERIOD, "Fiscal periods are months, YYYY-MM.", mend)
    yield on.matches("currency_code", CURRENCY, "Currencies are ISO 4217 codes.", mend)
    yield on.in_set(
        "account_code",
        FromQuery("select account_code from reference.gl_account"),
        "add the account to seeds/finance/gl_account.csv: its role decides whether it is incentive expense",
        reads=("reference.gl_account",),
    )
    yield on.in_set(
        "cost_centre_code",
        FromQuery("select cost_centre_code from reference.cost_centre"),
        "add the cost centre to seeds/finance/cost_centre.csv, or mend the journal",
        reads=("reference.cost_centre",),
    )
    expense = """
        select checked.voucher_number, checked.line_number, checked.account_code, checked.cost_centre_code,
            checked.reference
        from checked inner join reference.gl_account as account on account.account_code = checked.account_code
        where account.account_role = 'incentive_expense'
    """
    yield on.no_rows(
        "expense_has_a_cost_centre",
        f"{expense} and checked.cost_centre_code is null",
        "Each line of incentive expense has a cost centre.",
        mend,
        reads=("reference.gl_account",),
    )
    yield on.no_rows(
        "expense_names_its_quarter",
        f"{expense} and not regexp_matches(coalesce(checked.reference, ''), '^INC-{QUARTER[1:]}')",
        "Each line of incentive expense refers to its quarter, INC-YYYY-Qn (else it cannot be reconciled).",
        mend,
        "warn",
        reads=("reference.gl_account",),
    )
    yield on.no_rows(
        "stands_on_one_side",
        """
        select voucher_number, line_number, debit_amount, credit_amount from checked
        where debit_amount < 0 or credit_amount < 0 or (debit_amount <> 0 and credit_amount <> 0)
        """,
        "A line is debit or credit, not both, and not negative.",
        mend,
        "warn",
    )


def _monitor_samples() -> Iterator[CheckSpec]:
    on = _on("monitor_samples.monitor_sample", requirements=("SVC-3.6",))
    mend = "have the collector mended and the month's file dropped again"
    for column in ("sample_kind", "source_outcome"):
        yield on.known(column, mend)
    yield on.in_set(
        "sample_kind",
        SAMPLE_KINDS,
        "the collector has a kind of probe the warehouse does not know: map it there, or extend staging's kinds",
    )
    yield on.in_set(
        "monitor_id",
        FromQuery("select monitor_id from reference.monitor_register"),
        "enter the monitor in seeds/services/monitor_register.csv: until then its samples count for no service",
        "warn",
        reads=("reference.monitor_register",),
    )


def _legacy_log() -> Iterator[CheckSpec]:
    on = _on("legacy_log.log_line", requirements=("SVC-3.3",))
    yield on.in_set(
        "log_name",
        FromQuery("select record_key from reference.monitor_binding where record_kind = 'log'"),
        "bind the log to a monitor in seeds/services/monitor_binding.csv: until then its lines count for no service",
        "warn",
        reads=("reference.monitor_binding",),
    )


INCIDENTS = MODELS["servicenow.incident"][0]
AUDIT = MODELS["servicenow.sys_audit"][0]
GROUPS = MODELS["servicenow.sys_user_group"][0]
USERS = MODELS["servicenow.sys_user"][0]
SERVICES = MODELS["servicenow.cmdb_ci_service"][0]
ITEMS = MODELS["servicenow.cmdb_ci"][0]
PROBLEMS = MODELS["servicenow.problem"][0]
SLA_DEFINITIONS = MODELS["servicenow.contract_sla"][0]
SURVEYS = MODELS["servicenow.asmt_assessment_instance"][0]
CONTRACTS = MODELS["servicenow.ast_contract"][0]
MONITORS = MODELS["datadog.monitor"][0]
EMPLOYEES = MODELS["bamboohr.employee"][0]
JOBS = MODELS["bamboohr.job_info"][0]
STATUSES = MODELS["bamboohr.employment_status"][0]
TARGETS = MODELS["bamboohr.incentive_target"][0]
RULES = {
    "servicenow": _servicenow,
    "servicenow_event_log": _event_log,
    "jira": _jira,
    "datadog": _datadog,
    "monitor_samples": _monitor_samples,
    "bamboohr": lambda: [*_bamboohr(), *staging_people.bamboohr()],
    "workday": staging_people.workday,
    "payroll": _payroll,
    "ledger": _ledger,
    "legacy_log": _legacy_log,
}
