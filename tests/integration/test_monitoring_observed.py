"""What was planted in synthetic, real-user and log monitoring, in clocks and objectives, and what the marts say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from ingestion.demo.legacy_logs import FACTS as LOG_FACTS
from ingestion.demo.observability import FACTS, INCIDENTS_FROM, UNTOLD_INCIDENTS

pytestmark = pytest.mark.slow
DETAILS = {code: detail for code, _, detail in (*FACTS, *LOG_FACTS)}


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


@pytest.mark.requirement("SVC-3.1")
@pytest.mark.requirement("SVC-3.3")
@pytest.mark.parametrize(
    "code", ["synthetic_outage", "real_user_errors", "real_user_slow", "log_outage", "log_silence"]
)
def test_a_planted_stretch_is_measured_to_the_second(warehouse: duckdb.DuckDBPyConnection, code: str) -> None:
    fact = DETAILS[code]
    down, unknown, missing = warehouse.execute(
        """
        select
            sum(down_seconds), sum(unknown_seconds),
            (select coalesce(sum(missing_count), 0) from slt.fct_monitoring_gap
            where monitor_id = $1 and gap_from_at::date = $2)
        from core.int_monitor_bucket where monitor_id = $1 and bucket_at::date = $2
        """,
        [fact["monitor_id"], fact["day_on"]],
    ).fetchone()
    assert (down, unknown, missing) == (
        fact.get("down_seconds", 0), fact.get("unknown_seconds", 0), fact.get("missing_count", 0)
    )  # fmt: skip


def test_new_monitors_move_no_figure_of_availability(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.execute(
        "select count(*) from core.int_service_bucket as b where exists (select 1 from reference.monitor_binding as m "
        "inner join reference.monitor_register as r using (monitor_id) where r.service_code = b.service_code)"
    ).fetchone() == (0,)


@pytest.mark.requirement("SVC-3.3")
def test_a_failed_import_is_one_record_and_one_bad_minute(warehouse: duckdb.DuckDBPyConnection) -> None:
    fact = DETAILS["log_import_failed"]
    assert warehouse.execute(
        "select sampled_at::varchar, bad_count from core.int_log_sample "
        "where log_name = 'erp-app' and source_outcome = 'bad'"
    ).fetchall() == [(fact["bad_minute_at"], 1)]
    lines = warehouse.execute("select line from raw_legacy_log.log_line where line like '%failed%'").fetchall()
    assert len(lines) == 1 and lines[0][0].count("\n") == 3


@pytest.mark.requirement("SVC-3.3")
def test_unreadable_lines_are_kept_as_rejects(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select split_part(reason, ':', 1), octet_length(record_bytes) > 20 from landing.landing_reject "
        "where source = 'legacy_log' order by 1"
    ).fetchall()
    assert rows == [("undecodable_bytes", True), ("unknown_line", True), ("unreadable_stamp", True)]
    assert len(rows) == DETAILS["log_lines_unreadable"]["reject_count"]


@pytest.mark.requirement("SVC-3.4")
def test_a_clock_that_is_ahead_is_seen_on_its_days_and_no_others(warehouse: duckdb.DuckDBPyConnection) -> None:
    fact = DETAILS["alert_clock_ahead"]
    days = warehouse.execute(
        "select day_on::varchar, offset_seconds, touched_count from slt.flag_clock_skew "
        "where measure_code = 'alert_to_ticket' and is_flagged order by 1"
    ).fetchall()
    assert days and all(fact["from_on"] <= day <= fact["to_on"] for day, _, _ in days)
    assert all(fact["ahead_seconds"] - 240 < offset <= fact["ahead_seconds"] - 20 for _, offset, _ in days)
    opened = warehouse.execute(
        "select count(distinct opened_at::date) from core.int_alert_ticket where match_status = 'matched' "
        "and opened_at::date between ? and ?",
        [fact["from_on"], fact["to_on"]],
    ).fetchone()
    assert opened == (len(days),), "each day with a ticket"


@pytest.mark.requirement("SVC-3.4")
def test_the_clocks_of_the_systems_were_read_from_their_answers(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        "select first_system, max(abs(offset_seconds)), bool_or(is_flagged) from slt.flag_clock_skew "
        "where measure_code = 'http_date' group by 1 order by 1"
    ).fetchall()
    assert {row[0] for row in rows} >= {"bamboohr", "datadog", "servicenow"}
    assert all(offset <= 1 and not flagged for _, offset, flagged in rows)


@pytest.mark.requirement("OPS-3.2")
def test_alerts_tickets_and_people_meet(warehouse: duckdb.DuckDBPyConnection, demo_warehouse: Any) -> None:
    counts = dict(
        warehouse.execute("select match_status, count(*) from slt.chk_identity_and_alert_match group by 1").fetchall()
    )
    since = INCIDENTS_FROM[:10]
    tickets = [
        ticket
        for ticket in demo_warehouse.company.tickets
        if ticket.contact_type == "monitoring" and ticket.opened_at.date().isoformat() >= since
    ]
    alerts = warehouse.execute("select count(*) from staging.stg_datadog__incidents").fetchone()[0]
    assert counts["matched"] + counts["alert_without_ticket"] == alerts
    assert 0 < counts["alert_without_ticket"] <= UNTOLD_INCIDENTS + 1
    assert abs(counts["matched"] + counts.get("ticket_without_alert", 0) - len(tickets)) <= 1
    assert warehouse.execute(
        "select count(*) filter (where reason_code = 'service_and_time') > 0, "
        "bool_and(is_valid) from slt.chk_identity_and_alert_match where match_status = 'matched'"
    ).fetchone() == (True, True)


def test_datadogs_figures_are_ours_but_for_what_is_planted(warehouse: duckdb.DuckDBPyConnection) -> None:
    expected = {}
    for code, fact in DETAILS.items():
        key = fact.get("service_code"), fact.get("period_month")
        if code.startswith("slo_history_without_value"):
            expected[key] = "missing_right", "datadog_could_not_compute", None
        elif code.startswith("slo_history_is_wrong"):
            expected[key] = "amount_differs", "not_explained", -round(fact["too_low_percentage_points"] / 100, 4)
    found = {
        row[:2]: (*row[2:4], None if row[4] is None else round(float(row[4]), 4))
        for row in warehouse.execute(
            "select service_code, window_from_at::date::varchar, rec_status, explanation_code, difference_share "
            "from slt.rec_slo_to_datadog where explanation_code <> 'equal'"
        ).fetchall()
    }
    assert found == expected
    assert min(Counter(status for status, *_ in found.values()).values()) >= 3
    assert warehouse.execute("select count(*) from slt.rec_slo_to_datadog").fetchone() == (72,)


def test_a_recurring_correction_takes_its_hours_out(warehouse: duckdb.DuckDBPyConnection) -> None:
    fact = DETAILS["slo_correction_recurs"]
    assert (
        dict(
            warehouse.execute(
                "select window_from_at::date::varchar, corrected_seconds from slt.rec_slo_to_datadog "
                "where service_code = ? and corrected_seconds > 0",
                [fact["service_code"]],
            ).fetchall()
        )
        == fact["corrected_seconds"]
    )
