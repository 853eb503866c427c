"""The shapes of the demonstration company.

Plain dataclasses and nothing else: the generator (`ingestion.demo.company`) fills them, the HTTP server
(`ingestion.demo.server`) shows them as the source systems would, and the pay desk (`ingestion.demo.pay_desk`)
calculates on them. No field here is read by the pipeline itself, which only sees what the server answers.

Conventions: instants are timezone-aware UTC datetimes of whole seconds, dates are plain HR dates, money is
`Decimal` with its currency beside it. Nothing in a `Company` happens at or after its `as_of_at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Team:
    """One row of seeds/services/team.csv (grain: team)."""

    team_code: str
    team_name: str
    tier: int
    country_code: str
    currency_code: str
    cost_centre_code: str
    assignment_group_name: str
    hris_department: str


@dataclass(frozen=True, slots=True)
class Service:
    """One row of seeds/services/service.csv (grain: service). `vendor_code` is '' for own services."""

    service_code: str
    service_name: str
    criticality: int
    owner_team_code: str
    country_code: str
    calendar_code: str
    vendor_code: str


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """The whole state of a ticket from `at` until the next event (grain: ticket x change).

    `ticket_state` is one of new, in_progress, on_hold, resolved, closed, canceled. `service_code`, `contract_code`
    and `configuration_item_code` are '' for a ticket without one. `assigned_to` is an employee number or None. Two
    events may share an instant: their order in the list is their sequence, and the later one holds.
    """

    at: datetime
    ticket_state: str
    priority: int
    team_code: str
    assigned_to: str | None
    service_code: str
    contract_code: str = ""
    configuration_item_code: str = ""


@dataclass(slots=True)
class Ticket:
    """An incident with its history; `events` is ordered and `events[0].at == opened_at`."""

    sys_id: str
    number: str
    opened_at: datetime
    contact_type: str
    category: str
    short_description: str
    caller: str
    events: list[TicketEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """A change request. `type`: standard | normal | emergency; `state` and `risk` as ServiceNow codes."""

    sys_id: str
    number: str
    type: str
    state: str
    risk: str
    opened_at: datetime
    start_at: datetime
    end_at: datetime
    updated_at: datetime
    service_code: str
    team_code: str
    close_code: str


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor of one service. `id` is an integer, as Datadog's."""

    id: int
    name: str
    service_code: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MonitorTransition:
    """A change of a monitor's state at `at`. States: OK, Warn, Alert, No Data."""

    id: str
    monitor_id: int
    at: datetime
    source_state: str
    destination_state: str


@dataclass(frozen=True, slots=True)
class Downtime:
    """A maintenance window [start_at, end_at) on a service; in effect until `canceled_at` where that is set."""

    id: str
    service_code: str
    start_at: datetime
    end_at: datetime
    message: str
    created_at: datetime
    canceled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slo:
    """A monitor-based service level objective; `target` and `warning` are percentages of 30 days."""

    id: str
    name: str
    service_code: str
    monitor_ids: tuple[int, ...]
    target: Decimal
    warning: Decimal
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Employee:
    """A person. `terminated_on` is the first day NOT employed, None while employed.

    Agents have incentive targets; team leads, the head of operations and the incident manager have none.
    """

    id: str
    employee_number: str
    display_name: str
    email: str
    country_code: str
    hired_on: date
    terminated_on: date | None
    is_agent: bool


@dataclass(frozen=True, slots=True)
class JobInfo:
    """An effective-dated job row: from `effective_on` (inclusive) until the next one of the same employee.

    `employee_id` refers to `Employee.id`. Every employee has a team from the day of hire on.
    """

    id: str
    employee_id: str
    effective_on: date
    team_code: str
    job_title: str


@dataclass(frozen=True, slots=True)
class IncentiveTarget:
    """An effective-dated incentive target: `quarterly_amount` for a full quarter at 100%."""

    id: str
    employee_id: str
    effective_on: date
    quarterly_amount: Decimal
    currency_code: str


@dataclass(frozen=True, slots=True)
class PlantedFact:
    """Something put into the company on purpose, with what a correct warehouse must say about it.

    `detail` holds plain JSON values only; amounts and ratios are text so that nothing is lost.
    """

    code: str
    description: str
    detail: dict[str, Any]


@dataclass(slots=True)
class Company:
    """The whole demonstration company over [start_on, as_of_at)."""

    seed: int
    start_on: date
    as_of_at: datetime
    teams: list[Team]
    services: list[Service]
    employees: list[Employee]
    job_infos: list[JobInfo]
    incentive_targets: list[IncentiveTarget]
    tickets: list[Ticket]
    changes: list[Change]
    monitors: list[Monitor]
    transitions: list[MonitorTransition]
    downtimes: list[Downtime]
    slos: list[Slo]
    planted: list[PlantedFact] = field(default_factory=list)
