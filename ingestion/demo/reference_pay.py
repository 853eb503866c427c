"""Reference calculation of metric results, incentive payouts and their reconciliation: plain Python.

What belongs here: the rules of metrics and money written a second time from ``seeds/metrics`` and
``seeds/plans`` on top of ``reference_clock``; small pure functions for rules that move money. What does
not: payroll and ledger as the company booked them (``pay_desk``), and anything that reads the warehouse.

Units: money is exact (``fractions.Fraction`` while calculating, ``Decimal`` with two places once rounded),
ratios are fractions of 1, days are whole days, dates are plain calendar days. No float anywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ingestion.demo.reference_adjustments import interests_of, judge_adjustments, load_registers, paid_values
from ingestion.demo.reference_clock import (
    SEEDS_PATH,
    AvailabilityMonth,
    TicketResult,
    calculate_availability,
    calculate_ticket_slts,
    half_up_share,
    is_in_force,
    load_slt_reference,
    midnight_s,
    next_month,
    parse_date,
    read_seed,
    to_seconds,
)
from ingestion.demo.reference_eligibility import (
    Records,
    Rules,
    eligible_share,
    gate_share,
    lifecycle_weights,
    load_rules,
    paid_days,
    records_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.demo.model import Company, Employee, IncentiveTarget, JobInfo, Service, Team

EffectiveRow = TypeVar("EffectiveRow", "JobInfo", "IncentiveTarget")

ONE_DAY = timedelta(days=1)
METRIC_PLACES = 6
SHARE_PLACES = 4
PAID_STATUSES = ("met", "within_tolerance", "breached")


# ---------------------------------------------------------------------------- rounding and allocation


def half_up_cents(amount: Fraction) -> int:
    """An exact amount >= 0 in whole cents, half a cent going up."""
    return (amount * 100 + Fraction(1, 2)).__floor__()


def cents_to_amount(cents: int) -> Decimal:
    """Whole cents as a Decimal with two places."""
    return Decimal(cents).scaleb(-2)


def largest_remainder(amounts: Sequence[Fraction]) -> list[Decimal]:
    """Exact amounts (>= 0) as cents whose sum is the half-up cent of the exact sum.

    Each is floored to the cent; the cents still missing go one by one to the largest remainders, ties in
    the order given. 100.00 over three equal shares is 33.34, 33.33, 33.33.
    """
    floors = [(amount * 100).__floor__() for amount in amounts]
    missing = half_up_cents(sum(amounts, Fraction(0))) - sum(floors)
    by_remainder = sorted(range(len(amounts)), key=lambda n: (floors[n] - amounts[n] * 100, n))
    for n in by_remainder[:missing]:
        floors[n] += 1
    return [cents_to_amount(cents) for cents in floors]


def stepped_amount(
    amount: Fraction, tiers: Sequence[tuple[Fraction, Fraction]], already: Fraction = Fraction(0)
) -> Fraction:
    """What stepped tiers [(lower bound, rate), ...] pay on ``amount`` that comes on top of ``already``.

    The part of [already, already + amount) inside each tier earns the tier's rate. With ``already`` 0 each
    amount starts at the bottom again; with the running total the tiers are climbed once per period.
    """
    paid = Fraction(0)
    for number, (lower, rate) in enumerate(tiers):
        upper = tiers[number + 1][0] if number + 1 < len(tiers) else None
        top = already + amount if upper is None else min(already + amount, upper)
        paid += max(Fraction(0), top - max(already, lower)) * rate
    return paid


def draw_balances(earnings: Sequence[Fraction], minimum: Fraction) -> list[Fraction]:
    """Balance owed after each period when earnings below a minimum are topped up by a recoverable draw."""
    balances: list[Fraction] = []
    balance = Fraction(0)
    for earned in earnings:
        balance = max(Fraction(0), balance + minimum - earned)
        balances.append(balance)
    return balances


def stepped_share(
    bands: Sequence[tuple[Fraction, Fraction]], value: Fraction, before: Fraction = Fraction(0)
) -> Fraction:
    """Share that stepped bands pay on ``value`` on top of ``before``: two totals, each half up to 4 places."""
    return half_up_places(stepped_amount(before + value, bands)) - half_up_places(stepped_amount(before, bands))


def half_up_places(amount: Fraction, places: int = SHARE_PLACES) -> Fraction:
    """An amount >= 0 half up to so many places."""
    scale = 10**places
    return Fraction((amount * scale + Fraction(1, 2)).__floor__(), scale)


def component_share(component: PlanComponent, value: Fraction | None, before: Fraction = Fraction(0)) -> Fraction:
    """Share of the target a component's value earns by its threshold, bands and accelerator.

    ``before`` is the running total that a cumulative component climbed its bands by.
    """
    if value is None or (component.threshold_value is not None and value < component.threshold_value):
        return Fraction(0)
    if component.band_method == "stepped":
        share = stepped_share(component.bands, value, before if component.is_cumulative else Fraction(0))
    else:
        share = payout_share(component.bands, component.band_method, value)
    if component.accelerator_from_value is not None and value >= component.accelerator_from_value:
        share = half_up_places(share * component.accelerator_factor)
    return share


def payout_share(bands: Sequence[tuple[Fraction, Fraction]], method: str, value: Fraction | None) -> Fraction:
    """Share of the target that a metric value earns.

    ``bands`` are (lower_bound, payout_share) in ascending order. flat: the highest band reached.
    interpolated: linear between neighbouring bands, half up to 4 places, the last band's share above it.
    Below the first band, or without a value, nothing.
    """
    reached = [number for number, (lower, _) in enumerate(bands) if value is not None and lower <= value]
    if value is None or not reached:
        return Fraction(0)
    lower, share = bands[reached[-1]]
    if method == "flat" or reached[-1] == len(bands) - 1:
        return share
    if method != "interpolated":
        raise ValueError(f"plan_component.band_method {method!r} is not one of flat, interpolated, stepped")
    next_lower, next_share = bands[reached[-1] + 1]
    exact = share + (value - lower) * (next_share - share) / (next_lower - lower)
    return half_up_places(exact)


# ------------------------------------------------------------------------------------------- periods


def quarter_start(on: date) -> date:
    """First day of the calendar quarter of a day."""
    return date(on.year, (on.month - 1) // 3 * 3 + 1, 1)


def add_months(first_of_month: date, months: int) -> date:
    """First day of the month ``months`` later."""
    for _ in range(months):
        first_of_month = next_month(first_of_month)
    return first_of_month


def quarter_name(start_on: date) -> str:
    """'2025-Q1' of a quarter's first day."""
    return f"{start_on.year}-Q{(start_on.month - 1) // 3 + 1}"


