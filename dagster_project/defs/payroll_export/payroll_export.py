"""The payroll export and its verification as jobs, so that both can be started where runs are seen, and scheduled.

They do what `sltw payroll-export` and `sltw verify-payroll-export` do, by the same functions.
"""

import dagster as dg

from dagster_project.lib.archive import ArchiveError
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.payroll_export import ExportRefusedError, export_held, verify_payroll_exports
from dagster_project.lib.resources import RunLockResource
from dagster_project.lib.run_lock import WarehouseBusyError


class PayrollExportConfig(dg.Config):
    """payment_period: the month to export, such as 2025-04; country_code: the country, such as IE."""

    payment_period: str
    country_code: str


@dg.op(
    name="export_the_payroll",
    description="Writes a month's payroll file and journal of a country once, or says every reason why not.",
)
def payroll_export_op(context: dg.OpExecutionContext, config: PayrollExportConfig, run_lock: RunLockResource) -> None:
    """The whole export is one step."""
    try:
        done = export_held(settle_environment(), config.payment_period, config.country_code)
    except (ExportRefusedError, ArchiveError, WarehouseBusyError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    context.add_output_metadata(
        {
            "export": done.link.period,
            "manifest_sha256": done.link.manifest_sha256,
            "journal_line_count": done.journal_line_count,
            "control_totals": dg.MetadataValue.json(done.control_totals),
        }
    )


@dg.op(name="verify_every_export", description="Holds every byte of the payroll exports against what was written.")
def verify_payroll_export_op(context: dg.OpExecutionContext, run_lock: RunLockResource) -> None:
    """Every finding is in the failure."""
    found = verify_payroll_exports(settle_environment())
    if found.findings:
        raise dg.Failure(description="\n".join(str(finding) for finding in found.findings), allow_retries=False)
    context.add_output_metadata({"export_count": len(found.periods), "file_count": found.file_count})


@dg.definitions
def defs() -> dg.Definitions:
    """The two jobs."""

    @dg.job(name="payroll_export", executor_def=dg.in_process_executor, description=payroll_export_op.description)
    def export_job() -> None:
        payroll_export_op()

    @dg.job(
        name="verify_payroll_export",
        executor_def=dg.in_process_executor,
        description=verify_payroll_export_op.description,
    )
    def verify_job() -> None:
        verify_payroll_export_op()

    return dg.Definitions(jobs=[export_job, verify_job])
