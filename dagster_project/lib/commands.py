"""What the console commands do: set the environment, run a job, show what came of it.

Each returns an exit code; its last line on the screen is its figure. `cli.py` reads the arguments.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.table import Table

from dagster_project.lib.console import Screen, quiet, tail
from dagster_project.lib.dbt_parse import child_environment, parse_meanwhile
from dagster_project.lib.environment import (
    DBT_PROJECT_DIR,
    REPO_ROOT,
    dbt_target_path,
    default_dagster_home,
    gates_path,
    logs_path,
    settle_environment,
    state_path,
)
from dagster_project.lib.progress import listening
from dagster_project.lib.run_lock import hold_run
from dagster_project.lib.summary import LandingFigures, Summary, open_summary
from expectations.report import PAGE_NAME
from ingestion.contracts import Source, SourceError
from ingestion.settings import Settings
from ingestion.sources import SOURCES

if TYPE_CHECKING:
    from dagster import AssetKey

    from dagster_project.lib.job_runner import JobRun
    from ingestion.source_check import EntityCheck

# What names a source of records; credentials alone configure nothing.
SOURCE_VARIABLES = (
    "SERVICENOW_URL",
    "SERVICENOW_TABLE_EXPORT_PATH",
    "SERVICENOW_EXPORT_FILE",
    "DATADOG_URL",
    "BAMBOOHR_URL",
    "WORKDAY_URL",
    "PAYROLL_DROP_PATH",
    "LEDGER_DROP_PATH",
    "MONITOR_SAMPLE_DROP_PATH",
    "FX_RATE_DROP_PATH",
    "QUICKBOOKS_URL",
    "BILLING_DROP_PATH",
    "VENDOR_PERFORMANCE_DROP_PATH",
    "SURVEY_DROP_PATH",
    "LEGACY_LOG_DROP_PATH",
)
WAITING_SHOWN = 6
JOBS_WITH_GATES = ("warehouse", "publish_only")


class CommandError(RuntimeError):
    """A command cannot start: the message says why and how to mend it."""


def configured_sources() -> list[Source]:
    """The sources the environment names."""
    return [source for source in SOURCES.values() if source.is_configured()[0]]


@contextmanager
def demo_environment(screen: Screen, tickets: int, seed: int, as_of: datetime | None) -> Iterator[None]:
    """Serve the demonstration company on loopback and point the environment at it while the block runs.

    Raises CommandError when a real source is configured: invented records must not land among real ones.
    """
    if names := [name for name in SOURCE_VARIABLES if os.environ.get(name)]:
        raise CommandError(
            f"{', '.join(names)} is set: the demonstration would land invented records beside real ones. "
            "Unset it, or run `sltw run` for the real sources"
        )
    from ingestion.demo.company import DEFAULT_AS_OF, build_company
    from ingestion.demo.server import DemoServer

    screen.line(f"building the demonstration company with {tickets:,} tickets")
    company = build_company(seed, as_of or DEFAULT_AS_OF, tickets)
    before = dict(os.environ)
    with DemoServer(company) as server:
        os.environ.update(server.environment())
        screen.line(
            f"demonstration company: {len(company.tickets):,} tickets, {len(company.employees)} people, "
            f"{len(company.monitors)} monitors, served on {server.url}"
        )
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def demo(tickets: int, seed: int, as_of: datetime | None) -> int:
    """Run the whole path on the demonstration company."""
    settings = settle_environment()
    parse_meanwhile(settings)
    with (
        quiet(logs_path(settings), "demo") as (screen, log_path),
        demo_environment(screen, tickets, seed, as_of),
    ):
        code = _warehouse(screen, log_path, "demo")
        if code:
            return code
        from dagster_project.lib.close_commands import close_demo
        from ingestion.demo.company import DEFAULT_SEED, DEFAULT_TICKET_COUNT

        is_own_size = (tickets, seed, as_of) == (DEFAULT_TICKET_COUNT, DEFAULT_SEED, None)
        return close_demo(screen, must_close=is_own_size)


def run() -> int:
    """Run the whole path on the sources the environment configures."""
    settings = settle_environment()
    with quiet(logs_path(settings), "run") as (screen, log_path):
        if not configured_sources():
            raise CommandError(f"no source is configured: set one of {', '.join(SOURCE_VARIABLES)}, or run `sltw demo`")
        parse_meanwhile(settings)
        return _warehouse(screen, log_path, "run")


def check(source_name: str | None) -> int:
    """Read the first page of every entity of the configured sources; 1 when one cannot be read."""
    from ingestion.source_check import check_source

    screen = Screen.plain()
    as_of = Settings.from_env().as_of or datetime.now(UTC)
    chosen = _chosen_sources(source_name)
    table = Table("source", "entity", "asked for", "state", "records", box=None)
    checks: list[EntityCheck] = []
    troubles: dict[tuple[str, str, str], list[str]] = {}
    for source in chosen:
        for found in check_source(source, as_of):
            checks.append(found)
            records = f"{found.record_count:,}"
            if found.rejected_count:
                records += f" and {found.rejected_count:,} malformed"
            style = "" if found.is_readable else "red" if found.verdict == "unreadable" else "yellow"
            table.add_row(found.source, found.entity, found.asked_for, found.verdict, records, style=style)
            if found.trouble:
                place = source.entities[found.entity].endpoint
                named = f"{found.entity} ({place})" if place else found.entity
                troubles.setdefault((found.source, found.trouble, found.how_to_mend), []).append(named)
    screen.console.print(table)
    for (name, trouble, how_to_mend), entities in troubles.items():
        screen.error(f"{name}: {', '.join(entities)}: {trouble}")
        screen.say(f"  to mend: {how_to_mend}")
    for source in SOURCES.values():
        if source_name in (None, source.name) and source not in chosen:
            screen.say(f"{source.name}: absent, {source.is_configured()[1]}")
    failed = [found for found in checks if not found.is_readable]
    figure = f"{len(chosen)} sources, {len(checks) - len(failed)} of {len(checks)} entities can be read"
    (screen.error if failed else screen.say)(f"check: {figure}; {screen.elapsed_seconds:.1f} s")
    return 1 if failed else 0


def dry_run(source_name: str | None) -> int:
    """Show what the next run would extract; nothing is written, nothing landed."""
    from ingestion.source_check import owed

    screen = Screen.plain()
    settings = Settings.from_env()
    as_of = settings.as_of or datetime.now(UTC)
    table = Table("source", "entity", "from and to", "windows", "first time", "again", "unchanged", "records", box=None)
    windows, troubles = 0, []
    for source in _chosen_sources(source_name):
        try:
            entities = owed(settings, source, as_of)
        except SourceError as error:
            raise CommandError(str(error)) from error
        for entity in entities:
            windows += entity.first_count + entity.again_count
            counts = (len(entity.windows), entity.first_count, entity.again_count, entity.unchanged_count)
            told = "not told" if entity.source_count is None else f"{entity.source_count:,}"
            table.add_row(entity.source, entity.entity, entity.span, *(f"{count:,}" for count in counts), told)
            if entity.trouble:
                troubles.append(f"{entity.source}.{entity.entity}: {entity.trouble}")
    screen.console.print(table)
    for trouble in troubles:
        screen.error(trouble)
    screen.say(
        f"run --dry-run: {windows:,} windows would be extracted up to {as_of:%Y-%m-%d %H:%M} UTC, nothing was; "
        f"{screen.elapsed_seconds:.1f} s"
    )
    return 1 if troubles else 0


def _chosen_sources(source_name: str | None) -> list[Source]:
    """The configured sources, or the one that is named. Raises CommandError when there is none."""
    if source_name is not None and source_name not in SOURCES:
        raise CommandError(f"no source {source_name!r}; there are {', '.join(SOURCES)}")
    chosen = [source for source in configured_sources() if source_name in (None, source.name)]
    if not chosen:
        named = [SOURCES[source_name]] if source_name else SOURCES.values()
        raise CommandError(f"no source is configured: {'; '.join(source.is_configured()[1] for source in named)}")
    return chosen


def export_run(file: Path, warehouse: Path) -> int:
    """Run the whole path on an exported event log, in a warehouse of its own."""
    if not file.is_file():
        raise CommandError(f"{file} is not a file: name an exported event log, .csv or .csv.gz")
    for name in SOURCE_VARIABLES:
        os.environ.pop(name, None)
    warehouse = warehouse.absolute()
    os.environ["SERVICENOW_EXPORT_FILE"] = str(file.absolute())
    os.environ["WAREHOUSE_PATH"] = str(warehouse)
    os.environ["PUBLISH_PATH"] = str(warehouse.with_name(f"{warehouse.stem}_published"))
    os.environ["SPOOL_PATH"] = str(warehouse.with_name(f"{warehouse.stem}_state") / "spool")
    os.environ["ARCHIVE_PATH"] = str(warehouse.with_name(f"{warehouse.stem}_archive"))
    os.environ["PAYROLL_EXPORT_PATH"] = str(warehouse.with_name(f"{warehouse.stem}_payroll_export"))
    settings = settle_environment()
    os.environ["DAGSTER_HOME"] = str(state_path(settings) / "dagster_home")
    parse_meanwhile(settings)
    with quiet(logs_path(settings), "export-run") as (screen, log_path):
        run = _run_job(screen, log_path, "warehouse", "export-run")
        if run is None:
            return 1
        with open_summary(settings.warehouse_path) as summary:
            received, landed, rejected, tickets, results = summary.event_log()
            agreement = summary.flag_agreement()
            _show_landing(screen, summary.landing(run.run_id))
            _show_attainment(screen, summary)
        screen.heading("Our breach flag against the tool's own made_sla")
        table = Table("agrees", "reason", "tickets", box=None)
        for is_agreeing, reason, count in agreement:
            table.add_row({True: "yes", False: "no", None: "not comparable"}[is_agreeing], reason, f"{count:,}")
        screen.console.print(table)
        _show_where_next(screen, settings, log_path)
        agreeing = sum(count for is_agreeing, _, count in agreement if is_agreeing)
        figure = (
            f"{received:,} events = {landed:,} landed + {rejected:,} rejected; {tickets:,} tickets, {results:,} SLT "
            f"results; our flag agrees with made_sla on {agreeing:,} of {sum(row[2] for row in agreement):,}; "
            f"{screen.elapsed_seconds:.1f} s"
        )
        if received != landed + rejected or not tickets or results < tickets:
            screen.error(f"export-run: NOT every event or ticket is accounted for: {figure}")
            return 1
        screen.say(f"export-run: {figure}")
        return 0


def backfill(first: date, last: date, source_name: str | None, with_demo: bool) -> int:
    """Extract every day (and month that they touch) of [first, last] again."""
    if last < first:
        raise CommandError(f"--to {last} is before --from {first}")
    if source_name is not None and source_name not in SOURCES:
        raise CommandError(f"no source {source_name!r}; there are {', '.join(SOURCES)}")
    settings = settle_environment()
    with quiet(logs_path(settings), "backfill") as (screen, log_path):
        if with_demo:
            from ingestion.demo.company import DEFAULT_SEED, DEFAULT_TICKET_COUNT

            with demo_environment(screen, DEFAULT_TICKET_COUNT, DEFAULT_SEED, None):
                return _backfill(screen, log_path, first, last, source_name)
        return _backfill(screen, log_path, first, last, source_name)


def _backfill(screen: Screen, log_path: Path, first: date, last: date, source_name: str | None) -> int:
    from dagster_project.lib.job_runner import RANGE_END_TAG, RANGE_START_TAG
    from dagster_project.lib.translator import entity_key

    chosen = [s for s in configured_sources() if source_name in (None, s.name)]
    jobs = {
        "re_extract_daily": ("daily", first.isoformat(), last.isoformat()),
        "re_extract_monthly": ("monthly", first.strftime("%Y-%m"), last.strftime("%Y-%m")),
    }
    batches = rows = entities = 0
    for job_name, (partitioning, start, end) in jobs.items():
        keys = [
            entity_key(source.name, entity.name)
            for source in chosen
            for entity in source.entities.values()
            if entity.partitioning == partitioning
        ]
        if not keys:
            continue
        entities += len(keys)
        tags = {RANGE_START_TAG: start, RANGE_END_TAG: end}
        run = _run_job(screen, log_path, job_name, "backfill", tags, keys)
        if run is None:
            return 1
        with open_summary(settle_environment().warehouse_path) as summary:
            landing = summary.landing(run.run_id)
            batches, rows = batches + landing.run_batches, rows + landing.run_rows
    if not entities:
        raise CommandError(
            f"{source_name or 'no configured source'} has no partitioned entity to extract again: configure the "
            "source, name another one, or use --demo for the demonstration company"
        )
    screen.say("The marts follow with the next run of the job warehouse.")
    screen.say(
        f"backfill: {first} to {last}, {entities} entities: {batches} new batches with {rows:,} rows; "
        f"{screen.elapsed_seconds:.1f} s"
    )
    return 0


def publish() -> int:
    """Judge the marts as they stand and publish them again."""
    settings = settle_environment()
    with quiet(logs_path(settings), "publish") as (screen, log_path):
        if not settings.warehouse_path.exists():
            raise CommandError(f"{settings.warehouse_path} does not exist: run `sltw demo` or `sltw run` first")
        if _run_job(screen, log_path, "publish_only", "publish") is None:
            return 1
        files = sorted(settings.publish_path.glob("*.duckdb"))
        screen.say(f"publish: {len(files)} files in {settings.publish_path}; {screen.elapsed_seconds:.1f} s")
        return 0


def status(at: datetime | None) -> int:
    """Say which sources are late, since when, and which marts wait for them."""
    settings = settle_environment()
    screen = Screen.plain()
    if not settings.warehouse_path.exists():
        raise CommandError(f"{settings.warehouse_path} does not exist: run `sltw demo` or `sltw run` first")
    try:
        with open_summary(settings.warehouse_path) as summary:
            instant, promise_count, late = summary.late_sources(at and at.astimezone(UTC).replace(tzinfo=None))
    except duckdb.IOException as error:
        raise CommandError(
            f"a run holds the warehouse: {str(error).splitlines()[0]}; ask again when it is over"
        ) from error
    except duckdb.CatalogException as error:
        raise CommandError(f"no run has built governance.rpt_source_sla yet: {str(error).splitlines()[0]}") from error
    for source, entity, severity, due_at, current_to_at, owner, contact, waiting, has_newer in late:
        if due_at is None:
            since = "it has never landed"
        else:
            since = f"late since {due_at:%Y-%m-%d %H:%M}, for {_duration(instant - due_at)}; data reach to "
            since += f"{current_to_at:%Y-%m-%d %H:%M}"
        screen.error(f"{source}.{entity} ({severity}): {since}")
        if has_newer:
            screen.say("    a newer batch has landed that no run has built into the marts yet")
        screen.say(f"    owner: {owner}, {contact}")
        more = f" and {len(waiting) - WAITING_SHOWN} more" if len(waiting) > WAITING_SHOWN else ""
        screen.say(f"    {len(waiting)} marts wait: {', '.join(waiting[:WAITING_SHOWN]) or 'none'}{more}")
    screen.say(f"status: {len(late)} of {promise_count} promises are broken at {instant:%Y-%m-%d %H:%M} UTC")
    return 1 if late else 0


def _duration(span: timedelta) -> str:
    """A stretch of time for a person: days and hours, or hours and minutes."""
    minutes = int(span.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"


def openslo_import(files: Sequence[Path], out: Path | None, effective_from: date | None, write: bool) -> int:
    """Read OpenSLO files into the seeds of the objectives: show the difference, and write it when asked to."""
    from ingestion.openslo import ImportRefusedError, import_files

    screen = Screen.plain()
    folder = out or REPO_ROOT / "seeds" / "slo"
    day = effective_from or datetime.now(UTC).date()
    try:
        result = import_files(files, folder, REPO_ROOT / "seeds", day, write=write)
    except ImportRefusedError as error:
        for finding in error.findings:
            screen.error(str(finding))
        screen.error(f"openslo-import: {len(error.findings)} refused, nothing written")
        return 1
    except (OSError, ValueError) as error:
        raise CommandError(f"{error}: nothing written") from error
    for note in result.notes:
        screen.say(f"note: {note}")
    for line in result.difference:
        screen.say(line)
    done = "written" if write and result.difference else "nothing to change" if not result.difference else "not written"
    screen.say(
        f"openslo-import: {result.slo_count} objectives and {result.alert_policy_count} alert policies read, {done}"
        + ("" if write or not result.difference else ": add --write")
    )
    return 0


@contextmanager
def _warehouse_to_read(settings: Settings, what: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse read-only. CommandError where there is none, a run holds it, or it was built without `what`."""
    if not settings.warehouse_path.exists():
        raise CommandError(f"{settings.warehouse_path} does not exist: run `sltw demo` or `sltw run` first")
    try:
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            yield connection
    except duckdb.CatalogException as error:
        raise CommandError(
            f"{settings.warehouse_path} has not what {what} is read from ({str(error).splitlines()[0]}): "
            "build it again with `sltw run`"
        ) from error
    except duckdb.IOException as error:
        raise CommandError(
            f"{settings.warehouse_path} cannot be read: {str(error).splitlines()[0]}; ask again when no run holds it"
        ) from error