def month_name(on: date) -> str:
    """'2025-04' of any day."""
    return f"{on.year}-{on.month:02d}"


def periods(grain: str, first_on: date, as_of: datetime) -> list[tuple[date, date]]:
    """(start, exclusive end) of every month or quarter from the one of ``first_on`` to the one of as_of."""
    months = {"month": 1, "quarter": 3}[grain]
    start = quarter_start(first_on) if grain == "quarter" else first_on.replace(day=1)
    found = []
    while midnight_s(start) < to_seconds(as_of):
        end = add_months(start, months)
        found.append((start, end))
        start = end
    return found


def has_ended(end_on: date, as_of: datetime) -> bool:
    """Whether a period with this exclusive end (UTC) is over at as_of."""
    return midnight_s(end_on) <= to_seconds(as_of)


# ------------------------------------------------------------------------------------------- metrics


@dataclass(frozen=True)
class MetricDefinition:
    """One version of a metric."""

    metric_code: str
    metric_version: int
    measure_kind: str
    slt_code: str
    exclusion_policy: str
    weighting: str
    min_sample_count: int
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True)
class MetricResult:
    """One metric version, team and period. Grain as ``metrics.fct_metric_result``; end is exclusive."""

    metric_code: str
    metric_version: int
    entity_code: str
    period_grain: str
    period_start_on: date
    period_end_on: date
    numerator: int
    denominator: int
    metric_value: Fraction | None
    sample_count: int
    result_status: str


