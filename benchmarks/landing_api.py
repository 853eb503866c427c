"""Landing from an API against a loop of bare `requests` calls over the same pages that throws the answers away.

The demonstration server runs in a process of its own. Each reader is a process too and times itself from its first
request to its end, so that starting Python counts for nobody; they take turns (benchmarks.measure). Overhead is what
landing takes longer than the bare loop, as a share of landing's own time. Memory is compared over one tenth of the
pages and all of them.

    python -m benchmarks.landing_api --tickets 10000 --repeats 5
    python -m benchmarks.landing_api --page-seconds 0.5   # a server that takes as long as an instance does

The demonstration server renders a record in some 15 microseconds; an instance takes a millisecond and more.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.measure import Report, Variant, measure, to_standard_error

ENTITY = "sys_audit"
FIRST_DAY, LAST_DAY = date(2024, 7, 1), date(2026, 1, 4)


def _serve(ticket_count: int, page_seconds: float, told: Any) -> None:
    from ingestion.demo.company import build_company
    from ingestion.demo.faults import FaultPlan, FaultRule
    from ingestion.demo.server import DemoServer

    plan = FaultPlan([FaultRule("table/", "delay", seconds=page_seconds)] if page_seconds else [])
    with DemoServer(build_company(ticket_count=ticket_count), plan, with_drops=False) as server:
        told.send(server.environment())
        told.recv()


@contextmanager
def served(ticket_count: int, page_seconds: float = 0.0) -> Iterator[dict[str, str]]:
    """The company behind a server in a process of its own; the variables that lead there."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_serve, args=(ticket_count, page_seconds, theirs), daemon=True)
    child.start()
    try:
        yield ours.recv()
        ours.send("stop")
        child.join(20)
    finally:
        child.kill()


def read_bare(days: int, page_size: int) -> dict[str, float]:
    """The same requests for the same pages, as few lines as it can be done in; the answers are thrown away."""
    import requests

    from ingestion.contracts import Window
    from ingestion.sources.servicenow import SERVICENOW, encoded_query

    entity = SERVICENOW.entities[ENTITY]
    query = encoded_query(entity, Window.of_days(FIRST_DAY, FIRST_DAY + timedelta(days=days - 1)))
    begun = time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False
        session.auth = os.environ["SERVICENOW_USER"], os.environ["SERVICENOW_PASSWORD"]
        offset, total, pages = 0, 1, 0
        while offset < total:
            answer = session.get(
                os.environ["SERVICENOW_URL"] + entity.endpoint,
                params={
                    "sysparm_query": query,
                    "sysparm_display_value": "false",
                    "sysparm_limit": str(page_size),
                    "sysparm_offset": str(offset),
                },
                timeout=60,
            )
            answer.raise_for_status()
            total = int(answer.headers["X-Total-Count"])
            offset, pages = offset + page_size, pages + 1
    return {"seconds": time.perf_counter() - begun, "records": total, "pages": pages}


def read_landing(days: int, page_size: int) -> dict[str, float]:
    """The path of every run: pages, spool, one transaction."""
    from ingestion import landing
    from ingestion.contracts import Window
    from ingestion.extract import extract
    from ingestion.settings import Settings
    from ingestion.sources import servicenow

    servicenow.PAGE_SIZE = page_size
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env({"WAREHOUSE_PATH": str(Path(folder) / "warehouse.duckdb")})
        landing.prepare(settings)
        window = Window.of_days(FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
        last_page_at = [0.0]
        with landing.hold_open(settings):
            begun = time.perf_counter()
            result = extract(
                settings,
                "servicenow",
                ENTITY,
                window,
                "benchmark",
                lambda event: last_page_at.__setitem__(0, time.perf_counter()) if event.phase == "extracting" else None,
            )
            seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "reading_seconds": last_page_at[0] - begun,
        "records": result.row_count,
        "pages": result.pages,
    }


def figures(report: Report, name: str) -> list[dict[str, float]]:
    """What a reader said of itself, round by round."""
    return [json.loads(sample.output.splitlines()[-1]) for sample in report.samples[name]]


def told(report: Report) -> str:
    """The figures for people."""
    bare, landed, tenth = (figures(report, name) for name in ("bare", "landing", "landing of a tenth"))
    pairs = list(zip(bare, landed, strict=True))
    overhead = statistics.median((ours["seconds"] - theirs["seconds"]) / ours["seconds"] for theirs, ours in pairs)
    reading = statistics.median(
        (ours["reading_seconds"] - theirs["seconds"]) / ours["seconds"] for theirs, ours in pairs
    )
    per_record = statistics.median((ours["seconds"] - theirs["seconds"]) / ours["records"] for theirs, ours in pairs)
    memory = [
        statistics.median(sample.peak_memory_bytes for sample in report.samples[name]) / 1e6
        for name in ("landing of a tenth", "landing")
    ]
    return "\n".join(
        [
            report.table(),
            "",
            f"{landed[0]['records']:,.0f} records in {landed[0]['pages']:.0f} pages (tenth: {tenth[0]['pages']:.0f}); "
            f"seconds within the process, medians: bare {statistics.median(row['seconds'] for row in bare):.2f}, "
            f"landing {statistics.median(row['seconds'] for row in landed):.2f}",
            f"client overhead {overhead:.1%} of the wall time, {per_record * 1e6:.1f} microseconds a record; "
            f"of it while reading {reading:.1%}, the rest is the landing's own transaction",
            "processor time beyond the landing of a tenth: "
            f"{_cpu_per_record(report, landed, tenth) * 1e6:.0f} microseconds a record",
            f"peak memory {memory[0]:.0f} MB with {tenth[0]['pages']:.0f} pages, {memory[1]:.0f} MB with "
            f"{landed[0]['pages']:.0f}",
        ]
    )


def _cpu_per_record(report: Report, landed: list[dict[str, float]], tenth: list[dict[str, float]]) -> float:
    """What a further record costs the client: says something on a busy machine too, where wall time does not."""
    more = landed[0]["records"] - tenth[0]["records"]
    return (report.median("landing") - report.median("landing of a tenth")) / more


def main(arguments: list[str] | None = None) -> int:
    """Measure, or be one of the readers that are measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.landing_api", description=__doc__.split("\n")[0])
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--page-seconds", type=float, default=0.0, help="what the server waits before each page")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--days", type=int, default=(LAST_DAY - FIRST_DAY).days + 1)
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    parser.add_argument("--read", choices=("bare", "landing"), help="be this reader")
    options = parser.parse_args(arguments)
    if options.read:
        read = read_bare if options.read == "bare" else read_landing
        sys.stdout.write(json.dumps(read(options.days, options.page_size)) + "\n")
        return 0
    with served(options.tickets, options.page_seconds) as environment:
        variants = [
            Variant(
                name,
                [
                    sys.executable,
                    "-m",
                    "benchmarks.landing_api",
                    "--read",
                    reader,
                    "--days",
                    str(days),
                    "--page-size",
                    str(options.page_size),
                ],
                environment,
            )
            for name, reader, days in (
                ("bare", "bare", options.days),
                ("landing", "landing", options.days),
                ("landing of a tenth", "landing", max(1, options.days // 10)),
            )
        ]
        report = measure("landing from an API", variants, options.repeats, to_standard_error)
    sys.stdout.write(told(report) + "\n")
    if options.json:
        report.write_json(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
