"""The source systems, by name. Adding one means a module of the same shape and a line here."""

from __future__ import annotations

from ingestion.contracts import Source
from ingestion.sources.bamboohr import BAMBOOHR
from ingestion.sources.billing import BILLING
from ingestion.sources.datadog import DATADOG
from ingestion.sources.fx_rates import FX_RATES
from ingestion.sources.jira import JIRA
from ingestion.sources.ledger import LEDGER
from ingestion.sources.legacy_log import LEGACY_LOG
from ingestion.sources.monitor_samples import MONITOR_SAMPLES
from ingestion.sources.payroll import PAYROLL
from ingestion.sources.quickbooks import QUICKBOOKS
from ingestion.sources.servicenow import SERVICENOW
from ingestion.sources.servicenow_event_log import SERVICENOW_EVENT_LOG
from ingestion.sources.survey import SURVEY
from ingestion.sources.vendor_performance import VENDOR_PERFORMANCE
from ingestion.sources.workday import WORKDAY

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        SERVICENOW,
        SERVICENOW_EVENT_LOG,
        JIRA,
        DATADOG,
        MONITOR_SAMPLES,
        BAMBOOHR,
        WORKDAY,
        PAYROLL,
        LEDGER,
        FX_RATES,
        QUICKBOOKS,
        BILLING,
        VENDOR_PERFORMANCE,
        SURVEY,
        LEGACY_LOG,
    )
}
