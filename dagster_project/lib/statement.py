"""What one person is paid for one quarter and why, in words and figures, as JSON and HTML from the finance tables.

Nothing is calculated here: each figure stands in the warehouse and is told with the table it was read from; only the
sentences are written. Same warehouse, same text.

Delivers: OPS-7.5, DESK-5.2
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

Row = Mapping[str, Any]

OF_PERSON = "employee_number = $employee and earned_quarter = $quarter"
QUERIES = {
    "as_of": "select as_of_at from core.int_run_context",
    "ledger": f"select * from finance.fct_payout_ledger where {OF_PERSON} order by entry_number",
    "lines": f"""
        select * from incentives.fct_incentive_payout where {OF_PERSON}
        order by segment_start_on, component_code
    """,
    "metrics": """
        select result.metric_result_key, definition.metric_name
        from metrics.fct_metric_result as result
        join metrics.dim_metric_definition as definition using (metric_code, metric_version)
        where result.metric_result_key in (
            select metric_result_key from incentives.fct_incentive_payout
            where employee_number = $employee and earned_quarter = $quarter
        )
    """,
    "bands": """
        select plan_code, plan_version, component_code, lower_bound, payout_share from reference.achievement_band
        order by plan_code, plan_version, component_code, lower_bound
    """,
    "components": """
        select plan_code, plan_version, tier, component_code, threshold_value, accelerator_from_value,
            accelerator_factor
        from reference.plan_component order by all
    """,
    "evidence": """
        select payout_line_id, evidence_type, count(*) as evidence_count
        from incentives.fct_payout_trace where payout_line_id in (
            select payout_line_id from incentives.fct_incentive_payout
            where employee_number = $employee and earned_quarter = $quarter
        )
        group by all order by all
    """,
    "on_call": f"""
        select * from incentives.fct_on_call_reward where {OF_PERSON} order by duty_on, on_call_stretch_key
    """,
    "pools": """
        select allocation.*, claim.allocation_basis, claim.funded_amount, claim.claimed_amount
        from incentives.fct_pool_allocation as allocation
        join incentives.fct_pool_claim as claim using (pool_claim_id)
        where allocation.employee_number = $employee and allocation.earned_quarter = $quarter order by pool_code
    """,
    "awards": f"""
        select * from incentives.fct_award_vesting where {OF_PERSON} and is_earned order by award_code, tranche_number
    """,
    "draws": f"""
        select * from incentives.fct_draw where {OF_PERSON} and earned_amount <> 0 order by plan_code, currency_code
    """,
    "caps": f"""
        select * from finance.fct_cap_application where {OF_PERSON} order by cap_kind, rule_id, earning_line_id
    """,
    "clawbacks": f"""
        select * from finance.fct_clawback where {OF_PERSON} order by found_on, event_id, earning_line_id
    """,
    "balances": """
        select * from finance.fct_payout_balance
        where employee_number = $employee and payment_period in (
            select payment_period from finance.fct_payout_ledger
            where employee_number = $employee and earned_quarter = $quarter
            union
            select payment_period from finance.fct_payment_line
            where employee_number = $employee and earned_quarter = $quarter
        )
        order by payment_period, currency_code
    """,
    "totals": f"""
        select currency_code, sum(amount) as amount, sum(amount) filter (item_kind = 'earning') as earned_amount,
            coalesce(sum(amount) filter (item_kind = 'cap'), 0) as cap_amount,
            coalesce(sum(amount) filter (item_kind = 'clawback'), 0) as clawback_amount
        from finance.fct_payout_ledger where {OF_PERSON} group by all order by all
    """,
}
REASONS = {
    "earned": "earned",
    "recalculated": "calculated anew",
    "attributed_anew": "booked to another place",
    "payment_moved": "moved to another payment",
    "no_longer_calculated": "no longer earned",
    "earned_after_payment": "earned, found after the quarter was paid",
    "person_share": "limit per person",
    "collective_agreement": "limit of the collective agreement",
    "pool": "limit of the pool",
    "personnel_cost_share": "limit as a share of personnel cost",
    "reopened": "tickets reopened",
    "audit": "finding of an audit",
    "restatement": "restatement",
}
CLAWED = {
    "taken_back": "{amount} {currency} are taken back.",
    "no_effect": "Nothing is taken back for it.",
    "finding_only": "{found} {currency} were earned too much; the law of the country lets nothing be taken back.",
    "too_late": "It came after the look-back had ended on {until}; nothing is taken back.",
    "no_rule": "No rule of the country covers it; nothing is taken back.",
    "refused": "It does not count ({reasons}); nothing is taken back.",
    "not_recomputable": "The bands cannot be climbed anew from it; nothing is taken back.",
}


class StatementError(Exception):
    """There is nothing to state; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Statement:
    """What was read, by part; each part is the rows of the query of its name."""

    employee: str
    quarter: str
    parts: Mapping[str, tuple[Row, ...]]

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        return self.parts[name]

    @property
    def totals(self) -> dict[str, Decimal]:
        """What the ledger comes to, by currency."""
        return {row["currency_code"]: row["amount"] for row in self["totals"]}