def _written(path: Path, write: Callable[[Path], object]) -> Path:
    """The path after it was written. CommandError where it cannot be."""
    try:
        write(path)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror}; name a file in a folder that exists"
        ) from error
    return path


def metric_impact(metric_code: str, version: int, csv_path: Path | None, plot_path: Path | None) -> int:
    """Show what a proposed metric version would do to results and pay; write it as CSV and as a picture."""
    from dagster_project.lib.metric_impact import ImpactError, draw, read_impact, table_rows, write_csv

    settings = settle_environment()
    screen = Screen.plain()
    with _warehouse_to_read(settings, "the effect of a proposal") as connection:
        try:
            impact = read_impact(connection, metric_code, version)
        except ImpactError as error:
            raise CommandError(str(error)) from error
    screen.heading(f"{metric_code} version {version}, proposed from {impact.proposed_from}")
    screen.say(f"  its gates still miss: {impact.refusal_reasons or 'nothing, it waits for its day'}")
    table = Table(
        *("team", "quarter", "version", "now", "proposed", "difference", "people", "currency"),
        *("pay now", "pay proposed", "difference"),
        box=None,
    )
    for row in table_rows(impact.effects):
        table.add_row(*row)
    for currency, (now, then, more) in impact.totals().items():
        table.add_row("in all", "", "", "", "", "", "", currency, f"{now:,.2f}", f"{then:,.2f}", f"{more:+,.2f}")
    screen.console.print(table)
    screen.say(f"  plan components paid by it: {', '.join(impact.plan_components) or 'none'}")
    screen.say(f"  {len(impact.downstream_models)} models built from results: {', '.join(impact.downstream_models)}")
    if csv_path is not None:
        screen.say(f"  {_written(csv_path, lambda path: write_csv(impact, path))}")
    if plot_path is not None:
        screen.say(f"  {_written(plot_path, lambda path: path.write_text(draw(impact), encoding='utf-8'))}")
    changed = sum(effect.current_value != effect.proposed_value for effect in impact.effects)
    paid = ", ".join(f"{more:+,.2f} {currency}" for currency, (_, _, more) in impact.totals().items())
    screen.say(
        f"metric-impact: {changed} of {len(impact.effects)} results of {metric_code} differ under version {version}, "
        f"pay {paid or 'nothing'}"
    )
    return 0