def load_metric_definitions(seeds_path: Path = SEEDS_PATH) -> list[MetricDefinition]:
    """The definitions a plan pays on, from seeds/metrics/metric_definition.csv and metric_filter.csv.

    One without its day of approval is a proposal, which measures nothing. ValueError for a paid definition this
    reference has no rule for.
    """
    paid = {row["metric_code"] for row in read_seed("plans/plan_component.csv", seeds_path)}
    slt_codes = {
        (row["metric_code"], row["metric_version"]): row["dimension_values"]
        for row in read_seed("metrics/metric_filter.csv", seeds_path)
        if (row["dimension_code"], row["is_excluded"]) == ("slt_code", "false")
    }
    kinds = {
        ("share", "ticket_slt"): "share_of_tickets",
        ("weighted_share", "ticket_slt"): "weighted_share_of_tickets",
        ("time_share", "availability"): "time_share",
    }
    found = []
    for row in read_seed("metrics/metric_definition.csv", seeds_path):
        # a version nobody has approved is a proposal: it pays nobody
        if row["metric_code"] not in paid or not row["approved_on"]:
            continue
        kind = kinds.get((row["aggregation_kind"], row["observation_kind"]))
        if kind is None or row["value_basis"] != "raw" or row["weighting"] not in ("none", "priority"):
            raise ValueError(
                f"metric_definition.csv: a plan pays on {row['metric_code']}, for which there is no rule here"
            )
        found.append(
            MetricDefinition(
                metric_code=row["metric_code"],
                metric_version=int(row["metric_version"]),
                measure_kind=kind,
                slt_code=slt_codes.get((row["metric_code"], row["metric_version"]), ""),
                exclusion_policy=row["exclusion_policy"],
                weighting=row["weighting"],
                min_sample_count=int(row["min_sample_count"]),
                effective_from=date.fromisoformat(row["effective_from"]),
                effective_to=parse_date(row["effective_to"]),
            )
        )
    return found


def load_metric_weights(seeds_path: Path = SEEDS_PATH) -> dict[tuple[str, int, int], int]:
    """Whole-number weight by (metric_code, metric_version, priority)."""
    return {
        (row["metric_code"], int(row["metric_version"]), int(row["dimension_value"])): int(row["weight"])
        for row in read_seed("metrics/metric_weight.csv", seeds_path)
        if row["dimension_code"] == "priority"
    }