def read_statement(connection: duckdb.DuckDBPyConnection, employee: str, quarter: str) -> Statement:
    """Everything the statement tells. StatementError where the ledger has no line of the person in the quarter."""
    parts = {}
    for name, query in QUERIES.items():
        given = {key: value for key, value in (("employee", employee), ("quarter", quarter)) if f"${key}" in query}
        answer = connection.execute(query, given)
        names = [column[0] for column in answer.description or ()]
        parts[name] = tuple(dict(zip(names, row, strict=True)) for row in answer.fetchall())
    if not parts["ledger"]:
        quarters = connection.execute(
            "select string_agg(distinct earned_quarter, ', ' order by earned_quarter) from finance.fct_payout_ledger "
            "where employee_number = ?",
            [employee],
        ).fetchone()
        known = quarters[0] if quarters else None
        raise StatementError(
            f"finance.fct_payout_ledger has no line of {employee} in {quarter}; "
            + (
                f"it has {known}"
                if known
                else "it has none of this person: name an employee number as payroll writes it"
            )
        )
    return Statement(employee, quarter, parts)


def told(value: object) -> str:
    """A value as the statement writes it: amounts and shares with the places they have, instants to the minute."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return "" if value is None else str(value)


def percent(share: Decimal | None) -> str:
    """A fraction of 1 in percent, exact: 0.898305 is 89.8305%."""
    return "no value" if share is None else f"{(share * 100).normalize():f}%"


def band_of(statement: Statement, line: Row) -> tuple[Row | None, Row | None]:
    """The band the paid value lies in and the next one, of the line's component."""
    key = ("plan_code", "plan_version", "component_code")
    bands = [row for row in statement["bands"] if all(row[name] == line[name] for name in key)]
    reached = [row for row in bands if line["paid_value"] is not None and row["lower_bound"] <= line["paid_value"]]
    return (reached[-1] if reached else None), next((row for row in bands if row not in reached), None)


def component_of(statement: Statement, line: Row) -> Row:
    """The rule of the line's component."""
    key = ("plan_code", "plan_version", "tier", "component_code")
    return next(row for row in statement["components"] if all(row[name] == line[name] for name in key))


def sentences_of(statement: Statement, line: Row) -> Iterator[str]:
    """How a line came about, in words."""
    metric = next((row for row in statement["metrics"] if row["metric_result_key"] == line["metric_result_key"]), None)
    currency = line["currency_code"]
    yield (
        f"Your target for the whole quarter is {line['target_amount']} {currency}; {line['segment_days']} of "
        f"{line['quarter_days']} days count, from {line['segment_start_on']} to {line['segment_end_on']} in team "
        f"{line['team_code']}."
    )
    if line["paid_days_value"] != line["segment_days"]:
        yield (f"Unpaid leave and part time make them {line['paid_days_value'].normalize():f} paid days.")
    name = metric["metric_name"] if metric else line["component_code"]
    yield f"{percent(line['weight'])} of it depend on: {name}."
    if line["result_status"] != "ok" or metric is None:
        yield f"There is no result that can be paid on ({line['result_status']}), so it pays nothing."
        return
    seen = ", ".join(
        f"{row['evidence_count']} {row['evidence_type']} records"
        for row in statement["evidence"]
        if row["payout_line_id"] == line["payout_line_id"]
    )
    yield f"Your team reached {percent(line['metric_value'])}" + (f", measured on {seen}." if seen else ".")
    if line["adjustment_id"]:
        yield f"Adjustment {line['adjustment_id']} moved it to {percent(line['paid_value'])}."
    here, above = band_of(statement, line)
    rule = component_of(statement, line)
    if here is None:
        yield "That is below the first band, which pays nothing."
    elif rule["threshold_value"] is not None and line["paid_value"] < rule["threshold_value"]:
        yield f"That is below {percent(rule['threshold_value'])}, from which this part pays at all: it pays nothing."
    elif line["band_method"] == "stepped":
        before = line["running_before_value"]
        climbed = f" after {before.normalize():f} of earlier quarters" if before else ""
        yield f"Its bands are climbed step by step{climbed}, which pays {percent(line['payout_share'])} of this part."
    else:
        reach = f"to below {percent(above['lower_bound'])}" if above else "and above"
        is_faster = rule["accelerator_from_value"] is not None and line["paid_value"] >= rule["accelerator_from_value"]
        times, since = rule["accelerator_factor"], percent(rule["accelerator_from_value"])
        faster = f", {times.normalize():f} times the band's share, as from {since} on" if is_faster else ""
        yield (
            f"It lies in the band from {percent(here['lower_bound'])} {reach} ({line['band_method']}), "
            f"which pays {percent(line['payout_share'])} of this part{faster}."
        )
    for column, says, why in (
        ("gate_share", "Counter-metrics leave", "gate_reason"),
        ("eligible_share", "Conditions leave", "ineligible_reasons"),
    ):
        if line[column] != 1:
            yield f"{says} {percent(line[column])} of it ({line[why]})."
    yield f"That comes to {line['payout_amount']} {currency}."


