"""Gate marts, the CMDB and the ITSM source: only verified items count, and every record is accounted for.

Judged anew from the tables as they stand. `checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On, text_list

ACCURACY, USE = "governance.rpt_cmdb_accuracy", "governance.rpt_cmdb_use"
ENTITIES, TASK_SLAS = "finance.rec_itsm_entity", "finance.rec_itsm_task_sla"
REQUESTS, WINDOWS, RUN = "core.int_exclusion_request", "core.int_exclusion_scope", "core.int_run_context"
LISTED, POLICY = "staging.stg_servicenow__configuration_items", "reference.cmdb_policy"
# The ITSM source's tables that are reconciled record by record.
RECONCILED = (
    "incident",
    "sys_audit",
    "change_request",
    "task_sla",
    "problem",
    "cmdb_ci",
    "cmdb_rel_ci",
    "kb_knowledge",
    "asmt_assessment_instance",
    "asmt_metric_result",
)
SOURCES = ("servicenow",)
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of the CMDB and of the ITSM source's records."""
    return [*_cmdb(), *_records()]


def _cmdb() -> Iterator[CheckSpec]:
    on = On(ACCURACY, "chk_cmdb", keys=("configuration_item_code",), sources=SOURCES, requirements=("SLT-8.6",))
    yield on.no_rows(
        "accuracy",
        """
        select checked.configuration_item_code, checked.reasons, checked.ticket_count, totals.accurate_share,
            checked.minimum_accurate_share
        from checked
        cross join (
            select sum(is_accurate::int)::decimal(18, 6) / count(*) as accurate_share from checked where is_in_scope
        ) as totals
        where checked.is_in_scope and not checked.is_accurate and totals.accurate_share < checked.minimum_accurate_share
        order by checked.ticket_count desc, checked.configuration_item_code
        """,
        "Of the configuration items that tickets, requests or the seeds name, at least the share the policy "
        "demands is accurate in the CMDB (cmdb_policy.minimum_accurate_share).",
        "have the items listed verified in the CMDB (discovery, attestation, their service), or name them no more",
    )
    yield on.no_rows(
        "policy_is_in_force",
        f"""
        select run.as_of_at
        from {RUN} as run
        where exists (select 1 from {LISTED})
        and not exists (
            select 1 from {POLICY} as policy
            where run.as_of_at::date >= policy.effective_from
            and run.as_of_at::date <= coalesce(policy.effective_to, date '9999-12-31')
        )
        """,
        "Once a CMDB has landed, a policy says which of its items are trusted on the day the run looks from.",
        "give the period without a policy a line in cmdb_policy.csv; until then no item can be judged",
        keys=("as_of_at",),
        reads=(RUN, LISTED, POLICY),
    )
    yield on.no_rows(
        "exclusions",
        f"""
        with named as (
            select distinct window_.exclusion_id, window_.starts_at, request.scope_code as configuration_item_code
            from {WINDOWS} as window_
            inner join {REQUESTS} as request
                on request.exclusion_id = window_.exclusion_id and request.scope_type = 'configuration_item'
            union
            select distinct window_.exclusion_id, window_.starts_at, item.configuration_item_code
            from {WINDOWS} as window_
            inner join {REQUESTS} as request
                on request.exclusion_id = window_.exclusion_id and request.scope_type = 'vendor'
            inner join reference.configuration_item as item
                on item.vendor_code = request.scope_code
                and ends_with(window_.exclusion_scope_code, '/' || item.configuration_item_code)
            left join reference.service as service
                on service.service_code || '/' || item.configuration_item_code = window_.exclusion_scope_code
            where coalesce(service.vendor_code, '') <> request.scope_code
        )
        select named.configuration_item_code, named.exclusion_id, named.starts_at,
            checked.verified_from_at, checked.verified_to_at
        from named
        left join checked on checked.configuration_item_code = named.configuration_item_code
        inner join {POLICY} as policy
            on named.starts_at::date >= policy.effective_from
            and named.starts_at::date <= coalesce(policy.effective_to, date '9999-12-31')
        where policy.is_item_exclusion_refused
        and exists (select 1 from {LISTED})
        and not coalesce(
            named.starts_at >= checked.verified_from_at and named.starts_at < checked.verified_to_at, false
        )
        """,
        "No window of an exclusion reaches a ticket by a configuration item, one a request names or one of the vendor "
        "it names, unless the CMDB had verified the item when the window began.",
        DEFECT,
        reads=(
            WINDOWS,
            REQUESTS,
            LISTED,
            POLICY,
            "reference.configuration_item",
            "reference.service",
        ),
        requirements=("SLT-8.6", "OPS-5.3"),
    )
    use = On(
        USE,
        "chk_cmdb",
        keys=("subject_type", "subject_key", "configuration_item_code"),
        sources=SOURCES,
        requirements=("SLT-8.6",),
    )
    yield use.no_rows(
        "use",
        """
        select subject_type, subject_key, configuration_item_code, named_at, reason, consequence from checked
        order by subject_type, named_at desc, subject_key
        """,
        "Tickets and requests name only configuration items that the CMDB had verified by then.",
        "have the item verified, or the ticket put on the right one; until then the item gives it nothing",
        "warn",
    )


