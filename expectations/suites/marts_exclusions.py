"""Exclusions in the gate marts: what each audience sees ties to the clocks and to the availability it corrects."""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

TICKETS = "slt.fct_ticket_slt"
AUDIENCE_EFFECTS = "slt.fct_exclusion_effect_audience"
AVAILABILITY_EFFECTS = "slt.fct_exclusion_effect_availability"
AVAILABILITY = "slt.fct_availability"
CONTROL = "governance.rpt_exclusion_control"
SYNC = "governance.rpt_maintenance_sync"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """The checks of the exclusion marts."""
    return [*_audiences(), *_availability(), *_control(), *_maintenance()]


def _on(table: str, *keys: str, **more: object) -> On:
    return On(table, table.partition(".")[2], keys=keys, **more)  # type: ignore[arg-type]


def _audiences() -> Iterator[CheckSpec]:
    on = _on(
        AUDIENCE_EFFECTS,
        "exclusion_id",
        "ticket_slt_key",
        sources=("servicenow", "servicenow_event_log"),
        needs="any",
        requirements=("LTI-2.4", "SVC-2.4"),
    )
    yield on.no_rows(
        "ties_to_the_clock",
        f"""
        select checked.exclusion_id, checked.ticket_slt_key, result.exclusion_audience, result.net_seconds,
            checked.customer_net_seconds, checked.internal_net_seconds, checked.personal_net_seconds
        from checked
        left join (
            select ticket.*, definition.exclusion_audience
            from {TICKETS} as ticket
            left join reference.slt_definition as definition
                on definition.slt_code = ticket.slt_code and definition.slt_version = ticket.slt_version
        ) as result on result.ticket_slt_key = checked.ticket_slt_key
        where result.net_seconds is distinct from case result.exclusion_audience
            when 'customer' then checked.customer_net_seconds
            when 'internal' then checked.internal_net_seconds
            when 'personal' then checked.personal_net_seconds
        end
        """,
        "The clock of the audience a result follows is the result's own adjusted clock.",
        DEFECT,
        reads=(TICKETS, "reference.slt_definition"),
    )
    yield on.no_rows(
        "is_documented",
        f"""
        select checked.exclusion_id, checked.ticket_slt_key, control.reason
        from checked left join {CONTROL} as control on control.exclusion_id = checked.exclusion_id
        where checked.exclusion_source = 'exclusion_request' and not coalesce(control.is_documented, false)
        """,
        "No request without its decision and papers is shown as moving a result, for any audience.",
        DEFECT,
        reads=(CONTROL,),
        requirements=("LTI-2.4", "OPS-5.3"),
    )


def _availability() -> Iterator[CheckSpec]:
    on = _on(
        AVAILABILITY_EFFECTS,
        "exclusion_id",
        "monitor_id",
        "period_month",
        sources=("datadog",),
        requirements=("OPS-1.6", "SVC-2.3"),
    )
    yield on.no_rows(
        "sums_to_what_left_availability",
        f"""
        with summed as (
            select monitor_id, service_code, period_month, sum(removed_seconds) as removed_seconds,
                sum(removed_down_seconds) as removed_down_seconds
            from checked group by all
        )
        select result.monitor_id, result.period_month, result.maintenance_seconds, result.excluded_seconds,
            summed.removed_seconds, summed.removed_down_seconds
        from {AVAILABILITY} as result
        left join summed on summed.monitor_id = result.monitor_id
            and summed.service_code = coalesce(result.service_code, '') and summed.period_month = result.period_month
        where result.maintenance_seconds + result.excluded_seconds <> coalesce(summed.removed_seconds, 0)
        or result.down_seconds - result.adjusted_down_seconds <> coalesce(summed.removed_down_seconds, 0)
        """,
        "What maintenance and exclusions took out of a monitor's month is told window by window.",
        DEFECT,
        reads=(AVAILABILITY,),
    )


def _control() -> Iterator[CheckSpec]:
    on = _on(CONTROL, "exclusion_id", requirements=("OPS-5.3", "SLT-5.2"))
    yield on.no_rows(
        "has_its_papers",
        """
        select checked.exclusion_id, demanded.document_type
        from checked
        inner join reference.exclusion_category_document as demanded on demanded.category = checked.category
        where checked.is_effective and not exists (
            select 1 from reference.exclusion_document as document
            where document.exclusion_id = checked.exclusion_id and document.document_type = demanded.document_type
            and document.received_at is not null
        )
        """,
        "A request that takes effect has every document its category demands.",
        DEFECT,
        reads=("reference.exclusion_category_document", "reference.exclusion_document"),
    )
    yield on.no_rows(
        "says_why_for_each_audience",
        """
        select exclusion_id, customer_reasons, internal_reasons, personal_reasons from checked
        where (customer_reasons = 'effective') <> is_effective_customer
        or (internal_reasons = 'effective') <> is_effective_internal
        or (personal_reasons = 'effective') <> is_effective_personal
        """,
        "Each audience a request does not count for has its reasons.",
        DEFECT,
    )


def _maintenance() -> Iterator[CheckSpec]:
    on = _on(SYNC, "exclusion_id", "occurrence_number", requirements=("SLT-3.6",))
    yield on.unique(("exclusion_id", "occurrence_number"), "A window of maintenance is listed once.", DEFECT)
    yield on.no_rows(
        "agreement_is_to_the_second",
        """
        select exclusion_id, occurrence_number, starts_at, ends_at, other_starts_at, other_ends_at from checked
        where (sync_status = 'in_agreement') <> coalesce(
            starts_at = other_starts_at and ends_at = other_ends_at and sync_status in ('in_agreement', 'times_differ'),
            false
        )
        """,
        "Calendars agree on a window where its times are the same to the second.",
        DEFECT,
    )
