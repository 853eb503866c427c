"""Which manual adjustments of results take effect, and which disputes were upheld: plain Python over the registers.

Written a second time, request by request, so that what the company paid does not rest on the warehouse's own rules.
Rows are those of the seed files, as text; instants are UTC without a zone, days are plain days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ingestion.demo.reference_clock import SEEDS_PATH, is_in_force, parse_date, read_seed
from ingestion.demo.reference_exclusions import ExclusionRequest, read_seed_requests

if TYPE_CHECKING:
    from pathlib import Path

    from ingestion.demo.model import Company

Row = Mapping[str, str]
ResultKey = tuple[str, str, str, date]  # metric_code, entity_code, period_grain, first day
FARTHEST_DAYS = 400


@dataclass(frozen=True)
class Registers:
    """The governed registers an adjustment and a dispute are judged by, row by row as the seeds have them."""

    adjustments: Sequence[Row]
    approvals: Sequence[Row]
    votes: Sequence[Row]
    rules: Sequence[Row]
    requester_roles: Sequence[Row]
    thresholds: Sequence[Row]
    threshold_roles: Sequence[Row]
    designated_managers: Sequence[Row]
    delegations: Sequence[Row]
    members: Sequence[Row]
    metric_codes: frozenset[str]
    exclusions: Sequence[ExclusionRequest]
    disputes: Sequence[Row] = ()
    dispute_steps: Sequence[Row] = ()
    dispute_rules: Sequence[Row] = ()
    calendar_segments: Sequence[Row] = ()
    calendar_holidays: Sequence[Row] = ()


@dataclass(frozen=True)
class Interests:
    """By adjustment: who gains by it, and whom those report to."""

    beneficiaries: Mapping[str, frozenset[str]]
    managers: Mapping[str, frozenset[str]]


@dataclass
class Verdict:
    """What became of one request: every condition that fails, and the people whose signature counts."""

    adjustment_id: str
    reasons: list[str] = field(default_factory=list)
    signers: set[str] = field(default_factory=set)
    votes_for: set[str] = field(default_factory=set)
    votes_against: set[str] = field(default_factory=set)
    vote_count: int = 0

    @property
    def is_effective(self) -> bool:
        """Whether no condition fails."""
        return not self.reasons


def load_registers(seeds_path: Path = SEEDS_PATH) -> Registers:
    """The registers of a seeds folder."""

    def rows(name: str) -> list[dict[str, str]]:
        return read_seed(f"governance/{name}.csv", seeds_path)

    return Registers(
        adjustments=rows("score_adjustment"),
        approvals=rows("score_adjustment_approval"),
        votes=rows("score_adjustment_vote"),
        rules=rows("adjustment_rule"),
        requester_roles=rows("adjustment_requester_role"),
        thresholds=rows("approval_threshold"),
        threshold_roles=rows("approval_threshold_role"),
        designated_managers=rows("designated_manager"),
        delegations=rows("signing_delegation"),
        members=rows("governance_member"),
        metric_codes=frozenset(row["metric_code"] for row in read_seed("metrics/metric_definition.csv", seeds_path)),
        exclusions=read_seed_requests(read_seed, seeds_path),
        disputes=rows("dispute"),
        dispute_steps=rows("dispute_step"),
        dispute_rules=rows("dispute_rule"),
        calendar_segments=read_seed("calendars/calendar_segment.csv", seeds_path),
        calendar_holidays=read_seed("calendars/calendar_holiday.csv", seeds_path),
    )


# -------------------------------------------------------------------------------------------- time


def at(text: str) -> datetime:
    """An instant of a register."""
    return datetime.fromisoformat(text)


def period_end(row: Row) -> date:
    """First day after the period of a request or dispute."""
    start = date.fromisoformat(row["period_start_on"])
    months = start.year * 12 + start.month - 1 + {"month": 1}.get(row["period_grain"], 3)
    return date(months // 12, months % 12 + 1, 1)


def holds(row: Row, day: date, first: str = "effective_from", last: str = "effective_to") -> bool:
    """Whether a row of a register is in force on a day, both ends included."""
    return is_in_force(day, date.fromisoformat(row[first]), parse_date(row[last]))


def sits(registers: Registers, employee: str, day: date, entered_at: datetime, role: str = "", body: str = "") -> bool:
    """Whether somebody holds a role, or a seat on a body, on a day, by what was on record at ``entered_at``."""
    return any(
        row["employee_number"] == employee
        and holds(row, day, "from_on", "to_on")
        and at(row["recorded_at"]) <= entered_at
        and ((role and row["role_code"] == role) or (body and row["body_code"] == body))
        for row in registers.members
    )


# ------------------------------------------------------------------------------------- adjustments


def judge_adjustments(registers: Registers, interests: Interests, as_of_at: datetime) -> dict[str, Verdict]:
    """A verdict for every request recorded by as_of_at (UTC without a zone)."""
    upheld = upheld_disputes(registers, as_of_at)
    verdicts = {}
    for row in registers.adjustments:
        if at(row["recorded_at"]) <= as_of_at:
            verdicts[row["adjustment_id"]] = _judge(registers, interests, upheld, row, as_of_at)
    in_order: dict[tuple[str, ...], list[Verdict]] = {}
    for row in registers.adjustments:
        verdict = verdicts.get(row["adjustment_id"])
        if verdict and verdict.is_effective:
            names = ("metric_code", "entity_type", "entity_code", "period_grain", "period_start_on")
            in_order.setdefault(tuple(row[name] for name in names), []).append(verdict)
    for rivals in in_order.values():
        if len(rivals) > 1:
            for verdict in rivals:
                verdict.reasons.append("conflicts_with_another")
    return verdicts


def _judge(
    registers: Registers, interests: Interests, upheld: Mapping[str, datetime], row: Row, as_of_at: datetime
) -> Verdict:
    verdict = Verdict(row["adjustment_id"])
    fails = verdict.reasons.append
    asked_on, ended_on = at(row["requested_at"]).date(), period_end(row)
    rule = next(
        (r for r in registers.rules if r["adjustment_type"] == row["adjustment_type"] and holds(r, asked_on)), None
    )
    closes_on = ended_on + timedelta(days=int(rule["window_days"])) if rule else None
    band = _band(registers, row, asked_on)
    gaining = interests.beneficiaries.get(row["adjustment_id"], frozenset())

    withdrawn = row["withdrawn_recorded_at"]
    is_requesters = withdrawn != "" and row["withdrawn_by"] == row["requested_by"]
    if is_requesters and closes_on and at(withdrawn) <= as_of_at and at(withdrawn).date() < closes_on:
        fails("withdrawn")

    signatures = _signatures(registers, interests, row, rule, band, closes_on, as_of_at)
    if any(signature["decision"] == "rejected" for signature in signatures):
        fails("rejected")
    if rule is None:
        fails("type_without_rule")
    if row["metric_code"] not in registers.metric_codes:
        fails("metric_unknown")
    start = date.fromisoformat(row["period_start_on"])
    if start.day != 1 or (row["period_grain"] == "quarter" and start.month % 3 != 1):
        fails("period_unknown")
    if not _is_value_complete(row):
        fails("value_incomplete")
    if not row["reason"].strip():
        fails("reason_missing")
    if rule and rule["is_evidence_required"] == "true" and not row["evidence_reference"].strip():
        fails("evidence_missing")
    _judge_requester(registers, row, rule, asked_on, fails)
    if row["requested_by"] in gaining:
        fails("requester_is_beneficiary")
    if asked_on < ended_on:
        fails("requested_before_period_end")
    if closes_on and (asked_on >= closes_on or at(row["recorded_at"]).date() >= closes_on):
        fails("requested_after_window")
    if at(row["recorded_at"]) < at(row["requested_at"]):
        fails("recorded_before_requested")
    if not row["at_stake_amount"] or Fraction(row["at_stake_amount"]) < 0:
        fails("amount_missing")
    elif band is None:
        fails("threshold_missing")

    approving = [signature for signature in signatures if signature["decision"] == "approved"]
    verdict.signers = {signature["approver"] for signature in approving}
    holders = {signature["on_behalf_of"] or signature["approver"] for signature in approving}
    if band is not None:
        if min(len(verdict.signers), len(holders)) < int(band["required_signature_count"]):
            fails("signatures_missing")
        executive_roles = {
            role["role_code"]
            for role in registers.threshold_roles
            if role["threshold_code"] == band["threshold_code"] and role["is_executive"] == "true"
        }
        executives = {
            signature["approver"]
            for signature in approving
            if signature["role_code"] in executive_roles and not signature["on_behalf_of"]
        }
        if len(executives) < int(band["required_executive_count"]):
            fails("executive_missing")
    if rule and rule["is_circumstance_required"] == "true":
        _judge_circumstance(registers, row, ended_on, fails)
    if rule and rule["board_code"]:
        _judge_votes(registers, interests, row, rule, closes_on, as_of_at, verdict)
    if rule and rule["is_dispute_required"] == "true":
        decided_at = upheld.get(row["dispute_id"])
        if decided_at is None or at(row["requested_at"]) < decided_at or not _is_its_dispute(registers, row):
            fails("dispute_not_upheld")
    return verdict


def _band(registers: Registers, row: Row, asked_on: date) -> Row | None:
    if not row["at_stake_amount"]:
        return None
    amount = Fraction(row["at_stake_amount"])
    for band in registers.thresholds:
        if band["currency_code"] != row["currency_code"] or not holds(band, asked_on):
            continue
        if Fraction(band["from_amount"]) <= amount and (
            not band["below_amount"] or amount < Fraction(band["below_amount"])
        ):
            return band
    return None


def _is_value_complete(row: Row) -> bool:
    before, after, delta = row["before_value"], row["after_value"], row["delta_value"]
    if row["adjustment_method"] == "set":
        return bool(before and after) and Fraction(before) != Fraction(after) and not delta
    return row["adjustment_method"] == "add" and bool(delta) and Fraction(delta) != 0 and not before and not after


def _judge_requester(
    registers: Registers, row: Row, rule: Row | None, asked_on: date, fails: Callable[[str], None]
) -> None:
    who = row["requested_by"]
    if not who:
        fails("requester_missing")
    elif rule and rule["is_designated_manager_required"] == "true":
        is_designated = row["entity_type"] == "team" and any(
            manager["employee_number"] == who
            and manager["team_code"] == row["entity_code"]
            and manager["designated_by"] != who
            and holds(manager, asked_on, "from_on", "to_on")
            and at(manager["recorded_at"]) <= at(row["recorded_at"])
            for manager in registers.designated_managers
        )
        if not is_designated:
            fails("requester_not_designated")
    elif rule:
        is_entitled = any(
            role["adjustment_type"] == row["adjustment_type"]
            and holds(role, asked_on)
            and sits(registers, who, asked_on, at(row["recorded_at"]), role=role["role_code"])
            for role in registers.requester_roles
        )
        if not is_entitled:
            fails("requester_not_entitled")


def _signatures(
    registers: Registers,
    interests: Interests,
    row: Row,
    rule: Row | None,
    band: Row | None,
    closes_on: date | None,
    as_of_at: datetime,
) -> list[Row]:
    """The signatures that count: of each hand the last one recorded of those nothing speaks against."""
    entitled = {
        role["role_code"]
        for role in registers.threshold_roles
        if band is not None and role["threshold_code"] == band["threshold_code"]
    }
    gaining = interests.beneficiaries.get(row["adjustment_id"], frozenset())
    leading = interests.managers.get(row["adjustment_id"], frozenset())
    if rule and rule["is_manager_signature_refused"] != "true":
        leading = frozenset()
    counted: dict[str, Row] = {}
    for signature in sorted(registers.approvals, key=lambda item: (at(item["recorded_at"]), item["approval_id"])):
        if signature["adjustment_id"] != row["adjustment_id"] or at(signature["recorded_at"]) > as_of_at:
            continue
        decided_at, recorded_at = at(signature["decided_at"]), at(signature["recorded_at"])
        people = {signature["approver"], signature["on_behalf_of"] or signature["approver"]}
        holder = signature["on_behalf_of"] or signature["approver"]
        is_lent = not signature["on_behalf_of"] or any(
            lent["delegator"] == signature["on_behalf_of"]
            and lent["delegate"] == signature["approver"]
            and lent["role_code"] == signature["role_code"]
            and holds(lent, decided_at.date(), "from_on", "to_on")
            and at(lent["recorded_at"]) <= decided_at
            for lent in registers.delegations
        )
        if (
            sits(registers, holder, decided_at.date(), recorded_at, role=signature["role_code"])
            and is_lent
            and signature["role_code"] in entitled
            and not people & ({row["requested_by"]} | gaining | leading)
            and at(row["requested_at"]) <= decided_at <= recorded_at
            and closes_on is not None
            and recorded_at.date() < closes_on
        ):
            counted[signature["approver"]] = signature
    return list(counted.values())


def _judge_circumstance(registers: Registers, row: Row, ended_on: date, fails: Callable[[str], None]) -> None:
    named = next((item for item in registers.exclusions if item.exclusion_id == row["circumstance_exclusion_id"]), None)
    if named is None:
        fails("circumstance_missing")
    elif named.own_fault:
        fails("circumstance_not_documented")
    elif not named.is_outside_control:
        fails("circumstance_within_control")
    else:
        starts, ends = (instant.replace(tzinfo=None) for instant in named.windows[0])
        midnight = datetime.min.time()
        begin = datetime.combine(date.fromisoformat(row["period_start_on"]), midnight)
        if not (starts < datetime.combine(ended_on, midnight) and ends > begin):
            fails("circumstance_outside_period")


def _judge_votes(
    registers: Registers,
    interests: Interests,
    row: Row,
    rule: Row,
    closes_on: date | None,
    as_of_at: datetime,
    verdict: Verdict,
) -> None:
    apart_from = {row["requested_by"]}
    apart_from |= interests.beneficiaries.get(row["adjustment_id"], frozenset())
    apart_from |= interests.managers.get(row["adjustment_id"], frozenset())
    for vote in registers.votes:
        if vote["adjustment_id"] != row["adjustment_id"] or at(vote["recorded_at"]) > as_of_at:
            continue
        voted_at, recorded_at = at(vote["voted_at"]), at(vote["recorded_at"])
        if vote["employee_number"] in apart_from or not at(row["requested_at"]) <= voted_at <= recorded_at:
            continue
        if closes_on is None or recorded_at.date() >= closes_on:
            continue
        if sits(registers, vote["employee_number"], voted_at.date(), recorded_at, body=rule["board_code"]):
            verdict.vote_count += 1
            if vote["vote"] == "for":
                verdict.votes_for.add(vote["employee_number"])
            elif vote["vote"] == "against":
                verdict.votes_against.add(vote["employee_number"])
    if verdict.vote_count < int(rule["quorum_count"]):
        verdict.reasons.append("quorum_missing")
    elif len(verdict.votes_for) <= len(verdict.votes_against):
        verdict.reasons.append("vote_lost")


def _is_its_dispute(registers: Registers, row: Row) -> bool:
    names = ("metric_code", "entity_type", "entity_code", "period_grain", "period_start_on", "adjustment_id")
    return any(
        dispute["dispute_id"] == row["dispute_id"] and all(dispute[name] == row[name] for name in names)
        for dispute in registers.disputes
    )


# ---------------------------------------------------------------------------------------- disputes


def working_day(registers: Registers, calendar_code: str, start: date, count: int) -> date:
    """The count-th working day after the last one up to ``start``."""
    weekdays = {
        (int(row["iso_weekday"]), row["effective_from"], row["effective_to"])
        for row in registers.calendar_segments
        if row["calendar_code"] == calendar_code
    }
    free = {row["holiday_on"] for row in registers.calendar_holidays if row["calendar_code"] == calendar_code}

    def is_open(day: date) -> bool:
        return day.isoformat() not in free and any(
            weekday == day.isoweekday() and is_in_force(day, date.fromisoformat(first), parse_date(last))
            for weekday, first, last in weekdays
        )

    day = start
    if count == 0:
        while not is_open(day):
            day -= timedelta(days=1)
        return day
    for _ in range(FARTHEST_DAYS):
        day += timedelta(days=1)
        if is_open(day):
            count -= 1
            if count == 0:
                return day
    raise ValueError(f"calendar {calendar_code!r} has too few working days after {start}: see calendar_segment.csv")


def upheld_disputes(registers: Registers, as_of_at: datetime) -> dict[str, datetime]:
    """Instant from which the decision in force of every dispute it upholds counts, as far as recorded by as_of_at."""
    found = {}
    for dispute in registers.disputes:
        if at(dispute["recorded_at"]) > as_of_at:
            continue
        opened_at = at(dispute["opened_at"])
        rules = {
            int(rule["level_number"]): rule
            for rule in registers.dispute_rules
            if rule["dispute_type"] == dispute["dispute_type"] and holds(rule, opened_at.date())
        }
        if 1 not in rules:
            continue
        published_on = period_end(dispute) + timedelta(days=int(rules[1]["publication_days"]))
        closes_on = published_on + timedelta(days=int(rules[1]["contest_window_days"]))
        if not published_on <= opened_at.date() < closes_on:
            continue
        steps = [
            step
            for step in registers.dispute_steps
            if step["dispute_id"] == dispute["dispute_id"]
            and at(step["step_at"]) <= at(step["recorded_at"]) <= as_of_at
        ]
        decision = _standing_decision(registers, dispute, rules, steps)
        if decision is None or decision["outcome"] != "upheld":
            continue
        taken_back = [
            at(step["step_at"])
            for step in steps
            if step["step_type"] == "withdrawn"
            and step["actor"] == dispute["opened_by"]
            and at(step["step_at"]) >= opened_at
        ]
        if not taken_back or min(taken_back) > at(decision["step_at"]):
            found[dispute["dispute_id"]] = max(at(decision["step_at"]), at(decision["recorded_at"]))
    return found


def _standing_decision(
    registers: Registers, dispute: Row, rules: Mapping[int, Row], steps: Sequence[Row]
) -> Row | None:
    """The decision of the highest level the dispute has reached, None where that level has not decided."""
    level, started_at = 1, at(dispute["opened_at"])
    while True:
        rule = rules[level]
        here = sorted(
            (step for step in steps if int(step["level_number"]) == level and at(step["step_at"]) >= started_at),
            key=lambda step: (at(step["step_at"]), at(step["recorded_at"]), step["actor"]),
        )
        decision = next(
            (
                step
                for step in here
                if step["step_type"] == "decided"
                and step["actor"] != dispute["opened_by"]
                and sits(
                    registers,
                    step["actor"],
                    at(step["step_at"]).date(),
                    at(step["recorded_at"]),
                    role=rule["instance_code"],
                    body=rule["instance_code"],
                )
            ),
            None,
        )
        due_on = working_day(registers, rule["calendar_code"], started_at.date(), int(rule["turnaround_days"]))
        went_on = None
        for step in here:
            if step["step_type"] != "escalated" or level + 1 not in rules:
                continue
            happened_at = at(step["step_at"])
            if decision is not None and at(decision["step_at"]) <= happened_at:
                last_on = working_day(
                    registers,
                    rule["calendar_code"],
                    at(decision["step_at"]).date(),
                    int(rule["escalation_days"]),
                )
                is_valid = happened_at.date() <= last_on
            else:
                is_valid = happened_at.date() > due_on
            if is_valid:
                went_on = happened_at
                break
        if went_on is None:
            return decision
        level, started_at = level + 1, went_on


# ------------------------------------------------------------------------------------- the company


def _teams_held(company: Company, start: date, end: date) -> dict[str, tuple[set[str], set[str]]]:
    """By employee id, for the days [start, end): teams worked in, and those of them worked in with a target.

    Found by looking at every day.
    """
    found = {}
    for employee in company.employees:
        jobs = [job for job in company.job_infos if job.employee_id == employee.id]
        targets = [target.effective_on for target in company.incentive_targets if target.employee_id == employee.id]
        held: set[str] = set()
        paid: set[str] = set()
        day = start
        while day < end:
            job = max(
                (job for job in jobs if job.effective_on <= day),
                key=lambda job: (job.effective_on, len(job.id), job.id),
                default=None,
            )
            if job is not None:
                held.add(job.team_code)
                is_employed = employee.hired_on <= day and (
                    employee.terminated_on is None or day < employee.terminated_on
                )
                if is_employed and any(effective_on <= day for effective_on in targets):
                    paid.add(job.team_code)
            day += timedelta(days=1)
        found[employee.id] = held, paid
    return found


def interests_of(company: Company, adjustments: Sequence[Row]) -> Interests:
    """Who of the company gains by each request, and whom those report to."""
    numbers = {employee.id: employee.employee_number for employee in company.employees}
    leads = {job.team_code: job.employee_id for job in company.job_infos if job.job_title == "Team Lead"}
    head = next((job.employee_id for job in company.job_infos if job.job_title == "Head of Operations"), None)
    owners = {service.service_code: service.owner_team_code for service in company.services}
    by_period: dict[tuple[date, date], dict[str, tuple[set[str], set[str]]]] = {}
    beneficiaries, managers = {}, {}
    for row in adjustments:
        period = date.fromisoformat(row["period_start_on"]), period_end(row)
        if period not in by_period:
            by_period[period] = _teams_held(company, *period)
        team = {"team": row["entity_code"], "service": owners.get(row["entity_code"])}.get(row["entity_type"])
        gaining: set[str] = {row["entity_code"]} if row["entity_type"] == "person" else set()
        leading: set[str] = set()
        for employee_id, (held, paid) in by_period[period].items():
            if team in paid:
                gaining.add(numbers[employee_id])
            if numbers[employee_id] not in gaining or employee_id == head:
                continue
            for team_code in held:
                lead = leads.get(team_code)
                lead = head if lead in (None, employee_id) else lead
                if lead is not None:
                    leading.add(numbers[lead])
        beneficiaries[row["adjustment_id"]] = frozenset(gaining)
        managers[row["adjustment_id"]] = frozenset(leading)
    return Interests(beneficiaries, managers)


def paid_values(
    registers: Registers,
    verdicts: Mapping[str, Verdict],
    measured: Mapping[ResultKey, Fraction | None],
) -> dict[ResultKey, tuple[str, Fraction]]:
    """(adjustment, value pay uses) of every team's result that an adjustment in effect moves.

    ``measured`` holds the final results by key, None where there was too little data. Values are shares of one.
    """
    moved: dict[ResultKey, tuple[str, Fraction]] = {}
    for row in registers.adjustments:
        verdict = verdicts.get(row["adjustment_id"])
        key = row["metric_code"], row["entity_code"], row["period_grain"], date.fromisoformat(row["period_start_on"])
        value = measured.get(key)
        if verdict is None or not verdict.is_effective or row["entity_type"] != "team" or value is None:
            continue
        if row["adjustment_method"] == "set":
            if Fraction(row["before_value"]) != value:
                continue
            value = Fraction(row["after_value"])
        else:
            value += Fraction(row["delta_value"])
        if 0 <= value <= 1:
            moved[key] = row["adjustment_id"], value
    return moved