def on_call_sentence(duty: Row) -> str:
    """What a stretch of duty earned, in words."""
    rate, factor, currency = duty["rate_amount"], duty["frequency_factor"], duty["currency_code"]
    often = f" ({rate} times {factor.normalize():f} for duty number {duty['duty_number']} of the quarter)"
    return (
        f"Duty {duty['duty_code']} on {duty['duty_on']} ({duty['duty_source']}, criticality {duty['criticality']}): "
        f"{duty['earned_amount']} {currency}{often if factor != 1 else ''}."
    )


def pool_sentence(share: Row) -> str:
    """What a person has of a pool, in words."""
    basis = {"resolution_credit": "credit for resolved tickets", "achievement": "what the plan's lines achieved"}
    is_cut = share["earned_amount"] != share["claimed_amount"]
    cut = f", cut to {share['earned_amount']} by the pool's limit" if is_cut else ""
    return (
        f"Pool {share['pool_code']} has {share['funded_amount']} {share['currency_code']} for the quarter, laid on its "
        f"teams by {basis[share['allocation_basis']]}; your share of {percent(share['claim_share'])} is "
        f"{share['claimed_amount']} {share['currency_code']}{cut}."
    )


def award_sentence(tranche: Row) -> str:
    """Which part of an award vested, in words."""
    return (
        f"Tranche {tranche['tranche_number']} of award {tranche['award_code']} ({tranche['award_amount']} "
        f"{tranche['currency_code']}, granted on {tranche['granted_on']}) vested on {tranche['vests_on']} "
        f"({tranche['vesting_status']}): {tranche['earned_amount']} {tranche['currency_code']}."
    )


def draw_sentence(draw: Row) -> str:
    """What was advanced or set off, in words."""
    currency, amount = draw["currency_code"], draw["earned_amount"]
    done = "are advanced" if amount > 0 else "are set off against what was advanced"
    return (
        f"Plan {draw['plan_code']} pays no less than {draw['minimum_amount']} {currency} for the quarter; your lines "
        f"come to {draw['payout_amount']} {currency}, so {abs(amount)} {currency} {done}. "
        f"{draw['balance_amount']} {currency} stand to be set off."
    )


def cap_sentence(cap: Row) -> str:
    """What a cap took, in words."""
    currency = cap["currency_code"]
    if cap["cap_status"] == "no_base_pay":
        return f"{cap['rule_id']} ({REASONS[cap['cap_kind']]}) could not be worked out: payroll has no base pay."
    whose = "You" if cap["cap_kind"] in ("person_share", "collective_agreement") else f"{cap['scope_code']} as a whole"
    return (
        f"{cap['rule_id']} ({REASONS[cap['cap_kind']]}): {whose} may have {cap['limit_amount']} {currency} for the "
        f"quarter and had {cap['group_amount']}; {cap['cap_amount']} {currency} of the excess fall on this line of "
        f"{cap['before_amount']} {currency}."
        + (
            " Payroll has not told all the base pay of the quarter yet: the limit is provisional, and what it takes "
            "too much is paid with the next payment once it has."
            if cap["cap_status"] == "base_pay_incomplete"
            else ""
        )
    )


