"""Closing a period: what stands in the way of it, the close itself, and how later runs learn of it.

What a period demands is judged by finance.rpt_close_readiness; here the gates of the warehouse's last run and the order
of closing are added, because both are known only after the marts were built. A period is closed from the warehouse as
it stands, under the run's lock, and only when its archive computes the same lines again.

Delivers: OPS-2.6, SVC-5.6
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib import archive, archive_content
from dagster_project.lib.archive import ArchiveError, Content, Link, Verification
from dagster_project.lib.archive_content import PAYOUTS, Period, Recomputation
from dagster_project.lib.dbt_parse import child_environment
from dagster_project.lib.dbt_runner import DBT_EXECUTABLE
from dagster_project.lib.environment import DBT_PROJECT_DIR, REPO_ROOT, dbt_target_path
from dagster_project.lib.run_lock import hold_run
from expectations.runner import GATES
from ingestion import landing
from ingestion.settings import Settings

# What the demonstration leaves open: the quarter that is being paid, and the one before it.
OPEN_QUARTERS = 2
EXAMPLES_SHOWN = 3
RED = ("failed", "not_judged")
CLOSED_LINE_COLUMNS = (
    *("payout_line_id", "plan_code", "plan_version", "employee_number", "segment_start_on", "segment_end_on"),
    *("team_code", "country_code", "cost_centre_code", "component_code", "metric_result_key", "metric_value"),
    *("paid_value", "payout_share", "weight", "target_amount", "payout_amount", "currency_code"),
)


@dataclass(frozen=True)
class Refusal:
    """Why a period cannot be closed: what is demanded, how many things are amiss, and what they are."""

    demand: str
    count: int
    finding: str

    def __str__(self) -> str:
        return f"{self.demand}: {self.count} to settle: {self.finding}"


class CloseRefusedError(RuntimeError):
    """A period does not meet what closing demands; `refusals` says each reason. Nothing was written."""

    def __init__(self, period: str, refusals: Sequence[Refusal]) -> None:
        super().__init__(f"{period} cannot be closed: " + "; ".join(str(refusal) for refusal in refusals))
        self.period = period
        self.refusals = tuple(refusals)


@dataclass(frozen=True)
class ClosedPeriod:
    """A period as it was just closed."""

    link: Link
    control_totals: dict[str, dict[str, Any]]
    file_count: int
    size_bytes: int
    recomputed: Recomputation

    @property
    def line_count(self) -> int:
        """Payout lines, all currencies."""
        return sum(int(total["line_count"]) for total in self.control_totals.values())


def close_period(settings: Settings, period_code: str) -> ClosedPeriod:
    """Close one period from the warehouse as it stands.

    Raises CloseRefusedError (a demand is not met), ArchiveError (closed already, out of order, damaged archive, or an
    archive that would not compute the same lines), WarehouseBusyError. Whatever is raised, nothing was closed.
    """
    Period.of(period_code)
    if not settings.warehouse_path.exists():
        raise ArchiveError(f"{settings.warehouse_path} does not exist: run `sltw demo` or `sltw run` first")
    with hold_run(settings.warehouse_path, f"close-{os.getpid()}", f"close {period_code}"):
        return close_held(settings, period_code)


def close_held(settings: Settings, period_code: str) -> ClosedPeriod:
    """As close_period, for a caller that holds the run's lock."""
    period = Period.of(period_code)
    links = archive.read_chain(settings.archive_path)
    archive.refuse_closing(settings.archive_path, links, period_code)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        if refusals := judge(connection, links, period_code):
            raise CloseRefusedError(period_code, refusals)
    definitions = archive_content.definitions_of(period, _definitions(settings))  # dbt may have to open the warehouse
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        found: dict[str, Any] = {}

        def fill(folder: Path) -> Content:
            tables = archive_content.write_tables(connection, folder, period, definitions)
            files = [{**entry, "name": name} for name, entry in tables.items()]
            done = archive_content.recompute_folder(folder, period_code, files)
            if done.differences:
                raise ArchiveError(
                    f"{period_code} is not closed: its archive does not compute the same lines again "
                    f"({'; '.join(done.differences)}). The SQL in {dbt_target_path(settings)} may be newer than "
                    "the warehouse: run `sltw run`, then close"
                )
            totals = archive_content.control_totals(folder)
            found.update(recomputed=done, totals=totals, tables=tables)
            return Content(tables, _about(connection, folder, period, totals))

        link = archive.write_period(settings.archive_path, period_code, datetime.now(UTC), fill)
    folder = settings.archive_path / period_code
    size = sum((folder / name).stat().st_size for name in found["tables"])
    return ClosedPeriod(link, found["totals"], len(found["tables"]), size, found["recomputed"])