def calculate_metrics(
    company: Company,
    ticket_results: Sequence[TicketResult],
    availability: Sequence[AvailabilityMonth],
    definitions: Sequence[MetricDefinition],
    weights: Mapping[tuple[str, int, int], int],
) -> list[MetricResult]:
    """Results of every metric version in force, for every team and every month and quarter to as_of."""
    stopped: dict[tuple[str, str | None, date], list[TicketResult]] = defaultdict(list)
    for item in ticket_results:
        if item.result.stop_at is not None and item.result.slt_status in PAID_STATUSES:
            month = item.result.stop_at.date().replace(day=1)
            stopped[item.slt_code, item.team_code, month].append(item)
    owned = {service.service_code: service.owner_team_code for service in company.services}
    monitored: dict[tuple[str, date], list[AvailabilityMonth]] = defaultdict(list)
    for row in availability:
        monitored[owned[row.service_code], row.period_month].append(row)

    results: list[MetricResult] = []
    for grain in ("month", "quarter"):
        for start, end in periods(grain, company.start_on, company.as_of_at):
            months = [start] if grain == "month" else [add_months(start, n) for n in range(3)]
            for definition in definitions:
                if not is_in_force(start, definition.effective_from, definition.effective_to):
                    continue
                for team in company.teams:
                    if definition.measure_kind == "time_share":
                        rows = [row for month in months for row in monitored[team.team_code, month]]
                        numerator = sum(row.adjusted_up_seconds for row in rows)
                        denominator = numerator + sum(row.adjusted_down_seconds for row in rows)
                        sample_count = len({row.monitor_id for row in rows})
                    else:
                        items = [
                            item for month in months for item in stopped[definition.slt_code, team.team_code, month]
                        ]
                        numerator, denominator = ticket_share(definition, weights, items)
                        sample_count = len(items)
                    is_enough = sample_count >= definition.min_sample_count and denominator > 0
                    if not has_ended(end, company.as_of_at):
                        result_status = "provisional"
                    else:
                        result_status = "ok" if is_enough else "insufficient_data"
                    results.append(
                        MetricResult(
                            metric_code=definition.metric_code,
                            metric_version=definition.metric_version,
                            entity_code=team.team_code,
                            period_grain=grain,
                            period_start_on=start,
                            period_end_on=end,
                            numerator=numerator,
                            denominator=denominator,
                            metric_value=half_up_share(numerator, denominator, METRIC_PLACES) if is_enough else None,
                            sample_count=sample_count,
                            result_status=result_status,
                        )
                    )
    return results


def ticket_share(
    definition: MetricDefinition, weights: Mapping[tuple[str, int, int], int], items: Iterable[TicketResult]
) -> tuple[int, int]:
    """(kept, all) weight of ticket results that met their target under the definition's policy."""
    numerator = denominator = 0
    for item in items:
        weight = 1
        if definition.measure_kind == "weighted_share_of_tickets":
            weight = weights[definition.metric_code, definition.metric_version, item.priority]
        denominator += weight
        if definition.exclusion_policy == "raw":
            is_kept = not item.result.is_breached_raw
        else:
            is_kept = not item.result.is_breached_adjusted or item.result.is_forgiven
        numerator += weight if is_kept else 0
    return numerator, denominator


# ------------------------------------------------------------------------------------------- payouts


@dataclass(frozen=True)
class PlanComponent:
    """One weighted component of a plan for one tier, with its achievement bands."""

    component_code: str
    metric_code: str
    weight: Fraction
    band_method: str
    bands: tuple[tuple[Fraction, Fraction], ...]
    is_cumulative: bool = False
    threshold_value: Fraction | None = None
    accelerator_from_value: Fraction | None = None
    accelerator_factor: Fraction = Fraction(1)


@dataclass(frozen=True)
class IncentivePlan:
    """One plan version with the components of each tier."""

    plan_code: str
    plan_version: int
    payment_lag_months: int
    effective_from: date
    effective_to: date | None
    components: Mapping[int, tuple[PlanComponent, ...]]


@dataclass(frozen=True)
class PaySegment:
    """Days [from, to] (inclusive) on which a person's team, target and currency did not change."""

    segment_start_on: date
    segment_end_on: date
    team_code: str
    target_amount: Decimal
    currency_code: str

    @property
    def segment_days(self) -> int:
        """Inclusive count of days."""
        return (self.segment_end_on - self.segment_start_on).days + 1


@dataclass(frozen=True)
class PayoutLine:
    """Grain: person x quarter x segment x component, as ``incentives.fct_incentive_payout``.

    ``segment_end_on`` is inclusive, ``period_end_on`` exclusive.
    """

    plan_code: str
    plan_version: int
    employee_number: str
    earned_quarter: str
    period_start_on: date
    period_end_on: date
    segment_start_on: date
    segment_end_on: date
    segment_days: int
    quarter_days: int
    team_code: str
    tier: int
    country_code: str
    cost_centre_code: str
    component_code: str
    metric_code: str
    metric_version: int | None
    metric_value: Fraction | None
    paid_value: Fraction | None
    adjustment_id: str | None
    band_method: str
    payout_share: Fraction
    weight: Fraction
    target_amount: Decimal
    payout_amount: Decimal
    currency_code: str
    payment_period: str
    payout_status: str = "calculated"
    paid_days_value: Fraction = Fraction(0)
    gate_share: Fraction = Fraction(1)
    eligible_share: Fraction = Fraction(1)
    running_before_value: Fraction = Fraction(0)


