"""Gate raw on a small warehouse that was really landed: clean data passes, and each rule refuses its defect.

Records go through ingestion.landing, as extracts do. What the landing itself would refuse (a row lost, an
audit that lies) is made by hand in the file, since it is what the gate is there for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from expectations.outcomes import Outcome, describe
from expectations.runner import list_checks, run_gate
from expectations.suites import raw_drift
from ingestion import drift, extract, freshness, landing
from ingestion.contracts import Page, Record, Window
from ingestion.settings import Settings
from ingestion.sources import SOURCES

AS_OF = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = Window.of_days(date(2025, 12, 1), date(2026, 1, 4))
MONTH = Window.of_month(date(2025, 12, 1))
SNAPSHOT = Window("snapshot")
FILE = Window("log.csv")
STAMP = "2026-01-02 09:00:00"
SPECS = {spec.check_name: spec for spec in list_checks("raw")}
VARIABLES = (
    "SERVICENOW_URL",
    "SERVICENOW_TABLE_EXPORT_PATH",
    "SERVICENOW_EXPORT_FILE",
    "JIRA_URL",
    "DATADOG_URL",
    "BAMBOOHR_URL",
    "WORKDAY_URL",
    "PAYROLL_DROP_PATH",
    "LEDGER_DROP_PATH",
    "MONITOR_SAMPLE_DROP_PATH",
    "FX_RATE_DROP_PATH",
    "QUICKBOOKS_URL",
    "BILLING_DROP_PATH",
    "VENDOR_PERFORMANCE_DROP_PATH",
    "SURVEY_DROP_PATH",
    "LEGACY_LOG_DROP_PATH",
)

# A value for each typed column, by its kind; every other column is text.
GOOD = {
    "timestamp": STAMP,
    "iso8601": "2026-01-02T09:00:00.000Z",
    "day_first_minute": "2/1/2026 09:00",
    "date": "2025-12-31",
    "boolean": "true",
    "integer": "3",
    "percentage": "104.25",
    "money": "10.50",
    "rate": "1.08250000",
    "share": "0.5",
    "month": "2025-12",
    "decimal": "99.875",
    "epoch_seconds": "1767225600",
    "nanoseconds": "820000000",
}
BAD = {
    "timestamp": "2025-02-30 09:00:00",
    "iso8601": "soon",
    "day_first_minute": "1/31/2026 09:00",
    "date": "31.12.2025",
    "boolean": "perhaps",
    "integer": "1.5",
    "percentage": "104 %",
    "money": "10.005",
    "rate": "1,0825",
    "share": "50%",
    "month": "12/2025",
    "decimal": "99,875",
    "epoch_seconds": "1767225600.5",
    "nanoseconds": "0.82",
}


def good_records(source: str, entity: str) -> list[dict[str, str]]:
    """Two records of an entity with a value in every column of its contract."""
    from expectations.suites.raw import CASTS

    contract = SOURCES[source].entities[entity]
    kinds = CASTS.get(f"{source}.{entity}", {})
    records = [{c: GOOD[kinds[c]] if c in kinds else f"{c}-{number}" for c in contract.columns} for number in (1, 2)]
    for number, record in enumerate(records, start=1):
        if source == "payroll":
            record["pay_period"] = "2025-12"
        if (source, entity) == ("ledger", "journal_line"):
            debit, credit = ("10.50", "") if number == 1 else ("", "10.50")
            record |= {
                "voucher_number": "V-1",
                "line_number": str(number),
                "debit_amount": debit,
                "credit_amount": credit,
                "currency": "EUR",
                "fiscal_period": "2025-12",
            }
    return records


def window_of(source: str, entity: str) -> Window:
    kind = SOURCES[source].entities[entity].partitioning
    return {"daily": DAYS, "monthly": MONTH, "snapshot": SNAPSHOT, "file": FILE}[kind]


@dataclass(frozen=True)
class Desk:
    """A warehouse under test."""

    path: Path

    @property
    def settings(self) -> Settings:
        return Settings(self.path, self.path.parent / "published", self.path.parent / "spool", as_of=AS_OF)

    def land(
        self,
        source: str,
        entity: str,
        records: list[dict[str, Any]] | None = None,
        *,
        window: Window | None = None,
        rejects: int = 0,
        total: int | None = None,
    ) -> str:
        """Land one extract of these records and of so many malformed ones; the batch."""
        contract = SOURCES[source].entities[entity]
        records = good_records(source, entity) if records is None else records
        page = [Record(text=json.dumps(record), values=record) for record in records]
        page += [Record(reason="malformed_json", raw=b"{%d" % number) for number in range(rejects)]
        with landing.Spool(self.settings, contract) as spool:
            spool.add(Page(page, total, tuple(records[0]) if records else ()))
            return landing.land(
                self.settings,
                SOURCES[source],
                contract,
                window or window_of(source, entity),
                spool,
                run_id="r1",
                started_at=landing.utc_now(),
            ).batch_id

    def sql(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)

    def judge(self, name: str) -> Outcome:
        (outcome,) = run_gate("raw", self.path, specs=[SPECS[name]]).outcomes
        return outcome

    def refused(self, name: str) -> Outcome:
        """The check fails, with an example; its text names what a person must know."""
        outcome = self.judge(name)
        assert not outcome.success and not outcome.error, outcome
        assert outcome.examples and outcome.unexpected_count != 0, outcome
        assert outcome.table in describe(outcome) and outcome.how_to_mend in describe(outcome)
        return outcome

    def accepted(self, name: str) -> None:
        outcome = self.judge(name)
        assert outcome.success and not outcome.is_skipped, outcome


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A warehouse with two good records of every entity; every source is configured."""
    path = tmp_path_factory.mktemp("raw") / "warehouse.duckdb"
    desk = Desk(path)
    landing.prepare(desk.settings)
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.setenv(variable, "http://127.0.0.1" if variable.endswith("URL") else str(path.parent))
        extract.write_source_status(desk.settings)
    extract.write_run_context(desk.settings, "r1")
    for source in SOURCES.values():
        for entity in source.entities.values():
            desk.land(source.name, entity.name)
    freshness.write_entities(desk.settings, ())
    drift.hold_against_history(desk.settings)
    return path


