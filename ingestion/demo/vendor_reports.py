"""What the company's vendors hand over: raw outage and resolution records, and the shares they claim from them.

The records are what really happened: the outages the monitors saw and the tickets as the reference calculation
clocks them, so that an honest vendor's figures agree with ours. Where a vendor is not honest, or silent, is planted,
three cases of each kind, each in a service and month of its own. A case for which the company is too small (nothing
went wrong there that could be hidden) is left out and not recorded.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ingestion.demo.model import Company, MonitorTransition, PlantedFact
from ingestion.demo.pay_desk import last_day, write_csv
from ingestion.demo.reference_clock import calculate_ticket_slts, midnight_s, monitor_intervals, next_month, to_seconds
from ingestion.demo.timeline import instant, read_seed
from ingestion.sources.vendor_performance import RECORD, SUMMARY

FACT_PREFIX = "vendor_report_"
# Vendors write the time of their own office.
OFFICES = {"cloudharbour": ZoneInfo("America/Los_Angeles"), "mailspring": ZoneInfo("Europe/Berlin")}
CLOCK = "incident_resolution"

# Three cases each: (vendor, service, measure, first of month) -> status the reconciliation must give it.
OVERSTATED = (
    ("cloudharbour", "payments", "availability", date(2025, 11, 1)),
    ("cloudharbour", "checkout", "availability", date(2025, 10, 1)),
    ("mailspring", "email", "availability", date(2025, 10, 1)),
)
HIDDEN = (
    ("cloudharbour", "checkout", "availability", date(2025, 8, 1)),
    ("cloudharbour", "data-warehouse", "availability", date(2025, 9, 1)),
    ("mailspring", "email", "availability", date(2025, 12, 1)),
)
SILENT = (
    ("cloudharbour", "data-warehouse", "availability", date(2025, 12, 1)),
    ("cloudharbour", "payments", "availability", date(2025, 9, 1)),
    ("mailspring", "hr-portal", "availability", date(2025, 9, 1)),
)
NO_SUMMARY = (
    ("mailspring", "email", "availability", date(2025, 8, 1)),
    ("mailspring", "hr-portal", "availability", date(2025, 7, 1)),
    ("cloudharbour", "data-warehouse", "availability", date(2025, 10, 1)),
)
NO_RECORDS = (
    ("mailspring", "hr-portal", "availability", date(2025, 11, 1)),
    ("mailspring", "email", "availability", date(2025, 9, 1)),
    ("cloudharbour", "data-warehouse", "availability", date(2025, 8, 1)),
)
NOT_OURS = tuple(("cloudharbour", "status-page", "availability", date(2025, month, 1)) for month in (10, 11, 12))
OVERSTATED_BY = Decimal("0.003")
HIDDEN_SHARE = Decimal("0.004")

Key = tuple[str, str, str, date]


@dataclass(frozen=True)
class VendorRecord:
    """One outage or resolution [start_s, end_s); weight is the part of the service's sites an outage struck."""

    key: Key
    reference: str
    start_s: int
    end_s: int
    weight: Decimal = Decimal(1)
    counted_seconds: int | None = None
    target_seconds: int | None = None


@dataclass(frozen=True)
class VendorReports:
    """Everything the vendors hand over by the company's as_of."""

    records: dict[Key, list[VendorRecord]]
    claims: dict[Key, tuple[Decimal, int]]
    facts: list[PlantedFact]


