"""Tickets of chance: demand by country, weekday and hour, and a plausible life for each ticket.

Each ticket gets an effort in seconds of its own service calendar, chosen below or above its target so that a
team's attainment in a quarter lands near a wanted share; the calendar is then inverted to place the events.
A controller per team and quarter corrects what reopened tickets and rounding shift.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from ingestion.demo.model import Change, Service, Team, Ticket, TicketEvent
from ingestion.demo.people import People
from ingestion.demo.timeline import COUNTRY_ZONES, DAY, HOUR, Clock, Targets, epoch, instant, quarter_of, read_seed

FIRST_NUMBER = 10_001
CLOSE_DELAY = 5 * DAY  # ServiceNow closes a resolved incident by itself

COUNTRY_SHARE = {"IE": 0.36, "US": 0.38, "IN": 0.26}
SERVICE_DESK = {"IE": "sd-emea", "US": "sd-amer", "IN": "sd-apac"}
WEEKDAY_WEIGHT = {1: 1.22, 2: 1.10, 3: 1.05, 4: 1.02, 5: 0.92, 6: 0.30, 7: 0.18}
MONTH_WEIGHT = {1: 1.08, 7: 0.94, 8: 0.88, 9: 1.05, 12: 0.85}
HOUR_WEIGHT = [2, 1, 1, 1, 1, 2, 4, 9, 20, 28, 27, 23, 16, 20, 24, 23, 19, 13, 8, 6, 5, 4, 3, 2]
CHANNELS = {"self-service": 0.44, "phone": 0.24, "email": 0.18, "monitoring": 0.10, "chat": 0.04}
PRIORITY_WEIGHT = {
    1: {1: 5, 2: 14, 3: 41, 4: 31, 5: 9},
    2: {1: 2, 2: 9, 3: 38, 4: 38, 5: 13},
    3: {1: 1, 2: 6, 3: 33, 4: 42, 5: 18},
    4: {1: 0, 2: 4, 3: 28, 4: 46, 5: 22},
}
SERVICE_WEIGHT = {
    "payments": 12,
    "checkout": 11,
    "orders": 12,
    "catalogue": 6,
    "identity": 13,
    "email": 12,
    "erp": 10,
    "data-warehouse": 7,
    "vpn": 11,
    "network-core": 7,
    "telephony": 5,
    "hr-portal": 5,
    "": 2,
}
SYMPTOMS = {
    "payments": ("software", ["card payments declined", "refund stuck", "settlement file late"]),
    "checkout": ("software", ["basket empties itself", "page times out", "voucher refused"]),
    "orders": ("software", ["order not confirmed", "wrong delivery date", "duplicate order"]),
    "catalogue": ("software", ["price not shown", "picture missing", "search finds nothing"]),
    "identity": ("inquiry", ["password reset", "account locked", "second factor lost"]),
    "email": ("software", ["mailbox full", "message not delivered", "calendar not shared"]),
    "erp": ("software", ["posting rejected", "report runs for ever", "no access to cost centre"]),
    "data-warehouse": ("database", ["figures of yesterday missing", "query killed", "wrong totals"]),
    "vpn": ("network", ["tunnel drops", "cannot connect from home", "certificate expired"]),
    "network-core": ("network", ["packet loss", "site unreachable", "switch port down"]),
    "telephony": ("hardware", ["no dial tone", "echo on the line", "queue not answering"]),
    "hr-portal": ("inquiry", ["payslip not shown", "leave balance wrong", "cannot log in"]),
    "": ("inquiry", ["question about a device", "badge does not open", "printer jams"]),
}
# Attainment a team tends to, before the luck of a quarter.
TEAM_ATTAINMENT = {
    "sd-emea": 0.935,
    "sd-amer": 0.905,
    "sd-apac": 0.870,
    "net-ops": 0.915,
    "app-support": 0.860,
    "platform": 0.940,
    "sre": 0.945,
    "db-eng": 0.885,
}
PRIORITY_SHIFT = {1: -0.05, 2: -0.02, 3: 0.0, 4: 0.01, 5: 0.01}
# Contract of a service's tickets, with weights; '' is none.
CONTRACT_WEIGHT = {
    1: {"acme-gold": 34, "globex-standard": 26, "internal": 10, "": 30},
    2: {"acme-gold": 16, "globex-standard": 30, "internal": 26, "": 28},
    3: {"acme-gold": 5, "globex-standard": 20, "internal": 45, "": 30},
    4: {"internal": 60, "": 40},
}
ITEM_SHARE = 0.55
CHANGED_CONTRACT_SHARE = 0.012
CHANGED_ITEM_SHARE = 0.03
CALLERS = {"IE": range(2001, 2151), "US": range(2151, 2321), "IN": range(2321, 2421)}


def sys_id_of(*parts: object) -> str:
    """A 32-digit hexadecimal ServiceNow sys_id that depends on the parts only."""
    return hashlib.md5(":".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def with_attributes(seed: int, tickets: Iterable[Ticket], services: dict[str, Service]) -> None:
    """Give tickets a contract and a configuration item, a few of which change with a later event.

    Changes the tickets in place. The chance is a stream of its own, so that nothing else of a ticket depends on it,
    and no event is added: what changes in flight is written together with what the event changes anyway.
    """
    rng = random.Random(f"{seed}:ticket_attributes")
    items: dict[str, list[str]] = defaultdict(list)
    for row in read_seed("services/configuration_item.csv"):
        items[row["service_code"]].append(row["configuration_item_code"])
    for ticket in tickets:
        service_code = ticket.events[0].service_code
        weights = CONTRACT_WEIGHT[services[service_code].criticality if service_code else 4]
        contracts = list(weights)
        first_contract, later_contract = rng.choices(contracts, weights=list(weights.values()), k=2)
        known = items.get(service_code, [""])
        first_item = rng.choice(known) if rng.random() < ITEM_SHARE else ""
        later_item = rng.choice(known)
        contract_from = rng.random() if rng.random() < CHANGED_CONTRACT_SHARE else None
        item_from = rng.random() if rng.random() < CHANGED_ITEM_SHARE else None
        count = len(ticket.events)
        for position, event in enumerate(ticket.events):
            is_later_contract = contract_from is not None and position > contract_from * (count - 1)
            is_later_item = item_from is not None and position > item_from * (count - 1)
            ticket.events[position] = replace(
                event,
                contract_code=later_contract if is_later_contract else first_contract,
                configuration_item_code=later_item if is_later_item else first_item,
            )


class TicketGenerator:
    """Makes `count` tickets opened in [start_on, as_of_at); every event lies before as_of_at."""

    def __init__(
        self,
        seed: int,
        teams: list[Team],
        services: list[Service],
        people: People,
        clocks: dict[str, Clock],
        start_on: date,
        as_of_at: datetime,
    ) -> None:
        self._seed = seed
        self._rng = random.Random(f"{seed}:tickets")
        self._services = {service.service_code: service for service in services}
        self._teams = {team.team_code: team for team in teams}
        self._people = people
        self._clocks = clocks
        self._targets = Targets({service.service_code: service.calendar_code for service in services})
        self._start_on = start_on
        self._as_of = epoch(as_of_at)
        self._as_of_at = as_of_at
        self._attainment: dict[tuple[str, str], float] = {}
        self._balance: dict[tuple[str, str], float] = defaultdict(float)

    # -- demand

    def _openings(self, count: int) -> list[tuple[int, str, str]]:
        """(opened, country_code, channel) in order of opening."""
        rng = self._rng
        days = [self._start_on + timedelta(days=n) for n in range((self._as_of_at.date() - self._start_on).days + 1)]
        day_weights = list(
            accumulate(
                WEEKDAY_WEIGHT[day.isoweekday()] * MONTH_WEIGHT.get(day.month, 1.0) * (1 + 0.0002 * position)
                for position, day in enumerate(days)
            )
        )
        hour_weights = list(accumulate(HOUR_WEIGHT))
        countries, shares = list(COUNTRY_SHARE), list(accumulate(COUNTRY_SHARE.values()))
        channels, channel_shares = list(CHANNELS), list(accumulate(CHANNELS.values()))
        zones = {code: ZoneInfo(zone) for code, zone in COUNTRY_ZONES.items()}
        first = epoch(datetime(self._start_on.year, self._start_on.month, self._start_on.day, tzinfo=instant(0).tzinfo))
        found: list[tuple[int, str, str]] = []
        while len(found) < count:
            day = rng.choices(days, cum_weights=day_weights)[0]
            country = rng.choices(countries, cum_weights=shares)[0]
            channel = rng.choices(channels, cum_weights=channel_shares)[0]
            hour = rng.randrange(24) if channel == "monitoring" else rng.choices(range(24), cum_weights=hour_weights)[0]
            second = rng.randrange(HOUR)
            opened = epoch(
                datetime(day.year, day.month, day.day, hour, second // 60, second % 60, tzinfo=zones[country])
            )
            if first <= opened < self._as_of:
                found.append((opened, country, channel))
        found.sort()
        return found

    # -- one ticket

    def _agent(self, team_code: str, at: int) -> str | None:
        agents = self._people.agents_on(team_code, instant(at).date())
        return self._rng.choice(agents) if agents else None

    def _owner(self, service_code: str) -> str:
        return self._services[service_code].owner_team_code if service_code else "net-ops"

    def _wanted_attainment(self, team_code: str, quarter: str) -> float:
        key = (team_code, quarter)
        if key not in self._attainment:
            luck = random.Random(f"{self._seed}:attainment:{team_code}:{quarter}").uniform(-0.035, 0.03)
            self._attainment[key] = min(0.953, max(0.835, TEAM_ATTAINMENT[team_code] + luck))
        return self._attainment[key]

    def _effort(self, target: int, tolerance: int, team_code: str, opened: int, priority: int) -> int:
        """Seconds of work, waiting included, on the ticket's calendar."""
        rng = self._rng
        quarter = quarter_of(instant(opened))
        wanted = self._wanted_attainment(team_code, quarter) + PRIORITY_SHIFT[priority]
        if self._balance[team_code, quarter] + wanted >= rng.random():
            return max(180, int(target * (0.02 + 0.93 * rng.betavariate(1.7, 2.6))))
        if rng.random() < 0.05:
            return target + rng.randrange(1, tolerance + 1)
        return int(target * (1.03 + min(3.0, rng.expovariate(1.8)))) + tolerance

    def _life(self, opened: int, team_code: str, service_code: str, priority: int) -> list[TicketEvent]:
        rng = self._rng
        events: list[TicketEvent] = []
        state, agent = "new", None
        team, service, now_priority = team_code, service_code, priority

        def record(at: int) -> None:
            events.append(TicketEvent(instant(at), state, now_priority, team, agent, service))

        record(opened)
        # What will happen on the way, as positions within the working time.
        final_team, final_priority = team_code, priority
        on_the_way: list[tuple[float, str]] = []
        tier = self._teams[team_code].tier
        if tier == 1 and rng.random() < 0.36:
            final_team = self._owner(service_code)
            on_the_way.append((rng.uniform(0.05, 0.5), "escalate"))
        elif tier == 2 and rng.random() < 0.06:
            final_team = rng.choice(["sre", "db-eng"])
            on_the_way.append((rng.uniform(0.1, 0.6), "escalate"))
        elif rng.random() < 0.05:
            on_the_way.append((rng.uniform(0.1, 0.8), "hand_over"))
        if rng.random() < 0.045:
            final_priority = min(5, max(1, priority + rng.choice([-1, -1, 1])))
            on_the_way.append((rng.uniform(0.05, 0.6), "priority"))
        if service_code and rng.random() < 0.006:
            on_the_way.append((rng.uniform(0.05, 0.4), "service"))
        chance = {1: 0.06, 2: 0.12, 3: 0.38, 4: 0.40, 5: 0.42}[final_priority]
        for _ in range(2):
            if rng.random() < chance:
                on_the_way.append((rng.uniform(0.15, 0.95), "hold"))
                chance /= 3
        on_the_way.sort()

        target, tolerance, calendar = self._targets.of("incident_resolution", service_code, final_priority)
        clock = self._clocks[calendar]
        effort = self._effort(target, tolerance, final_team, opened, final_priority)

        response_target, _, response_calendar = self._targets.of("incident_response", service_code, priority)
        share = rng.uniform(0.02, 0.85) if rng.random() < 0.93 else rng.uniform(1.01, 1.6)
        at = self._clocks[response_calendar].add(opened, max(20, int(response_target * share)))
        if clock.elapsed(opened, at) > effort // 2:
            at = clock.add(opened, max(15, effort // 8))
        used = clock.elapsed(opened, at)

        if rng.random() < 0.02:
            if rng.random() < 0.5:
                state, agent = "in_progress", self._agent(team, at)
                record(at)
                at = clock.add(at, max(60, int((effort - used) * rng.random() * 0.5)))
            state = "canceled"
            record(at)
            return events

        state, agent = "in_progress", self._agent(team, at)
        record(at)
        is_stuck = rng.random() < 0.004
        working, done = effort - used, 0.0
        for position, what in on_the_way:
            step = int(working * position) - int(working * done)
            done = position
            at = clock.add(at, step)
            if what == "hold":
                median = 2400 if final_priority <= 2 else 7 * HOUR
                waiting = int(min(6 * DAY, max(120, median * math.exp(rng.gauss(0, 1.1)))))
                state = "on_hold"
                record(at)
                at += waiting
                state = "in_progress"
            elif what == "escalate":
                team = final_team
                if rng.random() < 0.25:
                    # The group first, the person in the same second: two events at one instant.
                    agent = None
                    record(at)
                agent = self._agent(team, at)
            elif what == "hand_over":
                others = [number for number in self._people.agents_on(team, instant(at).date()) if number != agent]
                if not others:
                    continue
                agent = rng.choice(others)
            elif what == "priority":
                if now_priority == final_priority:
                    continue
                now_priority = final_priority
            elif what == "service":
                service = rng.choice([code for code in self._services if code != service])
            record(at)
        if is_stuck:
            state = "on_hold"
            record(clock.add(at, 600))
            return events
        at = clock.add(at, working - int(working * done))
        state = "resolved"
        record(at)
        total, stop = effort, at
        if rng.random() < 0.035:
            back = at + int(min(4.5 * DAY, max(600, 3 * HOUR * math.exp(rng.gauss(0, 1.2)))))
            state = "in_progress"
            record(back)
            stop = clock.add(back, int(target * rng.uniform(0.03, 0.3)))
            total += clock.elapsed(at, stop)
            state = "resolved"
            record(stop)
        quarter = quarter_of(instant(stop))
        self._balance[team, quarter] += self._wanted_attainment(team, quarter) - (total <= target)
        state = "closed"
        record(stop + CLOSE_DELAY)
        return events

    def generate(self, count: int) -> list[Ticket]:
        """The tickets in order of opening, numbered from INC0010001."""
        rng = self._rng
        service_codes, service_weights = list(SERVICE_WEIGHT), list(accumulate(SERVICE_WEIGHT.values()))
        tickets = []
        for position, (opened, country, channel) in enumerate(self._openings(count)):
            service_code = rng.choices(service_codes, cum_weights=service_weights)[0]
            criticality = self._services[service_code].criticality if service_code else 4
            weights = PRIORITY_WEIGHT[criticality]
            priority = rng.choices(list(weights), weights=list(weights.values()))[0]
            team_code = SERVICE_DESK[country]
            if channel == "monitoring":
                team_code = self._owner(service_code)
            category, symptoms = SYMPTOMS[service_code]
            number = f"INC{FIRST_NUMBER + position:07d}"
            subject = self._services[service_code].service_name if service_code else "Workplace"
            events = self._life(opened, team_code, service_code, priority)
            tickets.append(
                Ticket(
                    sys_id=sys_id_of(self._seed, "incident", number),
                    number=number,
                    opened_at=events[0].at,
                    contact_type=channel,
                    category=category,
                    short_description=f"{subject}: {rng.choice(symptoms)}",
                    caller="monitoring" if channel == "monitoring" else f"u{rng.choice(CALLERS[country])}",
                    events=[event for event in events if event.at < self._as_of_at],
                )
            )
        with_attributes(self._seed, tickets, self._services)
        return tickets

    def changes(self, count: int) -> list[Change]:
        """Change requests, numbered from CHG0030001 in order of opening."""
        rng = random.Random(f"{self._seed}:changes")
        start = epoch(datetime(self._start_on.year, self._start_on.month, self._start_on.day, tzinfo=instant(0).tzinfo))
        openings = sorted(rng.randrange(start, self._as_of) for _ in range(count))
        changes = []
        for position, opened in enumerate(openings):
            number = f"CHG{30_001 + position:07d}"
            service = self._services[rng.choice(list(self._services))]
            kind = rng.choices(["standard", "normal", "emergency"], weights=[55, 38, 7])[0]
            lead = {"standard": 3 * DAY, "normal": 9 * DAY, "emergency": 2 * HOUR}[kind]
            begin = opened + int(lead * rng.uniform(0.4, 1.6))
            end = begin + rng.randrange(HOUR, 6 * HOUR)
            # (stamp, state, close code) as the change moves on; the last one before as_of holds.
            if rng.random() < 0.05:
                steps = [(opened, "-5", ""), ((opened + begin) // 2, "4", "unsuccessful")]
            else:
                outcome = rng.choices(["successful", "successful_issues", "unsuccessful"], weights=[90, 7, 3])[0]
                steps = [
                    (opened, "-5", ""),
                    (opened + (begin - opened) // 3, "-3", ""),
                    (opened + (begin - opened) // 2, "-2", ""),
                    (begin, "-1", ""),
                    (end, "0", ""),
                    (end + DAY, "3", outcome),
                ]
            updated, state, close_code = next(step for step in reversed(steps) if step[0] < self._as_of)
            changes.append(
                Change(
                    sys_id=sys_id_of(self._seed, "change_request", number),
                    number=number,
                    type=kind,
                    state=state,
                    risk=rng.choices(["2", "3", "4"], weights=[1, 3, 6])[0],
                    opened_at=instant(opened),
                    start_at=instant(begin),
                    end_at=instant(end),
                    updated_at=instant(updated),
                    service_code=service.service_code,
                    team_code=service.owner_team_code,
                    close_code=close_code,
                )
            )
        return changes
