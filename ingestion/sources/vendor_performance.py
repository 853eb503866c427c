"""What vendors say of their own performance, by file drop in VENDOR_PERFORMANCE_DROP_PATH: two files a month.

vendor_records_YYYY-MM.csv is the raw data they owe us beside every report: one outage, or one ticket they resolved,
with its instants (ISO 8601 with Z or an offset). vendor_summaries_YYYY-MM.csv is the report: the share they claim per
service and measure. The two are landed apart and believed apart: the summary is worked out again from the records,
and both are held against what we measured ourselves (`rec_vendor_to_measured`).

An outage stands in the file of the month it began in, `affected_share` is the part of the service's sites it struck
(empty: all of it). A resolution carries the seconds the vendor counted and the seconds it had.
VENDOR_PERFORMANCE_ENCODING declares an encoding other than UTF-8 (see `file_drop`).

Delivers: SLT-7.2
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.drop_folder import drop_folder
from ingestion.sources.file_drop import MonthlyFiles

RECORD = Entity(
    source="vendor_performance",
    name="record",
    partitioning="monthly",
    columns=words(
        "vendor_code record_id service_code record_kind reference started_at ended_at affected_share counted_seconds "
        "target_seconds"
    ),
    key=("vendor_code", "record_id"),
    description="One outage or one resolved ticket as the vendor recorded it.",
)
SUMMARY = Entity(
    source="vendor_performance",
    name="summary",
    partitioning="monthly",
    columns=words("vendor_code service_code measure period_month claimed_share record_count reported_on"),
    key=("vendor_code", "service_code", "measure", "period_month"),
    description="The share a vendor claims for a service and month, and from how many records.",
)

VENDOR_PERFORMANCE = drop_folder(
    "vendor_performance",
    "Vendors' own outage and resolution records, and the monthly figures they claim from them.",
    "vendor-performance-csv/1",
    ("VENDOR_PERFORMANCE_DROP_PATH", "VENDOR_PERFORMANCE_ENCODING"),
    [(MonthlyFiles, "vendor_records", RECORD), (MonthlyFiles, "vendor_summaries", SUMMARY)],
)
