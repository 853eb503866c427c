"""Monitor samples of the demonstration company: what its probes said, with facts planted at fixed instants.

Nothing here depends on chance: every probe speaks once per interval, good, unless a stretch of `BAD`, `SILENT`,
`UNSURE` or `TWICE` says otherwise. A probe's clock may run ahead of the collector's; which monitors exist and
how often they speak is read from seeds/services/monitor_register.csv, as the warehouse reads it; monitors whose
samples come by another way have no place in `LOCATIONS` and send none here.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ingestion.demo.model import Company, PlantedFact
from ingestion.demo.timeline import epoch, instant, read_seed, utc

COLUMNS = ("monitor_id", "sampled_at", "received_at", "sample_kind", "outcome", "response_ms", "probe_location")
LOCATIONS = {
    "identity-probe": ("dublin",),
    "orders-probe": ("new-york",),
    "orders-probe-coarse": ("new-york",),
    "checkout-probe": ("dublin", "mumbai", "virginia"),
    "vpn-users": ("dublin-office",),
    "catalogue-logs": ("pune",),
}
CLOCK_AHEAD_SECONDS = {"vpn-users": 90}
# Monitors whose probes report HTTP statuses instead of words: what they say for good and bad.
STATUSES = {"vpn-users": ("200", "503"), "checkout-probe": ("200", "0")}

# (monitor, location, from, to): what holds for the samples truly taken in [from, to).
Stretch = tuple[str, str, str, str]
BAD: list[Stretch] = [
    *(
        ("identity-probe", "dublin", f"2025-11-03 14:{minute:02}:00", f"2025-11-03 14:{minute + 1:02}:00")
        for minute in range(0, 20, 2)
    ),
    ("orders-probe", "new-york", "2025-10-29 08:02:00", "2025-10-29 08:06:00"),
    ("orders-probe", "new-york", "2025-10-31 15:10:00", "2025-10-31 15:40:00"),
    ("orders-probe-coarse", "new-york", "2025-10-31 15:10:00", "2025-10-31 15:40:00"),
    ("checkout-probe", "mumbai", "2025-11-04 06:00:00", "2025-11-04 06:30:00"),
    *(("checkout-probe", place, "2025-11-05 17:00:00", "2025-11-05 17:20:00") for place in LOCATIONS["checkout-probe"]),
    ("vpn-users", "dublin-office", "2025-11-02 10:00:00", "2025-11-02 10:30:00"),
    ("catalogue-logs", "pune", "2025-11-10 04:30:00", "2025-11-10 05:30:00"),
]
SILENT: list[Stretch] = [
    ("identity-probe", "dublin", "2025-10-28 10:00:00", "2025-10-28 12:30:00"),
    *(
        ("identity-probe", "dublin", f"2025-11-01 01:{minute:02}:00", f"2025-11-01 01:{minute + 1:02}:00")
        for minute in range(0, 60, 3)
    ),
]
UNSURE: list[Stretch] = [("identity-probe", "dublin", "2025-11-06 00:00:00", "2025-11-06 00:10:00")]
TWICE: list[Stretch] = [("identity-probe", "dublin", "2025-10-30 09:00:00", "2025-10-30 10:00:00")]

FACTS = [
    (
        "sample_gap",
        "The identity probe is silent from 10:00 to 12:30 on 2025-10-28: 9,000 s unknown, neither up nor down",
        {"monitor_id": "identity-probe", "day_on": "2025-10-28", "unknown_seconds": 9000, "missing_count": 150},
    ),
    (
        "sample_missing_points",
        "Of the identity probe's samples of 01:00 to 02:00 on 2025-11-01 every third is missing: 20 points",
        {"monitor_id": "identity-probe", "day_on": "2025-11-01", "unknown_seconds": 1200, "missing_count": 20},
    ),
    (
        "sample_unknown_outcome",
        "The identity probe cannot tell for ten minutes on 2025-11-06: 600 s unknown though samples are there",
        {"monitor_id": "identity-probe", "day_on": "2025-11-06", "unknown_seconds": 600, "missing_count": 0},
    ),
    (
        "sample_duplicates",
        "The identity probe's samples of 09:00 to 10:00 on 2025-10-30 are delivered twice: 60 surplus, no second more",
        {"monitor_id": "identity-probe", "day_on": "2025-10-30", "duplicate_count": 60, "up_seconds": 86400},
    ),
    (
        "sample_flapping",
        "Identity is bad every other minute from 14:00 to 14:20 on 2025-11-03: 600 s down, 20 changes of state",
        {"monitor_id": "identity-probe", "day_on": "2025-11-03", "down_seconds": 600, "state_change_count": 20},
    ),
    (
        "sample_false_positive",
        "Checkout is bad from Mumbai alone from 06:00 to 06:30 on 2025-11-04: six disputed points, no second down",
        {"monitor_id": "checkout-probe", "day_on": "2025-11-04", "disputed_count": 6, "down_seconds": 0},
    ),
    (
        "sample_outage_seen_everywhere",
        "Checkout is bad from all three locations from 17:00 to 17:20 on 2025-11-05: 1,200 s down",
        {"monitor_id": "checkout-probe", "day_on": "2025-11-05", "disputed_count": 0, "down_seconds": 1200},
    ),
    (
        "sample_clock_ahead",
        "The clock of the VPN's probe is 90 s ahead and its samples arrive 2 s after they are taken: the delay read "
        "from the two clocks is -88 s; the outage of 10:00 to 10:30 on 2025-11-02 stands where it was",
        {
            "monitor_id": "vpn-users",
            "median_delay_seconds": -88,
            "down_from": "2025-11-02 10:00:00",
            "down_to": "2025-11-02 10:30:00",
        },
    ),
    (
        "sample_outage_missed_by_coarse_interval",
        "Orders is bad for 240 s from 08:02 on 2025-10-29: the minutely probe sees it, the quarter-hourly does not",
        {"monitor_id": "orders-probe", "coarse_monitor_id": "orders-probe-coarse", "missed_seconds": 240},
    ),
    (
        "monitoring_blind_spot",
        "HR portal has to be watched by a synthetic monitor from 2025-10-24 and has none",
        {"service_code": "hr-portal", "sample_kind": "synthetic", "required_from": "2025-10-24 00:00:00"},
    ),
    (
        "monitor_created_after_go_live",
        "Catalogue's logs have to be watched from 2025-10-24, its monitor begins on 2025-10-27: 259,200 s unmonitored",
        {"service_code": "catalogue", "sample_kind": "log_scraped", "unmonitored_seconds": 259_200},
    ),
]
SETTLED_AT = "2025-12-01 00:00:00"


def monitor_sample_facts(as_of_at: datetime) -> list[PlantedFact]:
    """What is planted in the samples, as far as the files that hold it have landed by `as_of_at`."""
    if as_of_at < utc(SETTLED_AT):
        return []
    return [PlantedFact(code, text, {"settled_at": SETTLED_AT, **detail}) for code, text, detail in FACTS]


def samples(company: Company) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(epoch second a sample was received, its row) of every sample received before the company's as_of."""
    as_of = epoch(company.as_of_at)
    stretches = {name: _by_probe(rows) for name, rows in _stretches().items()}
    for monitor in read_seed("services/monitor_register.csv"):
        monitor_id, step = monitor["monitor_id"], int(monitor["expected_interval_seconds"])
        if monitor_id not in LOCATIONS:
            continue
        start, end = epoch(utc(monitor["effective_from"])), epoch(utc(monitor["effective_to"] or "9999-12-31"))
        ahead = CLOCK_AHEAD_SECONDS.get(monitor_id, 0)
        good, bad = STATUSES.get(monitor_id, ("good", "bad"))
        for place in LOCATIONS[monitor_id]:
            probe = (monitor_id, place)
            sets = {name: by_probe.get(probe, []) for name, by_probe in stretches.items()}
            for slot in range(start, min(end, as_of), step):
                taken = slot + 7 + slot // step % 11
                received = taken + 2
                if received >= as_of or _within(sets["silent"], slot):
                    continue
                outcome = good
                if _within(sets["bad"], slot):
                    outcome = bad
                elif _within(sets["unsure"], slot):
                    outcome = "unknown"
                answered = "" if outcome in ("0", "unknown") else str(80 + slot // step * 7919 % 140)
                for late in (0, 31) if _within(sets["twice"], slot) else (0,):
                    yield (
                        received + late,
                        (
                            monitor_id,
                            f"{instant(taken + ahead):%Y-%m-%dT%H:%M:%SZ}",
                            f"{instant(received + late):%Y-%m-%dT%H:%M:%SZ}",
                            monitor["sample_kind"],
                            outcome,
                            answered,
                            place,
                        ),
                    )


def write_monitor_samples(company: Company, folder: Path) -> int:
    """Write monitor_samples_YYYY-MM.csv, one for each month in which samples were received; how many rows."""
    months: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for _, row in samples(company):
        months[row[2][:7]].append(row)
    folder.mkdir(parents=True, exist_ok=True)
    for month, rows in months.items():
        with (folder / f"monitor_samples_{month}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(rows)
    return sum(map(len, months.values()))


def _stretches() -> dict[str, list[Stretch]]:
    return {"bad": BAD, "silent": SILENT, "unsure": UNSURE, "twice": TWICE}


def _by_probe(rows: list[Stretch]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for monitor_id, place, start, end in rows:
        found[monitor_id, place].append((epoch(utc(start)), epoch(utc(end))))
    return found


def _within(stretches: list[tuple[int, int]], at: int) -> bool:
    return any(start <= at < end for start, end in stretches)
