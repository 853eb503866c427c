"""Faults on demand: what a source system does wrong, to which request, and how often.

    plan = FaultPlan([
        FaultRule("table/incident", "status", nth=(1, 2), status=500),
        FaultRule(r"sysparm_offset=1000", "cut"),
        FaultRule("employees/directory", "drop_column", column="employeeNumber"),
    ])
    with DemoServer(company, fault_plan=plan) as server: ...
    assert plan.fired() == [2, 1, 1]

A rule looks at `<path>?<query>` decoded, by regular expression, and counts the requests that match it from 1.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

ACTIONS = {
    "status": "answer `status` (429, 500, 502, ...) with an error body; `retry_after` is sent as Retry-After",
    "cut": "close the connection after `share` of the body (default 0.5)",
    "malformed": "answer 200 with JSON that breaks off (of the announced length)",
    "delay": "wait `seconds` before answering",
    "duplicate_page": "give the records of the page before once more (the first page: its own records twice)",
    "short_page": "leave out the last `records` of the page (default 1) while the total stays",
    "shrink": "leave out the last `records` of the page (default 1) and announce as many less",
    "bad_record": "put `value` in the place of record number `records` of the page (default 1; none on an empty page)",
    "empty_page": "give no records while the total stays",
    "shuffle": "give the records of the page in another order",
    "change_total": "announce `by` more records in all (default 1)",
    "drop_column": "leave `column` out of every record",
    "add_column": "put `column` with `value` into every record",
    "change_type": "turn `column` into `value` if given, else into an object {'value': ...}",
    "set_value": "set `column` to `value` in the records whose field `where` is `equals` (else in all)",
}


@dataclass(frozen=True)
class FaultRule:
    """One fault. `nth` are the matching requests that suffer it (None: all). See ACTIONS for the settings.

    `column` may be dotted for nested records, e.g. attributes.schedule.start.
    """

    url: str
    action: str
    nth: Collection[int] | None = None
    status: int = 500
    retry_after: int | str | None = None
    share: float = 0.5
    seconds: float = 0.5
    records: int = 1
    by: int = 1
    column: str = ""
    value: Any = None
    where: str = ""
    equals: Any = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown fault {self.action!r}: one of {', '.join(ACTIONS)}")
        if self.action in ("drop_column", "add_column", "change_type", "set_value") and not self.column:
            raise ValueError(f"the fault {self.action} needs a column")
        re.compile(self.url)


@dataclass
class Reply:
    """An answer before it becomes bytes.

    `records` is the list inside `payload` that holds the page's records; `total_places` are the (holder, key)
    pairs where the number of all records stands, the headers among them.
    """

    status: int
    payload: Any
    headers: dict[str, str] = field(default_factory=dict)
    records: list[dict[str, Any]] | None = None
    total_places: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    is_malformed: bool = False
    cut_share: float | None = None
    delay_seconds: float = 0.0


class FaultPlan:
    """Rules in order; all that match a request and its count act on it. Safe for many threads."""

    def __init__(self, rules: list[FaultRule] | None = None) -> None:
        self.rules = list(rules or [])
        self._lock = threading.Lock()
        self._matched = [0] * len(self.rules)
        self._fired = [0] * len(self.rules)
        self._previous: dict[str, list[dict[str, Any]]] = {}

    def matched(self) -> list[int]:
        """Matching requests so far, by rule."""
        with self._lock:
            return list(self._matched)

    def fired(self) -> list[int]:
        """Requests that suffered the fault so far, by rule."""
        with self._lock:
            return list(self._fired)

    def _due(self, url: str) -> list[FaultRule]:
        due = []
        with self._lock:
            for position, rule in enumerate(self.rules):
                if not re.search(rule.url, url):
                    continue
                self._matched[position] += 1
                if rule.nth is None or self._matched[position] in rule.nth:
                    self._fired[position] += 1
                    due.append(rule)
        return due

    def apply(self, url: str, path: str, reply: Reply) -> Reply:
        """The reply with every due fault in it. `url` is path and query decoded, `path` the path alone."""
        if not self.rules:
            return reply
        due = self._due(url)
        with self._lock:
            previous = self._previous.get(path)
            if reply.records is not None:
                self._previous[path] = list(reply.records)
        if any(_changes_records(rule) for rule in due) and reply.records is not None:
            # The server may keep its records; only this answer is spoilt.
            reply.records[:] = deepcopy(reply.records)
        for rule in due:
            reply = _spoil(rule, reply, previous)
        return reply


def _changes_records(rule: FaultRule) -> bool:
    return rule.action in ("drop_column", "add_column", "change_type", "set_value")


def _spoil(rule: FaultRule, reply: Reply, previous: list[dict[str, Any]] | None) -> Reply:
    if rule.action == "status":
        headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
        message = {429: "Too many requests", 500: "Internal error", 502: "Bad gateway"}.get(rule.status, "Error")
        body = {"error": {"message": message, "detail": "planned fault"}, "status": "failure"}
        return Reply(rule.status, body, headers, delay_seconds=reply.delay_seconds)
    if rule.action == "cut":
        reply.cut_share = rule.share
    elif rule.action == "malformed":
        reply.is_malformed = True
    elif rule.action == "delay":
        reply.delay_seconds += rule.seconds
    elif rule.action == "change_total":
        _add_to_totals(reply, rule.by)
    elif rule.action == "shrink" and reply.records:
        before = len(reply.records)
        del reply.records[max(0, before - rule.records) :]
        _add_to_totals(reply, len(reply.records) - before)
    elif reply.records is not None:
        _spoil_records(rule, reply.records, previous)
    return reply


def _add_to_totals(reply: Reply, count: int) -> None:
    for holder, name in reply.total_places:
        holder[name] = type(holder[name])(int(holder[name]) + count)


def _spoil_records(rule: FaultRule, records: list[dict[str, Any]], previous: list[dict[str, Any]] | None) -> None:
    if rule.action == "duplicate_page":
        records[:] = list(previous) if previous is not None else records + records
    elif rule.action == "short_page":
        del records[max(0, len(records) - rule.records) :]
    elif rule.action == "bad_record":
        if records:
            records[min(rule.records, len(records)) - 1] = rule.value
    elif rule.action == "empty_page":
        records.clear()
    elif rule.action == "shuffle":
        before = list(records)
        random.Random(len(records)).shuffle(records)
        if records == before:
            records.reverse()
    else:
        for record in records:
            if rule.action == "set_value" and rule.where and _value_at(record, rule.where) != rule.equals:
                continue
            _change_column(rule, record)


def _value_at(record: dict[str, Any], column: str) -> Any:
    value: Any = record
    for name in column.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _change_column(rule: FaultRule, record: dict[str, Any]) -> None:
    if not isinstance(record, dict):
        return
    *parents, name = rule.column.split(".")
    holder: Any = record
    for parent in parents:
        holder = holder.get(parent)
        if not isinstance(holder, dict):
            return
    if rule.action == "drop_column":
        holder.pop(name, None)
    elif rule.action == "change_type" and rule.value is None:
        holder[name] = {"value": holder.get(name)}
    else:
        holder[name] = rule.value
