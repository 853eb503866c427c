"""Oracles: brute force against the reference calculation, and the reference against a built warehouse.

``brute_force_slt`` looks at every step of time and shares nothing with the interval arithmetic but the
seeds' rows; it is slow and only for small cases. ``warehouse_differences`` puts every figure of the
reference calculation beside the marts of a warehouse and lists what differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb

from ingestion.demo.model import Company, TicketEvent
from ingestion.demo.pay_desk import PayDesk, ReconciliationRow, expected_reconciliation
from ingestion.demo.reference_clock import (
    Calendar,
    SltDefinition,
    SltTarget,
    TicketResult,
    Window,
    to_instant,
    to_seconds,
)
from ingestion.demo.reference_pay import ReferenceResult

# ------------------------------------------------------------------------------------- brute force


@dataclass(frozen=True)
class BruteForce:
    """What counting step by step gives; seconds, instants UTC."""

    stop_at: datetime | None
    is_canceled: bool
    paused_seconds: int
    outside_calendar_seconds: int
    excluded_seconds: int
    net_seconds: int
    stopped_seconds: int
    original_breach_at: datetime | None
    breach_at: datetime | None


def brute_force_slt(
    events: Sequence[TicketEvent],
    definition: SltDefinition,
    target: SltTarget,
    is_open_at: Callable[[int], bool],
    exclusions: Iterable[Window],
    as_of: datetime,
    step: int = 60,
) -> BruteForce:
    """Count every ``step`` seconds from the opening to as_of by asking what holds at its beginning.

    Exact when all events, exclusions, openings and the target are whole multiples of ``step`` away from
    the opening. ``exclusions`` may overlap and be in any order.
    """
    windows = list(exclusions)
    start_s, as_of_s = to_seconds(events[0].at), to_seconds(as_of)
    # The role at the beginning of every step, and at as_of itself.
    roles: list[str] = []
    for at in range(start_s, as_of_s + step, step):
        role = "running"
        for event in events:
            if to_seconds(event.at) <= at:
                named = definition.clock_roles[event.ticket_state]
                role = role if named == "carry" else named
        roles.append(role)

    # Walk on, remembering where the ticket last came to rest and how; work makes it forget.
    rested: tuple[int, str] | None = None
    for n, role in enumerate(roles):
        if role not in ("stopped", "canceled"):
            if definition.reopen_policy != "first_stop":
                rested = None
        elif rested is None:
            rested = (n, role)
    end, verdict = rested or (len(roles) - 1, "running")
    first = 0
    if definition.reopen_policy == "new_cycle":
        first = max((n + 1 for n in range(end) if roles[n] in ("stopped", "canceled")), default=0)

    counts = dict.fromkeys(("paused", "outside_calendar", "excluded", "net", "stopped"), 0)
    original_breach_at = breach_at = None
    for n in range(first, end):
        at = start_s + n * step
        role = roles[n]
        if role in ("stopped", "canceled"):  # left again, or the clock would have ended with it
            role = "stopped" if definition.reopen_policy == "resume" else "running"
        if role != "running":
            kind = role
        elif not is_open_at(at):
            kind = "outside_calendar"
        elif any(window_from <= at < window_to for window_from, window_to in windows):
            kind = "excluded"
        else:
            kind = "net"
        counts[kind] += step
        if breach_at is None and counts["net"] > target.target_seconds:
            breach_at = to_instant(at)
        if original_breach_at is None and counts["net"] + counts["excluded"] > target.target_seconds:
            original_breach_at = to_instant(at)
    return BruteForce(
        stop_at=to_instant(start_s + end * step) if verdict == "stopped" else None,
        is_canceled=verdict == "canceled",
        paused_seconds=counts["paused"],
        outside_calendar_seconds=counts["outside_calendar"],
        excluded_seconds=counts["excluded"],
        net_seconds=counts["net"],
        stopped_seconds=counts["stopped"],
        original_breach_at=original_breach_at,
        breach_at=breach_at,
    )


class WallClock:
    """Whether a calendar is open at an instant, by its wall clock, remembered per instant."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._known: dict[int, bool] = {}

    def __call__(self, at: int) -> bool:
        if at not in self._known:
            self._known[at] = self._calendar.is_open_at(at)
        return self._known[at]


# --------------------------------------------------------------------------------------- warehouse


