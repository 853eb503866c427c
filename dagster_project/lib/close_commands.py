"""The commands around a close: `sltw close`, `sltw verify-archive`, and what `sltw demo` closes at its end.

Each returns an exit code; its last line on the screen is its figure.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb

from dagster_project.lib import archive, archive_content
from dagster_project.lib.archive import ArchiveError
from dagster_project.lib.close import (
    ClosedPeriod,
    CloseRefusedError,
    closable_periods,
    close_period,
    verify_archive,
)
from dagster_project.lib.console import Screen
from dagster_project.lib.environment import settle_environment
from ingestion.settings import Settings


def close(period_code: str) -> int:
    """Close one period; 1 where it cannot be closed, after saying every reason."""
    settings = settle_environment()
    screen = Screen.plain()
    done = _close(screen, settings, period_code)
    if done is None:
        return 1
    screen.say(f"close: {_figure(done)}; {screen.elapsed_seconds:.1f} s")
    return 0


def close_demo(screen: Screen, must_close: bool) -> int:
    """Close all complete quarters of the demonstration company but the last two, as `sltw close` does.

    must_close: whether a quarter that cannot be closed is a failure. It is at the size the approvals of the
    demonstration were given for; a company of another size earned other amounts, which nobody has approved.
    """
    settings = Settings.from_env()
    began_at = screen.elapsed_seconds
    before = archive.read_chain(settings.archive_path)
    closed: list[ClosedPeriod] = []
    for period_code in closable_periods(settings):
        done = _close(screen, settings, period_code)
        if done is None:
            screen.say(
                f"close: {period_code} and what comes after it stay open"
                + ("" if must_close else ": approvals are for the amounts of the company at its own size")
            )
            if must_close:
                return 1
            break
        screen.say(f"close: {_figure(done)}")
        closed.append(done)
    links = archive.read_chain(settings.archive_path)
    last = f", last manifest sha256 {links[-1].manifest_sha256}" if links else ""
    screen.say(
        f"close: {len(closed)} quarters closed now, {len(before)} before; {settings.archive_path} holds "
        f"{', '.join(link.period for link in links) or 'none'}{last}; {screen.elapsed_seconds - began_at:.1f} s"
    )
    return 0


def _close(screen: Screen, settings: Settings, period_code: str) -> ClosedPeriod | None:
    """Close a period, or say why not."""
    try:
        return close_period(settings, period_code)
    except CloseRefusedError as error:
        for refusal in error.refusals:
            screen.error(f"{period_code}: {refusal}")
        screen.error(
            f"close: {period_code} NOT closed: {len(error.refusals)} demands are not met: "
            f"{', '.join(refusal.demand for refusal in error.refusals)}"
        )
    except ArchiveError as error:
        screen.error(f"close: {period_code} NOT closed: {error}")
    except duckdb.IOException as error:
        screen.error(
            f"close: {period_code} NOT closed: {settings.warehouse_path} cannot be read "
            f"({str(error).splitlines()[0]}); try again when nothing else holds it"
        )
    return None


def _figure(done: ClosedPeriod) -> str:
    amounts = ", ".join(
        f"{Decimal(total['payout_amount']):,.2f} {currency}" for currency, total in done.control_totals.items()
    )
    return (
        f"{done.link.period} closed: {done.line_count:,} payout lines, {amounts}, {done.file_count} files of "
        f"{done.size_bytes / 1e6:.2f} MB computed again to the cent, manifest sha256 {done.link.manifest_sha256}"
    )


def verify(with_recompute: bool) -> int:
    """Hold the archive against what was closed and, if asked, compute every period anew; 1 where a thing differs."""
    settings = settle_environment()
    screen = Screen.plain()
    found = verify_archive(settings)
    for note in found.notes:
        screen.say(f"note: {note}")
    for finding in found.findings:
        screen.error(str(finding))
    if found.findings:
        screen.error(
            f"verify-archive: {len(found.findings)} findings in {settings.archive_path}: it is NOT as it was closed; "
            "restore it from its backup"
        )
        return 1
    if not found.periods:
        screen.error(f"verify-archive: {settings.archive_path} holds no closed period: close one, or set ARCHIVE_PATH")
        return 1
    lines, differing = 0, 0
    if with_recompute:
        for link in archive.read_chain(settings.archive_path):
            done = archive_content.recompute(settings.archive_path, link)
            lines += done.line_count
            differing += bool(done.differences)
            for difference in done.differences:
                screen.error(f"{link.period}: {difference}")
            amounts = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in done.totals.items())
            screen.say(f"{link.period}: {done.line_count:,} payout lines computed anew, {amounts}")
    if differing:
        screen.error(f"verify-archive: {differing} of {len(found.periods)} periods do NOT come out as they were closed")
        return 1
    again = f", {lines:,} payout lines computed anew to the same cents" if with_recompute else ""
    screen.say(
        f"verify-archive: {len(found.periods)} periods, {found.file_count} files, {found.byte_count / 1e6:.2f} MB "
        f"intact{again}, last manifest sha256 {found.last_manifest_sha256}; {screen.elapsed_seconds:.1f} s"
    )
    return 0