@pytest.fixture
def desk(landed: Path, tmp_path: Path) -> Desk:
    return Desk(Path(shutil.copy(landed, tmp_path / "warehouse.duckdb")))


def test_clean_data_passes_every_check(landed: Path) -> None:
    result = run_gate("raw", landed)
    assert result.is_open and not result.warnings and not result.skipped, [
        describe(o) for o in (*result.blocking, *result.warnings)
    ]
    assert len(result.outcomes) == len(SPECS)


def test_an_empty_warehouse_is_refused(tmp_path: Path) -> None:
    """Nothing configured, nothing landed: the gate must not find that in order for lack of rows."""
    desk = Desk(tmp_path / "warehouse.duckdb")
    landing.prepare(desk.settings)
    failed = {o.check_name for o in run_gate("raw", desk.path).blocking}
    assert {"run_context_is_there", "source_status_is_complete"} <= failed


def test_tables_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    result = run_gate("raw", path)
    assert not result.passed and "there is no table landing.run_context" in result.outcomes[0].error


# --- values: every typed column of every entity ---

CASTABLE = [name for name in SPECS if name.endswith("_is_castable")]


@pytest.fixture(scope="module")
def ill_typed(landed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same warehouse, with an uncastable value in every typed column of one row of every entity."""
    from expectations.suites.raw import CASTS

    path = Path(shutil.copy(landed, tmp_path_factory.mktemp("ill") / "warehouse.duckdb"))
    for name, kinds in CASTS.items():
        changes = ", ".join(f"\"{column}\" = '{BAD[kind]}'" for column, kind in kinds.items())
        Desk(path).sql(f"update raw_{name} set {changes} where _row_number = 1")
    return path


def test_every_typed_column_refuses_a_value_that_cannot_be_cast(ill_typed: Path) -> None:
    result = run_gate("raw", ill_typed, specs=[SPECS[name] for name in CASTABLE])
    wrongly_passed = [o.check_name for o in result.outcomes if o.success or o.error or o.unexpected_count != 1]
    assert not wrongly_passed
    assert all(o.examples and o.is_blocking for o in result.outcomes)


def test_an_uncastable_value_is_shown_with_its_key(ill_typed: Path) -> None:
    outcome = Desk(ill_typed).refused("servicenow_incident_opened_at_is_castable")
    (example,) = outcome.examples
    assert example["sys_id"] == "sys_id-1" and example["opened_at"] == BAD["timestamp"]
    assert example["_row_number"] == 1 and example["_batch_id"].startswith("servicenow.incident.")


@pytest.mark.parametrize(
    ("check", "column", "value"),
    [
        ("servicenow_incident_resolved_at_is_castable", "resolved_at", ""),
        ("servicenow_event_log_incident_event_closed_at_is_castable", "closed_at", "?"),
        ("bamboohr_employee_terminationdate_is_castable", "terminationDate", "0000-00-00"),
        ("payroll_register_line_amount_is_castable", "amount", "-12"),
    ],
)
def test_what_staging_reads_as_nothing_or_as_a_number_is_accepted(
    desk: Desk, check: str, column: str, value: str
) -> None:
    desk.sql(f"update {SPECS[check].table} set \"{column}\" = '{value}'")
    desk.accepted(check)


def test_a_bad_row_of_a_superseded_batch_is_not_judged(desk: Desk) -> None:
    bad = good_records("servicenow", "incident")
    bad[0]["opened_at"] = "yesterday"
    desk.land("servicenow", "incident", bad)
    desk.refused("servicenow_incident_opened_at_is_castable")
    desk.land("servicenow", "incident", [*good_records("servicenow", "incident"), bad[1] | {"sys_id": "x"}])
    desk.accepted("servicenow_incident_opened_at_is_castable")


# --- keys ---


@pytest.mark.parametrize("name", [name for name in SPECS if name.endswith("_is_given")])
def test_every_key_refuses_an_empty_value(desk: Desk, name: str) -> None:
    spec = SPECS[name]
    column = spec.arguments["column"]
    desk.sql(f"update {spec.table} set \"{column}\" = '' where _row_number = 2")
    assert desk.refused(name).is_blocking


def same_key(source: str, entity: str) -> list[dict[str, str]]:
    contract = SOURCES[source].entities[entity]
    first, second = good_records(source, entity)
    # an entity whose other columns are all typed alike would give the same record twice
    return [first, second | {column: first[column] for column in contract.key} | {"remark": "another"}]


@pytest.mark.parametrize("name", [name for name in SPECS if name.endswith("_key_is_unique")])
def test_every_key_refuses_two_different_records_in_a_batch(desk: Desk, name: str) -> None:
    source, entity = SPECS[name].table.removeprefix("raw_").split(".")
    desk.land(source, entity, same_key(source, entity))
    outcome = desk.refused(name)
    is_stamped = SOURCES[source].entities[entity].partitioning == "daily"
    assert outcome.severity == ("warn" if is_stamped else "block")
    assert outcome.examples[0]["row_count"] == 2


def test_a_record_of_two_partitions_is_no_repeat(desk: Desk) -> None:
    desk.land("servicenow", "incident", window=Window.of_days(date(2026, 1, 2), date(2026, 1, 2)))
    desk.accepted("servicenow_incident_key_is_unique")


def test_a_missing_table_column_is_refused(desk: Desk) -> None:
    desk.sql("alter table raw_payroll.register_line drop column earned_quarter")
    outcome = desk.refused("payroll_register_line_columns_are_there")
    assert "earned_quarter" in json.dumps(outcome.examples)


# --- clocks ---


@pytest.mark.parametrize("name", [name for name in SPECS if name.endswith("_clock_is_not_ahead")])
def test_stamps_after_the_extract_warn(desk: Desk, name: str) -> None:
    source, entity = SPECS[name].table.removeprefix("raw_").split(".")
    ahead = {"datadog": "2099-01-02T09:00:00Z", "servicenow_event_log": "2/1/2099 09:00"}
    records = good_records(source, entity)
    records[0][SOURCES[source].entities[entity].stamp or ""] = ahead.get(source, "2099-01-02 09:00:00")
    records[1][SOURCES[source].entities[entity].stamp or ""] = ahead.get(source, "2099-01-02 09:00:00")
    daily = SOURCES[source].entities[entity].partitioning == "daily"
    desk.land(source, entity, records, window=Window.of_days(date(2099, 1, 2), date(2099, 1, 2)) if daily else None)
    assert desk.refused(name).severity == "warn"


@pytest.mark.requirement("SLT-3.2")
@pytest.mark.parametrize(("low", "high", "seen"), [(5.1, 6.0, True), (4.2, 5.3, False), (-7.0, -5.5, True)])
def test_a_source_whose_clock_is_off_warns(desk: Desk, low: float, high: float, seen: bool) -> None:
    row = "insert into landing.source_clock values ('datadog', 'slo', '{}', '{}', now(), 3, {}, {})"
    desk.sql(row.format("snapshot", "r1", low, high), row.format("an earlier run", "r0", 90, 91))
    outcome = desk.refused("source_clock_agrees_with_ours") if seen else desk.judge("source_clock_agrees_with_ours")
    assert outcome.success is not seen and not outcome.is_blocking


def test_bounds_of_a_clock_that_contradict_each_other_are_refused(desk: Desk) -> None:
    desk.sql("insert into landing.source_clock values ('datadog', 'slo', 'snapshot', 'r1', now(), 3, 2.0, 1.0)")
    assert desk.refused("source_clock_bounds_hold").is_blocking


# --- money ---


def journal(*lines: tuple[str, str, str, str]) -> list[dict[str, str]]:
    """Journal lines of (voucher, currency, debit, credit)."""
    base = good_records("ledger", "journal_line")[0]
    return [
        base | {
            "voucher_number": voucher, "line_number": str(n), "currency": currency, "debit_amount": debit,
            "credit_amount": credit,
        }
        for n, (voucher, currency, debit, credit) in enumerate(lines, start=1)
    ]  # fmt: skip


def test_a_voucher_that_does_not_balance_is_listed(desk: Desk) -> None:
    desk.land(
        "ledger",
        "journal_line",
        journal(
            ("V-1", "EUR", "10.00", ""),
            ("V-1", "EUR", "", "9.99"),
            ("V-2", "EUR", "1", ""),
            ("V-2", "EUR", "", "1.00"),
        ),
    )
    outcome = desk.refused("ledger_journal_line_vouchers_balance")
    assert outcome.is_blocking and outcome.unexpected_count == 1
    assert outcome.examples[0] | {"_batch_id": None} == {
        "voucher_number": "V-1", "currency": "EUR", "debit_amount": "10.00", "credit_amount": "9.99",
        "difference_amount": "0.01", "line_count": 2, "_batch_id": None,
    }  # fmt: skip


def test_currencies_do_not_balance_each_other(desk: Desk) -> None:
    desk.land("ledger", "journal_line", journal(("V-1", "EUR", "10.00", ""), ("V-1", "USD", "", "10.00")))
    assert desk.refused("ledger_journal_line_vouchers_balance").unexpected_count == 2


@pytest.mark.parametrize(
    ("source", "entity", "column"),
    [
        ("payroll", "register_line", "pay_period"),
        ("payroll", "payment", "pay_period"),
        ("ledger", "journal_line", "fiscal_period"),
    ],
)
def test_a_line_of_another_month_warns(desk: Desk, source: str, entity: str, column: str) -> None:
    first, second = good_records(source, entity)
    desk.land(source, entity, [first, second | {column: "2025-11"}])
    outcome = desk.refused(f"{source}_{entity}_{column}_is_of_its_file")
    assert outcome.severity == "warn" and outcome.examples[0]["file_month"] == "2025-12"


# --- batches ---


def test_a_missing_column_blocks_and_a_new_one_warns(desk: Desk) -> None:
    records = [
        {name: value for name, value in record.items() if name != "country"} | {"shoeSize": "42"}
        for record in good_records("bamboohr", "employee")
    ]
    desk.land("bamboohr", "employee", records)
    missing, unknown = desk.refused("batch_columns_are_present"), desk.refused("batch_columns_are_known")
    assert missing.is_blocking and missing.examples[0]["missing_columns"] == '["country"]'
    assert unknown.severity == "warn" and unknown.examples[0]["unknown_columns"] == '["shoeSize"]'


def many(source: str, entity: str, count: int) -> list[dict[str, str]]:
    first = good_records(source, entity)[0]
    key = SOURCES[source].entities[entity].key[0]
    return [first | {key: f"k{number}"} for number in range(count)]


def test_one_malformed_record_of_a_hundred_warns(desk: Desk) -> None:
    desk.land("servicenow", "incident", many("servicenow", "incident", 99), rejects=1)
    desk.accepted("batch_rejected_share_is_small")
    outcome = desk.refused("batch_rejects_nothing")
    assert outcome.severity == "warn" and outcome.examples[0]["reason"] == "malformed_json"


def test_two_malformed_records_of_a_hundred_block(desk: Desk) -> None:
    desk.land("servicenow", "incident", many("servicenow", "incident", 98), rejects=2)
    outcome = desk.refused("batch_rejected_share_is_small")
    assert outcome.is_blocking and outcome.examples[0]["rejected_count"] == 2


@pytest.mark.parametrize(("source", "entity"), [("payroll", "register_line"), ("ledger", "journal_line")])
def test_one_malformed_record_of_money_blocks(desk: Desk, source: str, entity: str) -> None:
    desk.land(source, entity, many(source, entity, 500), rejects=1)
    assert desk.refused("batch_rejected_share_is_small").is_blocking


def test_a_record_that_came_twice_warns_and_loses_nothing(desk: Desk) -> None:
    records = good_records("payroll", "register_line")
    desk.land("payroll", "register_line", [*records, records[0]], total=2)
    outcome = desk.refused("batch_repeats_nothing")
    assert outcome.severity == "warn" and outcome.examples[0]["first_row_number"] == 3
    for name in ("batch_rejected_share_is_small", "batch_rejects_nothing", "batch_promise_is_kept"):
        desk.accepted(name)


def test_a_row_that_landed_twice_is_refused(desk: Desk) -> None:
    desk.sql("insert into raw_datadog.monitor select * from raw_datadog.monitor limit 1")
    assert desk.refused("batch_rows_are_distinct").examples[0]["table_name"] == "raw_datadog.monitor"
    assert desk.refused("batch_rows_are_landed").examples[0]["rows_in_table"] == 3


def test_a_row_that_was_deleted_is_refused(desk: Desk) -> None:
    desk.sql("delete from raw_servicenow.sys_audit where _row_number = 1")
    outcome = desk.refused("batch_rows_are_landed")
    assert outcome.is_blocking and (
        outcome.examples[0]["row_count"],
        outcome.examples[0]["rows_in_table"],
    ) == (2, 1)


def test_a_reject_that_was_deleted_is_refused(desk: Desk) -> None:
    desk.land("servicenow", "incident", many("servicenow", "incident", 99), rejects=1)
    desk.sql("delete from landing.landing_reject")
    assert desk.refused("batch_rejects_are_kept").is_blocking


def test_counts_that_do_not_add_up_are_refused(desk: Desk) -> None:
    desk.sql(
        "create table landing.loose as "
        "select * replace (received_count + 1 as received_count) from landing.extract_batch",
        "drop table landing.extract_batch",
        "alter table landing.loose rename to extract_batch",
    )
    assert desk.refused("batch_counts_add_up").is_blocking


def test_a_promise_that_was_not_kept_is_refused(desk: Desk) -> None:
    desk.sql("update landing.extract_batch set source_count = 3 where entity = 'incident'")
    outcome = desk.refused("batch_promise_is_kept")
    assert (outcome.examples[0]["source_count"], outcome.examples[0]["received_count"]) == (3, 2)


@pytest.mark.parametrize(
    ("source", "entity", "check"),
    [
        ("servicenow", "incident", "batch_is_not_empty"),
        ("servicenow", "sys_user_group", "batch_is_not_empty"),
        ("payroll", "register_line", "batch_is_not_empty"),
        ("servicenow_event_log", "incident_event", "batch_is_not_empty"),
        ("datadog", "downtime", "batch_is_not_silent"),
        ("servicenow", "change_request", "batch_is_not_silent"),
    ],
)
def test_an_empty_extract_is_refused_where_rows_are_to_be_expected(
    desk: Desk, source: str, entity: str, check: str
) -> None:
    desk.land(source, entity, [])
    assert desk.refused(check).is_blocking is (check == "batch_is_not_empty")


def test_a_day_may_be_empty(desk: Desk) -> None:
    desk.land("servicenow", "incident", [], window=Window.of_days(date(2026, 1, 3), date(2026, 1, 3)))
    desk.accepted("batch_is_not_empty")


def test_a_gap_between_windows_warns(desk: Desk) -> None:
    days = Window.of_days(date(2025, 11, 1), date(2025, 11, 28))
    records = [r | {"sys_updated_on": "2025-11-10 00:00:00"} for r in good_records("servicenow", "incident")]
    desk.land("servicenow", "incident", records, window=days)
    outcome = desk.refused("batch_windows_have_no_gap")
    assert outcome.severity == "warn" and outcome.examples[0]["covered_to_at"] == "2025-11-29 00:00:00"
    gap = Window.of_days(date(2025, 11, 28), date(2025, 11, 30))
    desk.land("servicenow", "incident", [], window=gap)
    desk.accepted("batch_windows_have_no_gap")


@pytest.mark.parametrize(
    ("as_of", "last_checked_at", "stale"),
    [
        ("2026-01-06 11:00:00", "now() at time zone 'UTC'", set()),
        ("2026-01-06 13:00:00", "now() at time zone 'UTC'", {"daily"}),
        ("2026-02-05 00:00:00", "now() at time zone 'UTC'", {"daily", "monthly"}),
        ("2026-01-05 00:00:00", "timestamp '2000-01-01'", {"snapshot"}),
    ],
)
def test_what_is_stale_warns(desk: Desk, as_of: str, last_checked_at: str, stale: set[str]) -> None:
    desk.sql(
        f"update landing.run_context set as_of_at = timestamp '{as_of}'",
        f"update landing.extract_state set last_checked_at = {last_checked_at}",
    )
    outcome = desk.judge("batch_is_fresh")
    assert {example["partitioning"] for example in outcome.examples} == stale
    assert outcome.success is not bool(stale) and not outcome.is_blocking


def test_a_configured_source_that_never_landed_is_refused(desk: Desk) -> None:
    desk.sql(
        "delete from landing.extract_state where source = 'datadog' and entity = 'slo'",
        # what need not be handed over is not missed
        "delete from landing.extract_state where source = 'payroll' and entity = 'payment'",
    )
    outcome = desk.refused("source_configured_has_landed")
    assert outcome.examples[0]["source"] == "datadog" and outcome.examples[0]["entity"] == "slo"


def test_a_state_without_its_batch_is_refused(desk: Desk) -> None:
    desk.sql("update landing.extract_state set current_batch_id = 'lost' where entity = 'slo'")
    assert desk.refused("state_names_a_batch").examples[0]["current_batch_id"] == "lost"


@pytest.mark.parametrize(
    ("table", "check"),
    [("run_context", "run_context_is_there"), ("source_status", "source_status_is_complete")],
)
def test_the_run_must_have_said_what_it_knows(desk: Desk, table: str, check: str) -> None:
    desk.sql(f"delete from landing.{table}")
    outcome = desk.judge(check)
    assert not outcome.success and outcome.is_blocking


# --- absent sources ---


def test_an_absent_source_is_skipped_with_its_reason(desk: Desk) -> None:
    desk.sql(
        "delete from landing.extract_state where source = 'ledger'",
        "update landing.source_status set is_configured = false, reason = 'LEDGER_DROP_PATH is not set' "
        "where source = 'ledger'",
    )
    result = run_gate("raw", desk.path)
    assert result.is_open
    assert {o.table for o in result.skipped} == {f"raw_ledger.{e}" for e in ("journal_line", "account", "cost_centre")}
    assert {o.skip_reason for o in result.skipped} == {"ledger is absent: LEDGER_DROP_PATH is not set"}


# --- nothing is left unproved ---

PROVED_BY_FAMILY = (
    "_is_castable",
    "_is_given",
    "_key_is_unique",
    "_clock_is_not_ahead",
    "_columns_are_there",
    "_period_is_of_its_file",
)


def test_every_check_is_proved_to_fail() -> None:
    """A check of its own SQL must be named in a test above; families are proved for each of their members."""
    text = Path(__file__).read_text()
    beside = {spec.check_name for spec in raw_drift.checks()}  # test_source_drift tries each of them
    unproved = [
        name for name in SPECS if not name.endswith(PROVED_BY_FAMILY) and f'"{name}"' not in text and name not in beside
    ]
    assert not unproved