@dataclass(frozen=True)
class Difference:
    """One figure that is not the same on both sides; a side without the row shows None."""

    mart: str
    key: tuple[Any, ...]
    column: str
    expected: Any
    found: Any


TICKET_COLUMNS = (
    "slt_status",
    "service_code",
    "team_code",
    "priority",
    "calendar_code",
    "target_seconds",
    "tolerance_seconds",
    "start_at",
    "stop_at",
    "wall_seconds",
    "paused_seconds",
    "outside_calendar_seconds",
    "excluded_seconds",
    "net_seconds",
    "business_seconds",
    "is_breached_raw",
    "is_breached_adjusted",
    "is_forgiven",
    "original_breach_at",
    "breach_at",
    "target_used_share",
)
AVAILABILITY_COLUMNS = (
    "service_code",
    "up_seconds",
    "down_seconds",
    "unknown_seconds",
    "maintenance_seconds",
    "excluded_seconds",
    "adjusted_up_seconds",
    "adjusted_down_seconds",
)
METRIC_COLUMNS = (
    "period_end_on",
    "numerator",
    "denominator",
    "metric_value",
    "sample_count",
    "result_status",
)
PAYOUT_COLUMNS = (
    "plan_version",
    "period_start_on",
    "period_end_on",
    "segment_end_on",
    "segment_days",
    "paid_days_value",
    "quarter_days",
    "team_code",
    "tier",
    "country_code",
    "cost_centre_code",
    "metric_value",
    "paid_value",
    "adjustment_id",
    "band_method",
    "running_before_value",
    "payout_share",
    "gate_share",
    "eligible_share",
    "weight",
    "target_amount",
    "payout_amount",
    "payment_period",
    "payout_status",
)

Rows = dict[tuple[Any, ...], dict[str, Any]]


