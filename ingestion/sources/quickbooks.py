"""QuickBooks Online by its Reports API: GET /v3/company/<realm>/reports/GeneralLedger.

Vendor terms: QUICKBOOKS_URL is the host (https://quickbooks.api.intuit.com, the sandbox another), the realm is the
company's id; OAuth2 bearer token with the scope com.intuit.quickbooks.accounting, which lives an hour; JSON only when
the header Accept asks for it; minorversion is fixed, so that the shape does not move under us. A report is no table:
Header says what it is, Columns.Column names the columns, Rows.Row is a tree. A row of type Section has a Header (the
account), Rows and a Summary; a row of type Data has ColData, one cell a column, all text. A column the company does
not use (classes, currencies) is left out without a word. A company without entries answers `"Rows": {}` and says
NoReportData. Reports have no pages and no stamp, only dates: a month is one report, every ended month is asked for
again each time (back-dated entries are legal until the books are closed) and an unchanged one adds nothing. More than
400,000 cells are cut off with a last row that says so.

Each Data row becomes one journal line with the path of the sections it stands in. The row Beginning Balance is no
line: it has no transaction and no amounts. Each Summary must be the sum of the lines below it, and every line must
lie in the month asked for; otherwise the report is read again and, if it stays so, nothing of it is landed. A line
has no id of its own: transaction, account and its place among that transaction's lines in the account name it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ingestion.contracts import Entity, InconsistentExtractError, Page, Record, Source, SourceError, Window, words
from ingestion.http import Client, required, safe_url
from ingestion.json_records import missing_key
from ingestion.oauth import oauth2_from_environment
from ingestion.rate_limit import stated_maximum
from ingestion.settings import Settings, SettingsError

TOKEN_ADDRESS = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 an address
MINOR_VERSION = "75"
ACCOUNTING_METHOD = "Accrual"
CELL_LIMIT_TEXT = "unable to display more data"
# Column of the report -> column of the contract.
REPORT_COLUMNS = {
    "tx_date": "tx_date",
    "txn_type": "txn_type",
    "doc_num": "doc_num",
    "name": "name",
    "memo": "memo",
    "split_acc": "split_account",
    "klass_name": "class_name",
    "currency": "currency",
    "exch_rate": "exchange_rate",
    "debt_amt": "debit_amount",
    "credit_amt": "credit_amount",
}
AMOUNTS = ("debit_amount", "credit_amount")

JOURNAL_LINE = Entity(
    source="quickbooks",
    name="journal_line",
    partitioning="monthly",
    columns=("transaction_id", "account_id", "line_number", *REPORT_COLUMNS.values(), *words("account section_path")),
    key=("transaction_id", "account_id", "line_number"),
    description="One line of a transaction in one account, from the general ledger report of its month.",
    # Companies without classes or without several currencies do not have these columns.
    optional=frozenset(("class_name", "exchange_rate")),
    endpoint="GeneralLedger",
    record_key="Rows.Row",
)
# The answer's rows are sections, which have no key: the lines inside them have.
SECTIONS = replace(JOURNAL_LINE, key=())


@dataclass(frozen=True)
class Report:
    """A report as it came: what its header says, the names of its columns, its top rows."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    where: str
    currency: str = ""


