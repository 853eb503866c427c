"""The demonstration company: built from a seed and an as-of instant, the same every time.

`build_company` needs no network and looks at no wall clock. Whatever depends on chance comes from generators
seeded by name, so that, for instance, more tickets do not change the people. Planted facts stand at fixed
instants whatever the seed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from ingestion.demo.back_office import back_office_facts
from ingestion.demo.legacy_logs import legacy_log_facts
from ingestion.demo.model import (
    Change,
    Company,
    Downtime,
    Employee,
    IncentiveTarget,
    JobInfo,
    Monitor,
    MonitorTransition,
    PlantedFact,
    Service,
    Slo,
    Team,
    Ticket,
    TicketEvent,
)
from ingestion.demo.monitor_samples import monitor_sample_facts
from ingestion.demo.monitoring import Monitoring
from ingestion.demo.observability import observability_facts
from ingestion.demo.people import People
from ingestion.demo.plants import plant
from ingestion.demo.tickets import TicketGenerator
from ingestion.demo.timeline import Clock, Targets, epoch, load_clocks, read_seed, utc

__all__ = [
    "DEFAULT_AS_OF",
    "DEFAULT_SEED",
    "DEFAULT_TICKET_COUNT",
    "START_ON",
    "Change",
    "Company",
    "Downtime",
    "Employee",
    "IncentiveTarget",
    "JobInfo",
    "Monitor",
    "MonitorTransition",
    "PlantedFact",
    "Service",
    "Slo",
    "Team",
    "Ticket",
    "TicketEvent",
    "build_company",
    "company_as_of",
    "naive_made_sla",
]

DEFAULT_SEED = 20240701
START_ON = date(2024, 7, 1)
DEFAULT_AS_OF = datetime(2026, 1, 5, tzinfo=UTC)
DEFAULT_TICKET_COUNT = 25_000
TICKETS_PER_CHANGE = 20
WRONG_FLAG_COUNT = 7


def _read_teams() -> list[Team]:
    return [
        Team(
            team_code=row["team_code"],
            team_name=row["team_name"],
            tier=int(row["tier"]),
            country_code=row["country_code"],
            currency_code=row["currency_code"],
            cost_centre_code=row["cost_centre_code"],
            assignment_group_name=row["assignment_group_name"],
            hris_department=row["hris_department"],
        )
        for row in read_seed("services/team.csv")
    ]


def _read_services() -> list[Service]:
    return [
        Service(
            service_code=row["service_code"],
            service_name=row["service_name"],
            criticality=int(row["criticality"]),
            owner_team_code=row["owner_team_code"],
            country_code=row["country_code"],
            calendar_code=row["calendar_code"],
            vendor_code=row["vendor_code"],
        )
        for row in read_seed("services/service.csv")
    ]


def build_company(
    seed: int = DEFAULT_SEED,
    as_of: datetime = DEFAULT_AS_OF,
    ticket_count: int = DEFAULT_TICKET_COUNT,
) -> Company:
    """The company over [2024-07-01, as_of) with `ticket_count` tickets, the planted ones among them.

    `as_of` is an aware instant after the start; `ticket_count` is at least the number of planted tickets that
    fall before `as_of`. Raises ValueError otherwise.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone: pass an aware UTC datetime such as 2026-01-05T00:00:00Z")
    as_of = as_of.astimezone(UTC).replace(microsecond=0)
    if as_of.date() <= START_ON:
        raise ValueError(f"as_of {as_of:%Y-%m-%d} is not after the company's start {START_ON}: choose a later one")
    teams, services = _read_teams(), _read_services()
    people = People(seed, teams, START_ON)
    # A fifth-priority ticket may work for weeks after the last one is opened.
    clocks = load_clocks(START_ON - timedelta(days=7), as_of.date() + timedelta(days=400))
    planter = plant(seed, people, as_of)
    planted_tickets = [ticket for ticket in planter.tickets if ticket.opened_at < as_of]
    if ticket_count < len(planted_tickets):
        raise ValueError(f"ticket_count {ticket_count} is too small: {len(planted_tickets)} tickets are planted alone")
    generator = TicketGenerator(seed, teams, services, people, clocks, START_ON, as_of)
    tickets = generator.generate(ticket_count - len(planted_tickets)) + planted_tickets
    tickets.sort(key=lambda ticket: (ticket.opened_at, ticket.number))
    monitoring = Monitoring(seed, services, START_ON, as_of)
    company = Company(
        seed=seed,
        start_on=START_ON,
        as_of_at=as_of,
        teams=teams,
        services=services,
        employees=people.employees,
        job_infos=people.job_infos,
        incentive_targets=people.incentive_targets,
        tickets=tickets,
        changes=generator.changes(max(20, ticket_count // TICKETS_PER_CHANGE)),
        monitors=monitoring.monitors,
        transitions=monitoring.transitions,
        downtimes=monitoring.downtimes,
        slos=monitoring.slos,
        planted=[
            *planter.facts,
            *people.planted,
            *monitoring.planted,
            *monitor_sample_facts(as_of),
            *back_office_facts(),
            *observability_facts(as_of),
            *legacy_log_facts(as_of),
        ],
    )
    _plant_wrong_flags(company, clocks)
    return company_as_of(company, as_of)


def company_as_of(company: Company, as_of_at: datetime) -> Company:
    """What the same company's systems held at an earlier instant.

    Events, people, state changes and facts that came later are gone; the input is left as it is. A test can
    serve an earlier day first and a later one afterwards and so see a warehouse grow. A change request is
    absent when it was last updated later: only its latest state is kept.
    """
    if as_of_at > company.as_of_at:
        raise ValueError(f"the company is known up to {company.as_of_at}: build it with a later as_of instead")
    today = as_of_at.date()
    tickets = [
        replace(ticket, events=[event for event in ticket.events if event.at < as_of_at])
        for ticket in company.tickets
        if ticket.opened_at < as_of_at
    ]
    employees = [
        replace(
            person,
            terminated_on=person.terminated_on if person.terminated_on and person.terminated_on <= today else None,
        )
        for person in company.employees
        if person.hired_on <= today
    ]
    return replace(
        company,
        as_of_at=as_of_at,
        tickets=tickets,
        employees=employees,
        job_infos=[row for row in company.job_infos if row.effective_on <= today],
        incentive_targets=[row for row in company.incentive_targets if row.effective_on <= today],
        changes=[row for row in company.changes if row.updated_at < as_of_at],
        monitors=[row for row in company.monitors if row.created_at < as_of_at],
        transitions=[row for row in company.transitions if row.at < as_of_at],
        downtimes=[
            replace(row, canceled_at=row.canceled_at if row.canceled_at and row.canceled_at < as_of_at else None)
            for row in company.downtimes
            if row.created_at < as_of_at
        ],
        slos=[row for row in company.slos if row.created_at < as_of_at],
        planted=[
            fact
            for fact in company.planted
            if "settled_at" not in fact.detail or utc(fact.detail["settled_at"]) <= as_of_at
        ],
    )


def naive_made_sla(ticket: Ticket, as_of_at: datetime, clocks: dict[str, Clock], targets: Targets) -> bool:
    """What ServiceNow's own flag says: resolution time within target, exclusions unknown to it.

    Runs from opening to the last resolution (or cancellation, or `as_of_at`), without the time on hold.
    """
    first, last = ticket.events[0], ticket.events[-1]
    target, _, calendar = targets.of("incident_resolution", first.service_code, last.priority)
    clock = clocks[calendar]
    ends = [epoch(event.at) for event in ticket.events[1:]] + [epoch(as_of_at)]
    # The last unbroken stretch of resolved and closed stops the clock; earlier ones were left again.
    position = len(ticket.events)
    while position and ticket.events[position - 1].ticket_state in ("resolved", "closed", "canceled"):
        position -= 1
    seconds = sum(
        clock.elapsed(epoch(event.at), end)
        for event, end in zip(ticket.events[:position], ends[:position], strict=True)
        if event.ticket_state != "on_hold"
    )
    return seconds <= target


def _plant_wrong_flags(company: Company, clocks: dict[str, Clock]) -> None:
    """Chooses a handful of closed tickets on which ServiceNow's flag is the opposite of its own rule."""
    targets = Targets({row.service_code: row.calendar_code for row in company.services})
    closed = [
        ticket
        for ticket in company.tickets
        if ticket.number < "INC0990001"
        and ticket.events[-1].ticket_state == "closed"
        and ticket.events[-1].service_code == ticket.events[0].service_code
    ]
    step = max(1, len(closed) // WRONG_FLAG_COUNT)
    chosen = closed[step // 2 :: step][:WRONG_FLAG_COUNT]
    if not chosen:
        return
    flags = {
        ticket.number: {
            "made_sla_by_rule": naive_made_sla(ticket, company.as_of_at, clocks, targets),
            "made_sla_served": not naive_made_sla(ticket, company.as_of_at, clocks, targets),
        }
        for ticket in chosen
    }
    settled_at = max(ticket.events[-1].at for ticket in chosen) + timedelta(seconds=1)
    company.planted.append(
        PlantedFact(
            "wrong_made_sla_flag",
            "Closed tickets whose made_sla flag in ServiceNow contradicts its own rule (raw resolution time "
            "against the target)",
            {"settled_at": settled_at.strftime("%Y-%m-%d %H:%M:%S"), "flags": flags},
        )
    )