def clawback_sentence(clawback: Row) -> str:
    """What a finding took back or why it did not, in words."""
    found = (
        f"{clawback['event_id']} ({REASONS[clawback['reason']]}, {clawback['found_on']}): the result of "
        f"{clawback['component_code']} should have been {percent(clawback['corrected_value'])} and not "
        f"{percent(clawback['paid_value'])}, which pays {percent(clawback['corrected_share'])} and not "
        f"{percent(clawback['payout_share'])}. "
    )
    return found + CLAWED[clawback["clawback_status"]].format(
        amount=clawback["clawback_amount"],
        found=clawback["finding_amount"],
        currency=clawback["currency_code"],
        until=clawback["look_back_to_on"],
        reasons=clawback["refusal_reasons"],
    )


def balance_sentence(balance: Row) -> str:
    """What a payment comes to, in words."""
    currency = balance["currency_code"]
    carried = balance["carried_amount"]
    elsewhere = (
        " What corrects pay that was not handed over yet is paid with that pay, and what is below zero with the next "
        "payment that makes up for it."
        if balance["payable_amount"] != balance["balance_amount"]
        else ""
    )
    onward = f" The ledger carries {carried} {currency} into the next month." if carried else ""
    return (
        f"What is booked for {balance['payment_period']} comes to {balance['balance_amount']} {currency}; "
        f"{balance['payable_amount']} {currency} are payable with that month ({balance['payout_status']})."
        f"{elsewhere}{onward}"
    )


# Columns of each part that the statement tells, so that what an upstream table gains is not told by accident.
TOLD = {
    "lines": (
        "payout_line_id", "plan_code", "plan_version", "component_code", "team_code", "segment_start_on",
        "segment_end_on", "segment_days", "paid_days_value", "quarter_days", "target_amount", "weight", "metric_value",
        "adjustment_id", "paid_value", "result_status", "band_method", "running_before_value", "payout_share",
        "gate_share", "gate_reason", "eligible_share", "ineligible_reasons", "payout_amount", "currency_code",
        "payment_period",
    ),
    "on_call": (
        "earning_line_id", "duty_source", "duty_code", "criticality", "duty_on", "duty_number", "frequency_factor",
        "rate_amount", "earned_amount", "currency_code", "payment_period",
    ),
    "pools": (
        "pool_claim_id", "pool_code", "allocation_basis", "claim_share", "funded_amount", "claimed_amount",
        "earned_amount", "currency_code", "payment_period",
    ),
    "awards": (
        "earning_line_id", "award_code", "tranche_number", "granted_on", "vests_on", "vesting_status", "award_amount",
        "earned_amount", "currency_code", "payment_period",
    ),
    "draws": (
        "earning_line_id", "plan_code", "minimum_amount", "payout_amount", "balance_before_amount", "earned_amount",
        "balance_amount", "currency_code", "payment_period",
    ),
    "ledger": (
        "ledger_line_id", "entry_number", "line_type", "item_kind", "reason", "earning_line_id",
        "original_ledger_line_id", "amount", "currency_code", "payment_period", "recorded_at",
    ),
    "caps": (
        "cap_application_key", "rule_id", "cap_kind", "cap_status", "earning_line_id", "limit_amount", "group_amount",
        "before_amount", "cap_amount", "currency_code",
    ),
    "clawbacks": (
        "clawback_key", "event_id", "reason", "clawback_status", "refusal_reasons", "earning_line_id", "found_on",
        "paid_value", "corrected_value", "payout_share", "corrected_share", "net_amount", "finding_amount",
        "clawback_amount", "currency_code",
    ),
    "balances": (
        "payment_period", "currency_code", "earned_amount", "cap_amount", "clawback_amount", "carried_in_amount",
        "balance_amount", "payable_amount", "carried_amount", "payout_status", "exported_amount", "open_amount",
    ),
    "totals": ("currency_code", "earned_amount", "cap_amount", "clawback_amount", "amount"),
}  # fmt: skip
SOURCES = {
    "lines": "incentives.fct_incentive_payout",
    "on_call": "incentives.fct_on_call_reward",
    "pools": "incentives.fct_pool_claim",
    "awards": "incentives.fct_award_vesting",
    "draws": "incentives.fct_draw",
    "ledger": "finance.fct_payout_ledger",
    "caps": "finance.fct_cap_application",
    "clawbacks": "finance.fct_clawback",
    "balances": "finance.fct_payout_balance",
    "totals": "finance.fct_payout_ledger",
}


