"""A proposal put in force gives what its replay said, and pays what its impact said.

On a copy of the demonstration company version 3 of slt_attainment, which no gate has let through, is made the version
in force from 2025 on, and the metrics and payouts are built again by the same models.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import DemoWarehouse
from tests.run_dbt import run_dbt

pytestmark = pytest.mark.slow

METRIC, VERSION, BEFORE = "slt_attainment", 3, 2
PROMOTED = (
    "int_metric_period",
    "int_metric_sum",
    "int_seasonal_index",
    "int_metric_result",
    "fct_metric_result",
)
# what a version says of a period, whichever way it came to be computed; its phase is counted from its own first day
VALUES = (
    "definition_hash, numerator, denominator, metric_value, sample_count, result_status, aggregation_kind, "
    "value_basis, unit, direction, raw_value, standardised_value, expected_value, reference_value, "
    "credibility_share, shrunk_value, confidence_lower_value, confidence_upper_value, freeze_status, frozen_days, "
    "freeze_id"
)
SCOPE = "entity_code, period_grain, period_start_on"


def of_version(connection: duckdb.DuckDBPyConnection, table: str, version: int) -> dict[Any, Any]:
    """Team results of a version in the quarters looked back on, by entity and period."""
    rows = connection.execute(
        f"select {SCOPE}, {VALUES} from {table} where metric_code = ? and metric_version = ? and entity_type = 'team' "
        "and period_start_on >= date '2025-01-01' and period_start_on < date '2026-01-01'",
        [METRIC, version],
    ).fetchall()
    return {row[:3]: row[3:] for row in rows}


def put_in_force(warehouse_path: Path, target_path: Path) -> None:
    """Make the proposal the version in force from 2025 on, and build again what follows from it."""
    with duckdb.connect(str(warehouse_path)) as connection:
        connection.execute(
            "update core.int_metric_version_period set metric_version = ? where metric_code = ? and metric_version = ?",
            [VERSION, METRIC, BEFORE],
        )
        # what adjusted the value of another version has nothing to say of this one
        connection.execute("delete from metrics.fct_score_adjustment_effect where is_applied")
    run_dbt(warehouse_path, target_path, "run", "--select", *PROMOTED)
    run_dbt(warehouse_path, target_path, "run", "--select", "fct_incentive_payout")


@pytest.mark.requirement("OPS-4.5")
@pytest.mark.requirement("OPS-4.6")
def test_a_proposal_put_in_force_gives_what_its_replay_said_and_pays_what_its_impact_said(
    demo_copy: DemoWarehouse, tmp_path: Path
) -> None:
    hold_the_proposal_to_its_word(demo_copy.warehouse_path, tmp_path / "target")


def hold_the_proposal_to_its_word(warehouse_path: Path, target_path: Path) -> None:
    with duckdb.connect(str(warehouse_path), read_only=True) as connection:
        replayed = of_version(connection, "metrics.fct_metric_replay", VERSION)
        in_force = of_version(connection, "metrics.fct_metric_result", BEFORE)
        told = {
            (team, start, currency): amount
            for team, start, currency, amount in connection.execute(
                "select team_code, period_start_on, currency_code, proposed_payout_amount "
                "from governance.rpt_metric_change_impact where metric_code = ? and proposed_version = ?",
                [METRIC, VERSION],
            ).fetchall()
        }
        assert not of_version(connection, "metrics.fct_metric_result", VERSION), "a proposal has no result"
    assert replayed.keys() == in_force.keys()
    assert sum(replayed[key][3] != in_force[key][3] for key in replayed) > len(replayed) / 2, "it would change nothing"

    put_in_force(warehouse_path, target_path)

    with duckdb.connect(str(warehouse_path), read_only=True) as connection:
        assert of_version(connection, "metrics.fct_metric_result", VERSION) == replayed
        paid = connection.execute(
            """
            select l.team_code, l.period_start_on, l.currency_code, sum(l.payout_amount), count(*)
            from incentives.fct_incentive_payout as l
            inner join reference.plan_component as c using (plan_code, plan_version, tier, component_code)
            where c.metric_code = ? and l.period_start_on >= date '2025-01-01'
            group by all
            """,
            [METRIC],
        ).fetchall()
    assert {row[:3] for row in paid} == {key for key in told if key[2]}
    for team, start, currency, amount, lines in paid:
        # a person's cents are laid on the lines of the quarter: each may carry one more or less than its own
        assert abs(amount - told[team, start, currency]) <= Decimal("0.01") * lines, (team, start, currency)
    assert sum(told.values()) > 0


@pytest.mark.requirement("OPS-4.5")
def test_the_replay_counts_the_tickets_the_proposal_names(demo_warehouse: DemoWarehouse) -> None:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        count_the_tickets(connection)


def count_the_tickets(connection: duckdb.DuckDBPyConnection) -> None:
    """Version 3 from the tickets themselves: of the first three priorities, met over stopped, none below twenty."""
    counted = connection.execute(
        """
        select team_code, cast(date_trunc('quarter', stop_at) as date), count(*),
            case
                when count(*) >= 20
                    then round(
                        cast(count(*) filter (where not is_breached_adjusted or is_forgiven) as decimal(18, 0))
                        / count(*), 6
                    )
            end
        from slt.fct_ticket_slt
        where slt_code = 'incident_resolution' and priority in (1, 2, 3)
            and slt_status in ('met', 'within_tolerance', 'breached')
        group by all
        """
    ).fetchall()
    expected = {
        (team, start): (count, None if share is None else float(share)) for team, start, count, share in counted
    }
    told = connection.execute(
        "select team_code, period_start_on, proposed_sample_count, proposed_value "
        "from governance.rpt_metric_change_impact where metric_code = ? and proposed_version = ?",
        [METRIC, VERSION],
    ).fetchall()
    assert len(told) == 8 * 4, "eight teams over the four quarters of 2025"
    for team, start, count, value in told:
        assert expected[team, start] == (count, None if value is None else float(value)), (team, start)
