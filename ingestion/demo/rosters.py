"""What the HRIS keeps of the company's people beside their jobs, and the accounts some of them share.

Terms of employment, teams and managers, leave, acknowledgements, shifts and on-call duty, and the unit acquired in
2024 that still keeps its people in Workday. All of it is derived from the finished company with chance of its own, so
nothing here can move a ticket or a monitor; acknowledgements and unpaid leave decide who is
paid. What a day decides depends on that day alone: the same company
seen at an earlier instant holds the same rows, fewer of them.

Shared accounts put existing tickets on hold and are never assigned one. Their rosters have the faults rosters
have: nobody on the kiosk at night, a handover in which two people are on at once, a shift nobody took.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.demo.model import Company, Employee, JobInfo, Ticket
from ingestion.demo.tickets import sys_id_of
from ingestion.demo.timeline import COUNTRY_ZONES, read_seed

# User name -> (name shown, team whose shift sits at it).
SHARED_ACCOUNTS = {
    "noc.shared": ("NOC Console (shared)", "net-ops"),
    "servicedesk.kiosk": ("Service Desk Kiosk (shared)", "sd-emea"),
}
# Shift code -> (team, zone's country, first and last wall clock, works at weekends).
SHIFTS = {
    "NOC-DAY": ("net-ops", "IE", "06:00", "18:00", True),
    "NOC-NIGHT": ("net-ops", "IE", "18:00", "06:00", True),
    "KIOSK-EARLY": ("sd-emea", "IE", "07:00", "15:00", False),
    "KIOSK-LATE": ("sd-emea", "IE", "15:00", "23:00", False),
    "DESK-AMER": ("sd-amer", "US", "08:00", "16:00", False),
    "DESK-APAC": ("sd-apac", "IN", "09:00", "17:00", False),
}
ON_CALL_TEAMS = ("net-ops", "app-support", "platform", "sre", "db-eng")
# A night nobody took, and Fridays on which the early shift of the kiosk stays for a handover.
UNTAKEN_SHIFT = ("NOC-NIGHT", date(2025, 3, 12))
HANDOVER_WEEKDAY, HANDOVER = 5, timedelta(minutes=45)
WRITTEN_EVERY = 6
JURISDICTIONS = {"IE": "IE", "US": "US-NY", "IN": "IN-KA"}
UNIONS = {"IE": "IE-ICTU-OPS", "US": "", "IN": "IN-KITU"}
UNION_SHARE = {"IE": 0.55, "US": 0.0, "IN": 0.2}
LEAVE_TYPES = (("4", "Vacation"), ("5", "Sick"), ("9", "Parental"))
ACQUIRED_ON = date(2024, 7, 1)
# (name, title, country, story) of the acquired unit; three of them are on the books of both systems.
ACQUIRED = (
    ("Freya Lindqvist", "Site Reliability Engineer", "IE", ""),
    ("Tomas Horvat", "Site Reliability Engineer", "IE", "transfer"),
    ("Nadia Costa", "Database Engineer", "IE", "leaver"),
    ("Oskar Brandt", "Database Engineer", "IE", "rehire"),
    ("Leila Haddad", "Network Engineer", "US", ""),
    ("Piotr Zielinski", "Network Engineer", "US", "retroactive"),
    ("Carmen Ortega", "Service Analyst", "US", ""),
    ("Mateus Silva", "Service Analyst", "IE", "union"),
    ("Ingrid Solberg", "Unit Manager", "IE", "manager"),
)
BOTH_SYSTEMS_COUNT = 3


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)


def _offset_text(moment: datetime) -> str:
    """An instant as the custom tables hold it: local wall clock with its offset."""
    return moment.isoformat(timespec="seconds")


class Rosters:
    """The lists as BambooHR, Workday and ServiceNow show them; rows are plain dicts and tuples."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._today = company.as_of_at.date()
        self._jobs: dict[str, list[JobInfo]] = defaultdict(list)
        for job in sorted(company.job_infos, key=lambda row: row.effective_on):
            self._jobs[job.employee_id].append(job)
        self._by_team = {team.team_code: team for team in company.teams}
        self._days, self._on_team = self._stays()

    @cached_property
    def leave(self) -> list[dict[str, Any]]:
        """Time-off requests, as /time_off/requests answers."""
        return list(self._leave())

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Custom tables by name; the id of a row does not depend on what other people's rows say."""
        kinds = {
            "customEmploymentTerms": (3, self._terms()),
            "customTeamAssignment": (4, self._team_assignments()),
            "customPlanAcknowledgement": (5, self._acknowledgements()),
            "customShift": (6, self._shifts()),
            "customOnCall": (8, self._on_call()),
        }
        counts: dict[tuple[str, str], int] = defaultdict(int)
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, (prefix, rows) in kinds.items():
            tables[name] = []
            for row in rows:
                counts[name, row["employeeId"]] += 1
                number = f"{prefix}{row['employeeId']}{counts[name, row['employeeId']]:04d}"
                tables[name].append({"id": number, **row})
        return tables

    @cached_property
    def _away(self) -> set[tuple[str, date]]:
        """Employee and day of every approved leave."""
        return {
            (row["employeeId"], date.fromisoformat(row["start"]) + timedelta(days=n))
            for row in self.leave
            if row["status"]["status"] == "approved"
            for n in range((date.fromisoformat(row["end"]) - date.fromisoformat(row["start"])).days + 1)
        }

    # -- who is where

    def _stays(self) -> tuple[dict[str, list[date]], dict[str, list[list[Employee]]]]:
        """By team: the days its agents change, and who they are from each on."""
        stays: dict[str, list[tuple[date, date, Employee]]] = defaultdict(list)
        for person in (row for row in self._company.employees if row.is_agent):
            rows = self._jobs[person.id]
            ends = [row.effective_on for row in rows[1:]] + [person.terminated_on or date.max]
            for row, end in zip(rows, ends, strict=True):
                stays[row.team_code].append((row.effective_on, end, person))
        days = {
            code: sorted({date.min} | {row[0] for row in rows} | {row[1] for row in rows if row[1] < date.max})
            for code, rows in stays.items()
        }
        people = {
            code: [[person for start, end, person in stays[code] if start <= day < end] for day in changes]
            for code, changes in days.items()
        }
        return days, people

    def _agents_on(self, team_code: str, day: date) -> list[Employee]:
        if team_code not in self._on_team:
            return []
        return self._on_team[team_code][bisect_right(self._days[team_code], day) - 1]

    def _team_of(self, person: Employee, day: date) -> str:
        rows = [row for row in self._jobs[person.id] if row.effective_on <= day] or self._jobs[person.id][:1]
        return rows[-1].team_code

    def _entered(self, day: date, number: int) -> date:
        """When a row dated `day` was entered: a week before, and now and then some weeks after."""
        late = day + timedelta(days=40)
        return late if number % 9 == 4 and late <= self._today else day - timedelta(days=7)

    # -- effective-dated tables

    def _terms(self) -> Iterator[dict[str, Any]]:
        number = 0
        for person in self._company.employees:
            rng = random.Random(f"{self._company.seed}:terms:{person.employee_number}")
            country = person.country_code
            union = UNIONS[country] if person.is_agent and rng.random() < UNION_SHARE[country] else ""
            joins_on = date(2025, 1, 1) + timedelta(days=rng.randrange(300)) if union and rng.random() < 0.3 else None
            changes = {row.effective_on: row.team_code for row in self._jobs[person.id]}
            if joins_on and joins_on > person.hired_on and not (
                person.terminated_on and joins_on >= person.terminated_on
            ):  # fmt: skip
                changes.setdefault(joins_on, self._team_of(person, joins_on))
            for day, team_code in sorted(changes.items()):
                if day > self._today:
                    continue
                tier = self._by_team[team_code].tier
                number += 1
                yield {
                    "employeeId": person.id,
                    "date": day.isoformat(),
                    "dateEntered": self._entered(day, number).isoformat(),
                    "jurisdiction": JURISDICTIONS[country],
                    "unionCode": union if not joins_on or day >= joins_on else "",
                    "exemptStatus": "not_applicable"
                    if country != "US"
                    else "non_exempt"
                    if person.is_agent and tier == 1
                    else "exempt",
                    "tier": str(tier),
                }

    def _team_assignments(self) -> Iterator[dict[str, Any]]:
        leads, head = {}, None
        for person in self._company.employees:
            for row in self._jobs[person.id]:
                if row.job_title == "Team Lead":
                    leads[row.team_code] = person.employee_number
                elif row.job_title == "Head of Operations":
                    head = person.employee_number
        number = 0
        for person in self._company.employees:
            for row in self._jobs[person.id]:
                lead = leads.get(row.team_code)
                manager = head if lead in (None, person.employee_number) else lead
                number += 1
                yield {
                    "employeeId": person.id,
                    "date": row.effective_on.isoformat(),
                    "dateEntered": self._entered(row.effective_on, number).isoformat(),
                    "team": self._by_team[row.team_code].hris_department,
                    "managerEmployeeNumber": None if person.employee_number == head else manager,
                }

    def _acknowledgements(self) -> Iterator[dict[str, Any]]:
        for plan in read_seed("plans/incentive_plan.csv"):
            sent_on = date.fromisoformat(plan["effective_from"]) - timedelta(days=30)
            for person in self._company.employees:
                if not person.is_agent or (person.terminated_on and person.terminated_on <= sent_on):
                    continue
                rng = random.Random(f"{self._company.seed}:acknowledged:{plan['plan_code']}:{person.employee_number}")
                received_on = max(sent_on, person.hired_on)
                read_at = datetime.combine(
                    received_on + timedelta(days=rng.randrange(1, 20)), time(9, rng.randrange(60)), UTC
                )
                has_read = rng.random() < 0.96 and read_at < self._company.as_of_at
                if received_on <= self._today:
                    yield {
                        "employeeId": person.id,
                        "date": received_on.isoformat(),
                        "planCode": plan["plan_code"],
                        "planVersion": plan["plan_version"],
                        "communication": "plan_document",
                        "acknowledgedAt": _offset_text(read_at) if has_read else None,
                    }

    # -- leave, shifts, on-call

    def _leave(self) -> Iterator[dict[str, Any]]:
        for person in self._company.employees:
            rng = random.Random(f"{self._company.seed}:leave:{person.employee_number}")
            day, number = max(self._company.start_on, person.hired_on), 0
            while True:
                day += timedelta(days=rng.randrange(40, 130))
                length = rng.choice((1, 2, 3, 5, 5, 10))
                created_on = day - timedelta(days=rng.randrange(0, 35))
                kind = rng.choices(LEAVE_TYPES, weights=(80, 18, 2))[0]
                status = rng.choices(("approved", "denied", "canceled"), weights=(90, 4, 6))[0]
                if created_on >= self._today or (person.terminated_on and day >= person.terminated_on):
                    break
                number += 1
                last_on = day + timedelta(days=length - 1)
                yield {
                    "id": f"2{person.id}{number:03d}",
                    "employeeId": person.id,
                    "name": person.display_name,
                    "status": {"lastChanged": created_on.isoformat(), "status": status},
                    "start": day.isoformat(),
                    "end": last_on.isoformat(),
                    "created": created_on.isoformat(),
                    "type": {"id": kind[0], "name": kind[1]},
                    "amount": {"unit": "days", "amount": str(length)},
                }
                day = last_on

    def _shifts(self) -> Iterator[dict[str, Any]]:
        for ordinal in range(self._company.start_on.toordinal(), self._today.toordinal()):
            day = date.fromordinal(ordinal)
            for position, (code, (team, country, first, last, at_weekends)) in enumerate(SHIFTS.items()):
                present = [p for p in self._agents_on(team, day) if (p.id, day) not in self._away]
                is_worked = at_weekends or day.isoweekday() <= 5
                if not is_worked or not present or (code, day) == UNTAKEN_SHIFT:
                    continue
                zone = ZoneInfo(COUNTRY_ZONES[country])
                starts_at = _at(day, first, zone)
                ends_at = _at(day if first < last else day + timedelta(days=1), last, zone)
                if code == "KIOSK-EARLY" and day.isoweekday() == HANDOVER_WEEKDAY:
                    ends_at += HANDOVER
                yield {
                    "employeeId": present[(ordinal + position * 3) % len(present)].id,
                    "shiftCode": code,
                    "startsAt": _offset_text(starts_at),
                    "endsAt": _offset_text(ends_at),
                    "timeZone": zone.key,
                }

    def _on_call(self) -> Iterator[dict[str, Any]]:
        first = self._company.start_on + timedelta(days=-self._company.start_on.weekday() % 7)
        for ordinal in range(first.toordinal(), self._today.toordinal(), 7):
            day = date.fromordinal(ordinal)
            for team in ON_CALL_TEAMS:
                agents = self._agents_on(team, day)
                zone = ZoneInfo(COUNTRY_ZONES[self._by_team[team].country_code])
                if agents:
                    yield {
                        "employeeId": agents[ordinal // 7 % len(agents)].id,
                        "rotationCode": f"{team.upper()}-PRIMARY",
                        "level": "1",
                        "startsAt": _offset_text(_at(day, "09:00", zone)),
                        "endsAt": _offset_text(_at(day + timedelta(days=7), "09:00", zone)),
                        "timeZone": zone.key,
                    }

    # -- Workday

    def workday_entries(self) -> list[dict[str, Any]]:
        """Entries of the worker report: empty fields left out, flags as text, several unions as a list."""
        entries: list[dict[str, Any]] = []
        people = [(f"W-{2001 + n}", *row, "") for n, row in enumerate(ACQUIRED)]
        known_twice = [p for p in self._company.employees if p.is_agent and p.country_code == "IE"]
        people += [
            (f"W-{2101 + n}", person.display_name, "Shared Operations", "IE", "both", person.employee_number)
            for n, person in enumerate(known_twice[:BOTH_SYSTEMS_COUNT])
        ]
        for position, (worker_id, name, title, country, story, other_id) in enumerate(people):
            rows = [(date(2021, 2, 1) + timedelta(days=97 * position), "Active", title, "Harbour Operations")]
            if story == "transfer":
                rows.append((date(2025, 6, 2), "Active", "Senior Site Reliability Engineer", "Harbour Platform"))
            if story in ("leaver", "rehire"):
                rows.append((date(2025, 5, 1), "Terminated", title, "Harbour Operations"))
            if story == "rehire":
                rows.append((date(2025, 9, 1), "Active", title, "Harbour Platform"))
            if story == "retroactive":
                rows.append((date(2025, 4, 1), "On_Leave", title, "Harbour Operations"))
                rows.append((date(2025, 5, 15), "Active", title, "Harbour Operations"))
            for day, status, row_title, organization in rows:
                entered_on = day + timedelta(days=25) if story == "retroactive" else max(day, ACQUIRED_ON)
                if max(entered_on, ACQUIRED_ON) > self._today:
                    continue
                email = f"{name.lower().replace(' ', '.')}@example.com"
                entry = {
                    "Employee_ID": worker_id,
                    "Effective_Date": day.isoformat(),
                    "Entry_Moment": f"{max(entered_on, ACQUIRED_ON).isoformat()}T08:30:00.000Z",
                    "Worker_Name": name,
                    "Email_Primary_Work": email,
                    "Other_System_ID": other_id,
                    "Hire_Date": rows[0][0].isoformat(),
                    "Worker_Status": status,
                    "Business_Title": row_title,
                    "Supervisory_Organization": organization,
                    "Manager_ID": "" if story == "manager" else f"W-{2000 + len(ACQUIRED)}",
                    "Location": {"IE": "Cork", "US": "Boston"}[country],
                    "Country": country,
                    "Exempt": "1" if country == "US" else "0",
                    "Union_Memberships_group": [{"Union": "IE-ICTU-OPS"}, {"Union": "IE-FORSA-IT"}]
                    if story == "union"
                    else [],
                }
                entries.append({key: value for key, value in entry.items() if value})
        return entries

    # -- ServiceNow

    def user_rows(self) -> list[tuple[str, ...]]:
        """sys_user rows of the shared accounts and of two people of the acquired unit."""
        named = [(user, shown, "Europe/Dublin") for user, (shown, _) in SHARED_ACCOUNTS.items()]
        if self._today >= ACQUIRED_ON:
            named += [
                (name.lower().replace(" ", "."), name, COUNTRY_ZONES[country]) for name, _, country, _ in ACQUIRED[:2]
            ]
        return [
            (sys_id_of(self._company.seed, "user", user), user, shown, f"{user}@example.com", "", "true", zone)
            for user, shown, zone in named
        ]

    def writer(self, ticket: Ticket, checkpoint: int) -> str | None:
        """The shared account, or the one of the acquired unit, an event was entered from; None: the assignee's own.

        Only events that put a ticket on hold: no clock of an agreed target stops there, so nothing paid rests on one.
        """
        event = ticket.events[checkpoint]
        if event.ticket_state != "on_hold" or (int(ticket.sys_id[:6], 16) + checkpoint) % WRITTEN_EVERY:
            return None
        if event.team_code == "sre":
            return ACQUIRED[0][0].lower().replace(" ", ".")
        return next((user for user, (_, team) in SHARED_ACCOUNTS.items() if team == event.team_code), None)
