"""The ERP's own logs, for the days the company scraped them: access and application lines, and some that are neither.

Three days of access log, rotated daily (the oldest packed), and one application log in New York's local time.
Nothing depends on chance. Every five minutes two requests answer, but for what is planted in `FACTS`.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from ingestion.demo.model import Company, PlantedFact
from ingestion.demo.timeline import epoch, instant, utc

ZONE = ZoneInfo("America/New_York")
DAYS = ("2025-12-01 00:00:00", "2025-12-02 00:00:00", "2025-12-03 00:00:00", "2025-12-04 00:00:00")
STEP = 300
FAILING = ("2025-12-02 15:00:00", "2025-12-02 15:45:00")
SILENT = ("2025-12-03 02:00:00", "2025-12-03 04:00:00")
IMPORT_FAILED_AT = "2025-12-01 18:21:00"
SETTLED_AT = "2025-12-05 00:00:00"

FACTS = [
    (
        "log_outage",
        "The ERP's access log holds nothing but 503 from 15:00 to 15:45 on 2025-12-02: 2,700 s down",
        {"monitor_id": "erp-logs", "day_on": "2025-12-02", "down_seconds": 2700},
    ),
    (
        "log_silence",
        "The ERP's access log is silent from 02:00 to 04:00 on 2025-12-03: 24 intervals missing, none of them good",
        {"monitor_id": "erp-logs", "day_on": "2025-12-03", "missing_count": 24, "unknown_seconds": 7200},
    ),
    (
        "log_import_failed",
        "An import failed at 18:21 on 2025-12-01 with a stack trace of three lines: one record, one bad minute",
        {"monitor_id": "erp-logs", "bad_minute_at": "2025-12-01 18:21:00"},
    ),
    (
        "log_lines_unreadable",
        "Three lines of the ERP's logs cannot be read: one cut short, one not UTF-8, one with an impossible stamp",
        {"reject_count": 3},
    ),
]


def legacy_log_facts(as_of_at: datetime) -> list[PlantedFact]:
    """What is planted in the logs, once it has been written by `as_of_at`."""
    if as_of_at < utc(SETTLED_AT):
        return []
    return [PlantedFact(code, text, {"settled_at": SETTLED_AT, **detail}) for code, text, detail in FACTS]


def _access(at: int, path: str, status: int, microseconds: int) -> str:
    local = instant(at).astimezone(ZONE)
    return (
        f'batch-host - erp [{local:%d/%b/%Y:%H:%M:%S %z}] "POST {path} HTTP/1.1" {status} 512 "-" "erp-client/4.2" '
        f"{microseconds}"
    )


def _access_lines(start: int, end: int) -> Iterator[tuple[int, bytes]]:
    failing, silent = ([epoch(utc(text)) for text in pair] for pair in (FAILING, SILENT))
    for slot in range(start, end, STEP):
        if silent[0] <= slot < silent[1]:
            continue
        status = 503 if failing[0] <= slot < failing[1] else 200
        turn = slot // STEP
        for offset, path in ((20, "/orders/import"), (140, "/invoices")):
            line = _access(slot + offset + turn % 7, path, status, 40_000 + turn * 7919 % 160_000)
            yield slot + offset, f"{line}\n".encode()
        if turn % 24 == 0:
            yield slot + 200, f"{_access(slot + 200, '/health', 500, 900)}\n".encode()


def _application_lines(start: int, end: int) -> Iterator[tuple[int, bytes]]:
    failed = epoch(utc(IMPORT_FAILED_AT))
    for slot in range(start, end, 6 * STEP):
        local = instant(slot + 60).astimezone(ZONE)
        yield slot + 60, f"{local:%Y-%m-%d %H:%M:%S},217 INFO  [order-import] Import of 40 orders done\n".encode()
        if slot <= failed < slot + 6 * STEP:
            local = instant(failed + 4).astimezone(ZONE)
            yield (
                failed + 4,
                f"{local:%Y-%m-%d %H:%M:%S},512 ERROR [order-import] Import of 38 orders failed\n"
                "    at erp.orders.Importer.run(Importer.java:212)\n"
                "    at erp.jobs.Nightly.main(Nightly.java:40)\n"
                "Caused by: java.net.SocketTimeoutException: Read timed out\n".encode(),
            )


UNREADABLE = {
    "erp-access": (("2025-12-02 03:00:00", b"batch-host - erp [01/Dec/2025:22:00:0\n"),),
    "erp-app": (
        ("2025-12-01 12:00:00", b"2025-12-01 07:00:00,100 INFO  [order-import] Kunde M\xfcller\n"),
        ("2025-12-02 12:00:00", b"2025-12-32 07:00:00,100 INFO  [order-import] Clock set\n"),
    ),
}


def write_legacy_logs(company: Company, folder: Path) -> int:
    """Write what the logs held at the company's as_of; how many lines."""
    as_of, count = epoch(company.as_of_at), 0
    folder.mkdir(parents=True, exist_ok=True)
    bounds = [epoch(utc(day)) for day in DAYS]
    names = ("erp-access.log.2.gz", "erp-access.log.1", "erp-access.log")
    parts = [("erp-access", name, _access_lines(*pair)) for name, pair in zip(names, pairwise(bounds), strict=True)]
    parts.append(("erp-app", "erp-app.log", _application_lines(bounds[0], bounds[-1])))
    for position, (log, name, lines) in enumerate(parts):
        low, high = (bounds[position], bounds[position + 1]) if log == "erp-access" else (bounds[0], bounds[-1])
        strange = [(epoch(utc(at)), line) for at, line in UNREADABLE[log] if low <= epoch(utc(at)) < high]
        whole = [line for at, line in sorted([*lines, *strange], key=lambda row: row[0]) if at < as_of]
        if not whole:
            continue
        body = b"# written by the ERP\n" + b"".join(whole)
        (folder / name).write_bytes(gzip.compress(body, mtime=0) if name.endswith(".gz") else body)
        count += len(whole)
    return count
