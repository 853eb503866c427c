"""The figures a console command ends with, read from the warehouse in one short read-only visit.

Everything here is a plain query on documented tables; nothing is computed that a reader could not repeat.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb

Rows = list[tuple]


@dataclass(frozen=True)
class LandingFigures:
    """Batches and rows of one run and of all runs; `by_source` rows (source, batches, landed, rejected)."""

    run_batches: int
    run_rows: int
    batches: int
    rows: int
    rejected: int
    by_source: Rows
    absent: Rows


@dataclass(frozen=True)
class Attainment:
    """Results that have ended, of one SLT: how many, met raw, met after exclusions and tolerance."""

    slt_code: str
    ended: int
    met_raw: int
    met_adjusted: int

    @property
    def raw_share(self) -> Decimal:
        """Share met on the raw clock."""
        return Decimal(self.met_raw) / self.ended if self.ended else Decimal(0)

    @property
    def adjusted_share(self) -> Decimal:
        """Share met on the adjusted clock, tolerance forgiven."""
        return Decimal(self.met_adjusted) / self.ended if self.ended else Decimal(0)


class Summary:
    """Questions to one warehouse. Use as a context manager: the connection must not outlive the answers."""

    def __init__(self, warehouse_path: Path) -> None:
        self._connection = duckdb.connect(str(warehouse_path), read_only=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _rows(self, sql: str, *parameters: object) -> Rows:
        return self._connection.execute(sql, list(parameters)).fetchall()

    def landing(self, run_id: str) -> LandingFigures:
        """Batches and rows landed, by this run and in all."""
        totals = """
            select
                count(*), cast(coalesce(sum(row_count), 0) as bigint),
                cast(coalesce(sum(rejected_count), 0) as bigint)
            from landing.extract_batch
        """
        run_batches, run_rows, _ = self._rows(f"{totals} where run_id = ?", run_id)[0]
        batches, rows, rejected = self._rows(totals)[0]
        return LandingFigures(
            run_batches,
            run_rows,
            batches,
            rows,
            rejected,
            self._rows(
                "select source, count(*), cast(sum(row_count) as bigint), cast(sum(rejected_count) as bigint) "
                "from landing.extract_batch group by source order by source"
            ),
            self._rows("select source, reason from landing.source_status where not is_configured order by source"),
        )

    def attainment(self) -> list[Attainment]:
        """Per SLT, over results that are met, within_tolerance or breached."""
        return [
            Attainment(*row)
            for row in self._rows(
                """
                select
                    slt_code, count(*), count(*) filter (where not is_breached_raw),
                    count(*) filter (where not is_breached_adjusted or is_forgiven)
                from slt.fct_ticket_slt
                where slt_status in ('met', 'within_tolerance', 'breached')
                group by slt_code
                order by slt_code
                """
            )
        ]

    def payouts(self) -> Rows:
        """(currency, team, quarters, people, amount) over all quarters, by currency and team."""
        return self._rows(
            """
            select
                currency_code, team_code, count(distinct earned_quarter), count(distinct employee_number),
                sum(payout_amount)
            from incentives.fct_incentive_payout
            group by currency_code, team_code
            order by currency_code, team_code
            """
        )

    def reconciliations(self) -> Rows:
        """(reconciliation, status, lines), the matched first."""
        return self._rows(
            """
            select reconciliation, status, lines
            from (
                select 'rec_payout_to_payroll' as reconciliation, status, count(*) as lines
                from finance.rec_payout_to_payroll group by status
                union all
                select 'rec_payout_to_gl', status, count(*) from finance.rec_payout_to_gl group by status
                union all
                select 'rec_itsm_to_mart', reconciliation_status, count(*)
                from finance.rec_itsm_to_mart group by reconciliation_status
                union all
                select 'rec_itsm_entity', status, count(*) from finance.rec_itsm_entity group by status
                union all
                select 'rec_itsm_task_sla', status, count(*) from finance.rec_itsm_task_sla group by status
            ) as counted
            order by reconciliation, status <> 'matched', status
            """
        )

    def late_sources(self, at: datetime | None) -> tuple[datetime, int, Rows]:
        """Who is late at an instant (naive, UTC): (the instant, promises judged, rows of the late, worst first).

        Without an instant: now, or what the latest run took as now where that was not the clock. A row is (source,
        entity, severity, due_at, current_to_at, owner_team, contact, marts that wait, whether a newer batch has landed
        than the marts know).
        """
        if at is None:
            as_of_at, policy = self._rows(
                "select as_of_at, as_of_policy from landing.run_context order by started_at desc limit 1"
            )[0]
            at = datetime.now(UTC).replace(tzinfo=None, microsecond=0) if policy == "wall_clock" else as_of_at
        promised = "sla_status in ('on_time', 'late', 'never_landed')"
        count = self._rows(f"select count(*) from governance.rpt_source_sla where {promised}")[0][0]
        late = self._rows(
            f"""
            select
                s.source_name, s.entity_name, s.severity, s.due_at, s.current_to_at, s.owner_team, s.contact,
                coalesce(list(d.result_name order by d.result_name) filter (where d.result_name is not null), []),
                bool_or(coalesce(newest.finished_at > known.finished_at, newest.finished_at is not null))
            from governance.rpt_source_sla as s
            left join core.int_entity_dependent as d on d.source_name = s.source_name and d.entity_name = s.entity_name
            left join landing.extract_batch as known on known.batch_id = s.last_batch_id
            left join (
                select source, entity, max(finished_at) as finished_at from landing.extract_batch group by all
            ) as newest on newest.source = s.source_name and newest.entity = s.entity_name
            where {promised} and coalesce(s.due_at < ?, true)
            group by all
            order by array_position(['critical', 'major', 'minor'], any_value(s.severity)), 4 nulls first, 1, 2
            """,
            at,
        )
        return at, count, late

    def flag_agreement(self) -> Rows:
        """(whether our flag agrees with the tool's own, reason, tickets), agreement first."""
        return self._rows(
            """
            select is_agreeing, coalesce(disagreement_reason, '') as reason, count(*) as ticket_count
            from finance.rec_itsm_sla_flag
            group by all
            order by is_agreeing desc nulls last, ticket_count desc, reason
            """
        )

    def event_log(self) -> tuple[int, int, int, int, int]:
        """Of the exported log: events received, landed, rejected; tickets; SLT results."""
        received, landed, rejected = self._rows(
            """
            select
                cast(coalesce(sum(b.received_count), 0) as bigint), cast(coalesce(sum(b.row_count), 0) as bigint),
                cast(coalesce(sum(b.rejected_count), 0) as bigint)
            from landing.extract_state as s
            inner join landing.extract_batch as b on b.batch_id = s.current_batch_id
            where s.source = 'servicenow_event_log'
            """
        )[0]
        tickets, results = self._rows(
            "select (select count(*) from core.int_ticket where source_system = 'servicenow_event_log'), "
            "(select count(*) from slt.fct_ticket_slt where source_system = 'servicenow_event_log')"
        )[0]
        return received, landed, rejected, tickets, results


@contextmanager
def open_summary(warehouse_path: Path) -> Iterator[Summary]:
    """A summary whose connection closes with the block."""
    summary = Summary(warehouse_path)
    try:
        yield summary
    finally:
        summary.close()
