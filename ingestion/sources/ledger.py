"""General ledger by file drop: one CSV a month, journal_YYYY-MM.csv, in LEDGER_DROP_PATH.

A voucher is the lines with one voucher_number; its debits equal its credits. Amounts are text with a decimal
point. LEDGER_ENCODING declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity
from ingestion.sources.file_drop import MonthlyFiles

LEDGER = MonthlyFiles(
    name="ledger",
    description="The journal of the general ledger, one file a month, dropped on the last day of the month.",
    connector_version="ledger-csv/1",
    entities={
        "journal_line": Entity(
            source="ledger",
            name="journal_line",
            partitioning="monthly",
            columns=(
                "voucher_number",
                "line_number",
                "posted_on",
                "fiscal_period",
                "account",
                "cost_centre",
                "debit_amount",
                "credit_amount",
                "currency",
                "description",
                "reference",
            ),
            key=("voucher_number", "line_number"),
            description="One line of a voucher; reference (INC-2025-Q1) stands on incentive lines.",
        )
    },
    path_variable="LEDGER_DROP_PATH",
    encoding_variable="LEDGER_ENCODING",
    file_stem="journal",
)
