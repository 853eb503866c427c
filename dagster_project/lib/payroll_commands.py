"""The commands around a payroll export: `sltw payroll-export` and `sltw verify-payroll-export`.

Each returns an exit code; its last line on the screen is its figure.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb

from dagster_project.lib.archive import ArchiveError
from dagster_project.lib.console import Screen
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.payroll_export import (
    Exported,
    ExportRefusedError,
    countries_of,
    export_payroll,
    verify_payroll_exports,
)


def payroll_export(payment_period: str, country_code: str | None) -> int:
    """Export a month of one country, or of every country that has lines; 1 where one is refused, after every reason.

    Without a country what was exported before is no failure, as long as something is exported now: so the command that
    was cut off between two countries is repeated as it was.
    """
    settings = settle_environment()
    screen = Screen.plain()
    done: list[Exported] = []
    refused: list[str] = []
    before: list[str] = []
    try:
        countries = [country_code] if country_code else countries_of(settings, payment_period)
        for country in countries:
            try:
                exported = export_payroll(settings, payment_period, country)
            except ExportRefusedError as error:
                for refusal in error.refusals:
                    screen.error(f"{payment_period} {country}: {refusal}")
                (before if error.is_done and not country_code else refused).append(country)
            else:
                screen.say(f"payroll-export: {figure(exported)}")
                done.append(exported)
    except ArchiveError as error:
        screen.error(f"payroll-export: {payment_period} NOT exported: {error}")
        return 1
    except duckdb.IOException as error:
        screen.error(
            f"payroll-export: {payment_period} NOT exported: {settings.warehouse_path} cannot be read "
            f"({str(error).splitlines()[0]}); try again when nothing else holds it"
        )
        return 1
    if refused or not done:
        screen.error(
            f"payroll-export: {payment_period} NOT exported for {', '.join([*refused, *before]) or 'any country'}"
            + (f"; exported for {len(done)}" if done else "")
        )
        return 1
    screen.say(
        f"payroll-export: {payment_period}: {len(done)} exported now, {len(before)} had nothing new to export, "
        f"last manifest sha256 {done[-1].link.manifest_sha256}; {screen.elapsed_seconds:.1f} s"
    )
    return 0


def figure(done: Exported) -> str:
    """An export in one line."""
    amounts = ", ".join(
        f"{Decimal(total['amount']):,.2f} {currency} to {total['employee_count']} people in {total['line_count']} lines"
        for currency, total in done.control_totals.items()
    )
    left = f", {done.blocked_line_count} lines left behind" if done.blocked_line_count else ""
    return (
        f"{done.link.period} exported: {amounts}; {done.journal_line_count} journal lines{left}; manifest sha256 "
        f"{done.link.manifest_sha256}"
    )


def verify_payroll_export() -> int:
    """Hold every export against what was written; 1 where a byte differs."""
    settings = settle_environment()
    screen = Screen.plain()
    found = verify_payroll_exports(settings)
    for note in found.notes:
        screen.say(f"note: {note}")
    for finding in found.findings:
        screen.error(str(finding))
    if found.findings:
        screen.error(
            f"verify-payroll-export: {len(found.findings)} findings in {settings.payroll_export_path}: it is NOT as it "
            "was exported; restore it from its backup"
        )
        return 1
    if not found.periods:
        screen.error(
            f"verify-payroll-export: {settings.payroll_export_path} holds no export: export one, or set "
            "PAYROLL_EXPORT_PATH"
        )
        return 1
    screen.say(
        f"verify-payroll-export: {len(found.periods)} exports, {found.file_count} files, {found.byte_count / 1e3:.1f} "
        f"kB intact, last manifest sha256 {found.last_manifest_sha256}; {screen.elapsed_seconds:.1f} s"
    )
    return 0