def load_plans(seeds_path: Path = SEEDS_PATH) -> list[IncentivePlan]:
    """Plans of seeds/plans with their components and bands."""
    bands: dict[tuple[str, str, str], list[tuple[Fraction, Fraction]]] = defaultdict(list)
    for row in read_seed("plans/achievement_band.csv", seeds_path):
        bands[row["plan_code"], row["plan_version"], row["component_code"]].append(
            (Fraction(row["lower_bound"]), Fraction(row["payout_share"]))
        )
    components: dict[tuple[str, str], dict[int, list[PlanComponent]]] = defaultdict(lambda: defaultdict(list))
    for row in read_seed("plans/plan_component.csv", seeds_path):
        key = row["plan_code"], row["plan_version"]
        components[key][int(row["tier"])].append(
            PlanComponent(
                component_code=row["component_code"],
                metric_code=row["metric_code"],
                weight=Fraction(row["weight"]),
                band_method=row["band_method"],
                bands=tuple(sorted(bands[(*key, row["component_code"])])),
                is_cumulative=row["processing_grain"] == "cumulative",
                threshold_value=Fraction(row["threshold_value"]) if row["threshold_value"] else None,
                accelerator_from_value=(
                    Fraction(row["accelerator_from_value"]) if row["accelerator_from_value"] else None
                ),
                accelerator_factor=Fraction(row["accelerator_factor"] or 1),
            )
        )
    return [
        IncentivePlan(
            plan_code=row["plan_code"],
            plan_version=int(row["plan_version"]),
            payment_lag_months=int(row["payment_lag_months"]),
            effective_from=date.fromisoformat(row["effective_from"]),
            effective_to=parse_date(row["effective_to"]),
            components={
                tier: tuple(sorted(items, key=lambda item: item.component_code))
                for tier, items in components[row["plan_code"], row["plan_version"]].items()
            },
        )
        for row in read_seed("plans/incentive_plan.csv", seeds_path)
        if row["period_grain"] == "quarter"
    ]


def pay_segments(
    employee: Employee,
    job_infos: Sequence[JobInfo],
    incentive_targets: Sequence[IncentiveTarget],
    start_on: date,
    end_on: date,
) -> list[PaySegment]:
    """Segments of one person in [start_on, end_on), found by looking at every day."""
    segments: list[PaySegment] = []
    day = start_on
    while day < end_on:
        is_employed = employee.hired_on <= day and (employee.terminated_on is None or day < employee.terminated_on)
        job = latest_on(job_infos, day)
        target = latest_on(incentive_targets, day)
        if is_employed and job is not None and target is not None:
            held = PaySegment(day, day, job.team_code, target.quarterly_amount, target.currency_code)
            if (
                segments
                and replace(segments[-1], segment_start_on=day, segment_end_on=day) == held
                and segments[-1].segment_end_on == day - ONE_DAY
            ):
                segments[-1] = replace(segments[-1], segment_end_on=day)
            else:
                segments.append(held)
        day += ONE_DAY
    return segments


def latest_on(rows: Sequence[EffectiveRow], day: date) -> EffectiveRow | None:
    """The effective-dated row that holds on a day; of two with one date the one with the higher id."""
    return max(
        (row for row in rows if row.effective_on <= day),
        key=lambda row: (row.effective_on, len(row.id), row.id),
        default=None,
    )


