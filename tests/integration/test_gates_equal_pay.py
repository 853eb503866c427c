"""Gate marts on equal-pay inputs: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_equal_pay import BANDS, EQUAL_PAY, PAYOUTS, checks
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
M = "mart_equal_pay_input_"
ONE = "rowid = (select min(rowid) from {t} where "
SHOWN = "not is_suppressed and attribute_code = 'tenure'"
SMALL = "suppression_reason = 'few_persons'"
HIDE = "is_suppressed = true, participant_count = null, compared_count = null, mean_payout_share = null, median_payout_share = null"

# check, table the defect is made in, statement
DEFECTS = [
    (f"{M}key_is_unique", EQUAL_PAY, "insert into {t} select * from {t} limit 1"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set compared_count = 4 where {ONE} {SHOWN})"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set compared_count = null where {ONE} {SHOWN})"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set participant_count = 5, compared_count = 6 where {ONE} {SHOWN})"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set participant_count = 1 where {ONE} {SMALL})"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set compared_count = 1 where {ONE} {SMALL})"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set mean_payout_share = 1 where {ONE} {SMALL})"),
    (f"{M}shows_no_small_group", EQUAL_PAY, f"update {{t}} set median_payout_share = 1 where {ONE} {SMALL})"),
    (f"{M}hides_what_could_be_subtracted", EQUAL_PAY, "update {t} set is_suppressed = false where suppression_reason = 'few_persons_in_another_group'"),
    (f"{M}hides_what_could_be_subtracted", EQUAL_PAY, "update {t} set is_suppressed = false where suppression_reason = 'another_set_is_hidden' and level_code = 'country'"),
    (f"{M}hides_what_could_be_subtracted", EQUAL_PAY, "update {t} set is_suppressed = false where suppression_reason = 'another_set_is_hidden' and level_code = 'tier'"),
    (f"{M}hides_what_could_be_subtracted", EQUAL_PAY, f"update {{t}} set {HIDE} where level_code = 'all' and {SHOWN}"),
    (f"{M}hides_what_could_be_subtracted", EQUAL_PAY, f"update {{t}} set {HIDE} where level_code = 'country' and {SHOWN}"),
    (f"{M}counts_every_participant_once", EQUAL_PAY, f"update {{t}} set participant_count = participant_count + 1 where {ONE} {SHOWN})"),
    (f"{M}counts_every_participant_once", EQUAL_PAY, f"update {{t}} set compared_count = compared_count - 1 where {ONE} {SHOWN})"),
    (f"{M}counts_every_participant_once", EQUAL_PAY, f"update {{t}} set mean_payout_share = mean_payout_share + 0.01 where {ONE} {SHOWN})"),
    (f"{M}counts_every_participant_once", EQUAL_PAY, "delete from {t} where level_code = 'all' and attribute_code = 'work_time'"),
    (f"{M}counts_every_participant_once", EQUAL_PAY, f"update {{t}} set country_code = 'XX' where {ONE} level_code = 'country')"),
    (f"{M}counts_every_participant_once", PAYOUTS, "delete from {t} where employee_number = (select min(employee_number) from {t} where earned_quarter = '2025-Q2')"),
    (f"{M}compares_what_was_paid", EQUAL_PAY, f"update {{t}} set median_payout_share = median_payout_share + 0.00001 where {ONE} {SHOWN})"),
    (f"{M}compares_what_was_paid", EQUAL_PAY, f"update {{t}} set mean_payout_share = mean_payout_share - 0.00001 where {ONE} {SHOWN})"),
    (f"{M}compares_what_was_paid", EQUAL_PAY, f"update {{t}} set compared_count = compared_count + 1 where {ONE} {SHOWN})"),
    (f"{M}compares_what_was_paid", PAYOUTS, "update {t} set payout_amount = payout_amount * 2 where earned_quarter = '2025-Q2'"),
    (f"{M}compares_what_was_paid", BANDS, "update {t} set least_days = 1500 where tenure_band_code = 'from_2_years'"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[name], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {name for name, *_ in DEFECTS} == set(SPECS)


def test_the_demonstration_shows_groups_and_hides_them_for_each_reason(bench: Bench) -> None:
    """On each level something is shown, and something is hidden for each reason that can hide it there."""
    found = bench.value(
        f"select list(distinct level_code || ' ' || coalesce(suppression_reason, 'shown')) from {EQUAL_PAY}"
    )
    own = ("shown", "few_persons", "few_persons_in_another_group")
    assert set(found) == {
        *(f"{level} {reason}" for level in ("tier", "country", "all") for reason in own),
        *(f"{level} another_set_is_hidden" for level in ("tier", "country")),
    }
