"""Gate marts, Jira and custom fields: our clock is Jira's but for what is explained, every mapping says one thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expectations.checks import CheckSpec, On

SLA, GAPS = "finance.rec_jira_sla", "governance.rpt_field_mapping_gap"
TICKETS, CYCLES, CATEGORIES = "slt.fct_ticket_slt", "core.int_jira_sla_cycle", "core.int_performance_category"
UNMAPPED_SHARE = 0.05
# A result without an SLA of Jira's, or with another goal, is held against nothing: a few are, many hide a broken site.
WITHOUT_SLA_SHARE, OTHER_GOAL_SHARE = 0.10, 0.10

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """The checks of the reconciliation with Jira and of the field mapping."""
    return [*_sla(), *_mapping()]


def _on(table: str, requirement: str, *keys: str, **more: Any) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=(requirement,), **more)


def _sla() -> Iterator[CheckSpec]:
    on = _on(SLA, "LTI-7.1", "ticket_key", "phase", sources=("jira",))
    yield on.no_rows(
        "explains_every_difference",
        """
        select ticket_key, phase, comparison_status, business_seconds, source_elapsed_seconds, stop_at,
            source_stopped_at
        from checked where comparison_status in ('clock_differs', 'stop_differs', 'missing_result')
        """,
        "Our clock reads what Jira's own SLA reads, or a status says why not.",
        "calendar, pausing statuses or the mapping of states differ from the site's SLA: compare its goals and "
        "conditions with slt_target.csv, slt_condition.csv and ticket_state.csv",
    )
    for name, status, share, what, mend in (
        (
            "few_have_no_source_sla",
            "no_source_sla",
            WITHOUT_SLA_SHARE,
            "have no SLA in Jira",
            "the SLA was renamed or removed on the site, or its field is not shown to the integration account",
        ),
        (
            "few_goals_differ",
            "goal_differs",
            OTHER_GOAL_SHARE,
            "were measured by Jira against another goal than ours",
            "the goals were changed on the site: agree on them, and mend slt_target.csv or have the site's mended",
        ),
    ):
        yield on.no_rows(
            name,
            f"""
            select ticket_key, phase, slt_code, priority, target_seconds, source_goal_seconds, business_seconds,
                source_elapsed_seconds
            from checked where comparison_status = '{status}'
            """,
            f"At most {share:.0%} of the results {what}.",
            mend,
            tolerated_share=share,
        )
    yield on.no_rows(
        "verdict_follows_the_clock",
        """
        select ticket_key, phase, comparison_status, is_breached_raw, is_source_breached from checked
        where comparison_status = 'matched' and not is_agreeing
        and abs(business_seconds - target_seconds) > tolerance_seconds
        """,
        "Where clock and goal are the same, so is the verdict (but for milliseconds about the goal).",
        DEFECT,
    )
    yield on.no_rows(
        "has_both_sides",
        f"""
        select coalesce(checked.ticket_key, owed.ticket_key) as ticket_key, coalesce(checked.phase, owed.phase) as phase
        from (
            select ticket_key, phase from {TICKETS} where source_system = 'jira'
            union select ticket_key, phase from {CYCLES}
        ) as owed
        full join checked on checked.ticket_key = owed.ticket_key and checked.phase = owed.phase
        where checked.ticket_key is null or owed.ticket_key is null
        """,
        "Each Jira result of ours and each SLA of Jira's stands in the comparison once.",
        DEFECT,
        reads=(TICKETS, CYCLES),
    )


def _mapping() -> Iterator[CheckSpec]:
    on = _on(GAPS, "DESK-3.2", "source_system", "field_name", "gap_reason", "field_value", "mapping_codes")
    yield on.no_rows(
        "mappings_do_not_conflict",
        """
        select source_system, field_name, gap_reason, field_value, mapping_codes, ticket_count from checked
        where gap_reason in ('conflicting_mappings', 'field_name_not_unique')
        """,
        "No value is mapped to two categories, and no mapped name is that of two fields.",
        "end one of the mappings named in seeds/governance/field_mapping.csv, or have the field renamed",
    )
    yield on.no_rows(
        "mapped_fields_exist",
        """
        select source_system, field_name, mapping_codes, ticket_count from checked
        where gap_reason = 'field_without_values'
        """,
        "Each field that is mapped has a value on some ticket of its source.",
        "the field was renamed, or is not shown to the integration account: mend field_mapping.csv or the access",
    )
    yield on.no_rows(
        "few_values_are_unmapped",
        f"""
        select checked.source_system, checked.field_name, sum(checked.ticket_count) as unmapped_count,
            any_value(valued.n) as valued_count, min(checked.field_value) as first_value
        from checked
        inner join (
            select source_system, field_name, count(*) as n from {CATEGORIES} where field_value is not null group by all
        ) as valued on valued.source_system = checked.source_system and valued.field_name = checked.field_name
        where checked.gap_reason = 'unmapped_value'
        group by checked.source_system, checked.field_name
        having sum(checked.ticket_count) > {UNMAPPED_SHARE} * any_value(valued.n)
        """,
        f"At most {UNMAPPED_SHARE:.0%} of the tickets with a value in a mapped field have one that nobody mapped.",
        "map the values listed in governance.rpt_field_mapping_gap",
        "warn",
        reads=(CATEGORIES,),
    )
    yield on.no_rows(
        "lists_every_gap",
        f"""
        select coalesce(checked.source_system, owed.source_system) as source_system,
            coalesce(checked.field_name, owed.field_name) as field_name, checked.ticket_count, owed.n as owed_count
        from (
            select source_system, field_name, field_value, mapping_codes, count(*) as n from {CATEGORIES}
            where mapping_status in ('unmapped', 'conflict') group by all
        ) as owed
        full join (
            select * from checked where gap_reason in ('unmapped_value', 'conflicting_mappings')
        ) as checked
            on checked.source_system = owed.source_system and checked.field_name = owed.field_name
            and checked.field_value = owed.field_value
            and checked.mapping_codes is not distinct from owed.mapping_codes
        where checked.ticket_count is distinct from owed.n
        """,
        "Every value without one category is listed with the tickets it has.",
        DEFECT,
        reads=(CATEGORIES,),
    )