def _plain(value: Any) -> Any:
    """Values of both sides in one shape: UTC without zone, exact numbers as fractions, '' as None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, bool) or value is None:
        return value
    if value == "":
        return None
    if isinstance(value, str) or not hasattr(value, "as_integer_ratio"):
        return value
    return Fraction(*value.as_integer_ratio())


def _read(connection: duckdb.DuckDBPyConnection, mart: str, keys: Sequence[str], columns: Sequence[str]) -> Rows:
    names = [*keys, *columns]
    rows: Rows = {}
    for row in connection.execute(f"select {', '.join(names)} from {mart}").fetchall():
        values = [_plain(value) for value in row]
        key = tuple(values[: len(keys)])
        if key in rows:
            raise AssertionError(f"{mart} holds the key {key} twice")
        rows[key] = dict(zip(columns, values[len(keys) :], strict=True))
    return rows


def _compare(mart: str, expected: Rows, found: Rows) -> list[Difference]:
    differences = [
        Difference(mart, key, "(row)", "a row" if key in expected else None, "a row" if key in found else None)
        for key in sorted(set(expected) ^ set(found), key=str)
    ]
    for key in sorted(set(expected) & set(found), key=str):
        differences += [
            Difference(mart, key, column, value, found[key][column])
            for column, value in expected[key].items()
            if value != found[key][column]
        ]
    return differences


def _expected(
    items: Iterable[Any],
    keys: Sequence[str],
    columns: Sequence[str],
    get: Callable[[Any, str], Any] = getattr,
) -> Rows:
    return {
        tuple(_plain(get(item, name)) for name in keys): {name: _plain(get(item, name)) for name in columns}
        for item in items
    }


def _of_ticket(item: TicketResult, name: str) -> Any:
    return getattr(item, name) if hasattr(item, name) else getattr(item.result, name)


def _ticket_differences(
    connection: duckdb.DuckDBPyConnection, results: Sequence[TicketResult], source_system: str = "servicenow"
) -> list[Difference]:
    keys = ("ticket_number", "slt_code", "slt_version")
    expected = _expected(results, keys, TICKET_COLUMNS, _of_ticket)
    for values in expected.values():
        if values["slt_status"] == "invalid":  # only that it is invalid is promised
            for name in set(TICKET_COLUMNS) - {"slt_status"}:
                del values[name]
    mart = f"(select * from slt.fct_ticket_slt where source_system = '{source_system}')"
    return _compare("slt.fct_ticket_slt", expected, _read(connection, mart, keys, TICKET_COLUMNS))


def _segment_differences(
    connection: duckdb.DuckDBPyConnection, results: Sequence[TicketResult], source_system: str = "servicenow"
) -> list[Difference]:
    """Each segment's seconds (its class within its state interval), and the classes' sums per ticket."""
    mart = "slt.fct_slt_clock_segment"
    found: dict[tuple[str, str], list[tuple[int, int, str, int]]] = {}
    for ticket_number, slt_code, *segment in connection.execute(
        """
        select t.ticket_number, t.slt_code, cast(epoch(s.from_at) as bigint), cast(epoch(s.to_at) as bigint),
            s.clock_class, s.seconds
        from slt.fct_slt_clock_segment as s
        inner join slt.fct_ticket_slt as t on s.ticket_slt_key = t.ticket_slt_key
        where t.source_system = ?
        """,
        [source_system],
    ).fetchall():
        found.setdefault((ticket_number, slt_code), []).append(tuple(segment))
    differences = []
    for item in results:
        if item.result.slt_status == "invalid":
            continue
        key = (item.ticket_number, item.slt_code)
        segments = found.get(key, [])
        for from_s, to_s, clock_class, seconds in segments:
            inside = sum(
                max(0, min(piece.to_s, to_s) - max(piece.from_s, from_s))
                for piece in item.result.pieces
                if piece.clock_class == clock_class
            )
            if seconds != inside:
                differences.append(Difference(mart, (*key, from_s, clock_class), "seconds", inside, seconds))
        expected: Counter[str] = Counter()
        for piece in item.result.pieces:
            expected[piece.clock_class] += piece.to_s - piece.from_s
        sums: Counter[str] = Counter()
        for _, _, clock_class, seconds in segments:
            sums[clock_class] += seconds
        if expected != sums:
            differences.append(Difference(mart, key, "sum of seconds", dict(expected), dict(sums)))
    return differences


def _rec_rows(rows: Iterable[ReconciliationRow]) -> Rows:
    return {
        (row.earned_quarter, row.party, row.currency_code): {
            "status": row.status,
            "calculated": _plain(row.calculated_amount),
            "booked": _plain(row.booked_amount),
            "difference": _plain(row.difference_amount),
        }
        for row in rows
    }


def warehouse_differences(
    warehouse_path: Path, company: Company, reference: ReferenceResult, desk: PayDesk
) -> list[Difference]:
    """Every figure of the marts that differs from the reference calculation; [] when all agree.

    ``desk`` is what the demonstration server dropped (``write_drops``), faults included. Opens the
    warehouse read-only and closes it.
    """
    reconciliation = expected_reconciliation(company, desk)
    with duckdb.connect(str(warehouse_path), read_only=True) as connection:
        differences = _ticket_differences(connection, reference.ticket_results)
        differences += _segment_differences(connection, reference.ticket_results)

        keys: tuple[str, ...] = ("monitor_id", "period_month")
        differences += _compare(
            "slt.fct_availability",
            {
                (str(item.monitor_id), item.period_month): {
                    name: _plain(getattr(item, name)) for name in AVAILABILITY_COLUMNS
                }
                for item in reference.availability
            },
            _read(connection, "slt.fct_availability", keys, AVAILABILITY_COLUMNS),
        )

        keys = ("metric_code", "metric_version", "entity_code", "period_grain", "period_start_on")
        differences += _compare(
            "metrics.fct_metric_result",
            _expected(reference.metrics, keys, METRIC_COLUMNS),
            _read(connection, "metrics.fct_metric_result", keys, METRIC_COLUMNS),
        )

        keys = ("employee_number", "earned_quarter", "segment_start_on", "component_code", "currency_code")
        differences += _compare(
            "incentives.fct_incentive_payout",
            _expected(reference.payouts, keys, PAYOUT_COLUMNS),
            _read(connection, "incentives.fct_incentive_payout", keys, PAYOUT_COLUMNS),
        )

        for mart, party, booked, rows in (
            ("rec_payout_to_payroll", "employee_number", "payroll_amount", reconciliation.payout_to_payroll),
            ("rec_payout_to_gl", "cost_centre_code", "gl_amount", reconciliation.payout_to_gl),
        ):
            source = (
                f"(select earned_quarter, {party} as party, currency_code, status, "
                f"payout_amount as calculated, {booked} as booked, difference_amount as difference "
                f"from finance.{mart})"
            )
            found = _read(
                connection,
                source,
                ("earned_quarter", "party", "currency_code"),
                ("status", "calculated", "booked", "difference"),
            )
            differences += _compare(f"finance.{mart}", _rec_rows(rows), found)
    return differences