def handbook(out: Path | None) -> int:
    """Write the handbook of metrics and plans from the warehouse."""
    from dagster_project.lib.handbook import read_handbook, render

    settings = settle_environment()
    screen = Screen.plain()
    with _warehouse_to_read(settings, "the handbook") as connection:
        book = read_handbook(connection)
    path = out or settings.warehouse_path.parent / "docs" / "handbook.md"
    if out is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    _written(path, lambda target: target.write_text(render(book), encoding="utf-8"))
    screen.say(
        f"handbook: {len(book.versions)} versions of {len({row['metric_code'] for row in book.versions})} metrics and "
        f"{len(book.plans)} plan versions in {path}"
    )
    return 0


def statement(employee: str, quarter: str, folder: Path) -> int:
    """Write what one person is paid for one quarter, and why, as HTML and JSON."""
    from dagster_project.lib.statement import StatementError, read_statement, write_statement

    settings = settle_environment()
    screen = Screen.plain()
    with _warehouse_to_read(settings, "a statement") as connection:
        try:
            stated = read_statement(connection, employee, quarter)
        except StatementError as error:
            raise CommandError(str(error)) from error
    try:
        paths = write_statement(stated, folder)
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error.strerror}; name a folder you may write to") from error
    for path in paths:
        screen.say(f"  {path}")
    totals = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in stated.totals.items())
    screen.say(f"statement: {employee} {quarter} comes to {totals} in {len(stated['ledger'])} lines of the ledger")
    return 0


