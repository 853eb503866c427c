"""Monitors, their state changes, maintenance downtimes and SLOs of the demonstration company.

A monitor's history is a list of *chains*: from OK through one or more states and back to OK. Chains of chance
fill most of the calendar; planted chains (outages behind the exclusions, alerts inside maintenance, gaps)
stand at fixed instants and push chance chains aside. Monitors are created at the company's start and answer
a few minutes later, so each history is complete: No Data -> OK is every monitor's first transition.
"""

from __future__ import annotations

import hashlib
import math
import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ingestion.demo.model import Downtime, Monitor, MonitorTransition, PlantedFact, Service, Slo
from ingestion.demo.timeline import COUNTRY_ZONES, DAY, HOUR, epoch, instant, next_quarter, quarter_start, utc

FIRST_MONITOR_ID = 74_100_001
MONITOR_COUNT = 20
MINUTE = 60

Chain = tuple[int, list[tuple[str, int]]]  # start (epoch seconds), [(state, seconds)...], then back to OK

# Share of a quarter a team's services are down, before each service's own luck.
TEAM_DOWN_SHARE = {
    "sre": 0.0009,
    "net-ops": 0.0022,
    "app-support": 0.0052,
    "platform": 0.0034,
    "db-eng": 0.0065,
}

# Outages that stand behind the exclusion requests: service, monitor position(s), from, to.
OUTAGES = [
    # EXR-0001 and EXR-0008: both payments monitors.
    ("payments", (0, 1), "2025-03-12 09:04:10", "2025-03-13 01:30:00"),
    # EXR-0002, scope all: the transatlantic line.
    ("network-core", (0,), "2024-11-05 02:03:20", "2024-11-05 08:11:40"),
    ("vpn", (0,), "2024-11-05 02:05:00", "2024-11-05 08:20:00"),
    # EXR-0003, vendor cloudharbour.
    ("checkout", (0, 1), "2025-06-18 11:06:00", "2025-06-18 19:40:00"),
    ("data-warehouse", (0,), "2025-06-18 11:08:30", "2025-06-19 02:15:00"),
    # EXR-0004 .. EXR-0007, all refused: these count.
    ("erp", (0,), "2025-05-06 08:10:00", "2025-05-06 13:40:00"),
    ("orders", (0,), "2025-02-10 13:05:00", "2025-02-10 18:35:00"),
    ("email", (0,), "2025-08-21 06:10:00", "2025-08-21 12:10:00"),
    ("vpn", (0,), "2025-09-03 04:00:00", "2025-09-03 09:00:00"),
]

# Planted downtimes: key, service, from, to, message, created, canceled.
DOWNTIMES = [
    (
        "orders-release",
        "orders",
        "2025-04-12 22:00:00",
        "2025-04-13 02:00:00",
        "Release 25.4",
        "2025-04-07 10:00:00",
        None,
    ),
    (
        "erp-patching",
        "erp",
        "2025-10-04 20:00:00",
        "2025-10-04 23:00:00",
        "Kernel patching",
        "2025-09-29 10:00:00",
        None,
    ),
    (
        "email-migration",
        "email",
        "2025-07-12 20:00:00",
        "2025-07-13 00:00:00",
        "Mailbox migration, called off",
        "2025-07-04 08:00:00",
        "2025-07-11 15:00:00",
    ),
]

# Planted chains: service, monitor position, start, [(state, seconds)...].
CHAINS = [
    ("orders", 0, "2025-04-12 23:15:00", [("Alert", 2550)]),
    ("erp", 0, "2025-10-04 19:50:00", [("Alert", 3000)]),
    ("email", 0, "2025-07-12 21:00:00", [("Alert", 1800)]),
    ("telephony", 0, "2025-11-11 03:00:00", [("No Data", 9296)]),
    ("identity", 0, "2025-01-21 14:00:00", [("Alert", 60), ("OK", 60)] * 5 + [("Alert", 60)]),
]


def _text_id(*parts: object) -> str:
    return hashlib.md5(":".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def _uuid(*parts: object) -> str:
    digest = _text_id(*parts)
    return "-".join([digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]])


