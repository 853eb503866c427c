"""Payroll by file drop: one CSV a month, payroll_register_YYYY-MM.csv, in PAYROLL_DROP_PATH.

Amounts are text with a decimal point and become DECIMAL in staging; no float touches them on the way.
PAYROLL_ENCODING declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity
from ingestion.sources.file_drop import MonthlyFiles

PAYROLL = MonthlyFiles(
    name="payroll",
    description="The payroll register, one file a month, dropped on the last day of the month.",
    connector_version="payroll-csv/1",
    entities={
        "register_line": Entity(
            source="payroll",
            name="register_line",
            partitioning="monthly",
            columns=(
                "payroll_line_id",
                "pay_period",
                "employee_number",
                "earning_code",
                "amount",
                "currency",
                "paid_on",
                "cost_centre",
                "earned_quarter",
            ),
            key=("payroll_line_id",),
            description="One line of the register; earned_quarter (2025-Q1) stands on incentive lines only.",
        )
    },
    path_variable="PAYROLL_DROP_PATH",
    encoding_variable="PAYROLL_ENCODING",
    file_stem="payroll_register",
)