def docs() -> int:
    """Write the dbt documentation as one static page."""
    settings = settle_environment()
    from dagster_project.lib.dbt_project import load_project
    from dagster_project.lib.dbt_runner import DBT_EXECUTABLE

    if not settings.warehouse_path.exists():
        raise CommandError(f"{settings.warehouse_path} does not exist: run `sltw demo` or `sltw run` first")
    screen = Screen.plain()
    parsed = load_project(settings)
    target = dbt_target_path(settings)
    page = settings.warehouse_path.parent / "docs" / "index.html"
    with hold_run(settings.warehouse_path, run_id=f"docs-{os.getpid()}", job_name="docs"):
        done = subprocess.run(
            [DBT_EXECUTABLE, "--quiet", "docs", "generate", "--static"],
            env=child_environment(target),
            cwd=DBT_PROJECT_DIR,
            check=False,
        )
    if done.returncode:
        screen.error(f"docs: dbt docs generate ended with exit code {done.returncode}, see above")
        return 1
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_bytes((target / "static_index.html").read_bytes())
    models = sum(node["resource_type"] == "model" for node in parsed.manifest["nodes"].values())
    screen.say(f"docs: {models} models documented in {page}, {page.stat().st_size / 1e6:.1f} MB")
    return 0


def dagster_dev(host: str, port: int, tickets: int, seed: int) -> int:
    """Open the orchestrator; serve the demonstration company beside it when no source is configured."""
    from dagster_project.lib.instance import prepare_home

    settings = settle_environment()
    home = prepare_home(default_dagster_home())
    screen = Screen.plain()
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "-m", "dagster_project.definitions"]
    command += ["-d", str(REPO_ROOT), "-h", host, "-p", str(port)]

    def serve() -> int:
        screen.say(f"Dagster on http://{host}:{port} for {settings.warehouse_path} (home {home}); end it with Ctrl-C")
        child = subprocess.Popen(command, cwd=REPO_ROOT, env={**os.environ, "PYTHONPATH": _python_path()})
        try:
            code = child.wait()
        except KeyboardInterrupt:
            code = child.wait()  # the terminal has told the child as well
            code = 0 if code in (0, 1, -2, 130) else code
        screen.say(f"dagster: ended with exit code {code} after {screen.elapsed_seconds:.0f} s")
        return code

    if configured_sources():
        return serve()
    with demo_environment(screen, tickets, seed, None):
        return serve()


