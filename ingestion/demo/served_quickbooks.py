"""The books of the company's subsidiary as QuickBooks Online reports them: a tree of sections, all text."""

from __future__ import annotations

import re
import secrets
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ingestion.demo.back_office import BOOK_CURRENCY, BOOKS_FROM, BookLine, general_ledger
from ingestion.demo.faults import Reply
from ingestion.demo.model import Company
from ingestion.demo.served import Request, ServedSystem, same

TOKEN_PATH = "/oauth2/v1/tokens/bearer"  # noqa: S105 an address
REALM_ID = "9130357992221046"
# Title by column key; a column that is asked for and not listed here is left out without a word.
TITLES = {
    "tx_date": "Date",
    "txn_type": "Transaction Type",
    "doc_num": "Num",
    "name": "Name",
    "memo": "Memo/Description",
    "split_acc": "Split",
    "klass_name": "Class",
    "debt_amt": "Debit",
    "credit_amt": "Credit",
}
REPORT_PATH = re.compile(r"/v3/company/(?P<realm>\d+)/reports/(?P<name>\w+)")


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}" if amount else ""


def _cells(line: BookLine, columns: list[str]) -> list[dict[str, str]]:
    values = {
        "tx_date": line.on.isoformat(),
        "doc_num": line.number,
        "name": "Mailspring Messaging",
        "memo": line.memo,
        "split_acc": line.split,
        "klass_name": line.cost_centre_code,
        "debt_amt": _money(line.debit_amount),
        "credit_amt": _money(line.credit_amount),
    }
    return [
        {"value": line.kind, "id": line.transaction_id} if key == "txn_type" else {"value": values[key]}
        for key in columns
    ]


def _section(found: dict[str, Any], columns: list[str]) -> tuple[dict[str, Any], Decimal, Decimal]:
    blank = [{"value": ""}] * (len(columns) - 1)
    rows: list[dict[str, Any]] = []
    if found["lines"] and not found["children"]:
        rows.append({"ColData": [{"value": "Beginning Balance"}, *blank], "type": "Data"})
    rows += [{"ColData": _cells(line, columns), "type": "Data"} for line in found["lines"]]
    debit = sum((line.debit_amount for line in found["lines"]), Decimal(0))
    credit = sum((line.credit_amount for line in found["lines"]), Decimal(0))
    for child in found["children"]:
        row, debit_below, credit_below = _section(child, columns)
        rows.append(row)
        debit, credit = debit + debit_below, credit + credit_below
    total = {"debt_amt": _money(debit), "credit_amt": _money(credit)}
    label = f"Total for {found['name']}" + (" with sub-accounts" if found["children"] else "")
    return (
        {
            "Header": {"ColData": [{"value": found["name"], "id": found["account_id"]}, *blank]},
            "Rows": {"Row": rows},
            "Summary": {"ColData": [{"value": label}, *({"value": total.get(key, "")} for key in columns[1:])]},
            "type": "Section",
        },
        debit,
        credit,
    )


class ServedQuickBooks(ServedSystem):
    """The Reports API below /v3/company/<realm>/reports, by a bearer token; only the general ledger."""

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._token = secrets.token_hex(24)
        self._client = secrets.token_hex(16), secrets.token_hex(16)
        self._refresh_token = secrets.token_hex(24)

    def handles(self, path: str) -> bool:
        """All below /v3/company/, and the place where tokens are given."""
        return path.startswith("/v3/company/") or path == TOKEN_PATH

    def takes_post(self, path: str) -> bool:
        """A token is posted for."""
        return path == TOKEN_PATH

    def oauth_environment(self) -> dict[str, str]:
        """Address and refresh token, instead of an access token."""
        found = self.environment(None)
        del found["QUICKBOOKS_ACCESS_TOKEN"]
        found["QUICKBOOKS_CLIENT_ID"], found["QUICKBOOKS_CLIENT_SECRET"] = self._client
        return {**found, "QUICKBOOKS_REFRESH_TOKEN": self._refresh_token, "QUICKBOOKS_TOKEN_URL": self.url + TOKEN_PATH}

    def _give_token(self, request: Request) -> Reply:
        """The client's id and secret stand in the header here, the grant in the body."""
        given, client = dict(parse_qsl(request.body.decode())), request.basic_auth() or ("", "")
        is_known = same(client[0], self._client[0]) and same(client[1], self._client[1])
        is_granted = given.get("grant_type") == "refresh_token" and same(
            given.get("refresh_token", ""), self._refresh_token
        )
        if request.method != "POST" or not is_known or not is_granted:
            return Reply(400, {"error": "invalid_grant"})
        answer = {"token_type": "bearer", "access_token": self._token, "expires_in": 3600}
        return Reply(200, {**answer, "refresh_token": self._refresh_token, "x_refresh_token_expires_in": 8726400})

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """Address, realm, token, and the month the books begin."""
        return {
            "QUICKBOOKS_URL": self.url,
            "QUICKBOOKS_REALM_ID": REALM_ID,
            "QUICKBOOKS_ACCESS_TOKEN": self._token,
            "QUICKBOOKS_FROM": f"{BOOKS_FROM:%Y-%m}",
        }

    def answer(self, request: Request) -> Reply:
        """The general ledger between start_date and end_date."""
        if request.path == TOKEN_PATH:
            return self._give_token(request)
        scheme, _, given = (request.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not same(given, self._token):
            return _fault(401, "AUTHENTICATION", "3200", "message=AuthenticationFailed; statusCode=401")
        match = REPORT_PATH.fullmatch(request.path)
        if not match or match["realm"] != REALM_ID:
            return _fault(403, "AuthorizationFault", "3100", "message=ApplicationAuthorizationFailed; statusCode=403")
        if match["name"] != "GeneralLedger":
            return _fault(400, "ValidationFault", "5020", f"Permission Denied Error: {match['name']}")
        try:
            from_on, to_on = (date.fromisoformat(request.params[name]) for name in ("start_date", "end_date"))
        except (KeyError, ValueError):
            return _fault(400, "ValidationFault", "2010", "Request has invalid or unsupported property")
        columns = [key for key in request.params.get("columns", ",".join(TITLES)).split(",") if key in TITLES]
        rows = [_section(found, columns)[0] for found in general_ledger(self.company, from_on, to_on)]
        if "json" not in (request.headers.get("Accept") or ""):
            return Reply(200, f'<?xml version="1.0"?><Report rows="{len(rows)}"/>')
        payload: dict[str, Any] = {
            "Header": {
                "Time": f"{self.company.as_of_at:%Y-%m-%dT%H:%M:%S}-00:00",
                "ReportName": "GeneralLedger",
                "ReportBasis": request.params.get("accounting_method", "Accrual"),
                "StartPeriod": from_on.isoformat(),
                "EndPeriod": to_on.isoformat(),
                "Currency": BOOK_CURRENCY,
                "Option": [{"Name": "NoReportData", "Value": "false" if rows else "true"}],
            },
            "Columns": {
                "Column": [
                    {"ColTitle": TITLES[key], "ColType": key, "MetaData": [{"Name": "ColKey", "Value": key}]}
                    for key in columns
                ]
            },
            "Rows": {"Row": rows} if rows else {},
        }
        return Reply(200, payload, records=rows)


def _fault(status: int, kind: str, code: str, message: str) -> Reply:
    error = {"message": message, "detail": message, "code": code}
    return Reply(status, {"fault": {"error": [error], "type": kind}, "time": 0})
