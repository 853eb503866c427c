"""Payroll by file drop, in PAYROLL_DROP_PATH: a register and a list of payments, one CSV a month each.

payroll_register_YYYY-MM.csv says what is owed line by line, payroll_payment_YYYY-MM.csv what left the bank: one
transfer per person, currency and run, and what the bank sent back. A payroll that hands over no payments leaves the
second kind out. No bank account is in either file, and none is wanted.

Amounts are text with a decimal point and become DECIMAL in staging; no float touches them on the way.
PAYROLL_ENCODING declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.drop_folder import drop_folder
from ingestion.sources.file_drop import MonthlyFiles

REGISTER_LINE = Entity(
    source="payroll",
    name="register_line",
    partitioning="monthly",
    columns=words(
        "payroll_line_id pay_period employee_number earning_code amount currency paid_on cost_centre earned_quarter"
    ),
    key=("payroll_line_id",),
    description="One line of the register; earned_quarter (2025-Q1) stands on incentive lines only.",
)
PAYMENT = Entity(
    source="payroll",
    name="payment",
    partitioning="monthly",
    columns=words(
        "payment_id pay_period employee_number amount currency value_on payment_status returned_on original_payment_id"
    ),
    key=("payment_id",),
    description="One transfer to a person; a returned one is sent again under an id of its own.",
)

PAYROLL = drop_folder(
    "payroll",
    "The payroll register and the payments, one file a month each, dropped on the last day of the month.",
    "payroll-csv/1",
    ("PAYROLL_DROP_PATH", "PAYROLL_ENCODING"),
    [(MonthlyFiles, "payroll_register", REGISTER_LINE), (MonthlyFiles, "payroll_payment", PAYMENT)],
)
