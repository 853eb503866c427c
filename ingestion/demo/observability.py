"""What the company's other instruments saw: SLO histories and corrections, incidents, synthetic and real-user results.

Derived from the company's monitors, state changes and tickets, with a generator of its own for each record, so
that nothing the company already had changes and an earlier company shows less of the same. Planted facts stand at
fixed instants (`FACTS`).

A history follows Datadog's rule: an SLO on monitors is down while any of them alerts, silence counts as up, and
corrected time counts not at all. Incidents exist from `INCIDENTS_FROM` on: one for nearly each ticket that
monitoring opened, a few minutes before it, and some that opened none.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.demo.model import Company, PlantedFact, Slo, Ticket
from ingestion.demo.timeline import epoch, instant, utc

INCIDENTS_FROM = "2025-10-01 00:00:00"
RESULTS_FROM, RESULTS_TO = "2025-12-01 00:00:00", "2025-12-08 00:00:00"
# Days on which Datadog's clock reads later than it is.
AHEAD_FROM, AHEAD_TO, AHEAD_SECONDS = "2025-11-17 00:00:00", "2025-11-24 00:00:00", 600
NO_TICKET_SHARE, NO_NUMBER_SHARE, UNTOLD_INCIDENTS = 0.03, 0.05, 6

# SLO of a service and a month whose query failed, and one whose figure Datadog has wrong by so much.
# service, month
FAILED_HISTORIES = (("data-warehouse", "2025-10"), ("erp", "2025-08"), ("telephony", "2025-11"))
# service, month -> percentage points Datadog's figure is too low
WRONG_HISTORIES = {("network-core", "2025-11"): 0.5, ("orders", "2025-07"): 0.3, ("payments", "2025-09"): -0.2}

# service, category, start, end or None, duration, rrule, time zone, description
CORRECTIONS: list[tuple[str, str, str, str | None, int | None, str | None, str, str]] = [
    (
        "erp",
        "Scheduled Maintenance",
        "2025-10-04 20:00:00",
        "2025-10-04 23:00:00",
        None,
        None,
        "UTC",
        "Kernel patching",
    ),
    (
        "email",
        "Outside Business Hours",
        "2025-10-04 20:30:00",
        None,
        14_400,
        "FREQ=WEEKLY;BYDAY=SU;COUNT=8",
        "Asia/Kolkata",
        "Mailbox tidying, Sundays from two o'clock",
    ),
    ("vpn", "Other", "2024-09-01 00:00:00", "2024-09-01 01:00:00", None, None, "Europe/Dublin", "Before any history"),
]
# public id, service, seconds between runs, locations
TESTS = [
    ("pay-api-chk", "payments", 600, ("aws:eu-west-1",)),
    ("tel-sip-opt", "telephony", 1800, ("aws:eu-west-1", "aws:us-east-1")),
]
# test, location, from, to: runs that fail.
FAILED_RUNS = [
    ("pay-api-chk", "aws:eu-west-1", "2025-12-03 10:00:00", "2025-12-03 10:40:00"),
    ("tel-sip-opt", "aws:us-east-1", "2025-12-04 06:00:00", "2025-12-04 07:00:00"),
]
RUM_SERVICE, RUM_STEP = "hr-portal", 450
RUM_ERRORS = ("2025-12-05 09:00:00", "2025-12-05 09:30:00")
RUM_SLOW = ("2025-12-06 11:00:00", "2025-12-06 11:15:00")
# Days on which the browsers' agent sends nothing after two o'clock.
RUM_LOST_ON, RUM_LOST_FROM_SECOND = ("2025-12-02", "2025-12-03", "2025-12-04"), 7200

FACTS = [
    *(
        (
            f"slo_history_without_value_{service}_{month}",
            f"Datadog could not compute {month} of the SLO of {service}: sli_value is null, errors say why",
            {"service_code": service, "period_month": f"{month}-01"},
        )
        for service, month in FAILED_HISTORIES
    ),
    *(
        (
            f"slo_history_is_wrong_{service}_{month}",
            f"Datadog's figure for {month} of {service} is {points} percentage points too low",
            {"service_code": service, "period_month": f"{month}-01", "too_low_percentage_points": points},
        )
        for (service, month), points in WRONG_HISTORIES.items()
    ),
    (
        "slo_correction_recurs",
        "Sundays from 02:00 in Kolkata for four hours, eight times, are taken out of the email SLO: 4 x 4 h in "
        "October 2025, 4 x 4 h in November",
        {"service_code": "email", "corrected_seconds": {"2025-10-01": 57_600, "2025-11-01": 57_600}},
    ),
    (
        "synthetic_outage",
        "The payments test fails from 10:00 to 10:40 on 2025-12-03: 2,400 s down",
        {"monitor_id": "payments-synthetic", "day_on": "2025-12-03", "down_seconds": 2400},
    ),
    (
        "real_user_errors",
        "HR portal's users meet errors from 09:00 to 09:30 on 2025-12-05: 1,800 s down",
        {"monitor_id": "hr-portal-users", "day_on": "2025-12-05", "down_seconds": 1800},
    ),
    (
        "real_user_slow",
        "HR portal's pages take six seconds from 11:00 to 11:15 on 2025-12-06: 900 s down though none failed",
        {"monitor_id": "hr-portal-users", "day_on": "2025-12-06", "down_seconds": 900},
    ),
    *(
        (
            f"real_user_lost_{day}",
            f"HR portal's users are heard of until 02:00 on {day} only: too few to hold monitoring against",
            {
                "expected_monitoring_to_transactions": [
                    {"transaction_monitor_id": "hr-portal-users", "day_on": day, "status": "missing_right"}
                ]
            },
        )
        for day in RUM_LOST_ON
    ),
    (
        "alert_clock_ahead",
        "Datadog's clock is 600 s ahead from 2025-11-17 to 2025-11-23: its alerts seem to come after their tickets",
        {"from_on": "2025-11-17", "to_on": "2025-11-23", "ahead_seconds": AHEAD_SECONDS},
    ),
]
SETTLED_AT = "2025-12-10 00:00:00"


def observability_facts(as_of_at: datetime) -> list[PlantedFact]:
    """What is planted here, once all of it has happened by `as_of_at`."""
    if as_of_at < utc(SETTLED_AT):
        return []
    return [PlantedFact(code, text, {"settled_at": SETTLED_AT, **detail}) for code, text, detail in FACTS]


def _key(*parts: object) -> str:
    digest = hashlib.md5(":".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
    return "-".join([digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]])


def _millis(moment: datetime, fraction: int = 0) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:03d}Z"


class Observability:
    """The records, as Datadog's answers hold them."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._as_of = epoch(company.as_of_at)
        self._slo_of_service = {slo.service_code: slo for slo in company.slos}
        self._slos = {slo.id: slo for slo in company.slos}
        self._down = self._down_stretches()
        self.corrections = list(self._corrections())
        self.incidents = sorted(self._incidents(), key=lambda row: (row["attributes"]["created"], row["id"]))
        self.tests = [self._test(*test) for test in TESTS] if self._as_of > epoch(utc(RESULTS_FROM)) else []
        self.results = {test[0]: self._results(*test) for test in TESTS}
        self.rum_events = list(self._rum_events())

    # -- objectives

    def _down_stretches(self) -> dict[int, list[tuple[int, int]]]:
        stretches: dict[int, list[tuple[int, int]]] = {monitor.id: [] for monitor in self._company.monitors}
        began: dict[int, int] = {}
        for row in sorted(self._company.transitions, key=lambda row: (row.at, row.id)):
            at = epoch(row.at)
            if row.destination_state == "Alert":
                began.setdefault(row.monitor_id, at)
            elif row.monitor_id in began:
                stretches[row.monitor_id].append((began.pop(row.monitor_id), at))
        for monitor_id, at in began.items():
            stretches[monitor_id].append((at, self._as_of))
        return stretches

    def _corrections(self) -> Iterator[dict[str, Any]]:
        for number, (service, category, start, end, duration, rrule, zone, text) in enumerate(CORRECTIONS):
            slo = self._slo_of_service.get(service)
            created = utc(start) - timedelta(days=3)
            if slo is None or created >= self._company.as_of_at:
                continue
            yield {
                "id": _key(self._company.seed, "correction", number),
                "type": "correction",
                "attributes": {
                    "slo_id": slo.id,
                    "category": category,
                    "start": epoch(utc(start)),
                    "end": epoch(utc(end)) if end else None,
                    "duration": duration,
                    "rrule": rrule,
                    "timezone": zone,
                    "description": text,
                    "created_at": epoch(created),
                    "modified_at": epoch(created),
                    "creator": {"data": {"type": "users", "id": _key("monitoring")}},
                    "modifier": None,
                },
            }

    def _corrected(self, slo: Slo) -> list[tuple[int, int]]:
        """Stretches taken out of an SLO; the one rule there is recurs weekly, by its zone's clock."""
        found = []
        for service, _, start, end, duration, rrule, zone, _ in CORRECTIONS:
            if service != slo.service_code:
                continue
            if end:
                found.append((epoch(utc(start)), epoch(utc(end))))
            if rrule and duration:
                count = int(dict(part.split("=") for part in rrule.split(";"))["COUNT"])
                local = utc(start).astimezone(ZoneInfo(zone))
                for week in range(count):
                    begin = epoch(local + timedelta(days=7 * week))
                    found.append((begin, begin + duration))
        return found

    def history(self, slo_id: str, start: int, end: int) -> dict[str, Any] | None:
        """The history of an SLO over [start, end) in epoch seconds; None when there is no such SLO."""
        slo = self._slos.get(slo_id)
        if slo is None:
            return None
        month = f"{instant(start):%Y-%m}"
        base = {"from_ts": start, "to_ts": end, "type": "monitor", "type_id": 0, "group_by": [], "groups": []}
        base["thresholds"] = {"30d": {"timeframe": "30d", "target": float(slo.target)}}
        if (slo.service_code, month) in FAILED_HISTORIES:
            error = {"error_message": "the monitors' history could not be read in time", "error_type": "timeout"}
            return {**base, "overall": {"sli_value": None, "errors": [error], "history": []}, "monitors": []}
        corrected = self._corrected(slo)
        stretches = [stretch for monitor_id in slo.monitor_ids for stretch in self._down.get(monitor_id, [])]
        down = _measure(stretches, corrected, start, min(end, self._as_of))
        total = _measure([(start, end)], corrected, start, min(end, self._as_of))
        value = 100.0 if not total else 100.0 - 100.0 * down / total
        value -= WRONG_HISTORIES.get((slo.service_code, month), 0.0)
        monitors = [
            {
                "name": f"monitor {monitor_id}",
                "sli_value": round(
                    100.0
                    - 100.0
                    * _measure(self._down.get(monitor_id, []), corrected, start, min(end, self._as_of))
                    / max(1, total),
                    6,
                ),
                "monitor_type": "service check",
            }
            for monitor_id in slo.monitor_ids
        ]
        points = [
            [point, state]
            for low, high in sorted(stretches)
            if low < end and high > start
            for point, state in ((low, 0), (high, 1))
        ]
        overall = {"sli_value": round(value, 6), "span_precision": 2, "precision": {"30d": 3}, "history": points}
        return {**base, "overall": overall, "monitors": monitors}

    # -- incidents

    def _incidents(self) -> Iterator[dict[str, Any]]:
        since, as_of = utc(INCIDENTS_FROM), self._company.as_of_at
        monitors = {monitor.service_code: monitor.id for monitor in reversed(self._company.monitors)}
        for ticket in self._company.tickets:
            if ticket.contact_type != "monitoring" or ticket.opened_at < since:
                continue
            rng = random.Random(f"{self._company.seed}:incident:{ticket.number}")
            chance = rng.random()
            lag = rng.randrange(20, 240)
            if chance < NO_TICKET_SHARE:
                continue
            detected = ticket.opened_at - timedelta(seconds=lag)
            if utc(AHEAD_FROM) <= ticket.opened_at < utc(AHEAD_TO):
                detected += timedelta(seconds=AHEAD_SECONDS)
            if detected >= as_of:
                continue
            told = chance >= NO_TICKET_SHARE + NO_NUMBER_SHARE
            yield self._incident(ticket.number, detected, ticket, monitors, rng, told)
        rng = random.Random(f"{self._company.seed}:incidents without a ticket")
        for number in range(UNTOLD_INCIDENTS):
            detected = since + timedelta(seconds=rng.randrange(95 * 86400))
            service = self._company.services[rng.randrange(len(self._company.services))].service_code
            if detected < as_of:
                yield self._incident(f"untold-{number}", detected, service, monitors, rng, False)

    def _incident(
        self,
        key: str,
        detected: datetime,
        what: Ticket | str,
        monitors: dict[str, int],
        rng: random.Random,
        is_told: bool,
    ) -> dict[str, Any]:
        service, resolved, number = what, detected + timedelta(seconds=rng.randrange(60, 3600)), None
        if isinstance(what, Ticket):
            service, number = what.events[0].service_code, what.number
            done = [event.at for event in what.events if event.ticket_state in ("resolved", "canceled")]
            resolved = done[-1] if done else None
        if resolved is not None and resolved >= self._company.as_of_at:
            resolved = None
        fields: dict[str, Any] = {
            "state": {"type": "dropdown", "value": "resolved" if resolved else "active"},
            "detection_method": {"type": "dropdown", "value": "monitor"},
            "services": {"type": "autocomplete", "value": [service] if service else None},
            "monitor_id": {"type": "textbox", "value": str(monitors[service]) if service in monitors else None},
            "servicenow_ticket": {"type": "textbox", "value": number if is_told else None},
        }
        created = detected + timedelta(seconds=4)
        return {
            "id": _key(self._company.seed, "incident", key),
            "type": "incidents",
            "attributes": {
                "public_id": int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:7], 16),
                "title": f"{service or 'a service'} alerts",
                "severity": f"SEV-{rng.randrange(2, 5)}" if isinstance(what, Ticket) else "SEV-5",
                "created": f"{created:%Y-%m-%dT%H:%M:%S}.608000+00:00",
                "detected": f"{detected:%Y-%m-%dT%H:%M:%S}+00:00",
                "modified": f"{resolved or created:%Y-%m-%dT%H:%M:%S}.700000+00:00",
                "resolved": f"{resolved:%Y-%m-%dT%H:%M:%S}+00:00" if resolved else None,
                "customer_impacted": False,
                "fields": fields,
                "is_test": False,
            },
            "relationships": {"integrations": {"data": []}},
        }

    # -- synthetic and real users

    def _test(self, public_id: str, service: str, step: int, locations: tuple[str, ...]) -> dict[str, Any]:
        return {
            "public_id": public_id,
            "name": f"{service} answers",
            "type": "api",
            "subtype": "http",
            "status": "live",
            "monitor_id": 74_900_000 + len(public_id) + step,
            "tags": [f"service:{service}", "env:prod"],
            "locations": list(locations),
            "message": "",
            "config": {"assertions": [{"type": "statusCode", "operator": "is", "target": 200}]},
            "options": {"tick_every": step, "min_location_failed": len(locations)},
        }

    def _results(self, public_id: str, service: str, step: int, locations: tuple[str, ...]) -> list[dict[str, Any]]:
        found = []
        last = min(epoch(utc(RESULTS_TO)), self._as_of)
        for slot in range(epoch(utc(RESULTS_FROM)), last, step):
            for place_number, place in enumerate(locations):
                at = (slot + 3 + slot // step % 5) * 1000 + 137 * place_number
                if at >= self._as_of * 1000:
                    continue
                failed = any(
                    (public_id, place) == row[:2] and epoch(utc(row[2])) <= slot < epoch(utc(row[3]))
                    for row in FAILED_RUNS
                )
                took = 60 + slot // step * 7919 % 150
                result = {"passed": not failed, "timings": {"total": 0.5 + took}}
                found.append(
                    {
                        "check_time": at,
                        "check_version": 1,
                        "probe_dc": place,
                        "result": result,
                        "result_id": str(int(_key(public_id, place, slot)[:8], 16)) + str(slot),
                        "status": 1 if failed else 0,
                    }
                )
        return sorted(found, key=lambda row: (row["check_time"], row["result_id"]))

    def _rum_events(self) -> Iterator[dict[str, Any]]:
        errors, slow = ([epoch(utc(text)) for text in pair] for pair in (RUM_ERRORS, RUM_SLOW))
        for slot in range(epoch(utc(RESULTS_FROM)), min(epoch(utc(RESULTS_TO)), self._as_of), RUM_STEP):
            at = slot + 11 + slot // RUM_STEP % 13
            if at >= self._as_of:
                return
            if any(RUM_LOST_FROM_SECOND <= slot - epoch(utc(f"{day} 00:00:00")) < 86_400 for day in RUM_LOST_ON):
                continue
            milliseconds = 6_000 if slow[0] <= slot < slow[1] else 400 + slot // RUM_STEP * 7919 % 900
            key = _key("rum", slot)
            yield {
                "id": key,
                "type": "rum",
                "attributes": {
                    "service": RUM_SERVICE,
                    "tags": [f"service:{RUM_SERVICE}", "env:prod"],
                    "timestamp": _millis(instant(at), slot % 1000),
                    "attributes": {
                        "type": "view",
                        "application": {"id": _key("application", RUM_SERVICE)},
                        "view": {
                            "id": _key("view", slot),
                            "name": "/leave" if slot // RUM_STEP % 2 else "/payslip",
                            "loading_time": milliseconds * 1_000_000,
                            "error": {"count": 1 if errors[0] <= slot < errors[1] else 0},
                        },
                    },
                },
            }


def _measure(stretches: list[tuple[int, int]], without: list[tuple[int, int]], start: int, end: int) -> int:
    """Seconds of [start, end) in any of the stretches and in none of those taken out."""
    edges: dict[int, list[int]] = {}
    for rows, place in ((stretches, 0), (without, 1)):
        for low, high in rows:
            low, high = max(low, start), min(high, end)
            if low < high:
                edges.setdefault(low, [0, 0])[place] += 1
                edges.setdefault(high, [0, 0])[place] -= 1
    inside = outside = total = 0
    before = start
    for at in sorted(edges):
        if inside > 0 and outside == 0:
            total += at - before
        inside, outside, before = inside + edges[at][0], outside + edges[at][1], at
    return total
