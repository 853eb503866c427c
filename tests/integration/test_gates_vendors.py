"""Gate marts on service trees and vendors: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_vendors import COMPONENTS, COMPOSITES, COVERAGE, CREDITS, PENALTIES, SCORECARDS, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("key_is_unique", COMPONENTS, "insert into {t} select * from {t} limit 1"),
    ("shares_sum_to_the_whole", COMPONENTS, f"update {{t}} set owner_share = owner_share - 0.0001 where {ONE} true)"),
    ("shares_sum_to_the_whole", COMPONENTS, f"update {{t}} set owner_shortfall_share = owner_shortfall_share + 0.000000001 where {ONE} shortfall_share > 0)"),
    ("composite_follows_from_its_parts", COMPONENTS, f"update {{t}} set component_adjusted_share = component_adjusted_share - 0.001 where {ONE} structure = 'series' and composite_adjusted_share is not null)"),
    ("composite_follows_from_its_parts", COMPONENTS, "update {t} set structure = 'series' where structure = 'parallel' and period_month = '2025-06-01'"),
    ("composite_follows_from_its_parts", COMPONENTS, f"update {{t}} set component_adjusted_share = null where {ONE} structure = 'weighted' and composite_adjusted_share is not null)"),
    ("key_is_unique", COMPOSITES, "insert into {t} select * from {t} limit 1"),
    ("composite_status_is_known", COMPOSITES, f"update {{t}} set composite_status = 'good' where {ONE} true)"),
    ("shortfall_is_against_the_target", COMPOSITES, f"update {{t}} set shortfall_share = 0 where {ONE} shortfall_share > 0)"),
    ("shortfall_is_against_the_target", COMPOSITES, f"update {{t}} set is_target_met = true where {ONE} shortfall_share > 0)"),
    ("key_is_unique", CREDITS, "insert into {t} select * from {t} limit 1"),
    ("stays_below_its_caps", CREDITS, f"update {{t}} set credit_amount = period_cap_amount + 0.01 where {ONE} credit_amount > 0)"),
    ("stays_below_its_caps", CREDITS, f"update {{t}} set yearly_cap_amount = year_to_date_amount - 0.01 where {ONE} credit_amount > 0)"),
    ("is_owed_only_for_a_known_shortfall", CREDITS, f"update {{t}} set credit_status = 'provisional' where {ONE} credit_amount > 0)"),
    ("is_owed_only_for_a_known_shortfall", CREDITS, f"update {{t}} set shortfall_share = 0 where {ONE} credit_amount > 0)"),
    ("parts_sum_to_the_penalty", PENALTIES, f"update {{t}} set shared_amount = shared_amount + 0.01 where {ONE} true)"),
    ("parts_sum_to_the_penalty", PENALTIES, f"delete from {{t}} where {ONE} true)"),
    ("key_is_unique", SCORECARDS, "insert into {t} select * from {t} limit 1"),
    ("ties_to_the_credits", SCORECARDS, f"update {{t}} set credit_amount = credit_amount - 0.01 where {ONE} credit_amount > 0)"),
    ("ties_to_the_credits", SCORECARDS, f"delete from {{t}} where {ONE} judged_period_count > 0)"),
    ("key_is_unique", COVERAGE, "insert into {t} select * from {t} limit 1"),
    ("reason_is_given", COVERAGE, f"update {{t}} set reason = null where {ONE} true)"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, table)], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, table) for short, table, _ in DEFECTS} == set(SPECS)
