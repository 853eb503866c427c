"""Closing a period and verifying the archive as jobs, so that both can be started where runs are seen, and scheduled.

They do what `sltw close` and `sltw verify-archive --recompute` do, by the same functions.
"""

import dagster as dg

from dagster_project.lib import archive, archive_content
from dagster_project.lib.archive import ArchiveError
from dagster_project.lib.close import CloseRefusedError, close_held, verify_archive
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.resources import RunLockResource
from dagster_project.lib.run_lock import WarehouseBusyError


class CloseConfig(dg.Config):
    """period: the quarter to close, such as 2025-Q3."""

    period: str


@dg.op(name="close_the_period", description="Closes one period for good and archives it, or says every reason why not.")
def close_period_op(context: dg.OpExecutionContext, config: CloseConfig, run_lock: RunLockResource) -> None:
    """The whole close is one step."""
    try:
        done = close_held(settle_environment(), config.period)
    except (CloseRefusedError, ArchiveError, WarehouseBusyError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    context.add_output_metadata(
        {
            "period": done.link.period,
            "manifest_sha256": done.link.manifest_sha256,
            "payout_line_count": done.line_count,
            "control_totals": dg.MetadataValue.json(done.control_totals),
        }
    )


@dg.op(name="verify_every_byte", description="Holds every byte of the closed periods against what was closed.")
def verify_archive_op(context: dg.OpExecutionContext, run_lock: RunLockResource) -> None:
    """Every finding, and every line that does not come out again, is in the failure."""
    settings = settle_environment()
    found = verify_archive(settings)
    wrong = [str(finding) for finding in found.findings]
    if not wrong:
        for link in archive.read_chain(settings.archive_path):
            done = archive_content.recompute(settings.archive_path, link)
            wrong += [f"{link.period}: {difference}" for difference in done.differences]
    if wrong:
        raise dg.Failure(description="\n".join(wrong), allow_retries=False)
    context.add_output_metadata({"period_count": len(found.periods), "file_count": found.file_count})


@dg.definitions
def defs() -> dg.Definitions:
    """The two jobs."""

    @dg.job(name="close_period", executor_def=dg.in_process_executor, description=close_period_op.description)
    def close_job() -> None:
        close_period_op()

    @dg.job(name="verify_archive", executor_def=dg.in_process_executor, description=verify_archive_op.description)
    def verify_job() -> None:
        verify_archive_op()

    return dg.Definitions(jobs=[close_job, verify_job])
