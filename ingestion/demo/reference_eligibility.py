"""Who is eligible for incentive pay, and for how much of it: plain Python over the registers and the company's records.

What belongs here: the conditions of a plan, disqualification, leave and part time, gates by counter-metrics, and the
weights of a service's phase of life, written a second time person by person and day by day. What does not: bands,
rounding and the lines themselves (``reference_pay``), and anything that reads the warehouse.

Shares are fractions of 1, days whole days; a rule in force on a quarter's first day holds for the whole quarter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ingestion.demo.reference_clock import SEEDS_PATH, is_in_force, parse_date, read_seed
from ingestion.demo.rosters import Rosters
from ingestion.demo.service_desk import PROBLEM_COLUMNS, Identities, ServiceDesk

if TYPE_CHECKING:
    from pathlib import Path

    from ingestion.demo.model import Company, Employee, Service

Row = Mapping[str, str]
ONE_DAY = timedelta(days=1)
ONE = Fraction(1)


@dataclass(frozen=True)
class Problem:
    """A problem as the service desk keeps it: whose it is, when opened, when its cause was confirmed."""

    number: str
    team_code: str
    opened_at: datetime
    confirmed_at: datetime | None
    incident_count: int


@dataclass(frozen=True)
class Records:
    """What the company's systems hold that a condition is judged by."""

    signed: frozenset[tuple[str, str, str, str]] = frozenset()  # plan, version, document, employee number
    leave: Mapping[str, Mapping[date, frozenset[str]]] = field(default_factory=dict)  # first day of each kind by day
    problems: Sequence[Problem] = ()


@dataclass(frozen=True)
class Rules:
    """The registers of seeds/plans and the register of improvement plans, row by row."""

    eligibility: Sequence[Row] = ()
    disqualification: Sequence[Row] = ()
    gates: Sequence[Row] = ()
    lifecycle: Sequence[Row] = ()
    lifecycle_weights: Sequence[Row] = ()
    part_time: Sequence[Row] = ()
    improvement_plans: Sequence[Row] = ()


def load_rules(seeds_path: Path = SEEDS_PATH) -> Rules:
    """The registers of a seeds folder."""

    def rows(name: str) -> list[dict[str, str]]:
        return read_seed(f"{name}.csv", seeds_path)

    return Rules(
        eligibility=rows("plans/eligibility_rule"),
        disqualification=rows("plans/disqualification_rule"),
        gates=rows("plans/counter_gate"),
        lifecycle=rows("plans/service_lifecycle"),
        lifecycle_weights=rows("plans/lifecycle_weight"),
        part_time=rows("plans/part_time_agreement"),
        improvement_plans=rows("slt_response/improvement_plan"),
    )


def records_of(company: Company, seeds_path: Path = SEEDS_PATH) -> Records:
    """Signatures, unpaid leave and problems of a company as HRIS and service desk answer about it."""
    numbers = {person.id: person.employee_number for person in company.employees}
    rosters = Rosters(company)
    signed = frozenset(
        (row["planCode"], row["planVersion"], row["communication"], numbers[row["employeeId"]])
        for row in rosters.tables["customPlanAcknowledgement"]
        if row["acknowledgedAt"] and datetime.fromisoformat(row["acknowledgedAt"]) <= company.as_of_at
    )
    unpaid = [row for row in read_seed("plans/leave_rule.csv", seeds_path) if row["is_paid"] == "false"]
    leave: dict[str, dict[date, frozenset[str]]] = {}
    for request in rosters.leave:
        first, last = date.fromisoformat(request["start"]), date.fromisoformat(request["end"])
        is_unpaid = any(
            row["leave_type"] == request["type"]["name"]
            and is_in_force(first, date.fromisoformat(row["effective_from"]), parse_date(row["effective_to"]))
            for row in unpaid
        )
        if request["status"]["status"] != "approved" or not is_unpaid:
            continue
        days = leave.setdefault(numbers[request["employeeId"]], {})
        while first <= last:
            days[first] = days.get(first, frozenset()) | {request["id"]}
            first += ONE_DAY
    identities = Identities(*(lambda code: code,) * 5)
    problems = []
    for values in ServiceDesk(company, identities).problems:
        row = dict(zip(PROBLEM_COLUMNS, values, strict=True))
        problems.append(
            Problem(
                number=row["number"],
                team_code=row["assignment_group"],
                opened_at=datetime.fromisoformat(row["opened_at"]),
                confirmed_at=datetime.fromisoformat(row["confirmed_at"]) if row["confirmed_at"] else None,
                incident_count=int(row["related_incidents"]),
            )
        )
    return Records(signed=signed, leave=leave, problems=problems)


def paid_days(rules: Rules, records: Records, employee_number: str, first: date, last: date, as_of: date) -> Fraction:
    """Full-time days of [first, last] (inclusive) that count for pay, day by day."""
    total = Fraction(0)
    while first <= last:
        if first not in records.leave.get(employee_number, {}):
            total += min(
                (
                    Fraction(row["work_share"])
                    for row in rules.part_time
                    if row["employee_number"] == employee_number and _agreement_holds(row, first, as_of)
                ),
                default=ONE,
            )
        first += ONE_DAY
    return total


def _agreement_holds(row: Row, day: date, as_of: date) -> bool:
    signed_on = parse_date(row["signed_on"])
    return (
        signed_on is not None
        and signed_on <= as_of
        and signed_on < day
        and is_in_force(day, date.fromisoformat(row["effective_from"]), parse_date(row["effective_to"]))
    )


