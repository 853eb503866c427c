"""The source systems of the demonstration company that the loopback server stands for."""

from __future__ import annotations

from pathlib import Path

from ingestion.demo.model import Company
from ingestion.demo.served import ServedSystem
from ingestion.demo.served_bamboohr import ServedBambooHR
from ingestion.demo.served_datadog import ServedDatadog
from ingestion.demo.served_jira import ServedJira
from ingestion.demo.served_quickbooks import ServedQuickBooks
from ingestion.demo.served_servicenow import ServedServiceNow
from ingestion.demo.served_workday import ServedWorkday


class DroppedPayAndLedger(ServedSystem):
    """Payroll register, payments and journal, a file a month each, and the ledger's charts."""

    def write_drops(self, drops_path: Path) -> None:
        """payroll/ and ledger/, as the pay desk wrote them."""
        from ingestion.demo.back_office import write_charts, write_payments
        from ingestion.demo.pay_desk import write_drops

        payroll, ledger = drops_path / "payroll", drops_path / "ledger"
        payroll.mkdir(parents=True, exist_ok=True)
        ledger.mkdir(parents=True, exist_ok=True)
        desk = write_drops(self.company, payroll, ledger)
        write_payments(self.company, desk, payroll)
        write_charts(self.company, ledger)

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """The two folders."""
        if drops_path is None:
            return {}
        return {"PAYROLL_DROP_PATH": str(drops_path / "payroll"), "LEDGER_DROP_PATH": str(drops_path / "ledger")}


class DroppedMonitorSamples(ServedSystem):
    """Samples of monitors, a file a month."""

    def write_drops(self, drops_path: Path) -> None:
        """monitor_samples/."""
        from ingestion.demo.monitor_samples import write_monitor_samples

        write_monitor_samples(self.company, drops_path / "monitor_samples")

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """The folder."""
        return {"MONITOR_SAMPLE_DROP_PATH": str(drops_path / "monitor_samples")} if drops_path else {}


class DroppedBackOffice(ServedSystem):
    """Exchange rates, vendors' bills, vendors' own performance data and the answers to surveys."""

    def write_drops(self, drops_path: Path) -> None:
        """A folder of each."""
        from ingestion.demo.back_office import write_bills, write_rates
        from ingestion.demo.survey_desk import write_responses
        from ingestion.demo.vendor_reports import write_vendor_reports

        write_rates(self.company, drops_path / "fx_rates")
        write_bills(self.company, drops_path / "billing")
        write_vendor_reports(self.company, drops_path / "vendor_performance")
        write_responses(self.company, drops_path / "survey")

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """The folders."""
        if drops_path is None:
            return {}
        folders = ("fx_rates", "FX_RATE"), ("billing", "BILLING"), ("survey", "SURVEY")
        found = {f"{variable}_DROP_PATH": str(drops_path / folder) for folder, variable in folders}
        return {**found, "VENDOR_PERFORMANCE_DROP_PATH": str(drops_path / "vendor_performance")}


class DroppedLegacyLogs(ServedSystem):
    """The logs of a system without monitoring."""

    def write_drops(self, drops_path: Path) -> None:
        """legacy_logs/."""
        from ingestion.demo.legacy_logs import write_legacy_logs

        write_legacy_logs(self.company, drops_path / "legacy_logs")

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """The folder."""
        return {"LEGACY_LOG_DROP_PATH": str(drops_path / "legacy_logs")} if drops_path else {}


# Asked in this order; one that takes a longer path than another stands before it.
SERVED_SYSTEMS: tuple[type[ServedSystem], ...] = (
    ServedServiceNow,
    ServedJira,
    ServedDatadog,
    ServedBambooHR,
    ServedQuickBooks,
    ServedWorkday,
    DroppedPayAndLedger,
    DroppedMonitorSamples,
    DroppedBackOffice,
    DroppedLegacyLogs,
)


def served_systems(company: Company) -> list[ServedSystem]:
    """One of each, for a company."""
    return [system(company) for system in SERVED_SYSTEMS]
