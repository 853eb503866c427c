"""General ledger by file drop, in LEDGER_DROP_PATH: the journal, and the charts it is kept by.

journal_YYYY-MM.csv comes once a month. accounts.csv and cost_centres.csv (or accounts_<name>.csv ...) come when the
charts change; a ledger that hands over none leaves them out, and the seeds alone say what is known. A voucher is the
lines with one voucher_number; its debits equal its credits. Amounts are text with a decimal point. LEDGER_ENCODING
declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.drop_folder import NamedFiles, drop_folder
from ingestion.sources.file_drop import MonthlyFiles

JOURNAL_LINE = Entity(
    source="ledger",
    name="journal_line",
    partitioning="monthly",
    columns=words(
        "voucher_number line_number posted_on fiscal_period account cost_centre debit_amount credit_amount currency "
        "description reference"
    ),
    key=("voucher_number", "line_number"),
    description="One line of a voucher; reference (INC-2025-Q1) stands on incentive lines.",
)
ACCOUNT = Entity(
    source="ledger",
    name="account",
    partitioning="file",
    columns=words("account name account_type parent_account normal_side valid_from valid_to"),
    key=("account",),
    description="One account of the chart; parent_account makes it a tree, an empty valid_to is open ended.",
)
COST_CENTRE = Entity(
    source="ledger",
    name="cost_centre",
    partitioning="file",
    columns=words("cost_centre name currency responsible_team valid_from valid_to"),
    key=("cost_centre",),
    description="One cost centre as the ledger keeps it; an empty valid_to is open ended.",
)

LEDGER = drop_folder(
    "ledger",
    "The general ledger: its journal, one file a month on the last day of it, and its charts.",
    "ledger-csv/1",
    ("LEDGER_DROP_PATH", "LEDGER_ENCODING"),
    [
        (MonthlyFiles, "journal", JOURNAL_LINE),
        (NamedFiles, "accounts", ACCOUNT),
        (NamedFiles, "cost_centres", COST_CENTRE),
    ],
)
