"""Measure fivetran/dbt_zendesk's service-level models against our clock, on the very same tables.

    python -m benchmarks.peer_zendesk --packages FOLDER --folder build/peer --tickets 1000000 --repeats 1

FOLDER is outside this repository and was laid out by benchmarks.peer_zendesk_patch. Each run is a whole process on
a fresh copy of the generated database: the peer as `dbt run` of zendesk__sla_policies and all it needs, our clock as
benchmarks.zendesk_clock from the same tables to one row per ticket and target, and, for what reading the tickets
costs, the same process stopped before the clock. Then the results of the last round are compared.

At a million tickets the peer takes about 300 CPU seconds and 6 GB a run; --ours-only measures our side alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.measure import MeasuredCommandError, Report, Variant, measure, run_once, to_standard_error

ROOT = Path(__file__).resolve().parent.parent
PEER, OURS, READING, EVENTS = "dbt_zendesk", "clock from the tables", "of it reading tickets", "clock through events"
WORK_TIME = "int_zendesk__ticket_work_time_business"
# a clock whose target is in calendar hours: the peer counts whole minutes there
AGREEMENT = """
select
    ours.slt_code as target,
    case when ours.calendar_code = 'always' then 'calendar hours' else calendars.calendar_name end as calendar,
    count(*) as clocks,
    count(*) filter (abs(ours.net_seconds / 60.0 - peer.sla_elapsed_time) <= 0.02) as same_second,
    count(*) filter (abs(ours.net_seconds / 60.0 - peer.sla_elapsed_time) <= 2) as within_two_minutes,
    count(*) filter (peer.ticket_id is null) as no_row_in_peer,
    count(*) filter (ours.is_breached_adjusted <> coalesce(peer.is_sla_breach, false)) as other_verdict
from ours.slt.result as ours
inner join ours.reference.calendar as calendars on ours.calendar_code = calendars.calendar_code
left join peer.peer_zendesk.zendesk__sla_policies as peer
    on ours.ticket_id = peer.ticket_id and ours.slt_code = peer.metric
where ours.stop_at is not null
group by all
order by all
"""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer_zendesk")
    parser.add_argument("--packages", type=Path, help="the peer's project, laid out by benchmarks.peer_zendesk_patch")
    parser.add_argument("--folder", type=Path, required=True, help="for databases and figures")
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work-time", action="store_true", help="both sides also build work time in business minutes")
    parser.add_argument("--ours-only", action="store_true", help="without the peer and the comparison of results")
    options = parser.parse_args(arguments)
    if options.packages is None and not options.ours_only:
        parser.error("give --packages, or --ours-only")
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    source = folder / f"zendesk_{options.tickets}.duckdb"
    try:
        if not source.exists():
            partial = source.with_suffix(".part")
            partial.unlink(missing_ok=True)
            command = [sys.executable, "-m", "benchmarks.generate_zendesk", str(partial)]
            to_standard_error(run_once([*command, "--tickets", str(options.tickets)], folder=ROOT).output)
            partial.rename(source)
        packages = None if options.ours_only else options.packages.resolve()
        report = compare(source, folder, packages, options.repeats, options.work_time)
    except MeasuredCommandError as error:
        to_standard_error(str(error))
        return 1
    report.write_json(folder / f"peer_zendesk_{options.tickets}.json")
    sys.stdout.write(f"{report.title}\n\n{report.table()}\n")
    if packages is not None:
        for name in (OURS, EVENTS):
            sys.stdout.write(f"\n{PEER} takes {report.ratio(PEER, name):.1f} times the CPU of: {name}")
        sys.stdout.write("\n\n" + agreement(folder / "peer.duckdb", folder / "ours.duckdb") + "\n")
    return 0


def compare(source: Path, folder: Path, packages: Path | None, repeats: int, with_work_time: bool) -> Report:
    """The peer (when there is one) and our clock, interleaved."""

    def fresh(name: str) -> Callable[[], None]:
        def copy() -> None:
            # a log of the database that was there before must not be replayed into the copy
            (folder / f"{name}.duckdb.wal").unlink(missing_ok=True)
            shutil.copyfile(source, folder / f"{name}.duckdb")

        return copy

    def clock(name: str, *more: str) -> list[str]:
        command = [sys.executable, "-m", "benchmarks.zendesk_clock", str(folder / f"{name}.duckdb"), *more]
        return [*command, "--work-time"] if with_work_time else command

    variants = []
    if packages is not None:
        command = [
            str(Path(sys.executable).parent / "dbt"), "run", "--quiet",
            "--project-dir", str(packages), "--profiles-dir", str(packages),
            "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
            "--select", "+zendesk__sla_policies", *([f"+{WORK_TIME}"] if with_work_time else []),
        ]  # fmt: skip
        variants.append(
            Variant(PEER, command, {"PEER_DATABASE": str(folder / "peer.duckdb")}, fresh("peer"), folder=ROOT)
        )
    variants += [
        Variant(OURS, clock("ours"), prepare=fresh("ours"), folder=ROOT),
        Variant(READING, clock("reading", "--only-steps"), prepare=fresh("reading"), folder=ROOT),
        Variant(EVENTS, clock("events", "--path", "events"), prepare=fresh("events"), folder=ROOT),
    ]
    title = f"Service levels of {source.stem.split('_')[1]} tickets in Zendesk's shape"
    return measure(title, variants, repeats, to_standard_error)


def agreement(peer: Path, ours: Path) -> str:
    """Both sides' results of ended clocks compared, as a Markdown table."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{peer}' as peer (read_only); attach '{ours}' as ours (read_only)")
        result = connection.execute(AGREEMENT)
        names = [column[0] for column in result.description]
        lines = [" | ".join(names), "|".join(["---"] * len(names))]
        lines += [" | ".join(str(value) for value in row) for row in result.fetchall()]
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "0")
    sys.exit(main())
