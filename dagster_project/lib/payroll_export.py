"""Exporting a month's payroll file and journal: what stands in the way, the export itself, and how runs learn of it.

What may be paid is judged by finance.fct_payroll_export_item and rpt_payroll_export_readiness; here it is held once
more against the ledger, the approvals and every export before it, because a line that leaves the company twice cannot
be called back. The folder of exports is the truth (see payroll_folder); the warehouse's registry is filled from it when
a run begins.

Delivers: OPS-7.2
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib import payroll_folder
from dagster_project.lib.archive import ArchiveError, Content, Link, Verification
from dagster_project.lib.close import Refusal, code_revision, judge_gates
from dagster_project.lib.run_lock import hold_run
from ingestion import landing
from ingestion.settings import Settings

PAYROLL_FILE, JOURNAL_FILE, LEDGER_FILE = "payroll.csv", "journal.csv", "ledger_lines.csv"
PAYROLL_COLUMNS = (
    *("payment_period", "country_code", "export_number", "employee_number", "pay_code", "earning_kind"),
    *("currency_code", "amount"),
)
JOURNAL_COLUMNS = (
    *("voucher_code", "line_number", "voucher_kind", "fiscal_period", "country_code", "currency_code"),
    *("account_role", "account_code", "cost_centre_code", "earned_quarter", "side", "amount", "reference"),
)
LEDGER_COLUMNS = (
    *("ledger_line_id", "employee_number", "currency_code", "earning_kind", "pay_code", "account_code"),
    *("item_kind", "earned_quarter", "cost_centre_code", "ledger_payment_period", "amount"),
)
EXAMPLES_SHOWN = 3


class ExportRefusedError(RuntimeError):
    """An export does not meet what is demanded; `refusals` says each reason. Nothing was written.

    is_done: everything that may be paid of it has been exported before, and nothing else is amiss.
    """

    def __init__(self, what: str, refusals: Sequence[Refusal], is_done: bool = False) -> None:
        super().__init__(f"{what} cannot be exported: " + "; ".join(str(refusal) for refusal in refusals))
        self.refusals = tuple(refusals)
        self.is_done = is_done


@dataclass(frozen=True)
class Exported:
    """An export as it was just written."""

    link: Link
    control_totals: dict[str, dict[str, Any]]
    journal_line_count: int
    blocked_line_count: int


def export_payroll(settings: Settings, payment_period: str, country_code: str) -> Exported:
    """Write the next export of a month and country from the warehouse as it stands.

    Raises ExportRefusedError (a demand is not met), ArchiveError (a damaged folder, or nothing to read),
    WarehouseBusyError. Whatever is raised, nothing was exported.
    """
    _refuse_without_warehouse(settings)
    with hold_run(settings.warehouse_path, f"payroll-{os.getpid()}", f"payroll export {payment_period} {country_code}"):
        return export_held(settings, payment_period, country_code)


def export_held(settings: Settings, payment_period: str, country_code: str) -> Exported:
    """As export_payroll, for a caller that holds the run's lock."""
    payroll_folder.parts_of(f"{payment_period}/{country_code}/1")
    _refuse_without_warehouse(settings)
    found: dict[str, Any] = {}
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:

        def fill(folder: Path, number: int, links: Sequence[Link]) -> Content:
            batch = _Batch.read(connection, payment_period, country_code)
            refusals = batch.judge(connection, settings.payroll_export_path, links, number)
            if refusals:
                is_done = {refusal.demand for refusal in refusals} <= {"lines_are_not_exported_yet", "something_is_due"}
                raise ExportRefusedError(f"{payment_period} {country_code}", refusals, is_done)
            tables = batch.write(folder, number)
            found.update(totals=batch.control_totals(), journal=len(batch.journal), blocked=batch.blocked_count)
            return Content(tables, {**_about(connection), **batch.about(connection, number)})

        try:
            link = payroll_folder.write_export(settings.payroll_export_path, payment_period, country_code, fill)
        except duckdb.CatalogException as error:
            raise _not_built(error) from error
    return Exported(link, found["totals"], found["journal"], found["blocked"])