def judge(connection: duckdb.DuckDBPyConnection, links: Sequence[Link], period_code: str) -> list[Refusal]:
    """Everything that stands in the way of closing a period; empty when nothing does."""
    try:
        unmet = connection.execute(
            """
            select demand_code, finding_count, finding, is_met from finance.rpt_close_readiness
            where period_code = ? order by demand_code
            """,
            [period_code],
        ).fetchall()
        earlier = connection.execute(
            f"""
            select distinct earned_quarter from {PAYOUTS}
            where earned_quarter < ? and earned_quarter in (
                select earned_quarter from core.int_incentive_period where is_complete
            ) order by 1
            """,
            [period_code],
        ).fetchall()
    except duckdb.CatalogException as error:
        raise ArchiveError(
            f"the warehouse has not what a close is judged by ({str(error).splitlines()[0]}): run `sltw run` first"
        ) from error
    refusals = judge_gates(connection)
    closed = {link.period for link in links}
    if still_open := [row[0] for row in earlier if row[0] not in closed]:
        refusals.append(
            Refusal(
                "earlier_periods_are_closed", len(still_open), f"close {', '.join(still_open)} first, in this order"
            )
        )
    if not unmet:
        refusals.append(Refusal("period_is_known", 1, f"no plan pays for {period_code}, or it has not begun"))
    refusals += [Refusal(demand, count, finding or "") for demand, count, finding, is_met in unmet if not is_met]
    return refusals


def judge_gates(connection: duckdb.DuckDBPyConnection) -> list[Refusal]:
    """Gates that are not green for the warehouse's last run.

    Each check of the project must have been judged by that run, and nothing judged since may have failed: a gate of an
    earlier run says nothing about the marts as they stand.
    """
    run = connection.execute(
        "select run_id, started_at from landing.run_context order by started_at desc limit 1"
    ).fetchone()
    if run is None:
        return [Refusal("gates_are_green", 1, "no run has built this warehouse: run `sltw run`")]
    run_id, started_at = run
    refusals = []
    for gate in GATES:
        found = connection.execute(
            """
            with latest as (
                select check_name, max_by(outcome, judged_at) as outcome,
                    max_by(coalesce(failing_row_count, 0), judged_at) as failing_row_count
                from landing.gate_outcome where gate = $gate and (run_id = $run_id or judged_at >= $started_at)
                group by check_name
            ),
            of_run as (select distinct check_name from landing.gate_outcome where gate = $gate and run_id = $run_id),
            known as (select check_name from landing.gate_check where gate = $gate)
            select check_name, coalesce(outcome, 'not judged by the last run'), failing_row_count
            from known full join latest using (check_name)
            where outcome in (select unnest($red)) or (
                check_name in (select check_name from known) and check_name not in (select check_name from of_run)
            )
            order by 1
            """,
            {"gate": gate, "run_id": run_id, "started_at": started_at, "red": list(RED)},
        ).fetchall()
        judged = connection.execute(
            "select count(*) from landing.gate_outcome where gate = ? and run_id = ?", [gate, run_id]
        ).fetchone()
        if not judged or not judged[0]:
            refusals.append(
                Refusal(
                    f"gate_{gate}_is_green", 1, f"the warehouse's last run ({run_id}) did not judge it: run `sltw run`"
                )
            )
        elif found:
            shown = [f"{name} {outcome}" + (f" ({rows:,} rows)" if rows else "") for name, outcome, rows in found]
            more = f" and {len(found) - EXAMPLES_SHOWN} more" if len(found) > EXAMPLES_SHOWN else ""
            refusals.append(Refusal(f"gate_{gate}_is_green", len(found), ", ".join(shown[:EXAMPLES_SHOWN]) + more))
    return refusals


