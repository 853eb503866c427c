"""Monitor samples by file drop: one CSV a UTC month, monitor_samples_YYYY-MM.csv, in MONITOR_SAMPLE_DROP_PATH.

A sample is one verdict of one probe at one instant. `sampled_at` is the probe's clock, `received_at` the
collector's; both are ISO 8601 with Z or an offset. A sample that is delivered twice stands twice, told apart by
`received_at`. MONITOR_SAMPLE_ENCODING declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity
from ingestion.sources.file_drop import MonthlyFiles

MONITOR_SAMPLES = MonthlyFiles(
    name="monitor_samples",
    description="Verdicts of synthetic, real-user and log-scraped probes, one file a UTC month.",
    connector_version="monitor-samples-csv/2",
    entities={
        "monitor_sample": Entity(
            source="monitor_samples",
            name="monitor_sample",
            partitioning="monthly",
            columns=(
                "monitor_id",
                "sampled_at",
                "received_at",
                "sample_kind",
                "outcome",
                "response_ms",
                "probe_location",
            ),
            key=("monitor_id", "probe_location", "sampled_at", "received_at"),
            description="One verdict of a probe: good, bad, unknown or an HTTP status (0: no answer at all).",
            keeps_record="rest",
        )
    },
    path_variable="MONITOR_SAMPLE_DROP_PATH",
    encoding_variable="MONITOR_SAMPLE_ENCODING",
    file_stem="monitor_samples",
)