def countries_of(settings: Settings, payment_period: str) -> list[str]:
    """The countries that have lines of a payment month, exported or not."""
    _refuse_without_warehouse(settings)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        try:
            rows = connection.execute(
                "select distinct country_code from finance.fct_payroll_export_line "
                "where payment_period = ? and country_code <> '' order by 1",
                [payment_period],
            ).fetchall()
        except duckdb.CatalogException as error:
            raise _not_built(error) from error
    return [row[0] for row in rows]


def _not_built(error: duckdb.CatalogException) -> ArchiveError:
    said = str(error).splitlines()[0]
    return ArchiveError(f"the warehouse has not what an export is judged by ({said}): run `sltw run` first")


def _refuse_without_warehouse(settings: Settings) -> None:
    if not settings.warehouse_path.exists():
        raise ArchiveError(f"{settings.warehouse_path} does not exist: run `sltw demo` or `sltw run` first")


@dataclass(frozen=True)
class _Batch:
    """What one export would hand over, as the marts have it."""

    payment_period: str
    country_code: str
    items: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    journal: list[dict[str, Any]]
    demands: list[tuple[int, str, bool, str | None]]
    blocked: list[tuple[str, int]]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, payment_period: str, country_code: str) -> _Batch:
        place = [payment_period, country_code]
        items = _rows(
            connection,
            f"select {', '.join(LEDGER_COLUMNS)} from finance.fct_payroll_export_item "
            "where payment_period = ? and country_code = ? and item_status = 'payable' order by ledger_line_id",
            place,
        )
        lines = _rows(
            connection,
            "select employee_number, pay_code, earning_kind, currency_code, amount, ledger_line_count, line_status "
            "from finance.fct_payroll_export_line where payment_period = ? and country_code = ? and "
            "export_number = 0 and (line_status = 'ready' or refusal_reasons like 'approval\\_missing%' escape '\\') "
            "order by employee_number, currency_code, earning_kind",
            place,
        )
        journal = _rows(
            connection,
            f"select {', '.join(JOURNAL_COLUMNS)} from finance.fct_payout_journal "
            "where payment_period = ? and country_code = ? and journal_status <> 'exported' "
            "order by voucher_code, line_number",
            place,
        )
        demands = connection.execute(
            "select export_number, demand_code, is_met, finding from finance.rpt_payroll_export_readiness "
            "where payment_period = ? and country_code = ? order by demand_code",
            place,
        ).fetchall()
        blocked = connection.execute(
            "select coalesce(refusal_reasons, line_status), count(*) from finance.fct_payroll_export_line "
            "where payment_period = ? and country_code = ? and (line_status = 'paid_outside' or "
            "line_status = 'blocked' and refusal_reasons not like 'approval\\_missing%' escape '\\') "
            "group by 1 order by 2 desc, 1",
            place,
        ).fetchall()
        return cls(payment_period, country_code, items, lines, journal, demands, blocked)

    @property
    def blocked_count(self) -> int:
        """Lines of the month and country that stay behind."""
        return sum(count for _, count in self.blocked)

    def judge(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, links: Sequence[Link], number: int
    ) -> list[Refusal]:
        """Everything that stands in the way of this export; empty when nothing does."""
        if not self.lines:
            reasons = "; ".join(f"{count} lines {reason}" for reason, count in self.blocked[:EXAMPLES_SHOWN])
            return [
                Refusal(
                    "something_is_due",
                    max(self.blocked_count, 1),
                    f"blocked: {reasons}; settle that, run `sltw run`, then export"
                    if reasons
                    else "nothing that is not exported yet is payable in this month and country",
                )
            ]
        before = exported_lines(folder, links)
        if again := [item["ledger_line_id"] for item in self.items if item["ledger_line_id"] in before]:
            where = ", ".join(sorted({before[line] for line in again}))
            return [
                Refusal(
                    "lines_are_not_exported_yet",
                    len(again),
                    f"these lines of the ledger were exported in {where} and a line is exported once only: run "
                    "`sltw run`; what has been booked since is then exported by itself",
                )
            ]
        refusals = judge_gates(connection)
        if self.demands and self.demands[0][0] != number:
            refusals.append(
                Refusal(
                    "warehouse_knows_every_export",
                    1,
                    f"the next export is number {number}, the warehouse expects {self.demands[0][0]}: run `sltw run`",
                )
            )
        refusals += [Refusal(demand, 1, finding or "") for _, demand, is_met, finding in self.demands if not is_met]
        if not self.demands or not self.approvals(connection, number):
            refusals.append(
                Refusal(
                    "approvals_are_of_these_lines",
                    1,
                    f"no two approvals are of {self._totals_text()}: sign these in "
                    "seeds/governance/payroll_export_approval.csv and run `sltw run`",
                )
            )
        return refusals + self._judge_sums(connection)

    def _judge_sums(self, connection: duckdb.DuckDBPyConnection) -> list[Refusal]:
        """What is handed over is in the ledger, each line once, and comes to the same in file and journal."""
        refusals = []
        ledger = dict(
            connection.execute(
                "select ledger_line_id, amount from finance.fct_payout_ledger where item_kind <> 'carry_forward'"
            ).fetchall()
        )
        ids = [item["ledger_line_id"] for item in self.items]
        wrong = [item["ledger_line_id"] for item in self.items if ledger.get(item["ledger_line_id"]) != item["amount"]]
        if wrong or len(set(ids)) != len(ids):
            refusals.append(
                Refusal(
                    "lines_are_in_the_ledger",
                    max(len(wrong), 1),
                    "lines are not in the payout ledger as they stand here: run `sltw run`",
                )
            )
        by_line = _sum(self.items, "employee_number", "currency_code", "earning_kind", "pay_code")
        told = {
            (line["employee_number"], line["currency_code"], line["earning_kind"], line["pay_code"]): line["amount"]
            for line in self.lines
        }
        if by_line != told:
            refusals.append(
                Refusal(
                    "lines_sum_the_ledger", 1, "the payroll lines are not the sum of their ledger lines: run `sltw run`"
                )
            )
        below = [key for key, amount in _sum(self.lines, "employee_number", "currency_code").items() if amount < 0]
        if below:
            refusals.append(
                Refusal("payments_are_not_negative", len(below), f"{below[0][0]} would be paid less than nothing")
            )
        unposted = [line for line in self.journal if not line["account_code"]]
        if unposted:
            refusals.append(
                Refusal(
                    "accounts_are_mapped",
                    len(unposted),
                    f"no account of role {unposted[0]['account_role']}: enter one in seeds/finance/gl_account.csv",
                )
            )
        balance: dict[tuple[str, str, str], Decimal] = {}
        for line in self.journal:
            key = line["voucher_code"], line["country_code"], line["currency_code"]
            signed = line["amount"] if line["side"] == "debit" else -line["amount"]
            balance[key] = balance.get(key, Decimal(0)) + signed
        if unbalanced := [f"{key[0]} by {amount}" for key, amount in balance.items() if amount]:
            refusals.append(
                Refusal(
                    "journal_balances", len(unbalanced), f"{', '.join(unbalanced[:EXAMPLES_SHOWN])}: run `sltw run`"
                )
            )
        payable = {
            currency: -amount
            for (kind, role, currency), amount in _sum_signed(self.journal).items()
            if (kind, role) == ("payment", "payroll_payable")
        }
        due = {currency: amount for (currency,), amount in _sum(self.lines, "currency_code").items()}
        if {c: a for c, a in payable.items() if a} != {c: a for c, a in due.items() if a}:
            refusals.append(
                Refusal(
                    "journal_pays_the_file", 1, "the payment vouchers do not come to the payroll file: run `sltw run`"
                )
            )
        return refusals

    def control_totals(self) -> dict[str, dict[str, Any]]:
        """Per currency of the payroll file: lines, people and amount."""
        totals: dict[str, dict[str, Any]] = {}
        for currency in sorted({line["currency_code"] for line in self._file_lines()}):
            lines = [line for line in self._file_lines() if line["currency_code"] == currency]
            totals[currency] = {
                "line_count": len(lines),
                "employee_count": len({line["employee_number"] for line in lines}),
                "amount": str(sum(line["amount"] for line in lines)),
            }
        return totals

    def approvals(self, connection: duckdb.DuckDBPyConnection, number: int) -> list[dict[str, Any]]:
        """The signatures of exactly these lines and amounts; none unless they are of two persons."""
        names = ("approval_id", "role_code", "prepared_by", "approved_by", "approved_on")
        by_id: dict[str, dict[str, Any]] = {}
        for *head, currency, count, amount in connection.execute(
            f"""
            select {", ".join(names)}, currency_code, line_count, control_total_amount
            from core.int_payroll_export_approval
            where payment_period = ? and country_code = ? and export_number = ? and is_entitled
            order by role_code, approval_id, currency_code
            """,
            [self.payment_period, self.country_code, number],
        ).fetchall():
            entry = by_id.setdefault(head[0], {**dict(zip(names, head, strict=True)), "control_totals": {}})
            entry["approved_on"] = str(head[-1])
            entry["control_totals"][currency] = {"line_count": count, "amount": str(amount)}
        due = {
            currency: {"line_count": total["line_count"], "amount": total["amount"]}
            for currency, total in self.control_totals().items()
        }
        counted = [entry for entry in by_id.values() if entry["control_totals"] == due]
        return counted if len({entry["approved_by"] for entry in counted}) > 1 else []

    def write(self, folder: Path, number: int) -> dict[str, dict[str, Any]]:
        """The three files; what the manifest says of each beyond bytes and hash."""
        place = {"payment_period": self.payment_period, "country_code": self.country_code, "export_number": number}
        lines = [{**place, **line} for line in self._file_lines()]
        return {
            PAYROLL_FILE: _write_csv(folder / PAYROLL_FILE, PAYROLL_COLUMNS, lines),
            JOURNAL_FILE: _write_csv(folder / JOURNAL_FILE, JOURNAL_COLUMNS, self.journal),
            LEDGER_FILE: _write_csv(folder / LEDGER_FILE, LEDGER_COLUMNS, self.items),
        }

    def about(self, connection: duckdb.DuckDBPyConnection, number: int) -> dict[str, Any]:
        """What the manifest says of the export beside its files."""
        return {
            "payment_period": self.payment_period,
            "country_code": self.country_code,
            "export_number": number,
            "control_totals": self.control_totals(),
            "line_count": len(self._file_lines()),
            "employee_count": len({line["employee_number"] for line in self._file_lines()}),
            "ledger_line_count": len(self.items),
            "journal_totals": {
                f"{kind} {currency}": str(amount)
                for (kind, side, currency), amount in sorted(
                    _sum(self.journal, "voucher_kind", "side", "currency_code").items()
                )
                if side == "debit"
            },
            "approvals": self.approvals(connection, number),
            "left_behind": dict(self.blocked),
        }

    def _file_lines(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["amount"]]

    def _totals_text(self) -> str:
        return ", ".join(
            f"{total['line_count']} lines of {total['amount']} {currency}"
            for currency, total in self.control_totals().items()
        )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    found = connection.execute(query, values)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _sum(rows: Sequence[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], Decimal]:
    totals: dict[tuple[Any, ...], Decimal] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        totals[key] = totals.get(key, Decimal("0.00")) + row["amount"]
    return totals


