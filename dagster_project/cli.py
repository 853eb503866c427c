"""The console command `sltw`: everything make does, for a scheduler without make.

Each command prints its figure as its last line and exits non-zero when what it promises did not happen
(1: it failed and says where; 2: it could not start and says what to set).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.umask(0o077)  # the warehouse, its logs and its spool hold names and pay; only published files are shared
    from dagster_project.lib import commands
    from dagster_project.lib.run_lock import WarehouseBusyError
    from ingestion.settings import SettingsError

    try:
        match options.command:
            case "demo":
                return commands.demo(options.tickets, options.seed, options.as_of)
            case "run":
                return commands.dry_run(options.source) if options.dry_run else commands.run()
            case "check":
                return commands.check(options.source)
            case "export-run":
                return commands.export_run(options.file, options.warehouse)
            case "backfill":
                return commands.backfill(options.first, options.last, options.source, options.demo)
            case "serve-demo":
                return _serve_demo(options)
            case "dagster":
                return commands.dagster_dev(options.host, options.port, options.tickets, options.seed)
            case "docs":
                return commands.docs()
            case "publish":
                return commands.publish()
            case "status":
                return commands.status(options.at)
            case "openslo-import":
                return commands.openslo_import(options.files, options.out, options.effective_from, options.write)
            case "metric-impact":
                return commands.metric_impact(options.metric, options.version, options.csv, options.plot)
            case "handbook":
                return commands.handbook(options.out)
            case "close":
                from dagster_project.lib.close_commands import close

                return close(options.period)
            case "verify-archive":
                from dagster_project.lib.close_commands import verify

                return verify(options.recompute)
            case "payroll-export":
                from dagster_project.lib.payroll_commands import payroll_export

                return payroll_export(options.payment_period, options.country)
            case "verify-payroll-export":
                from dagster_project.lib.payroll_commands import verify_payroll_export

                return verify_payroll_export()
            case "statement":
                return commands.statement(options.employee, options.quarter, options.out)
            case "coverage":
                from dagster_project.lib.coverage import write_coverage

                return write_coverage(check=options.check)
    except (commands.CommandError, SettingsError, WarehouseBusyError) as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return 2
    raise AssertionError(f"command {options.command} is not wired")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sltw", description="The SLT warehouse: land, build, check, publish.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    demo = commands.add_parser("demo", help="run the whole path on the demonstration company")
    _company_arguments(demo)
    demo.add_argument("--as-of", type=_instant, help="the instant the company is seen at (UTC)")

    run = commands.add_parser("run", help="run the whole path on the configured sources")
    run.add_argument("--dry-run", action="store_true", help="only show what would be extracted; write nothing")
    run.add_argument("--source", help="with --dry-run: only this source")

    check = commands.add_parser("check", help="see whether the configured sources can be read, and what is missing")
    check.add_argument("--source", help="only this source")

    export = commands.add_parser("export-run", help="run the whole path on an exported ServiceNow event log")
    export.add_argument("--file", type=Path, required=True, help="the log, .csv or .csv.gz")
    export.add_argument("--warehouse", type=Path, required=True, help="the DuckDB file to build")

    backfill = commands.add_parser("backfill", help="extract days (and the months they touch) again")
    backfill.add_argument("--from", dest="first", type=_day, required=True, metavar="DAY")
    backfill.add_argument("--to", dest="last", type=_day, required=True, metavar="DAY", help="inclusive")
    backfill.add_argument("--source", help="only this source")
    backfill.add_argument("--demo", action="store_true", help="from the demonstration company")

    serve = commands.add_parser("serve-demo", help="serve the demonstration company and print its environment")
    _company_arguments(serve)
    serve.add_argument("--port", type=int, default=0)

    dagster = commands.add_parser("dagster", help="open the orchestrator in the browser")
    _company_arguments(dagster)
    dagster.add_argument("--host", default="127.0.0.1")
    dagster.add_argument("--port", type=int, default=3000)

    commands.add_parser("docs", help="write the dbt documentation as one static page")
    commands.add_parser("publish", help="judge the marts as they stand and publish them again")

    status = commands.add_parser("status", help="say which sources are late, since when, and what waits; 1 when one is")
    status.add_argument("--at", type=_instant, help="judge at this instant (UTC; default: now, or the run's as-of)")

    openslo = commands.add_parser("openslo-import", help="read OpenSLO v1 files into seeds/slo; shows the difference")
    openslo.add_argument("files", nargs="+", type=Path, metavar="FILE", help="YAML; names hold across files")
    openslo.add_argument("--out", type=Path, help="folder of the seeds (default: seeds/slo)")
    openslo.add_argument("--effective-from", type=_day, metavar="DAY", help="first day in force (default: today, UTC)")
    openslo.add_argument("--write", action="store_true", help="change the seeds, not only show what would change")

    impact = commands.add_parser(
        "metric-impact", help="show what a proposed metric version would do to results and pay"
    )
    impact.add_argument("--metric", required=True, metavar="CODE")
    impact.add_argument("--version", type=int, required=True, metavar="N", help="a version not in force yet")
    impact.add_argument("--csv", type=Path, metavar="FILE", help="write every line of it")
    impact.add_argument("--plot", type=Path, metavar="FILE", help="draw it as SVG")

    handbook = commands.add_parser("handbook", help="write the handbook of metrics and plans as Markdown")
    handbook.add_argument("--out", type=Path, metavar="FILE", help="default: docs/handbook.md beside the warehouse")

    close = commands.add_parser(
        "close", help="close a period for good and archive it; 1 and the reasons when it cannot be"
    )
    close.add_argument("--period", required=True, metavar="QUARTER", help="such as 2025-Q3")

    verify = commands.add_parser("verify-archive", help="hold every byte of the closed periods against their manifests")
    verify.add_argument(
        "--recompute", action="store_true", help="compute every payout line anew from the archive alone"
    )

    payroll = commands.add_parser(
        "payroll-export", help="write a month's payroll file and journal, once; 1 and the reasons when it cannot be"
    )
    payroll.add_argument("--payment-period", required=True, type=_month, metavar="MONTH", help="such as 2025-04")
    payroll.add_argument("--country", type=_country, metavar="CODE", help="such as IE (default: every country)")

    commands.add_parser("verify-payroll-export", help="hold every byte of the payroll exports against their manifests")

    statement = commands.add_parser("statement", help="write what a person is paid for a quarter, and why")
    statement.add_argument("--employee", required=True, metavar="NUMBER", help="employee number, such as e1027")
    statement.add_argument("--quarter", required=True, type=_quarter, metavar="QUARTER", help="such as 2025-Q2")
    statement.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="gets an HTML and a JSON file")

    coverage = commands.add_parser("coverage", help="write docs/coverage.md")
    coverage.add_argument("--check", action="store_true", help="change nothing; fail when it is not up to date")
    return parser


def _company_arguments(parser: argparse.ArgumentParser) -> None:
    from ingestion.demo.company import DEFAULT_SEED, DEFAULT_TICKET_COUNT

    parser.add_argument("--tickets", type=int, default=DEFAULT_TICKET_COUNT, help="size of the company")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)


def _serve_demo(options: argparse.Namespace) -> int:
    from ingestion.demo.__main__ import main as demo_main

    return demo_main(
        ["serve", "--port", str(options.port), "--tickets", str(options.tickets), "--seed", str(options.seed)]
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write one such as 2025-03-31") from None


def _quarter(text: str) -> str:
    if re.fullmatch(r"\d{4}-Q[1-4]", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no quarter; write one such as 2025-Q2")


def _month(text: str) -> str:
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no month; write one such as 2025-04")


def _country(text: str) -> str:
    if re.fullmatch(r"[A-Z]{2}", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is no country; write an ISO 3166 code such as IE")


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant; write one such as 2026-01-05T00:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