def _python_path() -> str:
    return os.pathsep.join(part for part in (str(REPO_ROOT), os.environ.get("PYTHONPATH", "")) if part)


def _run_job(
    screen: Screen,
    log_path: Path,
    job_name: str,
    command: str,
    tags: Mapping[str, str] | None = None,
    assets: Sequence[AssetKey] | None = None,
) -> JobRun | None:
    """Run a job with progress on the screen; None when it failed, after saying what and where."""
    with listening(screen.line):
        screen.line("loading the definitions")
        from dagster_project.definitions import build_defs
        from dagster_project.lib.job_runner import run_job

        try:
            if job_name in JOBS_WITH_GATES:
                import expectations.duckdb_engine  # noqa: F401 (takes seconds; dbt is parsing on the other core)
            run = run_job(build_defs(), job_name, default_dagster_home(), tags, assets)
        except Exception:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
            screen.error(tail(log_path))
            screen.error(
                f"{command}: failed before its first step after {screen.elapsed_seconds:.1f} s; log {log_path}"
            )
            return None
    if run.success:
        return run
    screen.say()
    for step, message in run.errors:
        screen.error(f"{step}: {message}")
    if run.skipped:
        screen.say(f"not run: {', '.join(run.skipped)}")
    screen.say(f"full log: {log_path}")
    step = run.errors[0][0] if run.errors else job_name
    screen.error(f"{command}: FAILED in {step} after {screen.elapsed_seconds:.1f} s; what was published before stands")
    return None


