"""People of the demonstration company: who is employed when, in which team, with which incentive target.

60 agents (e1001, e1003..e1040, e1042..e1062), eight team leads (e1063..e1070), the head of operations (e1002)
and the incident manager (e1041). Only agents have incentive targets. Transfers stay within a currency, so a
person is paid in one currency throughout.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from ingestion.demo.model import Employee, IncentiveTarget, JobInfo, PlantedFact, Team

TEAM_SIZES = {
    "sd-emea": 9,
    "sd-amer": 9,
    "sd-apac": 9,
    "net-ops": 7,
    "app-support": 7,
    "platform": 7,
    "sre": 6,
    "db-eng": 6,
}
HEAD_OF_OPERATIONS = "e1002"
INCIDENT_MANAGER = "e1041"

# Full-quarter incentive at 100% by currency and tier, before a person's own factor.
BASE_TARGETS = {
    "EUR": {1: Decimal(900), 2: Decimal(1400), 3: Decimal(2100)},
    "USD": {1: Decimal(1000), 2: Decimal(1600), 3: Decimal(2400)},
    "INR": {1: Decimal(42000), 2: Decimal(68000), 3: Decimal(95000)},
}
FACTORS = [Decimal("0.90"), Decimal("1.00"), Decimal("1.00"), Decimal("1.075"), Decimal("1.185")]
YEARLY_RAISE = {"IE": Decimal("1.03"), "US": Decimal("1.035"), "IN": Decimal("1.06")}
PLAN_START = date(2024, 1, 1)
RAISE_DAYS = [date(2025, 1, 1), date(2026, 1, 1)]

# Agents whose story is fixed, by position in the roster (0 = e1001).
TRANSFER_INDEX, LEAVER_INDEX, HIRE_INDEX, RAISE_INDEX = 1, 10, 36, 43
TRANSFER_ON, TRANSFER_TO = date(2025, 5, 12), "net-ops"
LEAVES_ON = date(2025, 2, 15)
HIRED_ON = date(2025, 8, 18)
RAISE_ON, RAISE_FACTOR = date(2024, 11, 18), Decimal("1.15")

_NAME_POOLS = {
    "IE": (
        "Aoife Ciara Niamh Saoirse Orla Roisin Conor Sean Padraig Eoin Cian Declan Fionn Maeve Brendan",
        "Murphy Byrne Ryan Walsh Doyle Kennedy Lynch Nolan Quinn Brennan Healy Keane",
    ),
    "US": (
        "Emily Grace Hannah Olivia Ethan Mason Logan Carter Dylan Jasmine Tyler Brooke Marcus Renee Curtis",
        "Johnson Miller Davis Wilson Anderson Thomas Moore Jackson Harris Clark Lewis Young",
    ),
    "IN": (
        "Ananya Diya Isha Kavya Meera Priya Aarav Arjun Karthik Rohan Vikram Nikhil Sanjay Divya Lakshmi",
        "Sharma Patel Reddy Nair Iyer Gupta Rao Menon Desai Kulkarni Bose Joshi",
    ),
}
NAMES = {country: (first.split(), last.split()) for country, (first, last) in _NAME_POOLS.items()}
JOB_TITLES = {1: "Service Desk Analyst", 2: "Operations Engineer", 3: "Senior Reliability Engineer"}


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def full_name(rng: random.Random, country_code: str, taken: set[str]) -> str:
    """A name not used yet; adds it to `taken`."""
    first_names, last_names = NAMES[country_code]
    while True:
        name = f"{rng.choice(first_names)} {rng.choice(last_names)}"
        if name not in taken:
            taken.add(name)
            return name
        if len(taken) > 500:
            raise ValueError("the pool of names is exhausted: add names to ingestion/demo/people.py")


class People:
    """The generated people, and who works in which team on a day."""

    def __init__(self, seed: int, teams: list[Team], start_on: date) -> None:
        self.employees: list[Employee] = []
        self.job_infos: list[JobInfo] = []
        self.incentive_targets: list[IncentiveTarget] = []
        self.planted: list[PlantedFact] = []
        self._teams = {team.team_code: team for team in teams}
        self._start_on = start_on
        self._rng = random.Random(f"{seed}:people")
        self._names: set[str] = set()
        self._roster: dict[str, tuple[list[date], list[list[str]]]] = {}
        self._build()
        self._index_rosters()

    # -- generation

    def _add_employee(
        self, number: str, country_code: str, hired_on: date, terminated_on: date | None, is_agent: bool
    ) -> Employee:
        name = full_name(self._rng, country_code, self._names)
        employee = Employee(
            id=str(100 + int(number[1:]) - 1000),
            employee_number=number,
            display_name=name,
            email=f"{name.lower().replace(' ', '.')}@example.com",
            country_code=country_code,
            hired_on=hired_on,
            terminated_on=terminated_on,
            is_agent=is_agent,
        )
        self.employees.append(employee)
        return employee

    def _add_job(self, employee: Employee, effective_on: date, team_code: str, job_title: str) -> None:
        number = len(self.job_infos) + 1
        self.job_infos.append(JobInfo(str(5000 + number), employee.id, effective_on, team_code, job_title))

    def _add_target(self, employee: Employee, effective_on: date, amount: Decimal, currency: str) -> None:
        number = len(self.incentive_targets) + 1
        self.incentive_targets.append(
            IncentiveTarget(str(7000 + number), employee.id, effective_on, _cents(amount), currency)
        )

    def _early_hire_date(self) -> date:
        return date(2018, 1, 8) + timedelta(days=self._rng.randrange(2300))

    def _day_between(self, first: date, last: date) -> date:
        return first + timedelta(days=self._rng.randrange((last - first).days + 1))

    def _build(self) -> None:
        rng = self._rng
        team_of = [code for code, size in TEAM_SIZES.items() for _ in range(size)]
        numbers = [f"e{n}" for n in range(1001, 1063) if f"e{n}" not in (HEAD_OF_OPERATIONS, INCIDENT_MANAGER)]
        fixed = {TRANSFER_INDEX, LEAVER_INDEX, HIRE_INDEX, RAISE_INDEX}
        free = [index for index in range(len(numbers)) if index not in fixed]
        rng.shuffle(free)
        # At most two of a team leave or come late, so that no team is ever empty.
        leavers: dict[int, date] = {LEAVER_INDEX: LEAVES_ON}
        hires: dict[int, date] = {HIRE_INDEX: HIRED_ON}
        transfers: dict[int, tuple[date, str]] = {TRANSFER_INDEX: (TRANSFER_ON, TRANSFER_TO)}
        touched: dict[str, int] = defaultdict(int)
        for index in free:
            code = team_of[index]
            if touched[code] >= 3:
                continue
            if len(hires) < 11:
                hires[index] = self._day_between(date(2024, 8, 5), date(2025, 11, 24))
            elif len(leavers) < 7:
                leavers[index] = self._day_between(date(2024, 9, 2), date(2025, 11, 28))
            elif len(transfers) < 7:
                currency = self._teams[code].currency_code
                others = [t for t in TEAM_SIZES if t != code and self._teams[t].currency_code == currency]
                transfers[index] = (
                    self._day_between(date(2024, 9, 2), date(2025, 11, 24)),
                    rng.choice(others),
                )
            else:
                break
            touched[code] += 1

        for index, number in enumerate(numbers):
            team = self._teams[team_of[index]]
            hired_on = hires.get(index) or self._early_hire_date()
            employee = self._add_employee(number, team.country_code, hired_on, leavers.get(index), True)
            self._add_job(employee, hired_on, team.team_code, JOB_TITLES[team.tier])
            if index in transfers:
                moved_on, new_code = transfers[index]
                self._add_job(employee, moved_on, new_code, JOB_TITLES[self._teams[new_code].tier])
            self._add_incentives(employee, team, transfers.get(index), index == RAISE_INDEX)

        ireland = "IE"
        head = self._add_employee(HEAD_OF_OPERATIONS, ireland, date(2017, 3, 6), None, False)
        self._add_job(head, head.hired_on, "sre", "Head of Operations")
        manager = self._add_employee(INCIDENT_MANAGER, ireland, date(2019, 9, 2), None, False)
        self._add_job(manager, manager.hired_on, "net-ops", "Incident Manager")
        for offset, code in enumerate(TEAM_SIZES):
            lead = self._add_employee(
                f"e{1063 + offset}", self._teams[code].country_code, self._early_hire_date(), None, False
            )
            self._add_job(lead, lead.hired_on, code, "Team Lead")
        self.employees.sort(key=lambda person: person.employee_number)
        self._plant(numbers)

    def _add_incentives(
        self, employee: Employee, team: Team, transfer: tuple[date, str] | None, has_raise: bool
    ) -> None:
        factor = self._rng.choice(FACTORS)
        currency = team.currency_code
        first_on = max(employee.hired_on, PLAN_START)
        changes = {first_on, *(day for day in RAISE_DAYS if day > first_on)}
        if transfer:
            changes.add(transfer[0])
        if has_raise:
            changes.add(RAISE_ON)
        for day in sorted(changes):
            if employee.terminated_on and day >= employee.terminated_on:
                continue
            tier = self._teams[transfer[1]].tier if transfer and day >= transfer[0] else team.tier
            amount = BASE_TARGETS[currency][tier] * factor
            for raise_on in RAISE_DAYS:
                if day >= raise_on:
                    amount = _cents(amount * YEARLY_RAISE[employee.country_code])
            if has_raise and day >= RAISE_ON:
                amount *= RAISE_FACTOR
            self._add_target(employee, day, amount, currency)

    def _plant(self, numbers: list[str]) -> None:
        by_number = {person.employee_number: person for person in self.employees}
        leaver, transfer, hire = (by_number[numbers[i]] for i in (LEAVER_INDEX, TRANSFER_INDEX, HIRE_INDEX))
        raised = by_number[numbers[RAISE_INDEX]]

        def targets_of(person: Employee) -> list[list[str]]:
            return [
                [row.effective_on.isoformat(), str(row.quarterly_amount), row.currency_code]
                for row in self.incentive_targets
                if row.employee_id == person.id
            ]

        self.planted += [
            PlantedFact(
                "leaver_mid_period",
                "An agent whose first day not employed is 2025-02-15: one segment of 45 of 90 days in "
                "2025-Q1 (31 in January, 14 in February), nothing from 2025-Q2 on",
                {
                    "settled_at": "2025-04-01 00:00:00",
                    "employee_number": leaver.employee_number,
                    "terminated_on": LEAVES_ON.isoformat(),
                    "earned_quarter": "2025-Q1",
                    "quarter_days": 90,
                    "segments": [["2025-01-01", "2025-02-14", 45, "sd-amer"]],
                    "incentive_targets": targets_of(leaver),
                },
            ),
            PlantedFact(
                "transfer_mid_period",
                "An agent who moves from the EMEA service desk (tier 1) to network operations (tier 2) on "
                "2025-05-12: 41 days (30 in April, 11 in May) and 50 days (20 and 30) of 2025-Q2",
                {
                    "settled_at": "2025-07-01 00:00:00",
                    "employee_number": transfer.employee_number,
                    "earned_quarter": "2025-Q2",
                    "quarter_days": 91,
                    "segments": [
                        ["2025-04-01", "2025-05-11", 41, "sd-emea"],
                        ["2025-05-12", "2025-06-30", 50, "net-ops"],
                    ],
                    "incentive_targets": targets_of(transfer),
                },
            ),
            PlantedFact(
                "hire_mid_period",
                "An agent hired on 2025-08-18: one segment of 44 of 92 days in 2025-Q3 (14 in August, 30 in "
                "September), nothing before",
                {
                    "settled_at": "2025-10-01 00:00:00",
                    "employee_number": hire.employee_number,
                    "hired_on": HIRED_ON.isoformat(),
                    "earned_quarter": "2025-Q3",
                    "quarter_days": 92,
                    "segments": [["2025-08-18", "2025-09-30", 44, "app-support"]],
                    "incentive_targets": targets_of(hire),
                },
            ),
            PlantedFact(
                "raise_mid_period",
                "An agent whose incentive target rises by 15% on 2024-11-18: 48 days (31 in October, 17 in "
                "November) at the old and 44 (13 and 31) at the new amount in 2024-Q4",
                {
                    "settled_at": "2025-01-01 00:00:00",
                    "employee_number": raised.employee_number,
                    "earned_quarter": "2024-Q4",
                    "quarter_days": 92,
                    "segments": [
                        ["2024-10-01", "2024-11-17", 48, "platform"],
                        ["2024-11-18", "2024-12-31", 44, "platform"],
                    ],
                    "incentive_targets": targets_of(raised),
                },
            ),
        ]

    # -- who works where

    def _index_rosters(self) -> None:
        jobs: dict[str, list[JobInfo]] = defaultdict(list)
        for job in self.job_infos:
            jobs[job.employee_id].append(job)
        stays: dict[str, list[tuple[date, date, str]]] = defaultdict(list)
        for person in self.employees:
            if not person.is_agent:
                continue
            rows = sorted(jobs[person.id], key=lambda row: row.effective_on)
            ends = [row.effective_on for row in rows[1:]] + [person.terminated_on or date.max]
            for row, end in zip(rows, ends, strict=True):
                stays[row.team_code].append((row.effective_on, end, person.employee_number))
        for code, rows in stays.items():
            days = sorted({date.min} | {row[0] for row in rows} | {row[1] for row in rows if row[1] < date.max})
            lists = [[number for start, end, number in rows if start <= day < end] for day in days]
            self._roster[code] = (days, lists)

    def agents_on(self, team_code: str, day: date) -> list[str]:
        """Employee numbers of the agents of a team on a day."""
        days, lists = self._roster[team_code]
        return lists[bisect_right(days, day) - 1]