def as_document(statement: Statement) -> dict[str, Any]:
    """The statement as JSON: parts with their source, rows and, where there are some, sentences. Amounts are text."""
    spoken = {
        "lines": lambda row: list(sentences_of(statement, row)),
        "on_call": lambda row: [on_call_sentence(row)],
        "pools": lambda row: [pool_sentence(row)],
        "awards": lambda row: [award_sentence(row)],
        "draws": lambda row: [draw_sentence(row)],
        "caps": lambda row: [cap_sentence(row)],
        "clawbacks": lambda row: [clawback_sentence(row)],
        "balances": lambda row: [balance_sentence(row)],
    }
    document: dict[str, Any] = {
        "employee_number": statement.employee,
        "earned_quarter": statement.quarter,
        "as_of_at": told(statement["as_of"][0]["as_of_at"]),
    }
    for part, columns in TOLD.items():
        rows = []
        for row in statement[part]:
            figures = {
                name: str(row[name]) if isinstance(row[name], (Decimal, date)) else row[name]
                for name in columns
                if name in row
            }
            rows.append({**figures, "explanation": spoken[part](row)} if part in spoken else figures)
        document[part] = {"source": SOURCES[part], "rows": rows}
    return document


HEADINGS = {
    "lines": "How the plan's part was earned",
    "on_call": "Duty outside hours",
    "pools": "Shares of pools",
    "awards": "Long-term awards",
    "draws": "Advances",
    "caps": "Limits",
    "clawbacks": "Findings about earlier results",
    "ledger": "What was booked",
    "balances": "What is paid",
}
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;margin:.5rem 0}"
    "td,th{border-bottom:1px solid #ccc;padding:.2rem .7rem;text-align:left}"
    "td.figure{text-align:right;font-variant-numeric:tabular-nums}h2{margin-top:2rem}p.total{font-size:1.2rem}"
)


def _table(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    yield "<table><tr>" + "".join(f"<th>{html.escape(name.replace('_', ' '))}</th>" for name in columns) + "</tr>"
    for row in rows:
        cells = (
            f'<td class="figure">{html.escape(told(row.get(name)))}</td>'
            if name.endswith(("_amount", "amount"))
            else f"<td>{html.escape(REASONS.get(told(row.get(name)), told(row.get(name))))}</td>"
            for name in columns
        )
        yield "<tr>" + "".join(cells) + "</tr>"
    yield "</table>"


def as_html(statement: Statement) -> str:
    """The statement as one page without anything from elsewhere."""
    title = f"Statement of variable pay: {statement.employee}, {statement.quarter}"
    page = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
        f"<p>As of {html.escape(told(statement['as_of'][0]['as_of_at']))}.</p>",
    ]
    for row in statement["totals"]:
        page.append(
            f'<p class="total">In all <strong>{row["amount"]} {row["currency_code"]}</strong>: earned '
            f"{row['earned_amount']}, limits {row['cap_amount']}, taken back {row['clawback_amount']}.</p>"
        )
    document = as_document(statement)
    for part, heading in HEADINGS.items():
        rows = document[part]["rows"]
        if not rows:
            continue
        page.append(f"<h2>{heading}</h2>")
        if part == "ledger":
            columns = ("recorded_at", "line_type", "reason", "amount", "currency_code", "payment_period")
            page += _table(columns, rows)
        for row in rows:
            if part == "lines":
                page.append(f"<h3>{html.escape(row['component_code'])}</h3>")
            if "explanation" in row:
                page.append(f"<p>{html.escape(' '.join(row['explanation']))}</p>")
        page.append(f"<p><small>Read from {document[part]['source']}.</small></p>")
    return "\n".join([*page, "</body></html>", ""])


def write_statement(statement: Statement, folder: Path) -> tuple[Path, Path]:
    """Write both forms into a folder (made where it is missing); returns their paths, JSON first."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"statement-{statement.employee}-{statement.quarter}"
    as_data, as_page = folder / f"{stem}.json", folder / f"{stem}.html"
    as_data.write_text(json.dumps(as_document(statement), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    as_page.write_text(as_html(statement), encoding="utf-8")
    return as_data, as_page