def _warehouse(screen: Screen, log_path: Path, command: str) -> int:
    run = _run_job(screen, log_path, "warehouse", command)
    if run is None:
        return 1
    settings = Settings.from_env()
    with open_summary(settings.warehouse_path) as summary:
        landing = summary.landing(run.run_id)
        _show_landing(screen, landing)
        screen.heading("Gates")
        for line in (text for text in screen.lines if text.startswith("gate ")):
            screen.say(f"  {line}")
        _show_attainment(screen, summary)
        payouts = summary.payouts()
        if payouts:
            screen.heading("Payouts by team, all quarters")
            table = Table("team", "quarters", "people", "amount", "currency", box=None)
            for currency, team, quarters, people, amount in payouts:
                table.add_row(team, str(quarters), str(people), f"{amount:,.2f}", currency)
            screen.console.print(table)
        reconciliations = summary.reconciliations()
        screen.heading("Reconciliation, lines by status")
        by_name: dict[str, list[str]] = {}
        for name, status, count in reconciliations:
            by_name.setdefault(name, []).append(f"{status} {count:,}")
        for name, counts in by_name.items():
            screen.say(f"  {name}: {', '.join(counts)}")
    _show_where_next(screen, settings, log_path)
    totals: dict[str, object] = {}
    for currency, _, _, _, amount in payouts:
        totals[currency] = totals.get(currency, 0) + amount
    paid = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in totals.items()) or "nothing"
    screen.say(
        f"{command}: {landing.run_batches} batches and {landing.run_rows:,} rows landed ({landing.batches} and "
        f"{landing.rows:,} in all), {run.checks_passed} checks passed, payouts {paid}; {screen.elapsed_seconds:.1f} s"
    )
    return 0