class Monitoring:
    """Generated monitoring. Everything in the lists has a stamp before `as_of_at`."""

    def __init__(self, seed: int, services: list[Service], start_on: date, as_of_at: datetime) -> None:
        self.monitors: list[Monitor] = []
        self.transitions: list[MonitorTransition] = []
        self.downtimes: list[Downtime] = []
        self.slos: list[Slo] = []
        self.planted: list[PlantedFact] = []
        self._seed = seed
        self._services = services
        self._start = epoch(datetime.combine(start_on, time(), utc("2024-01-01 00:00:00").tzinfo))
        self._start_on = start_on
        self._as_of = epoch(as_of_at)
        self._rng = random.Random(f"{seed}:monitoring")
        self._build_monitors()
        fixed = self._fixed_chains()
        self._build_downtimes(fixed)
        for monitor in self.monitors:
            self._build_transitions(monitor, fixed.get(monitor.id, []))
        self.transitions = sorted(
            (row for row in self.transitions if epoch(row.at) < self._as_of), key=lambda row: (row.at, row.id)
        )
        self.monitors = [row for row in self.monitors if epoch(row.created_at) < self._as_of]
        self.downtimes = sorted(
            (row for row in self.downtimes if epoch(row.created_at) < self._as_of),
            key=lambda row: (row.start_at, row.id),
        )
        self._build_slos()
        self._plant()

    def _of_service(self, service_code: str) -> list[Monitor]:
        return [monitor for monitor in self.monitors if monitor.service_code == service_code]

    def _build_monitors(self) -> None:
        by_weight = sorted(self._services, key=lambda row: row.criticality)
        wanted = [(row, "availability") for row in self._services]
        wanted += [(row, "latency") for row in by_weight[: MONITOR_COUNT - len(wanted)]]
        for index, (service, kind) in enumerate(wanted):
            created = self._start + 30 + 7 * index
            if index == MONITOR_COUNT - 1:
                created = epoch(utc("2025-03-03 09:00:00"))
            self.monitors.append(
                Monitor(
                    FIRST_MONITOR_ID + index,
                    f"{service.service_name} {kind}",
                    service.service_code,
                    instant(created),
                )
            )

    def _fixed_chains(self) -> dict[int, list[Chain]]:
        chains: dict[int, list[Chain]] = {}
        for service_code, positions, start, end in OUTAGES:
            from_at, to_at = epoch(utc(start)), epoch(utc(end))
            for position in positions:
                monitor = self._of_service(service_code)[position]
                # Each monitor notices 20 seconds after the one before it.
                shift = 20 * position
                chains.setdefault(monitor.id, []).append((from_at + shift, [("Alert", to_at - from_at)]))
        for service_code, position, start, steps in CHAINS:
            monitor = self._of_service(service_code)[position]
            chains.setdefault(monitor.id, []).append((epoch(utc(start)), steps))
        return chains

    def _build_downtimes(self, fixed: dict[int, list[Chain]]) -> None:
        for key, service_code, start, end, message, created, canceled in DOWNTIMES:
            self.downtimes.append(
                Downtime(
                    _uuid(self._seed, key),
                    service_code,
                    utc(start),
                    utc(end),
                    message,
                    utc(created),
                    utc(canceled) if canceled else None,
                )
            )
        rng = self._rng
        for service in self._services:
            zone = ZoneInfo(COUNTRY_ZONES[service.country_code])
            quarter = self._start_on
            while epoch(datetime.combine(quarter, time(), zone)) < self._as_of + 30 * DAY:
                # A Saturday night of the quarter, at ten local time.
                day = quarter + timedelta(days=14 + 7 * rng.randrange(8))
                day += timedelta(days=(5 - day.weekday()) % 7)
                start = epoch(datetime.combine(day, time(22), zone))
                end = start + rng.choice([2, 3, 4]) * HOUR
                is_canceled = rng.random() < 0.1
                alert_offset, alert_seconds = rng.randrange(300, 3000), rng.randrange(300, 4000)
                has_alert = rng.random() < 0.6
                quarter = next_quarter(quarter)
                if any(
                    row.service_code == service.service_code and abs(epoch(row.start_at) - start) < 3 * DAY
                    for row in self.downtimes
                ):
                    continue
                self.downtimes.append(
                    Downtime(
                        _uuid(self._seed, service.service_code, start),
                        service.service_code,
                        instant(start),
                        instant(end),
                        f"Planned maintenance of {service.service_name}",
                        instant(start - 6 * DAY - rng.randrange(DAY)),
                        instant(start - rng.randrange(HOUR, 3 * DAY)) if is_canceled else None,
                    )
                )
                if has_alert and not is_canceled:
                    for monitor in self._of_service(service.service_code):
                        fixed.setdefault(monitor.id, []).append((start + alert_offset, [("Alert", alert_seconds)]))

    def _chance_chains(self, monitor: Monitor, first: int, last: int, down_seconds: int) -> list[Chain]:
        """Chains within [first, last): one to a slot, so they can never overlap."""
        rng = self._rng
        outage_count = max(2, min(36, down_seconds // 2400))
        weights = [rng.expovariate(1) + 0.05 for _ in range(outage_count)]
        total = sum(weights)
        kinds: list[tuple[str, int]] = [
            ("alert", min(10 * HOUR, max(45, int(down_seconds * weight / total)))) for weight in weights
        ]
        kinds += [("warn", rng.randrange(60, 5400)) for _ in range(rng.randrange(3, 8))]
        kinds += [("gap", rng.randrange(300, 9000)) for _ in range(rng.randrange(0, 3))]
        kinds += [("flap", rng.randrange(2, 5)) for _ in range(rng.randrange(0, 2))]
        rng.shuffle(kinds)
        slot = (last - first) // len(kinds)
        chains = []
        for position, (kind, size) in enumerate(kinds):
            steps: list[tuple[str, int]]
            if kind == "alert":
                steps = [("Alert", size)]
                if rng.random() < 0.35:
                    steps.insert(0, ("Warn", rng.randrange(30, 900)))
                if rng.random() < 0.2:
                    steps.append(("Warn", rng.randrange(30, 900)))
                elif rng.random() < 0.06:
                    steps += [("No Data", rng.randrange(60, 1200)), ("Alert", rng.randrange(30, 300))]
            elif kind == "warn":
                steps = [("Warn", size)]
            elif kind == "gap":
                steps = [("No Data", size)]
            else:
                steps = [("Alert", 45), ("OK", 75)] * size + [("Alert", 50)]
            length = sum(seconds for _, seconds in steps)
            room = slot - length - 2 * MINUTE
            if room > 0:
                chains.append((first + slot * position + rng.randrange(room), steps))
        return chains

    def _build_transitions(self, monitor: Monitor, fixed: list[Chain]) -> None:
        rng = self._rng
        first_at = epoch(monitor.created_at) + rng.randrange(60, 240)
        service = next(row for row in self._services if row.service_code == monitor.service_code)
        fixed = sorted(row for row in fixed if row[0] > first_at)
        chains = list(fixed)
        blocked = [(start - HOUR, start + sum(seconds for _, seconds in steps) + HOUR) for start, steps in fixed]
        quarter = quarter_start(self._start_on)
        while True:
            after = next_quarter(quarter)
            begin = max(epoch(datetime.combine(quarter, time(), instant(0).tzinfo)), first_at) + HOUR
            end = epoch(datetime.combine(after, time(), instant(0).tzinfo))
            if begin - HOUR >= self._as_of:
                break
            share = TEAM_DOWN_SHARE[service.owner_team_code] * math.exp(rng.gauss(0, 0.55))
            down_seconds = int(min(0.012, max(0.00015, share)) * (end - begin))
            for start, steps in self._chance_chains(monitor, begin, end, down_seconds):
                stop = start + sum(seconds for _, seconds in steps)
                if all(stop <= low or start >= high for low, high in blocked):
                    chains.append((start, steps))
            quarter = after
        state, sequence = "No Data", 0

        def move(at: int, new_state: str) -> None:
            nonlocal state, sequence
            sequence += 1
            identifier = _text_id(self._seed, monitor.id, sequence, at)[:24]
            self.transitions.append(MonitorTransition(identifier, monitor.id, instant(at), state, new_state))
            state = new_state

        move(first_at, "OK")
        for start, steps in sorted(chains):
            at = start
            for new_state, seconds in steps:
                move(at, new_state)
                at += seconds
            move(at, "OK")

    def _build_slos(self) -> None:
        for service in self._services:
            target = {1: Decimal("99.9"), 2: Decimal("99.5"), 3: Decimal("99.0"), 4: Decimal("98.5")}[
                service.criticality
            ]
            monitors = self._of_service(service.service_code)
            self.slos.append(
                Slo(
                    _text_id(self._seed, "slo", service.service_code),
                    f"{service.service_name} availability",
                    service.service_code,
                    tuple(monitor.id for monitor in monitors),
                    target,
                    min(Decimal("99.95"), target + Decimal("0.3")),
                    monitors[0].created_at,
                )
            )

    def _plant(self) -> None:
        def monitor_id(service_code: str, position: int = 0) -> int:
            return self._of_service(service_code)[position].id

        def downtime_id(key: str) -> str:
            return _uuid(self._seed, key)

        facts = [
            PlantedFact(
                "alert_inside_maintenance",
                "Orders alerts for 2,550 s (23:15:00 to 23:57:30) inside the maintenance window 2025-04-12 "
                "22:00 to 2025-04-13 02:00 UTC: raw down, no adjusted down",
                {
                    "settled_at": "2025-05-01 00:00:00",
                    "monitor_id": monitor_id("orders"),
                    "downtime_id": downtime_id("orders-release"),
                    "alert_from": "2025-04-12 23:15:00",
                    "alert_to": "2025-04-12 23:57:30",
                    "down_seconds": 2550,
                    "adjusted_down_seconds": 0,
                    "maintenance_seconds": 14400,
                },
            ),
            PlantedFact(
                "alert_across_maintenance_start",
                "ERP alerts from 19:50:00 to 20:40:00 on 2025-10-04, maintenance starts at 20:00:00: 600 s "
                "count as adjusted down, 2,400 s do not",
                {
                    "settled_at": "2025-11-01 00:00:00",
                    "monitor_id": monitor_id("erp"),
                    "downtime_id": downtime_id("erp-patching"),
                    "alert_from": "2025-10-04 19:50:00",
                    "alert_to": "2025-10-04 20:40:00",
                    "down_seconds": 3000,
                    "adjusted_down_seconds": 600,
                    "maintenance_seconds": 10800,
                },
            ),
            PlantedFact(
                "alert_inside_canceled_downtime",
                "Email alerts for 1,800 s on 2025-07-12 inside a downtime that was canceled the day before: "
                "all of it counts",
                {
                    "settled_at": "2025-08-01 00:00:00",
                    "monitor_id": monitor_id("email"),
                    "downtime_id": downtime_id("email-migration"),
                    "alert_from": "2025-07-12 21:00:00",
                    "alert_to": "2025-07-12 21:30:00",
                    "down_seconds": 1800,
                    "adjusted_down_seconds": 1800,
                    "maintenance_seconds": 0,
                },
            ),
            PlantedFact(
                "no_data_gap",
                "Telephony sends nothing from 03:00:00 to 05:34:56 on 2025-11-11: 9,296 s unknown, neither up nor down",
                {
                    "settled_at": "2025-12-01 00:00:00",
                    "monitor_id": monitor_id("telephony"),
                    "gap_from": "2025-11-11 03:00:00",
                    "gap_to": "2025-11-11 05:34:56",
                    "unknown_seconds": 9296,
                },
            ),
            PlantedFact(
                "flapping_monitor",
                "Identity alerts six times for 60 s with 60 s between, from 14:00:00 on 2025-01-21: 360 s "
                "down within 660 s",
                {
                    "settled_at": "2025-02-01 00:00:00",
                    "monitor_id": monitor_id("identity"),
                    "from": "2025-01-21 14:00:00",
                    "to": "2025-01-21 14:11:00",
                    "alert_count": 6,
                    "down_seconds": 360,
                },
            ),
            PlantedFact(
                "outage_force_majeure",
                "Both payments monitors alert during EXR-0001 and EXR-0008 (union 2025-03-12 09:00 to "
                "2025-03-13 02:00 UTC, 61,200 s): 59,150 s each are raw down and none of it adjusted down",
                {
                    "settled_at": "2025-04-01 00:00:00",
                    "exclusion_ids": ["EXR-0001", "EXR-0008"],
                    "monitor_ids": [monitor_id("payments", 0), monitor_id("payments", 1)],
                    # 09:04:10 to 01:30:00 is 16 h 25 min 50 s.
                    "down_seconds_per_monitor": 59_150,
                    "adjusted_down_seconds_per_monitor": 0,
                    "excluded_seconds_per_monitor": 61_200,
                },
            ),
        ]
        self.planted += [fact for fact in facts if epoch(utc(fact.detail["settled_at"])) <= self._as_of]