def vendor_reports(company: Company) -> VendorReports:
    """Records and claims of every duty and month that has ended, the planted cases in them."""
    as_of_on = company.as_of_at.date()
    records: dict[Key, list[VendorRecord]] = {}
    for duty in read_seed("vendors/vendor_reporting_duty.csv"):
        month = date.fromisoformat(duty["effective_from"])
        while next_month(month) <= as_of_on:
            records[duty["vendor_code"], duty["service_code"], duty["measure"], month] = []
            month = next_month(month)
    if not records:
        return VendorReports({}, {}, [])
    first_s = midnight_s(min(key[3] for key in records))
    end_s = midnight_s(next_month(max(key[3] for key in records)))
    for record in [*_outages(company, first_s, end_s), *_resolutions(company, records)]:
        records.setdefault(record.key, []).append(record)
    records = {key: rows for key, rows in records.items() if next_month(key[3]) <= as_of_on}
    hidden = [key for key in HIDDEN if _plant_hidden(key, records)]
    worst = _plant_counted_away(records)
    claims = {key: (_share(key, records), len(rows)) for key, rows in records.items()}
    cases = [(key, "raw_differs_from_measured") for key in (*hidden, *worst)]
    for key in OVERSTATED:
        if key in claims and claims[key][0] + OVERSTATED_BY <= 1:
            claims[key] = claims[key][0] + OVERSTATED_BY, claims[key][1]
            cases.append((key, "summary_differs_from_raw"))
    for key in NO_SUMMARY:
        if key in claims and records[key]:
            del claims[key]
            cases.append((key, "missing_summary"))
    for key in NO_RECORDS:
        if key in claims and records[key]:
            records[key] = []
            cases.append((key, "missing_raw"))
    for key in SILENT:
        if key in claims:
            del claims[key], records[key]
            cases.append((key, "missing_report"))
    for key in NOT_OURS:
        if next_month(key[3]) <= as_of_on:
            start_s = midnight_s(key[3]) + 3600
            records[key] = [VendorRecord(key, "their own page", start_s, start_s + 1800)]
            claims[key] = _share(key, records), 1
            cases.append((key, "missing_measured"))
    return VendorReports(records, claims, [_fact(key, status) for key, status in cases])


def _fact(key: Key, status: str) -> PlantedFact:
    vendor_code, service_code, measure, month = key
    return PlantedFact(
        f"{FACT_PREFIX}{status}_{measure}_{service_code}_{month:%Y-%m}",
        f"{vendor_code}'s {measure} of {service_code} in {month:%Y-%m} must be found as {status}",
        {
            "settled_at": f"{next_month(month)} 00:00:00",
            "vendor_code": vendor_code,
            "service_code": service_code,
            "measure": measure,
            "period_month": month.isoformat(),
            "status": status,
        },
    )


def _outages(company: Company, first_s: int, end_s: int) -> list[VendorRecord]:
    """Every stretch in which a monitor of a reported service was down, by the month it began in."""
    vendors = {
        row["service_code"]: row["vendor_code"]
        for row in read_seed("vendors/vendor_reporting_duty.csv")
        if row["measure"] == "availability"
    }
    monitors = [monitor for monitor in company.monitors if monitor.service_code in vendors]
    transitions: dict[int, list[MonitorTransition]] = defaultdict(list)
    for transition in company.transitions:
        transitions[transition.monitor_id].append(transition)
    found = []
    for monitor in monitors:
        sites = sum(other.service_code == monitor.service_code for other in monitors)
        weight = (Decimal(1) / sites).quantize(Decimal("0.000001"))
        for start, end, kind in monitor_intervals(monitor, transitions[monitor.id], to_seconds(company.as_of_at)):
            start_s, until_s = max(start, first_s), min(end, end_s)
            if kind != "down" or start_s >= until_s:
                continue
            month = instant(start_s).date().replace(day=1)
            key = vendors[monitor.service_code], monitor.service_code, "availability", month
            found.append(VendorRecord(key, f"site {monitor.id % 1000}", start_s, until_s, weight))
    return found


def _resolutions(company: Company, records: dict[Key, list[VendorRecord]]) -> list[VendorRecord]:
    """Every ticket of a reported service that was resolved, by the month its clock stopped in."""
    keys = {key for key in records if key[2] == "attainment"}
    services, first_on = {key[1] for key in keys}, min((key[3] for key in keys), default=date.max)
    tickets = [
        ticket
        for ticket in company.tickets
        if ticket.events[-1].at.date() >= first_on and any(event.service_code in services for event in ticket.events)
    ]
    found = []
    for item in calculate_ticket_slts(replace(company, tickets=tickets)):
        result = item.result
        if (
            item.slt_code != CLOCK
            or result.stop_at is None
            or result.slt_status
            not in (
                "met",
                "within_tolerance",
                "breached",
            )
        ):
            continue
        month = result.stop_at.date().replace(day=1)
        for key in keys:
            if key[1] == item.service_code and key[3] == month:
                found.append(
                    VendorRecord(
                        key,
                        item.ticket_number,
                        to_seconds(result.start_at),
                        to_seconds(result.stop_at),
                        counted_seconds=result.net_seconds,
                        target_seconds=item.target_seconds,
                    )
                )
    return found