def _show_landing(screen: Screen, landing: LandingFigures) -> None:
    screen.heading("Landed")
    table = Table("source", "batches", "rows", "rejected", box=None)
    for source, batches, rows, rejected in landing.by_source:
        table.add_row(source, f"{batches:,}", f"{rows:,}", f"{rejected:,}")
    table.add_row("in all", f"{landing.batches:,}", f"{landing.rows:,}", f"{landing.rejected:,}")
    table.add_row("this run", f"{landing.run_batches:,}", f"{landing.run_rows:,}", "")
    screen.console.print(table)
    for source, reason in landing.absent:
        screen.say(f"  {source}: absent, {reason}")


def _show_attainment(screen: Screen, summary: Summary) -> None:
    screen.heading("SLT attainment, results that have ended")
    table = Table("SLT", "ended", "met raw", "met adjusted", box=None)
    for row in summary.attainment():
        table.add_row(row.slt_code, f"{row.ended:,}", f"{row.raw_share:.2%}", f"{row.adjusted_share:.2%}")
    screen.console.print(table)


def _show_where_next(screen: Screen, settings: Settings, log_path: Path) -> None:
    screen.heading("Where to look next")
    for path in sorted(settings.publish_path.glob("*.duckdb")):
        screen.say(f"  {path}  (open read-only with any DuckDB tool)")
    prefix = _settings_in_words(settings)
    screen.say(f"  {prefix}make dagster  the assets, checks and runs in the browser")
    screen.say(f"  {prefix}make docs  every table and column explained")
    screen.say(f"  {gates_path(settings) / PAGE_NAME}  every expectation of the gates and what failed it")
    screen.say(f"  {log_path}  the full log of this run")
    screen.say()


def _settings_in_words(settings: Settings) -> str:
    """What has to stand before a command so that it finds this warehouse; nothing for the default one."""
    named = {"WAREHOUSE_PATH": settings.warehouse_path, "DAGSTER_HOME": default_dagster_home()}
    usual = {"WAREHOUSE_PATH": Path("data/warehouse.duckdb"), "DAGSTER_HOME": Path("data/dagster_home")}
    return "".join(
        f"{name}={shlex.quote(str(path))} " for name, path in named.items() if path.absolute() != usual[name].absolute()
    )