@dataclass(frozen=True)
class PayRules:
    """What decides pay beside the plan's components: registers, records, and the services that lead a team."""

    rules: Rules = field(default_factory=Rules)
    records: Records = field(default_factory=Records)
    services: Sequence[Service] = ()
    as_of_on: date = date.max


def calculate_person_quarter(
    employee: Employee,
    segments: Sequence[PaySegment],
    plan: IncentivePlan,
    period: tuple[date, date],
    metrics: Mapping[tuple[str, str, date], MetricResult],
    teams: Mapping[str, Team],
    adjusted: Mapping[tuple[str, str, date], tuple[str, Fraction]] | None = None,
    pay_rules: PayRules | None = None,
) -> list[PayoutLine]:
    """Payout lines of one person in one quarter, allocated to the cent per currency.

    ``metrics`` holds the quarter results in force by (metric_code, team_code, period start); ``adjusted``, by the
    same key, (adjustment, value) where pay uses another value than the measured one; ``pay_rules`` what the plan
    demands beside results (nothing by default). Lines come in the order of segment, then component; lines of 0.00 are
    kept.
    """
    start_on, end_on = period
    given = pay_rules or PayRules()

    def measured(metric_code: str, team_code: str, on: date) -> Fraction | None:
        found = metrics.get((metric_code, team_code, on))
        return None if found is None else found.metric_value

    def paid(metric_code: str, team_code: str, on: date) -> Fraction | None:
        moved = (adjusted or {}).get((metric_code, team_code, on))
        return moved[1] if moved else measured(metric_code, team_code, on)

    quarter_days = (end_on - start_on).days
    lines: list[PayoutLine] = []
    exact: list[Fraction] = []
    for segment in sorted(segments, key=lambda item: item.segment_start_on):
        team = teams[segment.team_code]
        phase_weights = lifecycle_weights(
            given.rules, given.services, plan.plan_code, plan.plan_version, team.team_code, team.tier, start_on
        )
        eligible = eligible_share(
            given.rules,
            given.records,
            employee,
            team.team_code,
            plan.plan_code,
            plan.plan_version,
            period,
            lambda metric_code, on, team_code=team.team_code: measured(metric_code, team_code, on),
        )
        days = paid_days(
            given.rules,
            given.records,
            employee.employee_number,
            segment.segment_start_on,
            segment.segment_end_on,
            given.as_of_on,
        )
        for component in plan.components.get(team.tier, ()):
            metric = metrics.get((component.metric_code, segment.team_code, start_on))
            value = None if metric is None else metric.metric_value
            moved = (adjusted or {}).get((component.metric_code, segment.team_code, start_on))
            adjustment_id, paid_value = moved or (None, value)
            before = Fraction(0)
            if component.is_cumulative:
                # every earlier quarter the version paid for, where its value reached the threshold
                earlier = quarter_start(plan.effective_from)
                earlier = earlier if earlier == plan.effective_from else add_months(earlier, 3)
                while earlier < start_on:
                    found = paid(component.metric_code, segment.team_code, earlier)
                    if found is not None and found >= (component.threshold_value or 0):
                        before += found
                    earlier = add_months(earlier, 3)
            share = component_share(component, paid_value, before)
            kept = gate_share(
                given.rules,
                plan.plan_code,
                plan.plan_version,
                team.tier,
                component.component_code,
                lambda metric_code, team_code=team.team_code: paid(metric_code, team_code, start_on),
            )
            weight = phase_weights.get(component.component_code, component.weight)
            exact.append(Fraction(segment.target_amount) * days / quarter_days * weight * share * kept * eligible)
            lines.append(
                PayoutLine(
                    plan_code=plan.plan_code,
                    plan_version=plan.plan_version,
                    employee_number=employee.employee_number,
                    earned_quarter=quarter_name(start_on),
                    period_start_on=start_on,
                    period_end_on=end_on,
                    segment_start_on=segment.segment_start_on,
                    segment_end_on=segment.segment_end_on,
                    segment_days=segment.segment_days,
                    quarter_days=quarter_days,
                    team_code=segment.team_code,
                    tier=team.tier,
                    country_code=employee.country_code,
                    cost_centre_code=team.cost_centre_code,
                    component_code=component.component_code,
                    metric_code=component.metric_code,
                    metric_version=None if metric is None else metric.metric_version,
                    metric_value=value,
                    paid_value=paid_value,
                    adjustment_id=adjustment_id,
                    band_method=component.band_method,
                    payout_share=share,
                    weight=weight,
                    target_amount=segment.target_amount,
                    payout_amount=Decimal("0.00"),
                    currency_code=segment.currency_code,
                    payment_period=month_name(add_months(start_on, 2 + plan.payment_lag_months)),
                    paid_days_value=days,
                    gate_share=kept,
                    eligible_share=eligible,
                    running_before_value=before,
                )
            )
    for currency_code in {line.currency_code for line in lines}:
        places = [n for n, line in enumerate(lines) if line.currency_code == currency_code]
        amounts = largest_remainder([exact[n] for n in places])
        for n, amount in zip(places, amounts, strict=True):
            lines[n] = replace(lines[n], payout_amount=amount)
    return lines