def _records() -> Iterator[CheckSpec]:
    on = On(
        ENTITIES,
        "rec_itsm_entity",
        keys=("source_system", "entity_name", "window_month"),
        sources=("servicenow", "servicenow_event_log"),
        needs="any",
        requirements=("OPS-3.5", "LTI-7.1"),
    )
    yield on.no_rows(
        "explains_every_record",
        """
        select source_system, entity_name, window_month, status, unexplained_count, source_count, received_count,
            landed_count, staged_count, model_name, model_count, explanation
        from checked
        where unexplained_count <> 0
        or landed_count <> received_count - repeated_count - rejected_count
        or staged_count <> landed_count - repeated_key_count - superseded_count - deleted_count
        or model_count <> staged_count - after_as_of_count - set_aside_count
        """,
        "Each record the ITSM source has is landed, staged and in the model made of it, or counted under the reason "
        "why not.",
        "extract the windows named again; if it stays so, compare the raw table with its staging model by key",
    )
    yield on.no_rows(
        "ties_to_the_batches",
        f"""
        select counted.source, counted.entity, counted.landed_count, totals.landed_count as reconciled_count
        from (
            select b.source, b.entity, sum(b.row_count) as landed_count
            from landing.extract_batch as b
            inner join landing.extract_state as s on s.current_batch_id = b.batch_id
            where b.source = 'servicenow_event_log'
            or (b.source = 'servicenow' and b.entity in ({text_list(RECONCILED)}))
            group by b.source, b.entity
        ) as counted
        left join (
            select source_system, entity_name, sum(landed_count) as landed_count from checked group by all
        ) as totals on totals.source_system = counted.source and totals.entity_name = counted.entity
        where counted.landed_count is distinct from totals.landed_count
        """,
        "The reconciliation holds each of its entities that has landed, with every row of every current batch.",
        DEFECT,
        reads=("landing.extract_batch", "landing.extract_state"),
    )
    sla = On(
        TASK_SLAS,
        "rec_itsm_task_sla",
        keys=("ticket_key", "slt_code"),
        sources=SOURCES,
        requirements=("OPS-3.5",),
    )
    yield sla.no_rows(
        "explains_each_difference",
        """
        select ticket_key, slt_code, sla_name, has_breached_at_source, is_breached_adjusted, source_elapsed_seconds,
            business_seconds, source_target_seconds, target_seconds
        from checked where explanation = 'unexplained'
        """,
        "Where ServiceNow's own SLA engine comes to another verdict, the reason is known.",
        "compare the two clocks of the ticket; a new difference of method is one more case of rec_itsm_task_sla",
        "warn",
    )
