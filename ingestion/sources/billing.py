"""Vendor bills by file drop, in BILLING_DROP_PATH: invoices, their lines, and the credit notes that answer breaches.

Three kinds of file, each as often as it comes: invoices_<name>.csv, invoice_lines_<name>.csv and
credit_notes_<name>.csv. An invoice names the supplier contract and the period it is for; its lines add up to its net
amount. A credit note names the contract, the period and, for a service credit, the breach it settles; its amount is
positive and is owed to us. Amounts are text with a decimal point and become DECIMAL in staging. BILLING_ENCODING
declares an encoding other than UTF-8 (see `file_drop`).
"""

from __future__ import annotations

from ingestion.contracts import Entity, words
from ingestion.sources.drop_folder import NamedFiles, drop_folder

INVOICE = Entity(
    source="billing",
    name="invoice",
    partitioning="file",
    columns=words(
        "invoice_number vendor_code supplier_contract_code period_from period_to issued_on due_on net_amount "
        "tax_amount gross_amount currency"
    ),
    key=("invoice_number",),
    description="One invoice of a vendor for a period of a contract; gross = net + tax.",
)
INVOICE_LINE = Entity(
    source="billing",
    name="invoice_line",
    partitioning="file",
    columns=words("invoice_number line_number line_kind description quantity unit_amount net_amount currency"),
    key=("invoice_number", "line_number"),
    description="One line of an invoice; the net amounts of its lines sum to the invoice's.",
)
CREDIT_NOTE = Entity(
    source="billing",
    name="credit_note",
    partitioning="file",
    columns=words(
        "credit_note_number vendor_code supplier_contract_code period_from period_to issued_on credit_kind "
        "breach_reference invoice_number credit_amount currency"
    ),
    key=("credit_note_number",),
    description="One credit note; a service credit names the breach it settles.",
)

BILLING = drop_folder(
    "billing",
    "Invoices of vendors and the credit notes that settle breaches of their promises.",
    "billing-csv/1",
    ("BILLING_DROP_PATH", "BILLING_ENCODING"),
    [
        (NamedFiles, "invoices", INVOICE),
        (NamedFiles, "invoice_lines", INVOICE_LINE),
        (NamedFiles, "credit_notes", CREDIT_NOTE),
    ],
)
