"""The company's back office: transfers to people, charts, exchange rates, vendors' bills and the books of a subsidiary.

What belongs here: what finance would export besides register and journal, derived from the pay desk and from the
supplier contracts of seeds/vendors, with facts planted at fixed places. What does not: who earned what (`pay_desk`),
and whether a service credit is the one that was owed.

Every figure is worked out from the seeds or drawn from generators seeded by name, so nothing here moves what the
pay desk paid or booked.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ingestion.demo.model import Company, PlantedFact
from ingestion.demo.pay_desk import (
    CENT,
    ZERO,
    PayDesk,
    ended_pay_periods,
    following_period,
    last_day,
    write_csv,
)
from ingestion.demo.timeline import read_seed
from ingestion.sources.billing import CREDIT_NOTE, INVOICE, INVOICE_LINE
from ingestion.sources.fx_rates import RATE
from ingestion.sources.ledger import ACCOUNT, COST_CENTRE
from ingestion.sources.payroll import PAYMENT

BOOKS_FROM = date(2025, 7, 1)
# First day billing tells of.
BILLS_FROM = date(2025, 4, 1)
SETTLED_AT = "2026-01-01 00:00:00"
RETURNED_IN = "2025-05"

Row = tuple[object, ...]


def back_office_facts() -> list[PlantedFact]:
    """What is planted in the files of this module; complete once 2025 has ended."""
    return [
        PlantedFact(code, text, {"settled_at": SETTLED_AT, **detail})
        for code, text, detail in (
            (
                "payment_returned_by_the_bank",
                "One transfer of May 2025 came back and was sent again: once it counts, twice it is listed",
                {"pay_period": RETURNED_IN},
            ),
            (
                "fx_inverse_quote_upside_down",
                "Treasury's quote of USD in EUR of 2025-03-12 is the quote of EUR in USD",
                {"rate_on": "2025-03-12", "from_currency": "USD", "to_currency": "EUR"},
            ),
            (
                "credit_note_without_a_breach",
                "Cloudharbour's service credit for compute of August 2025 names no breach",
                {"credit_note_number": "CN-CH-COMPUTE-2025-08"},
            ),
            *(
                (
                    code,
                    text,
                    {"expected_credit_to_billing": [dict(zip(CREDIT_COLUMNS, row, strict=True)) for row in rows]},
                )
                for code, text, rows in CREDIT_FACTS
            ),
            (
                "credits_never_granted",
                "Mailspring never grants what its support owes",
                {"supplier_contract_code": NEVER_CREDITED, "status": "missing_right"},
            ),
        )
    ]


# ------------------------------------------------------------------------------------------ payments


def payments(desk: PayDesk) -> dict[str, list[Row]]:
    """Transfers by pay period: one per person and currency, the sum of the register's lines on the day it pays.

    The first transfer of `RETURNED_IN` is sent back by the bank and sent again four days later.
    """
    owed: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for line in desk.payroll:
        owed[line.pay_period, line.employee_number, line.currency_code] += line.amount
    found: dict[str, list[Row]] = defaultdict(list)
    for (pay_period, employee_number, currency_code), amount in sorted(owed.items()):
        if amount == 0:
            continue
        rows, value_on = found[pay_period], last_day(pay_period)
        payment_id = f"PAY-{pay_period}-{len(rows) + 1:04d}"
        shared = (pay_period, employee_number, amount, currency_code)
        if pay_period == RETURNED_IN and not rows:
            rows.append((payment_id, *shared, value_on, "returned", value_on + timedelta(days=2), ""))
            rows.append((f"{payment_id}-R", *shared, value_on + timedelta(days=4), "settled", "", payment_id))
        else:
            rows.append((payment_id, *shared, value_on, "settled", "", ""))
    return found


def write_payments(company: Company, desk: PayDesk, folder: Path) -> None:
    """payroll_payment_YYYY-MM.csv for every month that has ended."""
    rows = payments(desk)
    for pay_period in ended_pay_periods(company):
        write_csv(folder / f"payroll_payment_{pay_period}.csv", PAYMENT.columns, rows[pay_period])


# -------------------------------------------------------------------------------------------- charts

GROUPS = {"1": ("asset", "debit"), "2": ("liability", "credit"), "6": ("expense", "debit")}


def write_charts(company: Company, folder: Path) -> None:
    """accounts.csv and cost_centres.csv: the governed accounts below their groups, and every cost centre."""
    opened_on = "2020-01-01"
    accounts: list[Row] = [
        (f"{digit}000" if digit != "1" else "1", f"{kind} accounts".capitalize(), kind, "", side, opened_on, "")
        for digit, (kind, side) in GROUPS.items()
    ]
    for row in read_seed("finance/gl_account.csv"):
        kind, side = GROUPS[row["account_code"][0]]
        parent = "1" if kind == "asset" else f"{row['account_code'][0]}000"
        accounts.append((row["account_code"], row["account_name"], kind, parent, side, opened_on, ""))
    accounts.append(("6290", "Incentive pay, old scheme", "expense", "6000", "debit", opened_on, "2023-12-31"))
    teams = {team.cost_centre_code: team.team_code for team in company.teams}
    centres = [
        (row["cost_centre_code"], row["cost_centre_name"], row["currency_code"], teams.get(row["cost_centre_code"], ""))
        for row in read_seed("finance/cost_centre.csv")
    ]
    write_csv(folder / "accounts.csv", ACCOUNT.columns, accounts)
    write_csv(folder / "cost_centres.csv", COST_CENTRE.columns, [(*row, opened_on, "") for row in centres])


# ---------------------------------------------------------------------------------------------- rates

START_RATES = {"USD": Decimal("1.0745"), "INR": Decimal("89.6120")}
UPSIDE_DOWN_ON = date(2025, 3, 12)


def rates(company: Company) -> Iterator[Row]:
    """Quotes of every working day before as_of: the central bank's EUR in USD and INR, treasury's USD in EUR.

    INR to EUR is quoted per 100 INR by treasury; one inverse quote is planted upside down.
    """
    chance = random.Random(f"{company.seed}:fx rates")
    present = dict(START_RATES)
    day = company.start_on
    while day < company.as_of_at.date():
        for currency in present:
            step = Decimal(chance.randint(-45, 46)) / Decimal(10_000)
            present[currency] = (present[currency] * (1 + step)).quantize(Decimal("0.0001"))
        if day.weekday() < 5:
            usd, inr = present["USD"], present["INR"]
            inverse = usd if day == UPSIDE_DOWN_ON else (1 / usd).quantize(Decimal("0.000001"))
            yield day, "EUR", "USD", 1, usd, "central_bank"
            yield day, "EUR", "INR", 1, inr, "central_bank"
            yield day, "USD", "EUR", 1, inverse, "treasury"
            yield day, "INR", "EUR", 100, (100 / inr).quantize(Decimal("0.000001")), "treasury"
        day += timedelta(days=1)


def write_rates(company: Company, folder: Path) -> None:
    """fx_rates_YYYY.csv, a file a year."""
    years: dict[int, list[Row]] = defaultdict(list)
    for row in rates(company):
        years[row[0].year].append(row)  # type: ignore[attr-defined]
    for year, rows in years.items():
        write_csv(folder / f"fx_rates_{year}.csv", RATE.columns, rows)


# ---------------------------------------------------------------------------------------------- bills


@dataclass(frozen=True)
class Bill:
    """One invoice with its lines (kind, text, quantity, unit amount); net is the sum of the lines."""

    number: str
    contract: dict[str, str]
    from_on: date
    to_on: date
    issued_on: date
    lines: tuple[tuple[str, str, int, Decimal], ...]

    @property
    def net_amount(self) -> Decimal:
        """Sum of the lines."""
        return sum((quantity * unit for _, _, quantity, unit in self.lines), ZERO)


# Credits granted: contract -> (month, share of the monthly fee, breach it settles).
CREDITS = (
    ("CH-COMPUTE", "2025-07", Decimal("0.10"), "BR-CH-COMPUTE-2025-07"),
    ("CH-COMPUTE", "2025-08", Decimal("0.10"), ""),
    ("CH-EDGE-25", "2025-09", Decimal("0.10"), "BR-CH-EDGE-25-2025-09"),
    ("MS-RELAY", "2025-10", Decimal("0.05"), "BR-MS-RELAY-2025-10"),
    ("CH-COMPUTE", "2025-11", Decimal("0.10"), "BR-CH-COMPUTE-2025-11"),
    ("CH-EDGE-25", "2025-07", Decimal("0.10"), "BR-CH-EDGE-25-2025-07"),
    ("CH-EDGE-25", "2025-08", Decimal("0.10"), "BR-CH-EDGE-25-2025-08"),
    ("CH-STORAGE", "2025-09", Decimal("0.10"), "BR-CH-STORAGE-2025-09"),
    ("MS-RELAY", "2025-07", Decimal("0.05"), "BR-MS-RELAY-2025-07"),
    ("CH-EDGE-25", "2025-04", Decimal("0.10"), "BR-CH-EDGE-25-2025-04"),
    ("CH-EDGE-25", "2025-06", Decimal("0.25"), "BR-CH-EDGE-25-2025-06"),
    ("CH-COMPUTE", "2025-10", Decimal("0.05"), "BR-CH-COMPUTE-2025-10"),
    ("CH-STORAGE", "2025-07", Decimal("0.05"), "BR-CH-STORAGE-2025-07"),
)


@dataclass(frozen=True)
class OddCredit:
    """A credit note that is not a share of one month's fee on its contract's terms."""

    number: str
    contract_code: str
    month: str
    issued_in: str
    amount: Decimal
    currency_code: str
    breach: str


ODD_CREDITS = (
    # the whole of the liability cap that was left
    OddCredit(
        "CN-CH-EDGE-25-2025-11", "CH-EDGE-25", "2025-11", "2025-12", Decimal("550.00"), "EUR", "BR-CH-EDGE-25-2025-11"
    ),
    # the same month a second time
    OddCredit(
        "CN-CH-EDGE-25-2025-07-2", "CH-EDGE-25", "2025-07", "2025-09", Decimal("650.00"), "EUR", "BR-CH-EDGE-25-2025-07"
    ),
    OddCredit("CN-MS-RELAY-2025-08", "MS-RELAY", "2025-08", "2025-09", Decimal("200.00"), "EUR", "BR-MS-RELAY-2025-08"),
    # what November owed
    OddCredit("CN-MS-RELAY-2025-09", "MS-RELAY", "2025-09", "2025-12", Decimal("200.00"), "USD", "BR-MS-RELAY-2025-11"),
    # months a second time
    OddCredit(
        "CN-CH-EDGE-25-2025-04-2", "CH-EDGE-25", "2025-04", "2025-06", Decimal("650.00"), "EUR", "BR-CH-EDGE-25-2025-04"
    ),
    OddCredit(
        "CN-MS-RELAY-2025-07-2", "MS-RELAY", "2025-07", "2025-09", Decimal("200.00"), "USD", "BR-MS-RELAY-2025-07"
    ),
    # half of it
    OddCredit(
        "CN-CH-EDGE-25-2025-05", "CH-EDGE-25", "2025-05", "2025-06", Decimal("325.00"), "EUR", "BR-CH-EDGE-25-2025-05"
    ),
    # a digit lost
    OddCredit("CN-MS-RELAY-2025-05", "MS-RELAY", "2025-05", "2025-06", Decimal("20.00"), "USD", "BR-MS-RELAY-2025-05"),
    OddCredit("CN-MS-RELAY-2025-04", "MS-RELAY", "2025-04", "2025-05", Decimal("200.00"), "EUR", "BR-MS-RELAY-2025-04"),
    # what May owed
    OddCredit("CN-MS-FORMS-2025-07", "MS-FORMS", "2025-07", "2025-08", Decimal("150.00"), "USD", "BR-MS-FORMS-2025-05"),
    # before the quarter is over
    OddCredit(
        "CN-DC-ZONE-B-2025-11", "DC-ZONE-B", "2025-11", "2025-12", Decimal("700.00"), "EUR", "BR-DC-ZONE-B-2025-11"
    ),
)

# What reconciling the credits owed with these notes must show: (contract, first day of the period, currency, status,
# owed, granted). The outages behind them do not depend on how many tickets a company has.
CREDIT_FACTS = (
    (
        "credit_not_granted",
        "Cloudharbour never granted the credit of its edge for October 2025",
        (("CH-EDGE-25", "2025-10-01", "EUR", "missing_right", "650.00", "0.00"),),
    ),
    (
        "credit_of_a_quarter_not_granted",
        "Deepcable never granted the credit of its second quarter, May to July 2025",
        (("DC-ZONE-B", "2025-05-01", "EUR", "missing_right", "2100.00", "0.00"),),
    ),
    (
        "credit_of_a_lower_band",
        "Cloudharbour granted the lowest band for August 2025, where the edge had fallen below the next one",
        (("CH-EDGE-25", "2025-08-01", "EUR", "amount_differs", "1625.00", "650.00"),),
    ),
    (
        "credit_granted_twice",
        "Cloudharbour granted the credit of its edge for July 2025 in two notes",
        (("CH-EDGE-25", "2025-07-01", "EUR", "duplicate", "650.00", "1300.00"),),
    ),
    (
        "credit_not_owed",
        "Cloudharbour granted a credit for compute in August 2025, a month that kept its promise",
        (("CH-COMPUTE", "2025-08-01", "EUR", "missing_left", "0.00", "1800.00"),),
    ),
    (
        "credit_in_wrong_currency",
        "Mailspring granted August 2025 as the same number in euro",
        (
            ("MS-RELAY", "2025-08-01", "USD", "wrong_currency", "200.00", "0.00"),
            ("MS-RELAY", "2025-08-01", "EUR", "wrong_currency", "0.00", "200.00"),
        ),
    ),
    (
        "credit_for_wrong_period",
        "Mailspring granted the credit of November 2025 for September",
        (
            ("MS-RELAY", "2025-11-01", "USD", "wrong_period", "200.00", "0.00"),
            ("MS-RELAY", "2025-09-01", "USD", "wrong_period", "0.00", "200.00"),
        ),
    ),
    (
        "credit_of_a_first_quarter_not_granted",
        "Deepcable never granted the credit of its first quarter, February to April 2025, either",
        (("DC-ZONE-B", "2025-02-01", "EUR", "missing_right", "4200.00", "0.00"),),
    ),
    (
        "credit_of_half_a_month",
        "Cloudharbour granted half of the credit of its edge for May 2025",
        (("CH-EDGE-25", "2025-05-01", "EUR", "amount_differs", "650.00", "325.00"),),
    ),
    (
        "credit_mistyped",
        "Mailspring granted 20.00 where 200.00 was owed for May 2025",
        (("MS-RELAY", "2025-05-01", "USD", "amount_differs", "200.00", "20.00"),),
    ),
    (
        "credit_granted_twice_in_april",
        "Cloudharbour granted the credit of its edge for April 2025 in two notes",
        (("CH-EDGE-25", "2025-04-01", "EUR", "duplicate", "650.00", "1300.00"),),
    ),
    (
        "credit_granted_twice_by_mailspring",
        "Mailspring granted the credit of its relay for July 2025 in two notes",
        (("MS-RELAY", "2025-07-01", "USD", "duplicate", "200.00", "400.00"),),
    ),
    (
        "credit_not_owed_for_compute",
        "Cloudharbour granted a credit for compute in October 2025, a month that kept its promise",
        (("CH-COMPUTE", "2025-10-01", "EUR", "missing_left", "0.00", "900.00"),),
    ),
    (
        "credit_not_owed_for_storage",
        "Cloudharbour granted a credit for storage in July 2025, a month that kept its promise",
        (("CH-STORAGE", "2025-07-01", "EUR", "missing_left", "0.00", "450.00"),),
    ),
    (
        "credit_in_wrong_currency_in_april",
        "Mailspring granted April 2025 as the same number in euro",
        (
            ("MS-RELAY", "2025-04-01", "USD", "wrong_currency", "200.00", "0.00"),
            ("MS-RELAY", "2025-04-01", "EUR", "wrong_currency", "0.00", "200.00"),
        ),
    ),
    (
        "credit_of_forms_for_wrong_period",
        "Mailspring granted the credit of its forms for May 2025 for July",
        (
            ("MS-FORMS", "2025-05-01", "USD", "wrong_period", "150.00", "0.00"),
            ("MS-FORMS", "2025-07-01", "USD", "wrong_period", "0.00", "150.00"),
        ),
    ),
)
CREDIT_COLUMNS = ("contract_code", "period_start_on", "currency_code", "status", "owed_amount", "billed_amount")
# Mailspring's desk never grants what its tickets owe: what that is depends on the tickets.
NEVER_CREDITED = "MS-SUPPORT"


def months_before(company: Company, first: date) -> list[str]:
    """Months from `first` on that have ended by as_of."""
    return [period for period in ended_pay_periods(company) if period >= f"{first:%Y-%m}"]


def bills(company: Company) -> list[Bill]:
    """Invoices of every contract in force, in its invoice cycle, for periods that have ended."""
    ended = months_before(company, BILLS_FROM)
    found = []
    for contract in read_seed("vendors/supplier_contract.csv"):
        step = {"month": 1, "quarter": 3}[contract["invoice_cycle"]]
        for place in range(0, len(ended) - step + 1, step):
            months = ended[place : place + step]
            from_on, to_on = date.fromisoformat(f"{months[0]}-01"), last_day(months[-1])
            if not contract["effective_from"] <= from_on.isoformat() <= (contract["effective_to"] or "9999-12-31"):
                continue
            fee = Decimal(contract["monthly_fee_amount"])
            lines = [("base_fee", f"Base fee {month}", 1, fee) for month in months]
            chance = random.Random(f"{company.seed}:bill:{contract['supplier_contract_code']}:{months[0]}")
            lines.append(("usage", "Usage above the base", chance.randint(1, 90), Decimal("12.35")))
            if contract["supplier_contract_code"] == "CH-STORAGE":
                lines.append(("discount", "Volume discount", 1, -(fee * step / 20).quantize(CENT)))
            number = f"INV-{contract['supplier_contract_code']}-{months[0]}"
            issued_on = to_on + timedelta(days=2)
            if issued_on < company.as_of_at.date():
                found.append(Bill(number, contract, from_on, to_on, issued_on, tuple(lines)))
    return found


def credit_notes(company: Company) -> list[Row]:
    """Service credits granted for months whose invoice is out."""
    contracts = {row["supplier_contract_code"]: row for row in read_seed("vendors/supplier_contract.csv")}
    found: list[Row] = []
    for code, month, share, breach in CREDITS:
        issued_on = last_day(_later_month(month, int(contracts[code]["credit_settlement_lag_months"])))
        if issued_on >= company.as_of_at.date():
            continue
        contract = contracts[code]
        amount = (Decimal(contract["monthly_fee_amount"]) * share).quantize(CENT)
        found.append(
            (
                f"CN-{code}-{month}",
                contract["vendor_code"],
                code,
                f"{month}-01",
                last_day(month),
                issued_on,
                "service_credit",
                breach,
                f"INV-{code}-{_billed_from(contract, month)}",
                amount,
                contract["currency_code"],
            )
        )
    for odd in ODD_CREDITS:
        issued_on = last_day(odd.issued_in)
        if issued_on >= company.as_of_at.date():
            continue
        contract = contracts[odd.contract_code]
        found.append(
            (
                odd.number,
                contract["vendor_code"],
                odd.contract_code,
                f"{odd.month}-01",
                last_day(odd.month),
                issued_on,
                "service_credit",
                odd.breach,
                f"INV-{odd.contract_code}-{_billed_from(contract, odd.month)}",
                odd.amount,
                odd.currency_code,
            )
        )
    return found


def _later_month(month: str, months: int) -> str:
    for _ in range(months):
        month = following_period(month)
    return month


def _billed_from(contract: dict[str, str], month: str) -> str:
    """First month of the invoice a month is billed in; invoices of quarters run from `BILLS_FROM`."""
    year, number = (int(part) for part in month.split("-"))
    if contract["invoice_cycle"] == "quarter":
        number -= (number - BILLS_FROM.month) % 3
    return f"{year}-{number:02d}"


def write_bills(company: Company, folder: Path) -> None:
    """invoices_*, invoice_lines_* and credit_notes_*.csv, a file of each kind a half-year."""
    kinds: dict[str, tuple[Sequence[str], dict[str, list[Row]]]] = {
        "invoices": (INVOICE.columns, defaultdict(list)),
        "invoice_lines": (INVOICE_LINE.columns, defaultdict(list)),
        "credit_notes": (CREDIT_NOTE.columns, defaultdict(list)),
    }
    for bill in bills(company):
        half, currency = half_year(bill.issued_on), bill.contract["currency_code"]
        kinds["invoices"][1][half].append(
            (
                bill.number,
                bill.contract["vendor_code"],
                bill.contract["supplier_contract_code"],
                bill.from_on,
                bill.to_on,
                bill.issued_on,
                bill.issued_on + timedelta(days=30),
                bill.net_amount,
                ZERO,
                bill.net_amount,
                currency,
            )
        )
        kinds["invoice_lines"][1][half] += [
            (bill.number, place, kind, text, quantity, unit, quantity * unit, currency)
            for place, (kind, text, quantity, unit) in enumerate(bill.lines, start=1)
        ]
    for note in credit_notes(company):
        kinds["credit_notes"][1][half_year(note[5])].append(note)  # type: ignore[arg-type]
    for stem, (columns, halves) in kinds.items():
        for half, rows in halves.items():
            write_csv(folder / f"{stem}_{half}.csv", columns, rows)
    folder.mkdir(parents=True, exist_ok=True)


def half_year(on: date) -> str:
    """'2025-H2' for a day."""
    return f"{on.year}-H{1 if on.month < 7 else 2}"


# ------------------------------------------------------------------------------------ books elsewhere

# Account of the subsidiary's books: id -> (name, id of the account it stands under).
BOOK_ACCOUNTS = {
    "35": ("Checking", ""),
    "33": ("Accounts Payable (A/P)", ""),
    "60": ("Vendor services", ""),
    "61": ("Messaging services", "60"),
    "62": ("Support services", "60"),
}
BOOK_CURRENCY = "USD"
SUPPORT_CONTRACTS = ("MS-SUPPORT",)


@dataclass(frozen=True)
class BookLine:
    """One line of a transaction in one account of the subsidiary's books."""

    transaction_id: str
    on: date
    kind: str
    number: str
    memo: str
    account_id: str
    split: str
    cost_centre_code: str
    debit_amount: Decimal
    credit_amount: Decimal