class QuickBooks(Source):
    """Reports API v3 (QUICKBOOKS_URL, QUICKBOOKS_REALM_ID) with a bearer token.

    The token is QUICKBOOKS_ACCESS_TOKEN, or fetched with QUICKBOOKS_CLIENT_ID, _CLIENT_SECRET and _REFRESH_TOKEN.
    """

    def is_configured(self) -> tuple[bool, str]:
        """Configured when QUICKBOOKS_URL is set."""
        if os.environ.get("QUICKBOOKS_URL"):
            return True, "QUICKBOOKS_URL is set"
        return False, "QUICKBOOKS_URL is not set"

    def partition_keys(self, entity: Entity) -> list[str]:
        """Months from QUICKBOOKS_FROM (else EXTRACT_FROM) to the present one."""
        month, last = first_month(), datetime.now(UTC).date()
        keys = []
        while month <= last:
            keys.append(month.strftime("%Y-%m"))
            month = (month + timedelta(days=31)).replace(day=1)
        return keys

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The one report of a month, as lines. Raises InconsistentExtractError when it contradicts itself."""
        realm = required("QUICKBOOKS_REALM_ID")
        first_on, last_on = window.start_at.date(), (window.end_at - timedelta(days=1)).date()
        params = {
            "start_date": first_on.isoformat(),
            "end_date": last_on.isoformat(),
            "accounting_method": ACCOUNTING_METHOD,
            "columns": ",".join(REPORT_COLUMNS),
            "minorversion": MINOR_VERSION,
        }
        oauth = oauth2_from_environment("QUICKBOOKS", TOKEN_ADDRESS, credentials_in="header")
        with Client(
            required("QUICKBOOKS_URL"),
            headers={} if oauth else {"Authorization": f"Bearer {required('QUICKBOOKS_ACCESS_TOKEN')}"},
            oauth=oauth,
            credential_names="QUICKBOOKS_ACCESS_TOKEN (it lives an hour) and QUICKBOOKS_REALM_ID",
            max_requests_per_minute=stated_maximum("quickbooks"),
            notify=notify,
        ) as client:
            answer = client.get_records(f"/v3/company/{realm}/reports/{entity.endpoint}", params, SECTIONS)
        for record in answer.records:
            if record.reason:
                raise _contradiction(f"a section of the report cannot be read ({record.reason})", safe_url(answer.url))
        report = Report(
            columns=read_columns(answer.envelope, safe_url(answer.url)),
            rows=[dict(record.values or {}) for record in answer.records],
            where=safe_url(answer.url),
            currency=str((answer.envelope.get("Header") or {}).get("Currency") or ""),
        )
        check_header(answer.envelope, params, bool(report.rows), report.where)
        records = journal_lines(report, entity, first_on, last_on)
        yield Page(records)


def first_month() -> date:
    """The first day of the first month to ask for. Raises SourceError where QUICKBOOKS_FROM is no month."""
    text = os.environ.get("QUICKBOOKS_FROM")
    try:
        return date.fromisoformat(f"{text}-01") if text else Settings.from_env().extract_from.replace(day=1)
    except SettingsError as error:
        raise SourceError(str(error), "environment", "write a UTC day") from None
    except ValueError:
        raise SourceError(f"QUICKBOOKS_FROM is {text!r}", "environment", "write a month such as 2025-07") from None


def read_columns(envelope: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """The columns' keys in their order; titles are in the company's language and say nothing.

    Raises InconsistentExtractError without a usable list.
    """
    columns = (envelope.get("Columns") or {}).get("Column")
    if not isinstance(columns, list) or not columns:
        raise _contradiction("the report names no columns", where)
    keys = []
    for column in columns:
        meta = {item.get("Name"): item.get("Value") for item in column.get("MetaData") or ()}
        key = str(meta.get("ColKey") or column.get("ColType") or "")
        keys.append(REPORT_COLUMNS.get(key, key))
    return tuple(keys)


def check_header(envelope: Mapping[str, Any], asked: Mapping[str, str], has_rows: bool, where: str) -> None:
    """The report is the one asked for, and an empty one says that it is. Raises InconsistentExtractError."""
    header = envelope.get("Header") or {}
    for name, expected in (
        ("StartPeriod", asked["start_date"]),
        ("EndPeriod", asked["end_date"]),
        ("ReportBasis", asked["accounting_method"]),
    ):
        if header.get(name) != expected:
            raise _contradiction(f"the report's {name} is {header.get(name)!r}; {expected!r} was asked for", where)
    options = {item.get("Name"): item.get("Value") for item in header.get("Option") or ()}
    if not has_rows and options.get("NoReportData") != "true":
        raise _contradiction("the report has no rows and does not say that there is nothing to report", where)


def journal_lines(report: Report, entity: Entity, first_on: date, last_on: date) -> list[Record]:
    """Every Data row of the tree as a line, every Summary checked against the lines below it."""
    records: list[Record] = []
    places: Counter[tuple[str, str]] = Counter()

    def walk(rows: list[dict[str, Any]], path: tuple[str, ...], account: Mapping[str, str]) -> dict[str, Decimal]:
        totals = dict.fromkeys(AMOUNTS, Decimal(0))
        for row in rows:
            inner = (row.get("Rows") or {}).get("Row")
            if row.get("type") == "Data" or "ColData" in row:
                line = read_line(row, path, account)
                if line:
                    for name, amount in line.items():
                        totals[name] += amount
                continue
            cells = (row.get("Header") or {}).get("ColData") or [{}]
            if isinstance(inner, list):
                title = str(cells[0].get("value") or "")
                holder = {"id": str(cells[0].get("id") or account.get("id") or ""), "name": title}
                below = walk(inner, (*path, title) if title else path, holder)
                check_summary(row, below, (*path, title))
                for name, amount in below.items():
                    totals[name] += amount
            elif "Summary" in row:
                # A total by itself closes what stands before it on its level.
                check_summary(row, totals, path)
        return totals

    def read_line(row: dict[str, Any], path: tuple[str, ...], account: Mapping[str, str]) -> dict[str, Decimal] | None:
        cells = row.get("ColData")
        kept = {"section_path": list(path), "account_id": account.get("id"), "columns": report.columns, "row": row}
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        if not isinstance(cells, list) or len(cells) != len(report.columns):
            found = len(cells) if isinstance(cells, list) else 0
            reason = f"wrong_column_count: {found} instead of {len(report.columns)}"
            records.append(Record(reason=reason, raw=text.encode("utf-8", "surrogateescape")))
            return None
        if any(CELL_LIMIT_TEXT in str(cell.get("value") or "").lower() for cell in cells):
            raise SourceError(
                "the report has more cells than QuickBooks shows; its end was cut off",
                report.where,
                "there is no shorter window than a month here: have the company's entries of that month split",
            )
        values = {name: str(cell.get("value") or "") for name, cell in zip(report.columns, cells, strict=True)}
        by_name = dict(zip(report.columns, cells, strict=True))
        transaction_id = str((by_name.get("txn_type") or {}).get("id") or "")
        if not transaction_id and not any(values.get(name) for name in AMOUNTS):
            return None  # Beginning Balance
        places[transaction_id, account.get("id", "")] += 1
        # two lines that say the same are two lines: without its place the second would be taken for a repeat
        text = json.dumps(
            kept | {"line_number": places[transaction_id, account.get("id", "")]},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        values |= {
            "transaction_id": transaction_id,
            "account_id": account.get("id", ""),
            "line_number": str(places[transaction_id, account.get("id", "")]),
            "account": account.get("name", ""),
            # A company with one currency has no such column: its home currency is the one.
            "currency": values.get("currency") or report.currency,
            "section_path": " > ".join(path),
        }
        amounts = {name: _amount(values.get(name, "")) for name in AMOUNTS}
        reason = missing_key(values, entity)
        if reason is None and None in amounts.values():
            reason = "not_an_amount: " + ", ".join(name for name, amount in amounts.items() if amount is None)
        if reason is None:
            _check_day(values.get("tx_date", ""), first_on, last_on, report.where)
            records.append(Record(text=text, values=values))
        else:
            records.append(Record(values=values, reason=reason, raw=text.encode("utf-8", "surrogateescape")))
        return {name: amount or Decimal(0) for name, amount in amounts.items()}

    def check_summary(row: dict[str, Any], below: Mapping[str, Decimal], path: tuple[str, ...]) -> None:
        cells = (row.get("Summary") or {}).get("ColData")
        named = " > ".join(filter(None, path)) or "the report"
        if not isinstance(cells, list) or len(cells) != len(report.columns):
            raise _contradiction(f"the section {named} ends without its total", report.where)
        for name, cell in zip(report.columns, cells, strict=True):
            if name in AMOUNTS and _amount(str(cell.get("value") or "")) != below[name]:
                raise _contradiction(
                    f"the total of {named} says {cell.get('value')!r} as {name}; its lines sum to {below[name]}",
                    report.where,
                )

    walk(report.rows, (), {})
    return records


def _amount(text: str) -> Decimal | None:
    """An amount as text, '' being nothing; None where it is no number."""
    try:
        number = Decimal(text) if text else Decimal(0)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _check_day(text: str, first_on: date, last_on: date, where: str) -> None:
    try:
        is_inside = first_on <= date.fromisoformat(text) <= last_on
    except ValueError:
        return  # a line without a readable date is the raw gate's to judge
    if not is_inside:
        raise _contradiction(f"a line is dated {text}; {first_on} to {last_on} was asked for", where)


def _contradiction(what: str, where: str) -> InconsistentExtractError:
    return InconsistentExtractError(what, where, "run the report in QuickBooks itself and compare; then run again")


QUICKBOOKS = QuickBooks(
    name="quickbooks",
    description="QuickBooks Online: the general ledger of a company whose books are kept there.",
    connector_version="quickbooks-reports/2",
    entities={JOURNAL_LINE.name: JOURNAL_LINE},
)
