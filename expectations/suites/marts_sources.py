"""Gate marts, the sources themselves: who is late, and that nobody is left out of the question.

Being late warns and does not block: the figures say how far their data reach, and the earlier files stay readable.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

SLA = "governance.rpt_source_sla"
DRIFT = "governance.rpt_source_drift"


def checks() -> list[CheckSpec]:
    """All checks of the marts on sources."""
    return [*_promises(), *_drift()]


def _promises() -> Iterator[CheckSpec]:
    on = On(SLA, "rpt_source_sla", keys=("source_name", "entity_name"), requirements=("LTI-7.6",))
    yield on.no_rows(
        "promises_are_kept",
        """
        select source_name, entity_name, severity, late_since_at, late_seconds, current_to_at, owner_team, contact,
            waiting_result_count, waiting_results
        from checked where is_late
        """,
        "No configured source is later with its data than it promised (seed source_sla).",
        "write to the contact named; waiting_results says what waits. Extract again when the data are there",
        "warn",
    )
    yield on.no_rows(
        "promises_are_governed",
        "select source_name, entity_name, configuration_reason from checked where sla_status = 'ungoverned'",
        "Each entity of a configured source has a row in source_sla, if only one that promises nothing.",
        "agree with the owner of the source on its freshness and add the row to seeds/governance/source_sla.csv",
        "warn",
    )
    yield on.no_rows(
        "lists_every_entity_once",
        """
        select known.source as source_name, known.entity as entity_name, count(checked.source_name) as row_count
        from landing.source_entity as known
        left join checked on checked.source_name = known.source and checked.entity_name = known.entity
        group by known.source, known.entity having count(checked.source_name) <> 1
        """,
        "Each entity the connectors know stands in the list once.",
        "a defect of the model: see the entities below",
        reads=("landing.source_entity",),
    )
    yield on.no_rows(
        "lateness_follows_the_deadline",
        """
        select source_name, entity_name, sla_status, due_at, as_of_at, late_since_at, late_seconds from checked
        where (sla_status = 'late') is distinct from (
            sla_status not in ('absent', 'ungoverned', 'not_promised') and coalesce(due_at < as_of_at, false)
        )
        or (sla_status in ('late', 'on_time') and due_at is null)
        or is_late <> (sla_status in ('late', 'never_landed'))
        or (sla_status = 'late' and (
            late_since_at is distinct from due_at
            or late_seconds is distinct from date_diff('second', due_at, as_of_at)
            or waiting_result_count <> dependent_result_count
        ))
        or (not is_late and (late_seconds <> 0 or waiting_results is not null))
        """,
        "An entity is late from the instant its next delivery was due, and an absent source is never late.",
        "a defect of the model: see the entities below",
    )


def _drift() -> Iterator[CheckSpec]:
    on = On(DRIFT, "rpt_source_drift", keys=("batch_id", "column_name", "measure_code"), requirements=("SLT-3.2",))
    yield on.no_rows(
        "lists_every_finding_of_the_landing",
        """
        select coalesce(f.source, l.source_name) as source_name, coalesce(f.entity, l.entity_name) as entity_name,
            coalesce(f.finding_count, 0) as finding_count, coalesce(l.listed_count, 0) as listed_count
        from (select source, entity, count(*) as finding_count from landing.drift_finding group by all) as f
        full join (select source_name, entity_name, count(*) as listed_count from checked group by all) as l
            on l.source_name = f.source and l.entity_name = f.entity
        where coalesce(f.finding_count, 0) <> coalesce(l.listed_count, 0)
        """,
        "What was found when the batches were held against their histories is listed, and nothing else.",
        "a defect of the model: see the entities below",
        reads=("landing.drift_finding",),
    )