def gate_share(
    rules: Rules,
    plan_code: str,
    plan_version: int,
    tier: int,
    component_code: str,
    value_of: Callable[[str], Fraction | None],
) -> Fraction:
    """What the counter-metrics leave of a component; ``value_of`` a metric is None without enough data."""
    shares = [ONE]
    for row in _of_plan(rules.gates, plan_code, plan_version):
        if (int(row["tier"]), row["component_code"]) != (tier, component_code):
            continue
        value = value_of(row["counter_metric_code"])
        if value is None:
            continue
        is_low = row["least_value"] != "" and value < Fraction(row["least_value"])
        is_high = row["most_value"] != "" and value > Fraction(row["most_value"])
        if is_low or is_high:
            shares.append(Fraction(row["share_kept"]))
    return min(shares)


def lifecycle_weights(
    rules: Rules, services: Iterable[Service], plan_code: str, plan_version: int, team_code: str, tier: int, on: date
) -> dict[str, Fraction]:
    """Weight by component that the phase of the team's leading service demands on a day; empty = the plan's own."""
    owned = [service for service in services if service.owner_team_code == team_code]
    if not owned:
        return {}
    leading = min(owned, key=lambda service: (service.criticality, service.service_code))
    phases = {
        row["phase"]
        for row in rules.lifecycle
        if row["service_code"] == leading.service_code
        and is_in_force(on, date.fromisoformat(row["effective_from"]), parse_date(row["effective_to"]))
    }
    return {
        row["component_code"]: Fraction(row["weight"])
        for row in _of_plan(rules.lifecycle_weights, plan_code, plan_version)
        if row["phase"] in phases and int(row["tier"]) == tier
    }


def eligible_share(
    rules: Rules,
    records: Records,
    employee: Employee,
    team_code: str,
    plan_code: str,
    plan_version: int,
    period: tuple[date, date],
    result_of: Callable[[str, date], Fraction | None],
) -> Fraction:
    """What the conditions of a plan leave of a person's pay in a quarter and team.

    ``result_of`` gives the team's final value of a metric in the quarter beginning on a day, None without enough data.
    """
    start, end = period
    shares = [ONE]
    for row in _in_force(rules.eligibility, plan_code, plan_version, start):
        if not _is_met(row, records, employee, team_code, start, end):
            shares.append(Fraction(row["share_kept"]))
    for row in _in_force(rules.disqualification, plan_code, plan_version, start):
        faults = 0
        quarter = (start, end)
        for _ in range(int(row["look_back_quarters"])):
            faults += _has_fault(row, rules, employee.employee_number, quarter, result_of)
            quarter = (_quarter_before(quarter[0]), quarter[0])
        if faults >= int(row["least_fault_count"]):
            shares.append(Fraction(row["share_kept"]))
    return min(shares)


def _is_met(row: Row, records: Records, employee: Employee, team_code: str, start: date, end: date) -> bool:
    kind = row["rule_kind"]
    if kind == "acknowledgement":
        key = (row["plan_code"], row["plan_version"], row["communication_code"], employee.employee_number)
        return key in records.signed
    if kind == "cohort":
        return employee.hired_on <= date.fromisoformat(row["latest_hired_on"])
    if kind == "tenure":
        return (end - employee.hired_on).days >= int(row["least_days"])
    if kind == "root_cause":
        for problem in records.problems:
            due_at = problem.opened_at + timedelta(days=int(row["due_days"]))
            if (
                problem.team_code == team_code
                and problem.incident_count >= int(row["least_incident_count"])
                and start <= due_at.date() < end
                and (problem.confirmed_at is None or problem.confirmed_at > due_at)
            ):
                return False
        return True
    raise ValueError(f"eligibility_rule.csv: no rule here for the kind {kind!r} of {row['rule_code']}")


def _has_fault(
    row: Row,
    rules: Rules,
    employee_number: str,
    quarter: tuple[date, date],
    result_of: Callable[[str, date], Fraction | None],
) -> bool:
    if row["evidence_kind"] == "result_below":
        value = result_of(row["metric_code"], quarter[0])
        return value is not None and value < Fraction(row["least_value"])
    if row["evidence_kind"] == "improvement_overdue":
        return any(
            plan["owner_employee_number"] == employee_number
            and date.fromisoformat(plan["opened_on"]) < quarter[1]
            and date.fromisoformat(plan["due_on"]) < quarter[1]
            and (not plan["closed_on"] or date.fromisoformat(plan["closed_on"]) >= quarter[1])
            for plan in rules.improvement_plans
        )
    raise ValueError(f"disqualification_rule.csv: no rule here for {row['evidence_kind']!r} of {row['rule_code']}")


def _quarter_before(start: date) -> date:
    return date(start.year - 1, 10, 1) if start.month == 1 else date(start.year, start.month - 3, 1)


def _of_plan(rows: Iterable[Row], plan_code: str, plan_version: int) -> list[Row]:
    return [row for row in rows if (row["plan_code"], row["plan_version"]) == (plan_code, str(plan_version))]


def _in_force(rows: Iterable[Row], plan_code: str, plan_version: int, on: date) -> list[Row]:
    return [
        row
        for row in _of_plan(rows, plan_code, plan_version)
        if is_in_force(on, date.fromisoformat(row["effective_from"]), parse_date(row["effective_to"]))
    ]