def _sum_signed(journal: Sequence[dict[str, Any]]) -> dict[tuple[str, str, str], Decimal]:
    """Debit less credit by voucher kind, role of the account and currency."""
    totals: dict[tuple[str, str, str], Decimal] = {}
    for (kind, role, currency, side), amount in _sum(
        journal, "voucher_kind", "account_role", "currency_code", "side"
    ).items():
        key = kind, role, currency
        totals[key] = totals.get(key, Decimal(0)) + (amount if side == "debit" else -amount)
    return totals


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return {"row_count": len(rows), "columns": list(columns)}


def _about(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    run_id, as_of_at = connection.execute(
        "select run_id, as_of_at from landing.run_context order by started_at desc limit 1"
    ).fetchone() or ("", None)
    return {
        "warehouse_run_id": run_id,
        "as_of_at": as_of_at.strftime("%Y-%m-%dT%H:%M:%SZ") if as_of_at else None,
        "code_revision": code_revision(),
    }


# --- what was exported before, and what later runs know of it ---


def _read_csv(folder: Path, link: Link, manifest: dict[str, Any], name: str) -> list[dict[str, str]]:
    path = payroll_folder.checked_file(folder, link, manifest, name)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exported_lines(folder: Path, links: Sequence[Link]) -> dict[str, str]:
    """Each line of the ledger that was exported -> the export it was in, from the folder. Raises ArchiveError."""
    found: dict[str, str] = {}
    for link in links:
        manifest = payroll_folder.read_manifest(folder, link)
        for row in _read_csv(folder, link, manifest, LEDGER_FILE):
            found[row["ledger_line_id"]] = link.period
    return found


def registered_exports(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Export -> manifest sha256 as the warehouse has it registered."""
    try:
        rows = connection.execute(
            "select payment_period || '/' || country_code || '/' || export_number, manifest_sha256 "
            "from landing.payroll_export order by sequence_number"
        ).fetchall()
    except duckdb.CatalogException:
        return {}  # of before there were exports
    return dict(rows)


def register_payroll_exports(settings: Settings) -> list[str]:
    """Take what the folder holds exported and the warehouse does not know yet into landing; returns these exports.

    Idempotent, one transaction. Raises ArchiveError where a registered export is gone from the folder or another one:
    who was paid already would be paid again by a warehouse that does not know it.
    """
    folder = settings.payroll_export_path
    links = payroll_folder.read_chain(folder)
    with landing.connect(settings) as connection, landing.transaction(connection):
        registered = registered_exports(connection)
        by_name = {link.period: link.manifest_sha256 for link in links}
        for name, sha256 in registered.items():
            if by_name.get(name) != sha256:
                raise ArchiveError(
                    f"{settings.warehouse_path.name} has the payroll export {name} registered with manifest sha256 "
                    f"{sha256}, the folder {folder} has {by_name.get(name, 'no such export')}: restore the folder from "
                    "its backup, or set PAYROLL_EXPORT_PATH to the one that belongs to this warehouse"
                )
        for link in links:
            if link.period in registered:
                payroll_folder.read_manifest(folder, link)
        new = [link for link in links if link.period not in registered]
        for link in new:
            _register(connection, folder, link)
        return [link.period for link in new]


def _register(connection: duckdb.DuckDBPyConnection, folder: Path, link: Link) -> None:
    manifest = payroll_folder.read_manifest(folder, link)
    payroll_folder.checked_file(folder, link, manifest, PAYROLL_FILE)
    place = payroll_folder.parts_of(link.period)
    connection.execute(
        "insert into landing.payroll_export by position values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *place,
            link.sequence,
            _naive(manifest["exported_at"]),
            _naive(manifest["as_of_at"]),
            link.manifest_sha256,
            manifest["previous_manifest_sha256"],
            manifest["line_count"],
            manifest["employee_count"],
        ],
    )
    names = ("ledger_line_id", "employee_number", "currency_code", "earning_kind", "pay_code", "account_code", "amount")
    for row in _read_csv(folder, link, manifest, LEDGER_FILE):
        connection.execute(
            f"insert into landing.payroll_export_ledger_line (payment_period, country_code, export_number, "
            f"{', '.join(names)}) values (?, ?, ?, {', '.join('?' * len(names))})",
            [*place, *(row[name] for name in names)],
        )
    names = tuple(name for name in JOURNAL_COLUMNS if name not in ("country_code", "reference"))
    for row in _read_csv(folder, link, manifest, JOURNAL_FILE):
        connection.execute(
            f"insert into landing.payroll_export_journal_line (payment_period, country_code, export_number, "
            f"{', '.join(names)}) values (?, ?, ?, {', '.join('?' * len(names))})",
            [*place, *(row[name] or None for name in names)],
        )


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def verify_payroll_exports(settings: Settings) -> Verification:
    """Hold the whole folder against what was exported, and against what the warehouse knows, where it can be read."""
    registered: dict[str, str] = {}
    note = None
    if settings.warehouse_path.exists():
        try:
            with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
                registered = registered_exports(connection)
        except duckdb.IOException as error:
            note = (
                f"the warehouse is held by a run and was not asked what it has registered: {str(error).splitlines()[0]}"
            )
    found = payroll_folder.verify(settings.payroll_export_path, registered)
    if note:
        found.notes.append(note)
    return found