def closable_periods(settings: Settings, leave_open: int = OPEN_QUARTERS) -> list[str]:
    """Complete quarters with payouts that are not closed yet, in order, but for the last `leave_open`."""
    closed = {link.period for link in archive.read_chain(settings.archive_path)}
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            f"""
            select distinct period.earned_quarter from core.int_incentive_period as period
            where period.is_complete and period.earned_quarter in (select earned_quarter from {PAYOUTS}) order by 1
            """
        ).fetchall()
    complete = [row[0] for row in rows]
    return [code for code in complete[: max(len(complete) - leave_open, 0)] if code not in closed]


def _definitions(settings: Settings) -> dict[str, str]:
    """The compiled SQL the warehouse was built by; compiled again where dbt's folder was cleared since."""
    target = dbt_target_path(settings)
    compiled = target / "compiled"
    models = [name for _, name in archive_content.RECOMPUTED]
    if not all(archive_content.compiled_models(compiled, name) for name in models):
        done = subprocess.run(
            [DBT_EXECUTABLE, "--quiet", "--no-use-colors", "compile", "--select", *models],
            env={**child_environment(target), "WAREHOUSE_PATH": str(settings.warehouse_path.absolute())},
            cwd=DBT_PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ArchiveError(f"the models of pay cannot be compiled: {(done.stdout + done.stderr)[-2000:].strip()}")
    return archive_content.read_definitions(compiled, settings.warehouse_path.stem)


def _about(
    connection: duckdb.DuckDBPyConnection, folder: Path, period: Period, totals: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """What the manifest says of a period beside its files."""
    run_id, as_of_at = connection.execute(
        "select run_id, as_of_at from landing.run_context order by started_at desc limit 1"
    ).fetchone() or ("", None)
    gates = connection.execute(
        """
        select gate, outcome, count(*), max(judged_at) from landing.gate_outcome where run_id = ?
        group by gate, outcome order by gate, outcome
        """,
        [run_id],
    ).fetchall()
    by_gate: dict[str, dict[str, Any]] = {}
    for gate, outcome, count, judged_at in gates:
        entry = by_gate.setdefault(gate, {"judged_at": "", "outcomes": {}})
        entry["outcomes"][outcome] = count
        entry["judged_at"] = max(entry["judged_at"], judged_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    approvals = _approvals_of(connection, period, totals)
    explained = connection.execute(
        """
        select rec_name, count(*) filter (where is_explained), count(*) filter (where not is_explained)
        from finance.rpt_close_difference where earned_quarter = ? group by rec_name order by rec_name
        """,
        [period.code],
    ).fetchall()
    return {
        "period_start_on": period.start_on.isoformat(),
        "period_end_on": period.end_on.isoformat(),
        "as_of_at": as_of_at.strftime("%Y-%m-%dT%H:%M:%SZ") if as_of_at else None,
        "warehouse_run_id": run_id,
        "code_revision": code_revision(),
        "duckdb_version": duckdb.__version__,
        "control_totals": totals,
        "gates": by_gate,
        "approvals": approvals,
        "differences": {name: {"accepted": accepted, "open": still} for name, accepted, still in explained},
        "batches": archive_content.batch_ids(folder),
    }


def _approvals_of(
    connection: duckdb.DuckDBPyConnection, period: Period, totals: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """The approvals of exactly what is closed, one entry a signature. Raises ArchiveError where there is none."""
    names = ("approval_id", "approval_kind", "role_code", "prepared_by", "approved_by", "approved_on")
    by_id: dict[str, dict[str, Any]] = {}
    for *head, currency, amount in connection.execute(
        f"""
        select {", ".join(names)}, currency_code, control_total_amount from core.int_period_approval
        where period_code = ? and is_entitled order by approval_kind, role_code, approval_id, currency_code
        """,
        [period.code],
    ).fetchall():
        entry = by_id.setdefault(head[0], {**dict(zip(names, head, strict=True)), "control_totals": {}})
        entry["approved_on"] = str(head[-1])
        entry["control_totals"][currency] = str(amount)
    calculated = {currency: total["payout_amount"] for currency, total in totals.items()}
    counted = [entry for entry in by_id.values() if entry["control_totals"] == calculated]
    if not counted:
        raise ArchiveError(
            f"{period.code} is not closed: no approval is of what would be closed, {calculated}: run `sltw run`, then "
            "close"
        )
    return counted


@functools.cache
def code_revision() -> str:
    """The commit this code stands at, with '+changed' where files differ from it; without git the package's version."""
    try:
        git = ["git", "-C", str(REPO_ROOT)]
        top = subprocess.run([*git, "rev-parse", "--show-toplevel", "HEAD"], capture_output=True, text=True, check=True)
        folder, revision = top.stdout.split("\n")[:2]
        if Path(folder).resolve() == REPO_ROOT.resolve():
            status = [*git, "status", "--porcelain", "--untracked-files=no"]
            changed = subprocess.run(status, capture_output=True, text=True, check=True).stdout
            return revision + ("+changed" if changed.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        pass  # an installed package has no repository
    return f"slt-warehouse {importlib.metadata.version('slt-warehouse')}"


# --- what later runs know of it ---


def registered_periods(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Period -> manifest sha256 as the warehouse has it registered."""
    try:
        rows = connection.execute(
            "select period_code, manifest_sha256 from landing.closed_period order by 1"
        ).fetchall()
    except duckdb.CatalogException:
        return {}  # of before there were closes
    return dict(rows)


def register_closed_periods(settings: Settings) -> list[str]:
    """Take what the archive holds closed and the warehouse does not know yet into landing; returns these periods.

    Idempotent, one transaction. Raises ArchiveError where a registered period is gone from the archive or another one,
    or a file that is read has changed: nothing is built upon an archive that is not what was closed.
    """
    links = archive.read_chain(settings.archive_path)
    with landing.connect(settings) as connection, landing.transaction(connection):
        registered = registered_periods(connection)
        by_period = {link.period: link.manifest_sha256 for link in links}
        for period, sha256 in registered.items():
            if by_period.get(period) != sha256:
                raise ArchiveError(
                    f"{settings.warehouse_path.name} has {period} registered as closed with manifest sha256 {sha256}, "
                    f"the archive {settings.archive_path} has {by_period.get(period, 'no such period')}: restore the "
                    "archive from its backup, or set ARCHIVE_PATH to the one that belongs to this warehouse"
                )
        for link in links:
            if link.period in registered:
                archive.read_manifest(settings.archive_path, link)
        new = [link for link in links if link.period not in registered]
        for link in new:
            _register(connection, settings.archive_path, link)
        return [link.period for link in new]


def _register(connection: duckdb.DuckDBPyConnection, archive_path: Path, link: Link) -> None:
    manifest = archive.read_manifest(archive_path, link)
    path = archive.checked_file(archive_path, link, manifest, archive_content.file_name(PAYOUTS))
    files = manifest["files"]
    connection.execute(
        "insert into landing.closed_period by position values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            link.period,
            link.sequence,
            _naive(manifest["closed_at"]),
            _naive(manifest["as_of_at"]),
            link.manifest_sha256,
            manifest["previous_manifest_sha256"],
            manifest["code_revision"],
            manifest["format_version"],
            len(files),
            sum(entry["bytes"] for entry in files),
        ],
    )
    columns = ", ".join(CLOSED_LINE_COLUMNS)
    connection.execute(
        f"insert into landing.closed_payout_line (period_code, {columns}) "
        f"select ?, {columns} from read_parquet(?) order by payout_line_id",
        [link.period, str(path)],
    )


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def verify_archive(settings: Settings) -> Verification:
    """Hold the whole archive against what was closed, and against what the warehouse knows of, where it can be read."""
    registered: dict[str, str] = {}
    note = None
    if settings.warehouse_path.exists():
        try:
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
                registered = registered_periods(connection)
        except duckdb.IOException as error:
            note = (
                f"the warehouse is held by a run and was not asked what it has registered: {str(error).splitlines()[0]}"
            )
    found = archive.verify(settings.archive_path, registered)
    if note:
        found.notes.append(note)
    return found
