"""Gate marts, inputs of equal-pay reviews: every participant is in one group, and no small group can be worked out.

Judged anew from the payouts, in floating point. `checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

EQUAL_PAY = "finance.mart_equal_pay_input"
PAYOUTS = "incentives.fct_incentive_payout"
EMPLOYEES, BANDS = "staging.stg_bamboohr__employees", "reference.tenure_band"

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"
SET = "level_code, earned_quarter, country_code, tier"
# What each person was paid of the target, on each level: the mean over currencies, weighted by the days that count.
SHARES = f"""
    leveled as (
        select 'tier' as level_code, earned_quarter, period_start_on, country_code, tier, employee_number,
            currency_code, payout_amount, target_amount * paid_days_value * weight / quarter_days as target_amount,
            paid_days_value * weight as day_weight
        from {PAYOUTS}
    ), placed as (
        select * from leveled
        union all
        select * replace ('country' as level_code, null as tier) from leveled
        union all
        select * replace ('all' as level_code, null as tier, null as country_code) from leveled
    ), by_currency as (
        select {SET}, period_start_on, employee_number, sum(payout_amount)::double / nullif(sum(target_amount), 0)
            as payout_share, sum(day_weight) as day_weight
        from placed group by all
    ), shared as (
        select {SET}, period_start_on, employee_number,
            sum(payout_share * day_weight) / nullif(sum(day_weight) filter (where payout_share is not null), 0)
                as payout_share
        from by_currency group by {SET}, period_start_on, employee_number
    )
"""


def checks() -> list[CheckSpec]:
    """All checks of this module."""
    return list(_equal_pay())


def _equal_pay() -> Iterator[CheckSpec]:
    keys = ("equal_pay_key", *SET.split(", "), "attribute_code", "attribute_group")
    on = On(EQUAL_PAY, "mart_equal_pay_input", keys=keys)
    yield on.unique(("equal_pay_key",), "A group of a set has one row.", DEFECT)
    yield on.no_rows(
        "shows_no_small_group",
        f"""
        select {", ".join(keys)}, participant_count, compared_count
        from checked
        where not is_suppressed and (coalesce(compared_count, 0) < 5 or participant_count < compared_count)
        or is_suppressed and coalesce(
            participant_count, compared_count, mean_payout_share, median_payout_share
        ) is not null
        """,
        "No figure of a group of fewer than five compared persons is shown.",
        "raise the variable fewest_persons_shown to at least 5",
    )
    yield on.no_rows(
        "hides_what_could_be_subtracted",
        f"""
        with told as (
            select *, count(distinct is_suppressed) over (partition by {SET}, attribute_code) as of_set,
                case when level_code = 'tier' then count(distinct is_suppressed) over (
                    partition by level_code, earned_quarter, country_code, attribute_code
                ) when level_code = 'country' then count(distinct is_suppressed) over (
                    partition by level_code, earned_quarter, attribute_code
                ) else 1 end as of_siblings
            from checked
        )
        select told.* from told
        where of_set > 1 or of_siblings > 1 or not is_suppressed and exists (
            select 1 from checked as above
            where above.earned_quarter = told.earned_quarter and above.attribute_code = told.attribute_code
            and above.is_suppressed and (
                told.level_code = 'tier' and above.level_code in ('country', 'all')
                or told.level_code = 'country' and above.level_code = 'all'
            )
        )
        """,
        "Groups are shown with all others of their set and its siblings, or not at all, and below what is shown.",
        DEFECT,
    )
    yield on.no_rows(
        "counts_every_participant_once",
        f"""
        with {SHARES}, whole as (
            select {SET}, attribute_code, count(*) as participant_count, count(payout_share) as compared_count,
                avg(payout_share) as mean_payout_share
            from shared cross join (values ('tenure'), ('work_time'), ('unpaid_leave')) as named (attribute_code)
            group by all
        ), told as (
            select {SET}, attribute_code, min(equal_pay_key) as equal_pay_key, bool_or(is_suppressed) as is_suppressed,
                sum(participant_count) as participant_count, sum(compared_count) as compared_count,
                sum(mean_payout_share * compared_count)::double / sum(compared_count) as mean_payout_share
            from checked group by all
        )
        select told.equal_pay_key, coalesce(told.level_code, whole.level_code) as level_code,
            coalesce(told.earned_quarter, whole.earned_quarter) as earned_quarter,
            coalesce(told.country_code, whole.country_code) as country_code, coalesce(told.tier, whole.tier) as tier,
            coalesce(told.attribute_code, whole.attribute_code) as attribute_code,
            told.participant_count, whole.participant_count as paid_count,
            told.mean_payout_share, whole.mean_payout_share as paid_share
        from told full join whole
            on told.level_code = whole.level_code and told.earned_quarter = whole.earned_quarter
            and told.country_code is not distinct from whole.country_code
            and told.tier is not distinct from whole.tier and told.attribute_code = whole.attribute_code
        where told.equal_pay_key is null or whole.level_code is null or not told.is_suppressed and (
            told.participant_count <> whole.participant_count or told.compared_count <> whole.compared_count
            or abs(told.mean_payout_share - whole.mean_payout_share) > 0.000002
        )
        """,
        "The groups of a set hold each of its participants once, and their means come to what the set was paid.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "compares_what_was_paid",
        f"""
        with {SHARES}, grouped as (
            select {SET}, coalesce((
                select max_by(band.tenure_band_code, band.least_days) from {BANDS} as band
                where band.least_days <= greatest(date_diff('day', hired.hired_on, shared.period_start_on), 0)
            ), 'unknown') as attribute_group, payout_share
            from shared left join (
                select employee_number, max(hired_on) as hired_on from {EMPLOYEES} group by employee_number
            ) as hired on hired.employee_number = shared.employee_number
        ), recomputed as (
            select {SET}, attribute_group, count(payout_share) as compared_count,
                avg(payout_share) as mean_payout_share, median(payout_share) as median_payout_share
            from grouped group by all
        )
        select told.*, recomputed.mean_payout_share as paid_mean_share,
            recomputed.median_payout_share as paid_median_share
        from checked as told left join recomputed
            on told.level_code = recomputed.level_code and told.earned_quarter = recomputed.earned_quarter
            and told.country_code is not distinct from recomputed.country_code
            and told.tier is not distinct from recomputed.tier and told.attribute_group = recomputed.attribute_group
        where told.attribute_code = 'tenure' and not told.is_suppressed and (
            recomputed.compared_count is distinct from told.compared_count
            or abs(told.mean_payout_share - recomputed.mean_payout_share) > 0.000002
            or abs(told.median_payout_share - recomputed.median_payout_share) > 0.000002
        )
        """,
        "Mean and median of every group shown by tenure are those of its people's payouts.",
        DEFECT,
        reads=(PAYOUTS, EMPLOYEES, BANDS),
    )
