"""A small company made by hand whose every result is known: the clock cases and one quarter of pay.

It has the shape of the demonstration company, so it can be served and run through the whole warehouse as
well as through the reference calculation. The clock cases belong to team sre, which nobody is paid in;
sd-emea and net-ops have exactly the tickets of ``pay_cases.METRIC_CASES``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ingestion.demo.model import (
    Company,
    Downtime,
    Employee,
    IncentiveTarget,
    JobInfo,
    Monitor,
    MonitorTransition,
    Service,
    Slo,
    Team,
    Ticket,
    TicketEvent,
)
from ingestion.demo.reference_clock import read_seed
from tests.golden.clock_cases import AS_OF, CLOCK_CASES, ClockCase

# (employee number, hired, first day not employed, [(from, team, target)])
PEOPLE = (
    ("e2001", "2020-01-01", None, [("2020-01-01", "sd-emea", "1000.00")]),
    ("e2002", "2020-01-01", "2025-05-16", [("2020-01-01", "sd-emea", "1000.00")]),
    (
        "e2003",
        "2020-01-01",
        None,
        [("2020-01-01", "sd-emea", "1200.00"), ("2025-05-01", "net-ops", "1200.00")],
    ),
    ("e2004", "2025-06-01", None, [("2025-06-01", "net-ops", "900.00")]),
    ("e2005", "2020-01-01", None, [("2020-01-01", "app-support", "1500.00")]),
    ("e2006", "2019-01-01", None, [("2019-01-01", "sd-emea", None)]),
)
CURRENCY_OF_TEAM = {"sd-emea": "EUR", "net-ops": "EUR", "app-support": "USD"}
COUNTRY_OF_TEAM = {"sd-emea": "IE", "net-ops": "IE", "app-support": "US"}


def utc(text: str) -> datetime:
    """'2025-06-09 12:00:00' as an aware UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_events(events: Iterable[tuple[str, str, int]], service_code: str, team_code: str) -> list[TicketEvent]:
    """Ticket events of (instant text, state, priority)."""
    return [
        TicketEvent(
            at=utc(at),
            ticket_state=state,
            priority=priority,
            team_code=team_code,
            assigned_to=None,
            service_code=service_code,
        )
        for at, state, priority in events
    ]


def make_ticket(number: int, events: list[TicketEvent], text: str) -> Ticket:
    """A ticket of these events."""
    return Ticket(
        sys_id=f"{number:032x}",
        number=f"INC{number:07d}",
        opened_at=events[0].at,
        contact_type="phone",
        category="inquiry",
        short_description=text,
        caller="u2001",
        events=events,
    )


def case_number(case: ClockCase) -> str:
    """The ticket number a clock case has in the golden company."""
    return f"INC{1 + CLOCK_CASES.index(case):07d}"


def _paid_tickets() -> list[Ticket]:
    """20 tickets each of sd-emea and net-ops, on the service identity, which is always open."""
    opened = utc("2025-04-15 00:00:00")
    hour = 3600
    kinds = [("sd-emea", 3, hour)] * 16 + [("sd-emea", 1, hour)] + [("sd-emea", 4, 40 * hour)] * 3
    # One of the 19 kept is a second over its 16 hours, which the tolerance forgives.
    kinds += [("net-ops", 3, hour)] * 18 + [("net-ops", 3, 16 * hour + 1), ("net-ops", 3, 20 * hour)]
    tickets = []
    for number, (team_code, priority, seconds) in enumerate(kinds, start=1001):
        stopped = opened + timedelta(seconds=seconds)
        events = [
            ("2025-04-15 00:00:00", "new", priority),
            ("2025-04-15 00:05:00", "in_progress", priority),
            (stopped.strftime("%Y-%m-%d %H:%M:%S"), "resolved", priority),
        ]
        tickets.append(make_ticket(number, make_events(events, "identity", team_code), "paid ticket"))
    return tickets


def golden_company(as_of: str = AS_OF) -> Company:
    """The golden company; a later ``as_of`` only moves what is still open, and what is due."""
    employees, job_infos, targets = [], [], []
    for place, (employee_number, hired, terminated, stints) in enumerate(PEOPLE, start=1):
        employee_id = str(place)
        employees.append(
            Employee(
                id=employee_id,
                employee_number=employee_number,
                display_name=f"Person {place}",
                email=f"{employee_number}@example.com",
                country_code=COUNTRY_OF_TEAM[stints[0][1]],
                hired_on=date.fromisoformat(hired),
                terminated_on=date.fromisoformat(terminated) if terminated else None,
                is_agent=stints[0][2] is not None,
            )
        )
        for from_on, team_code, amount in stints:
            effective_on = date.fromisoformat(from_on)
            row_id = str(len(job_infos) + 1)
            job_infos.append(JobInfo(row_id, employee_id, effective_on, team_code, "Analyst"))
            if amount is not None:
                targets.append(
                    IncentiveTarget(row_id, employee_id, effective_on, Decimal(amount), CURRENCY_OF_TEAM[team_code])
                )
    monitor = Monitor(
        id=1,
        name="network-core reachable",
        service_code="network-core",
        created_at=utc("2025-01-01 00:00:00"),
    )
    return Company(
        seed=1,
        start_on=date(2024, 7, 1),
        as_of_at=utc(as_of),
        teams=[
            Team(**{**row, "tier": int(row["tier"])})
            for row in read_seed("services/team.csv")  # type: ignore[arg-type]
        ],
        services=[
            Service(  # type: ignore[arg-type]
                **{name: value for name, value in row.items() if name != "owner"}
                | {"criticality": int(row["criticality"])}
            )
            for row in read_seed("services/service.csv")
        ],
        employees=employees,
        job_infos=job_infos,
        incentive_targets=targets,
        tickets=[
            make_ticket(number, make_events(case.events, case.service_code, "sre"), case.name)
            for number, case in enumerate(CLOCK_CASES, start=1)
        ]
        + _paid_tickets(),
        changes=[],
        monitors=[monitor],
        transitions=[
            MonitorTransition("t1", 1, utc("2025-01-01 00:00:00"), "No Data", "OK"),
            MonitorTransition("t2", 1, utc("2025-04-10 00:00:00"), "OK", "Alert"),
            MonitorTransition("t3", 1, utc("2025-04-10 04:00:00"), "Alert", "OK"),
        ],
        downtimes=[
            Downtime(
                id="d1",
                service_code="network-core",
                start_at=utc("2025-04-10 03:00:00"),
                end_at=utc("2025-04-10 05:00:00"),
                message="switch replacement",
                created_at=utc("2025-04-09 00:00:00"),
            ),
            Downtime(
                id="d2",
                service_code="network-core",
                start_at=utc("2025-04-10 00:00:00"),
                end_at=utc("2025-04-10 04:00:00"),
                message="never took place",
                created_at=utc("2025-04-08 00:00:00"),
                canceled_at=utc("2025-04-09 12:00:00"),
            ),
        ],
        slos=[
            Slo(
                id="s1",
                name="network-core",
                service_code="network-core",
                monitor_ids=(1,),
                target=Decimal("99.9"),
                warning=Decimal("99.95"),
                created_at=utc("2025-01-01 00:00:00"),
            )
        ],
    )