@dataclass(frozen=True)
class ReferenceResult:
    """Everything the reference calculates for a company."""

    ticket_results: list[TicketResult]
    availability: list[AvailabilityMonth]
    metrics: list[MetricResult]
    payouts: list[PayoutLine]


def calculate_reference(company: Company, seeds_path: Path = SEEDS_PATH) -> ReferenceResult:
    """The whole chain from ticket history to payout lines of every quarter that has ended by as_of."""
    reference = load_slt_reference(seeds_path)
    ticket_results = calculate_ticket_slts(company, reference)
    availability = calculate_availability(company, reference)
    metrics = calculate_metrics(
        company,
        ticket_results,
        availability,
        load_metric_definitions(seeds_path),
        load_metric_weights(seeds_path),
    )
    quarter_metrics = {
        (item.metric_code, item.entity_code, item.period_start_on): item
        for item in metrics
        if item.period_grain == "quarter"
    }
    registers = load_registers(seeds_path)
    verdicts = judge_adjustments(
        registers, interests_of(company, registers.adjustments), company.as_of_at.replace(tzinfo=None)
    )
    moved = paid_values(
        registers,
        verdicts,
        {
            (item.metric_code, item.entity_code, item.period_grain, item.period_start_on): item.metric_value
            for item in metrics
            if item.result_status == "ok"
        },
    )
    adjusted = {
        (metric_code, team_code, start): found
        for (metric_code, team_code, grain, start), found in moved.items()
        if grain == "quarter"
    }
    plans = load_plans(seeds_path)
    pay_rules = PayRules(
        rules=load_rules(seeds_path),
        records=records_of(company, seeds_path),
        services=company.services,
        as_of_on=company.as_of_at.date(),
    )
    teams = {team.team_code: team for team in company.teams}
    jobs: dict[str, list[JobInfo]] = defaultdict(list)
    for job in company.job_infos:
        jobs[job.employee_id].append(job)
    targets: dict[str, list[IncentiveTarget]] = defaultdict(list)
    for target in company.incentive_targets:
        targets[target.employee_id].append(target)
    payouts: list[PayoutLine] = []
    for start, end in periods("quarter", company.start_on, company.as_of_at):
        if not has_ended(end, company.as_of_at):
            continue
        for plan in plans:
            if not is_in_force(start, plan.effective_from, plan.effective_to):
                continue
            for employee in sorted(company.employees, key=lambda item: item.employee_number):
                segments = pay_segments(employee, jobs[employee.id], targets[employee.id], start, end)
                payouts.extend(
                    calculate_person_quarter(
                        employee, segments, plan, (start, end), quarter_metrics, teams, adjusted, pay_rules
                    )
                )
    return ReferenceResult(ticket_results, availability, metrics, payouts)