def _share(key: Key, records: dict[Key, list[VendorRecord]]) -> Decimal:
    """What the records of a vendor say for a month, rounded half up to six places; 1 where nothing happened."""
    if key[2] == "attainment":
        rows = records[key]
        good = sum((row.counted_seconds or 0) <= (row.target_seconds or 0) for row in rows)
        share = Decimal(good) / len(rows) if rows else Decimal(1)
    else:
        from_s, to_s = midnight_s(key[3]), midnight_s(next_month(key[3]))
        down = sum(
            (max(0, min(row.end_s, to_s) - max(row.start_s, from_s)) * row.weight)
            for other, rows in records.items()
            if other[:3] == key[:3]
            for row in rows
        )
        share = 1 - Decimal(down) / (to_s - from_s)
    return share.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _plant_hidden(key: Key, records: dict[Key, list[VendorRecord]]) -> bool:
    """The longest outages of a month are left out of the records, until the share is better by `HIDDEN_SHARE`."""
    rows = records.get(key)
    if not rows:
        return False
    honest, kept = _share(key, records), sorted(rows, key=lambda row: (row.start_s - row.end_s, row.start_s))
    while kept and _share(key, records) < honest + HIDDEN_SHARE:
        # An outage that goes on into the next month would move that one as well.
        gone = next((row for row in kept if row.end_s <= midnight_s(next_month(key[3]))), None)
        if gone is None:
            break
        kept.remove(gone)
        records[key] = kept
    if _share(key, records) < honest + HIDDEN_SHARE:
        records[key] = rows
        return False
    records[key] = sorted(kept, key=lambda row: row.start_s)
    return True


def _plant_counted_away(records: dict[Key, list[VendorRecord]]) -> list[Key]:
    """In its worst month a vendor counts every ticket down to its target."""
    shares = {key: _share(key, records) for key, rows in records.items() if key[2] == "attainment" and rows}
    worst = min(shares, key=lambda key: (shares[key], key), default=None)
    if worst is None or shares[worst] > Decimal("0.97"):
        return []
    records[worst] = [
        replace(row, counted_seconds=min(row.counted_seconds or 0, row.target_seconds or 0)) for row in records[worst]
    ]
    return [worst]


def write_vendor_reports(company: Company, folder: Path) -> VendorReports:
    """vendor_records_ and vendor_summaries_YYYY-MM.csv of every month that has ended; records the planted cases."""
    reports = vendor_reports(company)
    company.planted[:] = [fact for fact in company.planted if not fact.code.startswith(FACT_PREFIX)] + reports.facts
    folder.mkdir(parents=True, exist_ok=True)
    months = sorted({key[3] for key in [*reports.records, *reports.claims]})
    for month in months:
        rows = []
        for key in sorted(key for key in reports.records if key[3] == month):
            office = OFFICES[key[0]]
            kind = "outage" if key[2] == "availability" else "resolution"
            for place, row in enumerate(sorted(reports.records[key], key=lambda item: item.start_s), start=1):
                rows.append(
                    (
                        key[0],
                        f"{kind[:3].upper()}-{key[1]}-{month:%Y%m}-{place:03d}",
                        key[1],
                        kind,
                        row.reference,
                        instant(row.start_s).astimezone(office).isoformat(),
                        instant(row.end_s).astimezone(office).isoformat(),
                        "" if row.weight == 1 else row.weight,
                        "" if row.counted_seconds is None else row.counted_seconds,
                        "" if row.target_seconds is None else row.target_seconds,
                    )
                )
        reported_on = last_day(f"{next_month(month):%Y-%m}").replace(day=5)
        claims = [
            (*key[:3], f"{month:%Y-%m}", share, count, reported_on)
            for key, (share, count) in sorted(reports.claims.items())
            if key[3] == month
        ]
        write_csv(folder / f"vendor_records_{month:%Y-%m}.csv", RECORD.columns, rows)
        write_csv(folder / f"vendor_summaries_{month:%Y-%m}.csv", SUMMARY.columns, claims)
    return reports