def book_lines(company: Company) -> list[BookLine]:
    """What the subsidiary booked of its USD contracts: bills, their payment a month later, vendor credits."""
    found: list[BookLine] = []

    def book(on: date, kind: str, number: str, memo: str, legs: Iterable[tuple[str, str, Decimal, Decimal]]) -> None:
        if on >= company.as_of_at.date():
            return
        entries = list(legs)
        transaction_id = str(4001 + len({line.transaction_id for line in found}))
        for account_id, centre, debit, credit in entries:
            other = next((BOOK_ACCOUNTS[leg[0]][0] for leg in entries if leg[0] != account_id), "")
            split = other if len({leg[0] for leg in entries}) == 2 else "-Split-"
            found.append(BookLine(transaction_id, on, kind, number, memo, account_id, split, centre, debit, credit))

    for bill in bills(company):
        if bill.contract["currency_code"] != BOOK_CURRENCY:
            continue
        service = "62" if bill.contract["supplier_contract_code"] in SUPPORT_CONTRACTS else "61"
        legs = [
            (service, "CC-1230", max(quantity * unit, ZERO), max(-quantity * unit, ZERO))
            for _, _, quantity, unit in bill.lines
        ]
        total = bill.net_amount
        book(bill.issued_on, "Bill", bill.number, "Vendor bill", [*legs, ("33", "", ZERO, total)])
        paid_on = bill.issued_on + timedelta(days=28)
        settled = [("33", "", total, ZERO), ("35", "", ZERO, total)]
        book(paid_on, "Bill Payment (Check)", bill.number, "Payment", settled)
    for note in credit_notes(company):
        if note[-1] == BOOK_CURRENCY:
            amount = Decimal(str(note[-2]))
            legs = [("33", "", amount, ZERO), ("61", "CC-1230", ZERO, amount)]
            book(note[5], "Vendor Credit", str(note[0]), "Service credit", legs)  # type: ignore[arg-type]
    return sorted(found, key=lambda line: (line.on, line.transaction_id))


def general_ledger(company: Company, from_on: date, to_on: date) -> list[dict[str, Any]]:
    """Sections of the general ledger report of these days, lines as dicts of the report's column keys."""
    by_account: dict[str, list[BookLine]] = defaultdict(list)
    for line in book_lines(company):
        if from_on <= line.on <= to_on:
            by_account[line.account_id].append(line)

    def section(account_id: str) -> dict[str, Any] | None:
        inner = [section(child) for child, (_, parent) in BOOK_ACCOUNTS.items() if parent == account_id]
        lines, children = by_account[account_id], [child for child in inner if child]
        if not lines and not children:
            return None
        return {"account_id": account_id, "name": BOOK_ACCOUNTS[account_id][0], "lines": lines, "children": children}

    return [found for key, (_, parent) in BOOK_ACCOUNTS.items() if not parent and (found := section(key))]
