"""Gate raw, between the landing and staging: is what landed whole, and can staging read it?

Only current batches (landing.extract_state) are judged, so that extracting a bad partition again mends it.
An empty text counts as no value, as it does in staging; in the exported event log '?' does too.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On, quoted, text_list
from expectations.suites import raw_drift
from ingestion.contracts import Entity, Source
from ingestion.sources import SOURCES

# What staging casts, by source.entity: column -> kind. Kinds of duckdb_engine.CASTS; integer and money are
# held
# to a pattern instead, because a cast would round 1.5 or 10.005 without a word.
CASTS: dict[str, dict[str, str]] = {
    "servicenow.incident": {
        "opened_at": "timestamp",
        "sys_created_on": "timestamp",
        "sys_updated_on": "timestamp",
        "resolved_at": "timestamp",
        "closed_at": "timestamp",
        "sys_mod_count": "integer",
        "priority": "integer",
        "impact": "integer",
        "urgency": "integer",
        "reopen_count": "integer",
        "reassignment_count": "integer",
        "made_sla": "boolean",
        "active": "boolean",
    },
    "servicenow.sys_audit": {"sys_created_on": "timestamp", "record_checkpoint": "integer"},
    "servicenow.change_request": {
        "start_date": "timestamp",
        "end_date": "timestamp",
        "opened_at": "timestamp",
        "sys_updated_on": "timestamp",
    },
    "servicenow.cmdb_ci": {
        "unverified": "boolean",
        "attested": "boolean",
        "first_discovered": "timestamp",
        "last_discovered": "timestamp",
        "attested_date": "timestamp",
        "sys_updated_on": "timestamp",
    },
    "servicenow.cmdb_rel_ci": {"sys_updated_on": "timestamp"},
    "servicenow.problem": {
        "opened_at": "timestamp",
        "related_incidents": "integer",
        "sys_updated_on": "timestamp",
        "confirmed_at": "timestamp",
        "resolved_at": "timestamp",
        "closed_at": "timestamp",
        "priority": "integer",
        "known_error": "boolean",
        "active": "boolean",
    },
    "servicenow.contract_sla": {"duration": "timestamp", "active": "boolean"},
    "servicenow.task_sla": {
        "start_time": "timestamp",
        "end_time": "timestamp",
        "planned_end_time": "timestamp",
        "pause_duration": "timestamp",
        "business_pause_duration": "timestamp",
        "duration": "timestamp",
        "business_duration": "timestamp",
        "sys_updated_on": "timestamp",
        "percentage": "percentage",
        "business_percentage": "percentage",
        "has_breached": "boolean",
        "active": "boolean",
    },
    "servicenow.kb_knowledge": {
        "published": "date",
        "valid_to": "date",
        "sys_view_count": "integer",
        "use_count": "integer",
        "rating": "percentage",
        "sys_updated_on": "timestamp",
    },
    "servicenow.asmt_assessment_instance": {"taken_on": "timestamp", "sys_created_on": "timestamp"},
    "servicenow.asmt_metric_result": {"actual_value": "percentage", "sys_created_on": "timestamp"},
    "servicenow.ast_contract": {"starts": "date", "ends": "date"},
    "servicenow.sys_user_group": {"active": "boolean"},
    "servicenow.sys_user": {"active": "boolean"},
    "servicenow_event_log.incident_event": {
        "sys_updated_at": "day_first_minute",
        "opened_at": "day_first_minute",
        "sys_created_at": "day_first_minute",
        "resolved_at": "day_first_minute",
        "closed_at": "day_first_minute",
        "sys_mod_count": "integer",
        "reassignment_count": "integer",
        "reopen_count": "integer",
        "active": "boolean",
        "made_sla": "boolean",
        "knowledge": "boolean",
        "u_priority_confirmation": "boolean",
    },
    "jira.issue": {"created": "iso8601", "updated": "iso8601", "resolutiondate": "iso8601"},
    "jira.issue_changelog": {"created": "iso8601", "issue_updated": "iso8601"},
    "jira.field": {"custom": "boolean"},
    "jira.account": {"active": "boolean"},
    "jira.queue": {"issueCount": "integer"},
    "datadog.monitor": {"created": "iso8601", "modified": "iso8601"},
    "datadog.monitor_transition": {"timestamp": "iso8601"},
    "datadog.downtime": {"start": "iso8601", "end": "iso8601", "created": "iso8601", "canceled": "iso8601"},
    "datadog.slo_history": {"from_ts": "epoch_seconds", "to_ts": "epoch_seconds", "sli_value": "decimal"},
    "datadog.slo_correction": {
        "start": "epoch_seconds",
        "end": "epoch_seconds",
        "duration": "integer",
        "created_at": "epoch_seconds",
        "modified_at": "epoch_seconds",
    },
    "datadog.incident": {"created": "iso8601", "detected": "iso8601", "resolved": "iso8601", "modified": "iso8601"},
    "datadog.synthetic_test": {"tick_every": "integer"},
    "datadog.synthetic_result": {"checked_at": "iso8601", "response_ms": "decimal"},
    "datadog.rum_event": {"timestamp": "iso8601", "loading_time": "nanoseconds", "error_count": "integer"},
    "legacy_log.log_line": {"line_number": "integer", "logged_at": "iso8601", "response_ms": "integer"},
    "bamboohr.employee": {"hireDate": "date", "terminationDate": "date"},
    "bamboohr.job_info": {"date": "date"},
    "bamboohr.employment_status": {"date": "date"},
    "bamboohr.incentive_target": {"date": "date", "quarterlyTargetAmount": "money"},
    "bamboohr.employment_term": {"date": "date", "dateEntered": "date", "tier": "integer"},
    "bamboohr.team_assignment": {"date": "date", "dateEntered": "date"},
    "bamboohr.plan_acknowledgement": {"date": "date", "planVersion": "integer", "acknowledgedAt": "iso8601"},
    "bamboohr.shift": {"startsAt": "iso8601", "endsAt": "iso8601"},
    "bamboohr.on_call_rotation": {"level": "integer", "startsAt": "iso8601", "endsAt": "iso8601"},
    "bamboohr.time_off_request": {
        "start": "date",
        "end": "date",
        "created": "date",
        "statusChanged": "date",
        "amount": "money",
    },
    "workday.worker": {
        "Effective_Date": "date",
        "Entry_Moment": "iso8601",
        "Hire_Date": "date",
        "Exempt": "boolean",
    },
    "payroll.register_line": {"amount": "money", "paid_on": "date"},
    "monitor_samples.monitor_sample": {"sampled_at": "iso8601", "received_at": "iso8601", "response_ms": "integer"},
    "ledger.journal_line": {
        "line_number": "integer",
        "posted_on": "date",
        "debit_amount": "money",
        "credit_amount": "money",
    },
    "ledger.account": {"valid_from": "date", "valid_to": "date"},
    "ledger.cost_centre": {"valid_from": "date", "valid_to": "date"},
    "payroll.payment": {"amount": "money", "value_on": "date", "returned_on": "date"},
    "fx_rates.rate": {"rate_on": "date", "unit_count": "integer", "rate": "rate"},
    "quickbooks.journal_line": {
        "line_number": "integer",
        "tx_date": "date",
        "debit_amount": "money",
        "credit_amount": "money",
        "exchange_rate": "rate",
    },
    "billing.invoice": {
        "period_from": "date",
        "period_to": "date",
        "issued_on": "date",
        "due_on": "date",
        "net_amount": "money",
        "tax_amount": "money",
        "gross_amount": "money",
    },
    "billing.invoice_line": {
        "line_number": "integer",
        "quantity": "integer",
        "unit_amount": "money",
        "net_amount": "money",
    },
    "billing.credit_note": {"period_from": "date", "period_to": "date", "issued_on": "date", "credit_amount": "money"},
    "vendor_performance.record": {
        "started_at": "iso8601",
        "ended_at": "iso8601",
        "affected_share": "share",
        "counted_seconds": "integer",
        "target_seconds": "integer",
    },
    "vendor_performance.summary": {
        "period_month": "month",
        "claimed_share": "share",
        "record_count": "integer",
        "reported_on": "date",
    },
    "survey.response": {
        "score": "integer",
        "scale_minimum": "integer",
        "scale_maximum": "integer",
        "submitted_at": "iso8601",
    },
}
PATTERNS = {
    "integer": r"^-?[0-9]{1,9}$",
    "money": r"^-?[0-9]{1,16}(\.[0-9]{1,2})?$",
    "rate": r"^[0-9]{1,9}(\.[0-9]{1,8})?$",
    "share": r"^[0-9](\.[0-9]{1,6})?$",
    "month": r"^[0-9]{4}-(0[1-9]|1[0-2])$",
    "percentage": r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$",
    "decimal": r"^-?[0-9]{1,11}(\.[0-9]+)?$",
    "epoch_seconds": r"^[0-9]{1,11}$",
    "nanoseconds": r"^[0-9]{1,17}$",
}
KIND_NAMES = {
    "timestamp": "an instant 'YYYY-MM-DD HH:MM:SS'",
    "iso8601": "an ISO 8601 instant",
    "day_first_minute": "an instant 'd/m/YYYY HH:MM'",
    "date": "a date 'YYYY-MM-DD'",
    "boolean": "true or false",
    "integer": "a whole number of at most nine digits",
    "money": "an amount with a decimal point and at most two decimals",
    "percentage": "a number with a decimal point and at most six decimals",
    "rate": "a number with a decimal point and at most eight decimals",
    "share": "a number below ten with a decimal point and at most six decimals",
    "month": "a month 'YYYY-MM'",
    "decimal": "a number with a decimal point",
    "epoch_seconds": "whole seconds since 1970",
    "nanoseconds": "whole nanoseconds",
}
STAMP_SQL = {
    "timestamp": "try_strptime({column}, '%Y-%m-%d %H:%M:%S')",
    "iso8601": "try_cast({column} as timestamptz) at time zone 'UTC'",
    "day_first_minute": "try_strptime({column}, '%d/%m/%Y %H:%M')",
}

# Entities that may honestly have nothing to tell: an empty extract of them warns and does not block.
MAY_BE_EMPTY = (
    ("servicenow", "change_request"),
    ("servicenow", "cmdb_ci"),
    ("servicenow", "ast_contract"),
    ("servicenow", "problem"),
    ("servicenow", "contract_sla"),
    ("servicenow", "task_sla"),
    ("servicenow", "cmdb_rel_ci"),
    ("servicenow", "kb_knowledge"),
    ("servicenow", "asmt_assessment_instance"),
    ("servicenow", "asmt_metric_result"),
    ("jira", "queue"),
    ("datadog", "monitor_transition"),
    ("datadog", "slo"),
    ("datadog", "downtime"),
    ("quickbooks", "journal_line"),
    ("billing", "credit_note"),
    ("vendor_performance", "record"),
    ("bamboohr", "time_off_request"),
    ("bamboohr", "plan_acknowledgement"),
    ("bamboohr", "shift"),
    ("bamboohr", "on_call_rotation"),
    ("datadog", "slo_history"),
    ("datadog", "slo_correction"),
    ("datadog", "incident"),
    ("datadog", "synthetic_test"),
    ("datadog", "synthetic_result"),
    ("datadog", "rum_event"),
    ("legacy_log", "log_line"),
)
# Entities that a configured source may not hand over at all.
MAY_BE_ABSENT = (("payroll", "payment"), ("ledger", "account"), ("ledger", "cost_centre"))
LONG_WINDOW_DAYS = 7
REJECTED_SHARE = 0.01
# Sources in which each record is money: not one may be lost.
MONEY_SOURCES = ("payroll", "ledger", "quickbooks", "billing")
SKEW_MINUTES = 5
# How far the clock of a system may be from this machine's before somebody is told.
SOURCE_CLOCK_SECONDS = 5

BATCH_TABLE = "landing.extract_batch"
CURRENT_BATCHES = (
    "select b.* from landing.extract_batch as b "
    "where b.batch_id in (select s.current_batch_id from landing.extract_state as s)"
)


def checks() -> list[CheckSpec]:
    """All checks of the gate, audit tables first."""
    specs = [*_landing_checks(), *raw_drift.checks(), *_clock_checks()]
    for source in SOURCES.values():
        for entity in source.entities.values():
            specs += _entity_checks(source, entity)
    return specs


def _landing_checks() -> Iterator[CheckSpec]:
    on = On(
        BATCH_TABLE,
        "batch",
        keys=("batch_id", "source", "entity", "partition_key"),
        rows=CURRENT_BATCHES,
        requirements=("LTI-7.5",),
    )
    entities = ", ".join(
        f"('{source.name}', '{entity.name}', '{entity.partitioning}')"
        for source in SOURCES.values()
        for entity in source.entities.values()
    )
    known = f"(values {entities}) as known (source, entity, partitioning)"
    raw_tables = tuple(e.table for source in SOURCES.values() for e in source.entities.values())
    landed = " union all ".join(
        f"select _batch_id, count(*) as n from {table} group by _batch_id" for table in raw_tables
    )
    may_be_absent = " or ".join(
        f"(known.source = '{source}' and known.entity = '{entity}')" for source, entity in MAY_BE_ABSENT
    )
    hashes = " union all ".join(
        f"select '{table}' as table_name, _batch_id, _row_hash from {table}" for table in raw_tables
    )
    identity = "checked.batch_id, checked.source, checked.entity, checked.partition_key"

    yield On("landing.run_context", "run").check(
        "context_is_there",
        "ExpectTableRowCountToBeBetween",
        "A run has recorded the instant it takes as now; every clock still running is read at it.",
        "call ingestion.extract.write_run_context before the gate",
        arguments={"min_value": 1},
    )
    yield On("landing.source_status", "source").check(
        "status_is_complete",
        "ExpectColumnDistinctValuesToContainSet",
        "Each source system is recorded as configured or absent, with the reason.",
        "call ingestion.extract.write_source_status before the gate",
        arguments={"column": "source", "value_set": list(SOURCES)},
    )
    yield On("landing.source_status", "source", keys=("source",)).no_rows(
        "configured_has_landed",
        f"""
        select checked.source, known.entity, checked.reason as configured_because
        from checked
        inner join {known} on checked.source = known.source
        left join landing.extract_state as s on s.source = known.source and s.entity = known.entity
        where checked.is_configured and s.source is null and not ({may_be_absent})
        """,
        "Each entity of a configured source has landed at least one batch, but for those it need not hand over.",
        "run the extract of the entity named; if the system has no such data, unset its variable",
        reads=("landing.extract_state",),
    )
    yield On("landing.extract_state", "state", keys=("source", "entity", "partition_key")).no_rows(
        "names_a_batch",
        """
        select checked.source, checked.entity, checked.partition_key, checked.current_batch_id
        from checked
        left join landing.extract_batch as b
            on b.batch_id = checked.current_batch_id
            and b.source = checked.source and b.entity = checked.entity
            and b.partition_key = checked.partition_key
        where b.batch_id is null
        """,
        "The current batch of each partition is in the audit, under that source, entity and partition.",
        "extract the partition again; nobody but ingestion.landing may write these tables",
        reads=(BATCH_TABLE,),
        requirements=("LTI-7.5",),
    )
    yield on.no_rows(
        "counts_add_up",
        f"""
        select {identity}, received_count, row_count, rejected_count from checked
        where received_count <> row_count + rejected_count
        """,
        "received_count = row_count + rejected_count: no record is lost between the source and the landing.",
        "extract the partition again; if it stays so, it is a defect of ingestion.landing",
    )
    yield on.no_rows(
        "rows_are_landed",
        f"""
        select {identity}, checked.row_count, coalesce(landed.n, 0) as rows_in_table
        from checked left join ({landed}) as landed on landed._batch_id = checked.batch_id
        where checked.row_count <> coalesce(landed.n, 0)
        """,
        "The raw table holds exactly the rows that the batch's audit says it landed.",
        "somebody changed the raw table: extract the partition again, and never delete from raw tables by hand",
        reads=raw_tables,
    )
    yield on.no_rows(
        "rejects_are_kept",
        f"""
        select {identity}, checked.rejected_count, coalesce(kept.n, 0) as rejects_kept
        from checked left join (select batch_id, count(*) as n from landing.landing_reject group by
            batch_id) as kept on kept.batch_id = checked.batch_id
        where checked.rejected_count <> coalesce(kept.n, 0)
        """,
        "landing_reject holds each record that a batch turned away, with its bytes and reason.",
        "extract the partition again; nobody but ingestion.landing may write landing_reject",
        reads=("landing.landing_reject",),
    )
    yield on.no_rows(
        "promise_is_kept",
        f"""
        select {identity}, checked.source_count, checked.received_count, coalesce(repeats.n, 0) as repeats
        from checked left join (
            select batch_id, count(*) as n from landing.landing_reject
            where reason = 'duplicate_in_extract' group by batch_id
        ) as repeats on repeats.batch_id = checked.batch_id
        where checked.source_count <> checked.received_count - coalesce(repeats.n, 0)
        """,
        "Where the source says how many records there are, that many different ones came.",
        "extract the partition again; if it stays so, the source's paging skips records",
        reads=("landing.landing_reject",),
    )
    yield on.no_rows(
        "columns_are_present",
        f"select {identity}, checked.missing_columns from checked where checked.missing_columns <> '[]'",
        "No column of the contract is missing from a whole extract.",
        "ask the owner of the source why the column is gone (renamed? field-level access?), then change "
        "the contract and the staging model together",
        requirements=("LTI-7.1",),
    )
    yield on.no_rows(
        "columns_are_known",
        f"select {identity}, checked.unknown_columns from checked where checked.unknown_columns <> '[]'",
        "The source sent no column that the contract does not know; new ones are kept in _record.",
        "decide whether the new column is wanted: add it to the contract, or to the entity's known_fields",
        "warn",
        requirements=("LTI-7.1",),
    )
    yield on.no_rows(
        "rejected_share_is_small",
        f"""
        select
            checked.source, checked.entity, sum(checked.received_count) as received_count,
            sum(coalesce(lost.n, 0)) as rejected_count, min(lost.reason) as first_reason,
            min(lost.batch_id) as first_batch_id
        from checked left join (
            select batch_id, count(*) as n, min(reason) as reason from landing.landing_reject
            where reason <> 'duplicate_in_extract' group by batch_id
        ) as lost on lost.batch_id = checked.batch_id
        group by checked.source, checked.entity
        having sum(coalesce(lost.n, 0)) > case
            when checked.source in ({text_list(MONEY_SOURCES)}) then 0
            else {REJECTED_SHARE} * sum(checked.received_count)
        end
        """,
        f"At most {REJECTED_SHARE:.0%} of an entity's records were turned away, and none of "
        f"{' and '.join(MONEY_SOURCES)} (exact repeats apart: they lose nothing).",
        "read landing.landing_reject for the batch: reason and record_bytes; have the source mended, then "
        "extract the partition again",
        reads=("landing.landing_reject",),
    )
    yield on.no_rows(
        "rejects_nothing",
        f"""
        select {identity}, reject.reason, count(*) as rejected_count, min(reject.row_number) as
            first_row_number
        from checked inner join landing.landing_reject as reject on reject.batch_id = checked.batch_id
        where reject.reason <> 'duplicate_in_extract'
        group by all
        """,
        "No record was turned away.",
        "read landing.landing_reject for the batch: reason and record_bytes",
        "warn",
        reads=("landing.landing_reject",),
    )
    yield on.no_rows(
        "repeats_nothing",
        f"""
        select {identity}, count(*) as repeat_count, min(reject.row_number) as first_row_number
        from checked inner join landing.landing_reject as reject on reject.batch_id = checked.batch_id
        where reject.reason = 'duplicate_in_extract'
        group by all
        """,
        "No record came twice in one extract (one copy is landed, the others are kept as rejects).",
        "pages overlap or the file repeats lines: tell the owner of the source",
        "warn",
        reads=("landing.landing_reject",),
        requirements=("SLT-3.2",),
    )
    yield on.no_rows(
        "rows_are_distinct",
        f"""
        select {identity}, same.table_name, same.n as copies
        from checked inner join (
            select table_name, _batch_id, _row_hash, count(*) as n from ({hashes}) as hashes
            group by table_name, _batch_id, _row_hash having count(*) > 1
        ) as same on same._batch_id = checked.batch_id
        """,
        "No two landed rows of a batch are the same to the last character (a page read twice).",
        "extract the partition again; ingestion.landing should have turned the copies away",
        reads=raw_tables,
        requirements=("SLT-3.2",),
    )
    not_silent = " and ".join(
        f"not (checked.source = '{source}' and checked.entity = '{entity}')" for source, entity in MAY_BE_EMPTY
    )
    empty = f"""
        select {identity}, checked.window_start_at, checked.window_end_at
        from checked inner join {known} on known.source = checked.source and known.entity = checked.entity
        where checked.row_count = 0 and (
            known.partitioning <> 'daily'
            or checked.window_end_at - checked.window_start_at >= interval {LONG_WINDOW_DAYS} day
        )
    """
    rule = f"snapshots, files and monthly files always, days only in a window of at least {LONG_WINDOW_DAYS} days"
    yield on.no_rows(
        "is_not_empty",
        f"{empty} and {not_silent}",
        f"An extract has rows where rows are to be expected: {rule}.",
        "see that the integration user may read the table and that the window is right, then extract again",
    )
    yield on.no_rows(
        "is_not_silent",
        f"{empty} and not ({not_silent})",
        f"What may honestly have nothing to tell (changes, incidents, results, log lines) has rows too: {rule}.",
        "if the source really has none, there is nothing to do",
        "warn",
    )
    yield on.no_rows(
        "windows_have_no_gap",
        """
        with windows as (
            select
                batch_id, source, entity, partition_key, window_start_at,
                max(window_end_at) over (
                    partition by source, entity order by window_start_at, window_end_at
                    rows between unbounded preceding and 1 preceding
                ) as covered_to_at
            from checked where window_start_at is not null
        )
        select batch_id, source, entity, partition_key, covered_to_at, window_start_at as resumes_at
        from windows where window_start_at > covered_to_at
        """,
        "The windows of an entity follow each other without a gap.",
        "backfill the days between covered_to_at and resumes_at",
        "warn",
        requirements=("SLT-3.2",),
    )
    yield on.no_rows(
        "is_fresh",
        f"""
        with run as (
            select as_of_at, started_at from landing.run_context
            qualify row_number() over (order by started_at desc, run_id desc) = 1
        )
        select
            checked.source, checked.entity, known.partitioning, max(checked.window_end_at) as covered_to_at,
            max(s.last_checked_at) as last_checked_at, max(run.as_of_at) as as_of_at
        from checked
        inner join landing.extract_state as s on s.current_batch_id = checked.batch_id
        inner join {known} on known.source = checked.source and known.entity = checked.entity
        cross join run
        group by checked.source, checked.entity, known.partitioning
        having case known.partitioning
            when 'daily' then max(checked.window_end_at) < max(run.as_of_at) - interval 36 hour
            when 'monthly' then max(checked.window_end_at) < date_trunc('month', max(run.as_of_at) -
                interval 3 day)
            when 'snapshot' then max(s.last_checked_at) < max(run.started_at) - interval 24 hour
            else false
        end
        """,
        "Daily entities reach to within 36 hours of the run's instant, the monthly file of each month "
        "that ended "
        "at least three days ago is there, and snapshots were taken within a day of the run.",
        "run the extract of the entity named, or ask where its file is",
        "warn",
        reads=("landing.extract_state", "landing.run_context"),
        requirements=("LTI-7.6",),
    )


def _clock_checks() -> Iterator[CheckSpec]:
    clock = On(
        "landing.source_clock",
        "source_clock",
        keys=("source", "entity", "partition_key"),
        requirements=("SVC-3.4", "SLT-3.2"),
    )
    yield clock.no_rows(
        "bounds_hold",
        """
        select source, entity, partition_key, measured_at, reading_count, offset_low_seconds, offset_high_seconds
        from checked where reading_count < 1 or offset_low_seconds > offset_high_seconds
        """,
        "What an extract says of a system's clock rests on an answer and has its bounds in order.",
        "a defect of ingestion.source_clock: nothing may be concluded from these rows",
    )
    yield clock.no_rows(
        "agrees_with_ours",
        f"""
        with run as (
            select run_id from landing.run_context qualify row_number() over (order by started_at desc, run_id desc) = 1
        )
        select
            checked.source, min(checked.entity) as entity, min(checked.partition_key) as partition_key,
            max(checked.offset_low_seconds) as at_least_seconds, min(checked.offset_high_seconds) as at_most_seconds,
            count(*) as extract_count
        from checked inner join run on checked.run_id = run.run_id
        group by checked.source
        having max(checked.offset_low_seconds) > {SOURCE_CLOCK_SECONDS}
            or min(checked.offset_high_seconds) < -{SOURCE_CLOCK_SECONDS}
        """,
        f"No system's clock is more than {SOURCE_CLOCK_SECONDS} s from this machine's, by the dates of its answers.",
        "set the clock that is wrong by a time service; stamps of this run are off by as much (flag_clock_skew)",
        "warn",
        reads=("landing.run_context",),
    )


def _rows(source: Source, entity: Entity) -> str:
    """The current rows of an entity as staging reads them: empty text is null (in the event log '?' too)."""
    if source.name == "servicenow_event_log":
        columns = [f"nullif(nullif(trim({quoted(c)}), ''), '?') as {quoted(c)}" for c in entity.columns]
    else:
        columns = [f"nullif({quoted(c)}, '') as {quoted(c)}" for c in entity.columns]
    return (
        f"select {', '.join(columns)}, _batch_id, _row_number, _extracted_at from {entity.table} "
        f"where _batch_id in (select s.current_batch_id from landing.extract_state as s "
        f"where s.source = '{source.name}' and s.entity = '{entity.name}')"
    )


def _entity_checks(source: Source, entity: Entity) -> Iterator[CheckSpec]:
    on = On(
        entity.table,
        f"{source.name}_{entity.name}",
        keys=(*entity.key, "_batch_id", "_row_number"),
        rows=_rows(source, entity),
        sources=(source.name,),
        requirements=("LTI-7.1",) if source.name.startswith(("servicenow", "jira")) else (),
    )
    yield On(entity.table, f"{source.name}_{entity.name}", sources=(source.name,)).check(
        "columns_are_there",
        "ExpectTableColumnsToMatchSet",
        f"{entity.table} has every column of the contract and of the audit.",
        "call ingestion.landing.prepare: it adds what joined the contract since the table was made",
        arguments={
            "column_set": [
                *entity.columns, "_record", "_batch_id", "_row_number", "_extracted_at", "_row_hash",
            ],
            "exact_match": False,
        },
    )  # fmt: skip
    for column in entity.key:
        yield on.known(column, "the source sent a record without its key: read its _record, and tell the owner")
    has_stamp = entity.stamp is not None and entity.partitioning == "daily"
    yield on.unique(
        ("_batch_id", *entity.key),
        f"{entity.table}: {' + '.join(entity.key)} occurs once in a batch"
        + (
            "; of two versions the later stamp counts, so a repeat only warns."
            if has_stamp
            else "; nothing says which of two versions holds, so a repeat blocks."
        ),
        "the source was changed while it was read, or exports a record twice: extract again",
        "warn" if has_stamp else "block",
        requirements=("SLT-3.2",),
    )
    for column, kind in CASTS.get(f"{source.name}.{entity.name}", {}).items():
        yield _castable(on, column, kind)
    kind = CASTS.get(f"{source.name}.{entity.name}", {}).get(entity.stamp or "")
    if kind:
        stamp = STAMP_SQL[kind].format(column=quoted(entity.stamp or ""))
        keys = ", ".join(map(quoted, entity.key))
        yield on.no_rows(
            "clock_is_not_ahead",
            f"""
            select {keys}, _batch_id, {stamp} as stamped_at, _extracted_at as extracted_at from checked
            where {stamp} > _extracted_at + interval {SKEW_MINUTES} minute
            """,
            f"No record of {entity.table} is stamped more than {SKEW_MINUTES} minutes after it was extracted.",
            "the clocks of the source and of this machine differ, or the integration user's zone is not GMT",
            "warn",
            requirements=("SLT-3.2",),
        )
    if entity.table == "raw_ledger.journal_line":
        yield _vouchers_balance(on)
        yield _period_of_file(on, "fiscal_period", "voucher_number, line_number")
    if entity.table == "raw_payroll.register_line":
        yield _period_of_file(on, "pay_period", "payroll_line_id")
    if entity.table == "raw_payroll.payment":
        yield _period_of_file(on, "pay_period", "payment_id")


def _castable(on: On, column: str, kind: str) -> CheckSpec:
    name = f"{column.lower()}_is_castable"
    description = f"{on.table}.{column} is {KIND_NAMES[kind]}, or empty."
    mend = "a type has changed in the source: have it mended there, or change contract and staging together"
    if kind in PATTERNS:
        arguments = {"column": column, "regex": PATTERNS[kind]}
        return on.check(name, "ExpectColumnValuesToMatchRegex", description, mend, arguments=arguments)
    arguments = {"column": column, "kind": kind}
    return on.check(name, "ExpectColumnValuesToBeCastable", description, mend, arguments=arguments)


def _vouchers_balance(on: On) -> CheckSpec:
    amount = "coalesce(sum(try_cast({} as decimal(18, 2))), 0)"
    debit, credit = amount.format("debit_amount"), amount.format("credit_amount")
    return on.no_rows(
        "vouchers_balance",
        f"""
        select
            voucher_number, currency, {debit} as debit_amount, {credit} as credit_amount,
            {debit} - {credit} as difference_amount, count(*) as line_count, min(_batch_id) as _batch_id
        from checked group by voucher_number, currency having {debit} <> {credit}
        """,
        "The debits of each voucher equal its credits, in each currency.",
        "a line is missing or wrong in the export: have the voucher mended, drop the month's file again",
    )


def _period_of_file(on: On, column: str, key: str) -> CheckSpec:
    return on.no_rows(
        f"{column}_is_of_its_file",
        f"""
        select {key}, {column}, s.partition_key as file_month, checked._batch_id
        from checked inner join landing.extract_state as s on s.current_batch_id = checked._batch_id
        where {column} is distinct from s.partition_key
        """,
        f"{on.table}.{column} is the month of the file the line came in.",
        "ask why the line stands in another month's file; the reconciliation shows what it does to pay",
        "warn",
        reads=("landing.extract_state",),
    )
