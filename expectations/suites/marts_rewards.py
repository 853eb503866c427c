"""Gate marts, rewards and sharing: credit sums to one, pools to the cent, duty is paid once, scenarios tie to pay.

Judged anew from the tables and seeds as they stand. `checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

CREDIT = "incentives.fct_resolution_credit"
FUNDING, CLAIMS = "incentives.fct_pool_funding", "incentives.fct_pool_claim"
ALLOCATION, BALANCE = "incentives.fct_pool_allocation", "incentives.rpt_pool_balance"
DUTY, ON_CALL = "incentives.fct_on_call_duty", "incentives.fct_on_call_reward"
RECOGNITION = "incentives.fct_recognition"
SCENARIOS, PAYOUTS = "incentives.rpt_weight_scenario", "incentives.fct_incentive_payout"
AWARDS = "incentives.fct_award_vesting"
PENALTIES, SAVINGS = "slt.fct_penalty_share", "finance.rpt_saving_overlap"

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of rewards and sharing."""
    return [*_credit(), *_pools(), *_on_call(), *_recognition(), *_scenarios(), *_vendors(), *_awards()]


def _on(table: str, *keys: str, requirements: tuple[str, ...]) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=requirements)


def _credit() -> Iterator[CheckSpec]:
    on = _on(CREDIT, "ticket_key", "holder_code", requirements=("OPS-6.2", "DESK-2.3", "LTI-2.6"))
    yield on.unique(("credit_line_id",), "A holder has one line of a ticket's credit.", DEFECT)
    yield on.no_rows(
        "sums_to_one",
        """
        with summed as (
            select ticket_key, sum(credit_share) as credit_share, min(credit_share) as smallest_share,
                count(*) filter (where is_resolver) as resolver_count
            from checked group by ticket_key
        ), resolved as (
            select ticket_key from core.int_ticket_course
            where observation_status = 'observed' and exists (
                select 1 from reference.credit_rule as rule
                where resolved_at::date between rule.effective_from and coalesce(rule.effective_to, '9999-12-31')
            )
        )
        select coalesce(resolved.ticket_key, summed.ticket_key) as ticket_key, summed.credit_share,
            summed.smallest_share, summed.resolver_count
        from resolved full join summed on summed.ticket_key = resolved.ticket_key
        where summed.credit_share is distinct from 1 or summed.smallest_share < 0 or summed.resolver_count <> 1
        or resolved.ticket_key is null
        """,
        "Every resolved ticket's credit is split to exactly 1, with one resolver.",
        "see that the shares of each rule in seeds/rewards/credit_rule.csv sum to 1 and no two are in force on a day",
        reads=("core.int_ticket_course", "reference.credit_rule"),
    )
    yield on.no_rows(
        "held_seconds_are_those_of_the_events",
        """
        with marked as (
            select *, lead(event_at) over (partition by ticket_key order by event_sequence) as next_at,
                count(assigned_employee_number) over (partition by ticket_key) as assigned_count
            from core.int_ticket_event
        ), spent as (
            select marked.ticket_key, sum(epoch(next_at)::bigint - epoch(event_at)::bigint) as spent_seconds
            from marked
            where ticket_state in ('new', 'in_progress') and next_at is not null
            and (assigned_employee_number is not null or assigned_count = 0)
            group by marked.ticket_key
        ), held as (
            select ticket_key, sum(held_seconds) as held_seconds from checked group by ticket_key
        )
        select held.ticket_key, held.held_seconds, spent.spent_seconds
        from held left join spent on spent.ticket_key = held.ticket_key
        where held.held_seconds > coalesce(spent.spent_seconds, 0)
        """,
        "Nobody held a ticket for longer than its events say.",
        DEFECT,
        reads=("core.int_ticket_event",),
    )
    yield on.no_rows(
        "contributors_are_those_confirmed",
        """
        with counted as (
            select ticket_key, employee_number, sum(contribution_weight) as counted_weight
            from core.int_ticket_contribution where is_counted group by ticket_key, employee_number
        ), given as (
            select ticket_key, employee_number, sum(contribution_weight) as given_weight
            from checked where contribution_weight <> 0 group by ticket_key, employee_number
        )
        select coalesce(counted.ticket_key, given.ticket_key) as ticket_key,
            coalesce(counted.employee_number, given.employee_number) as holder_code, counted_weight, given_weight
        from counted full join given
            on given.ticket_key = counted.ticket_key and given.employee_number = counted.employee_number
        where counted_weight is distinct from given_weight
        """,
        "Exactly the contributions that count earn credit.",
        "mend seeds/rewards/ticket_contribution.csv; core.int_ticket_contribution says why one does not count",
        reads=("core.int_ticket_contribution",),
    )


def _pools() -> Iterator[CheckSpec]:
    on = _on(FUNDING, "pool_code", "earned_quarter", "service_code", requirements=("LTI-4.1",))
    yield on.unique(("pool_code", "earned_quarter", "service_code"), "A service funds a pool once a quarter.", DEFECT)
    yield on.no_rows(
        "follows_from_budget_and_criticality",
        """
        with summed as (
            select pool_code, earned_quarter, sum(funded_amount) as funded_amount, round(coalesce(sum(
                budget_amount * funding_share * funding_factor) filter (where funding_status = 'funded'), 0), 2
            ) as owed_amount
            from checked group by pool_code, earned_quarter
        )
        select checked.pool_code, checked.earned_quarter, checked.service_code, checked.funding_status,
            checked.funded_amount, summed.owed_amount
        from checked join summed
            on summed.pool_code = checked.pool_code and summed.earned_quarter = checked.earned_quarter
        where summed.funded_amount <> summed.owed_amount
        or (checked.funding_status <> 'funded' and checked.funded_amount <> 0)
        or (checked.funding_status = 'funded' and abs(checked.funded_amount - checked.budget_amount
            * checked.funding_share * checked.funding_factor) >= 0.01)
        """,
        "A pool holds budget x share x factor of criticality of its funded services, to the cent, and nothing else.",
        DEFECT,
    )
    yield on.no_rows(
        "takes_no_more_than_a_budget",
        """
        select service_code, earned_quarter, min(pool_code) as pool_code, sum(funded_amount) as funded_amount,
            max(budget_amount) as budget_amount
        from checked where funding_status = 'funded' group by service_code, earned_quarter
        having sum(funded_amount) > max(budget_amount)
        """,
        "All pools together take no more from a service than its budget.",
        "lower funding_share in seeds/rewards/incentive_pool_service.csv",
    )
    claims = _on(CLAIMS, "pool_code", "earned_quarter", "pool_claim_id", requirements=("OPS-6.5",))
    yield claims.unique(("pool_claim_id",), "A person has one claim on a pool a quarter.", DEFECT)
    yield claims.no_rows(
        "lay_the_pool_out_to_the_cent",
        f"""
        with claimed as (
            select pool_code, earned_quarter, sum(claimed_amount) as claimed_amount, min(claimed_amount) as least_amount
            from checked group by pool_code, earned_quarter
        ), funded as (
            select pool_code, earned_quarter, sum(funded_amount) as funded_amount
            from {FUNDING} group by pool_code, earned_quarter
        )
        select claimed.pool_code, claimed.earned_quarter, claimed.claimed_amount, funded.funded_amount
        from claimed left join funded
            on funded.pool_code = claimed.pool_code and funded.earned_quarter = claimed.earned_quarter
        where claimed.claimed_amount is distinct from funded.funded_amount or claimed.least_amount < 0
        """,
        "Claims on a pool sum to what is in it.",
        DEFECT,
        reads=(FUNDING,),
    )
    yield claims.no_rows(
        "earn_within_the_cap",
        """
        select checked.pool_claim_id, checked.claim_status, checked.claimed_amount, checked.earned_amount,
            checked.unallocated_amount, pool.person_cap_share
        from checked join reference.incentive_pool as pool on pool.pool_code = checked.pool_code
        where checked.earned_amount > checked.funded_amount * pool.person_cap_share
        or checked.earned_amount + checked.unallocated_amount <> checked.claimed_amount
        or least(checked.earned_amount, checked.unallocated_amount) < 0
        or (checked.claim_status <> 'earned' and checked.earned_amount <> 0)
        """,
        "Nobody earns more of a pool than the cap, and a refused claim earns nothing.",
        DEFECT,
        reads=("reference.incentive_pool",),
    )
    allocation = _on(ALLOCATION, "pool_code", "earned_quarter", "employee_number", requirements=("OPS-6.5",))
    yield allocation.unique(("earning_line_id",), "An earning is paid once.", DEFECT)
    yield allocation.no_rows(
        "is_the_claims_earned",
        f"""
        select coalesce(checked.pool_claim_id, claim.pool_claim_id) as pool_claim_id, checked.earned_amount,
            claim.earned_amount as claim_amount
        from checked full join (select * from {CLAIMS} where claim_status = 'earned') as claim
            on claim.pool_claim_id = checked.pool_claim_id
        where checked.earned_amount is distinct from claim.earned_amount
        or checked.currency_code is distinct from claim.currency_code
        or checked.employee_number is distinct from claim.employee_number
        """,
        "What is paid from pools is what was earned of them.",
        DEFECT,
        reads=(CLAIMS,),
    )
    balance = _on(BALANCE, "pool_code", "earned_quarter", requirements=("OPS-6.5", "LTI-4.1"))
    yield balance.no_rows(
        "accounts_for_every_cent",
        f"""
        with paid as (
            select pool_code, earned_quarter, sum(earned_amount) as paid_amount
            from {ALLOCATION} group by pool_code, earned_quarter
        ), put_in as (
            select pool_code, earned_quarter, sum(funded_amount) as put_amount
            from {FUNDING} group by pool_code, earned_quarter
        )
        select coalesce(checked.pool_code, put_in.pool_code) as pool_code,
            coalesce(checked.earned_quarter, put_in.earned_quarter) as earned_quarter, put_amount, paid_amount,
            funded_amount, allocated_amount, unallocated_amount
        from checked
        full join put_in on put_in.pool_code = checked.pool_code and put_in.earned_quarter = checked.earned_quarter
        left join paid on paid.pool_code = checked.pool_code and paid.earned_quarter = checked.earned_quarter
        where funded_amount is distinct from put_amount or allocated_amount <> coalesce(paid_amount, 0)
        or funded_amount <> allocated_amount + unallocated_amount
        or unallocated_amount <> over_cap_amount + no_person_amount + leaver_amount + not_placed_amount
            + no_claim_amount
        """,
        "Funded = paid + left over, and each cent left over has its reason.",
        DEFECT,
        reads=(ALLOCATION, FUNDING),
    )


def _on_call() -> Iterator[CheckSpec]:
    on = _on(DUTY, "on_call_stretch_key", "employee_number", requirements=("DESK-2.4",))
    yield on.unique(("on_call_stretch_key",), "A stretch of duty stands once.", DEFECT)
    yield on.no_rows(
        "is_paid_once_at_a_time",
        """
        with ordered as (
            select *, max(ends_at) over (
                partition by employee_number order by starts_at, on_call_stretch_key
                rows between unbounded preceding and 1 preceding
            ) as earlier_end
            from checked where duty_status = 'rewarded'
        )
        select on_call_stretch_key, employee_number, starts_at, earlier_end from ordered where starts_at < earlier_end
        """,
        "No second of a person's duty is rewarded twice.",
        DEFECT,
    )
    yield on.no_rows(
        "is_displaced_by_what_stands",
        """
        select checked.on_call_stretch_key, checked.employee_number, checked.starts_at, checked.ends_at
        from checked
        where checked.duty_status = 'overlapped' and not exists (
            select 1 from checked as other
            where other.employee_number = checked.employee_number
                and other.duty_status in ('rewarded', 'no_rate', 'without_team')
                and other.starts_at < checked.ends_at and checked.starts_at < other.ends_at
                and (other.criticality, checked.ends_at - checked.starts_at)
                    <= (checked.criticality, other.ends_at - other.starts_at)
        )
        """,
        "A duty is displaced only by one that stands and is no weaker, never by one that is displaced itself.",
        DEFECT,
    )
    yield on.no_rows(
        "pays_the_rate_in_force",
        """
        select checked.on_call_stretch_key, checked.employee_number, checked.duty_status, checked.earned_amount,
            rate.reward_amount, rate.frequent_factor
        from checked left join reference.on_call_rate as rate
            on rate.country_code = checked.country_code and rate.duty_source = checked.duty_source
            and rate.criticality = checked.criticality
            and checked.duty_on between rate.effective_from and coalesce(rate.effective_to, '9999-12-31')
        where checked.earned_amount is distinct from case
            when checked.duty_status <> 'rewarded' then 0
            when checked.duty_number >= rate.frequent_from_number
                then round(rate.reward_amount * rate.frequent_factor, 2)::decimal(18, 2)
            else rate.reward_amount
        end
        or (checked.duty_status = 'rewarded' and checked.currency_code is distinct from rate.currency_code)
        """,
        "A stretch is paid by the country, kind, criticality and frequency in force on its day, or not at all.",
        "see that seeds/rewards/on_call_rate.csv has one row in force per country, kind and criticality",
        reads=("reference.on_call_rate",),
    )
    reward = _on(ON_CALL, "earning_line_id", "employee_number", requirements=("DESK-2.4",))
    yield reward.unique(("earning_line_id",), "An earning is paid once.", DEFECT)
    yield reward.no_rows(
        "is_the_duty_rewarded",
        f"""
        select coalesce(checked.on_call_stretch_key, duty.on_call_stretch_key) as on_call_stretch_key,
            checked.earned_amount, duty.earned_amount as duty_amount
        from checked full join (
            select * from {DUTY} where duty_status = 'rewarded' and earned_quarter in (
                select period_code from core.int_reporting_period where period_grain = 'quarter' and is_complete
            )
        ) as duty on duty.on_call_stretch_key = checked.on_call_stretch_key
        where checked.earned_amount is distinct from duty.earned_amount
        or checked.employee_number is distinct from duty.employee_number
        """,
        "What is paid for duty is what complete quarters rewarded.",
        DEFECT,
        reads=(DUTY, "core.int_reporting_period"),
    )


def _recognition() -> Iterator[CheckSpec]:
    on = _on(RECOGNITION, "recognition_id", "employee_number", requirements=("DESK-2.5",))
    yield on.unique(("recognition_id",), "A person is recognised once for a thing and a quarter.", DEFECT)
    yield on.no_rows(
        "reaches_what_its_rule_asks",
        """
        select recognition_id, employee_number, recognised_count, occasion_count, minimum_count, minimum_share
        from checked
        where is_recognised and (
            recognised_count < minimum_count or recognised_count < minimum_share * occasion_count
            or recognition_form is null
        )
        or is_recognised <> (recognition_status = 'recognised') or recognised_count > occasion_count
        """,
        "Who is recognised reached the count and the share of the rule.",
        DEFECT,
    )


def _scenarios() -> Iterator[CheckSpec]:
    on = _on(SCENARIOS, "scenario_code", "earned_quarter", "group_kind", "group_code", requirements=("LTI-1.2",))
    yield on.no_rows(
        "plan_in_force_pays_what_was_paid",
        """
        select checked.scenario_code, checked.earned_quarter, checked.group_kind, checked.group_code,
            checked.in_force_amount, checked.scenario_amount
        from checked
        where checked.scenario_status = 'ok' and checked.scenario_amount is distinct from checked.in_force_amount
        and checked.plan_code = checked.proposed_plan_code and checked.plan_version = checked.proposed_plan_version
        and checked.scenario_code not in (select scenario_code from reference.weight_scenario_component)
        """,
        "A scenario that equals the plan in force pays every group what it was paid.",
        "rpt_weight_scenario no longer computes as fct_incentive_payout does: bring the two together",
        reads=("reference.weight_scenario_component",),
    )
    yield on.no_rows(
        "ties_to_what_was_paid",
        f"""
        with paid as (
            select plan_code, plan_version, earned_quarter, currency_code, sum(payout_amount) as payout_amount,
                count(distinct employee_number) as person_count
            from {PAYOUTS} group by all
        ), grouped as (
            select scenario_code, plan_code, plan_version, earned_quarter, currency_code, group_kind,
                sum(in_force_amount) as in_force_amount, sum(scenario_amount) as scenario_amount,
                min(group_code) as group_code
            from checked where scenario_status = 'ok' and group_kind <> 'none'
            group by scenario_code, plan_code, plan_version, earned_quarter, currency_code, group_kind
        ), summed as (
            select *, max(case when group_kind = 'all' then scenario_amount end) over (
                partition by scenario_code, earned_quarter, currency_code
            ) as whole_amount, count(*) over (partition by scenario_code, earned_quarter, currency_code) as kind_count
            from grouped
        )
        select summed.scenario_code, summed.earned_quarter, summed.group_kind, summed.group_code,
            summed.in_force_amount, paid.payout_amount, summed.scenario_amount, summed.whole_amount
        from summed left join paid
            on paid.plan_code = summed.plan_code and paid.plan_version = summed.plan_version
            and paid.earned_quarter = summed.earned_quarter and paid.currency_code = summed.currency_code
        where summed.in_force_amount is distinct from paid.payout_amount
        or summed.scenario_amount is distinct from summed.whole_amount or summed.kind_count <> 4
        """,
        "Teams, tiers and countries of a scenario each sum to what was paid and to the scenario's whole.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "shows_no_small_group",
        """
        select scenario_code, earned_quarter, group_kind, group_code, person_count from checked
        where group_kind in ('team', 'tier', 'country') and person_count < 5 and group_code not like 'fewer_than_%'
        """,
        "No group of fewer than five persons stands alone.",
        "raise the variable fewest_persons_shown to at least 5",
    )


def _vendors() -> Iterator[CheckSpec]:
    on = _on(PENALTIES, "penalty_code", "component_code", requirements=("LTI-6.2", "SLT-7.3"))
    yield on.no_rows(
        "follows_the_business_that_was_hit",
        """
        with weighed as (
            select checked.*, 1 - component_adjusted_share::double as loss_share, composite_status = 'ok' as is_known,
                (1 - component_adjusted_share::double) * impact_weight as weight
            from checked left join slt.fct_composite_component as part
                on part.parent_code = checked.service_code and part.period_month = checked.period_month
                and part.component_code = checked.component_code and part.measure = 'availability'
        ), summed as (
            select *, sum(weight) over (partition by penalty_code) as whole_weight,
                bool_or(is_known and loss_share > 0 and owner_code = 'internal') over whole as have_we_lost,
                bool_or(is_known and loss_share > 0 and owner_code <> 'internal') over whole as has_vendor_lost
            from weighed window whole as (partition by penalty_code)
        )
        select penalty_code, component_code, sharing_basis, applied_basis, impact_weight, shared_amount,
            is_joint_failure
        from summed
        where is_joint_failure is distinct from (coalesce(have_we_lost, false) and coalesce(has_vendor_lost, false))
        or (applied_basis = 'business_impact'
            and not coalesce(abs(shared_amount - penalty_amount * weight / whole_weight) < 0.01, false))
        or applied_basis not in ('agreed_share', sharing_basis)
        """,
        "A penalty by business impact follows loss x business; a joint failure is one that we and a vendor both had.",
        DEFECT,
        reads=("slt.fct_composite_component",),
    )
    savings = _on(SAVINGS, "saving_code", "overlap_kind", "counterpart_code", requirements=("LTI-4.5",))
    yield savings.unique(("saving_overlap_key",), "An overlap is found once.", DEFECT)
    yield savings.no_rows(
        "rewards_only_what_is_left",
        """
        with summed as (
            select saving_code, min(saving_status) as saving_status, count(distinct coordinated_reward_amount) as
                reward_count, min(coordinated_reward_amount) as coordinated_reward_amount,
                round(greatest(min(saving_amount) - sum(overlap_amount), 0) * min(reward_share), 2) as owed_amount,
                min(overlap_kind) as overlap_kind
            from checked group by saving_code
        )
        select coalesce(summed.saving_code, saving.saving_code) as saving_code, summed.overlap_kind,
            summed.saving_status, summed.coordinated_reward_amount, summed.owed_amount, saving.approved_on
        from summed full join reference.saving_initiative as saving on saving.saving_code = summed.saving_code
        where summed.saving_code is null or saving.saving_code is null or summed.reward_count <> 1
        or summed.coordinated_reward_amount <> case
            when saving.approved_on is null or saving.approved_on > saving.starts_on then 0 else summed.owed_amount
        end
        """,
        "Every saving is judged, and its reward is the share of what no overlap takes.",
        DEFECT,
        reads=("reference.saving_initiative",),
    )


def _awards() -> Iterator[CheckSpec]:
    on = _on(AWARDS, "award_code", "tranche_number", "employee_number", requirements=("LTI-4.2",))
    yield on.unique(("earning_line_id",), "A tranche vests once.", DEFECT)
    yield on.no_rows(
        "tranches_sum_to_the_award",
        """
        with summed as (
            select award_code, min(award_amount) as award_amount, sum(tranche_amount) as tranche_amount,
                min(tranche_amount) as least_amount, min(tranche_number) as tranche_number
            from checked group by award_code
        ), granted as (
            select award.* from reference.long_term_award as award, core.int_run_context as context
            where award.granted_on <= context.as_of_at::date
        )
        select coalesce(summed.award_code, granted.award_code) as award_code, summed.tranche_number,
            granted.award_amount, summed.tranche_amount
        from granted full join summed on summed.award_code = granted.award_code
        where summed.tranche_amount is distinct from granted.award_amount or summed.least_amount < 0
        or summed.award_amount is distinct from granted.award_amount
        """,
        "The tranches of each award sum to it, to the cent.",
        "see that the shares of each schedule in seeds/rewards/vesting_schedule.csv sum to 1",
        reads=("reference.long_term_award", "core.int_run_context"),
    )
    yield on.no_rows(
        "each_tranche_is_one_thing",
        """
        select award_code, tranche_number, vesting_status, vests_on, earned_amount, pending_amount, forfeited_amount
        from checked, core.int_run_context as context
        where tranche_amount <> earned_amount + pending_amount + forfeited_amount
        or (earned_amount <> 0) <> (is_earned and tranche_amount <> 0)
        or (vesting_status = 'pending') <> (pending_amount <> 0)
        or is_earned <> (vesting_status in ('vested', 'accelerated'))
        or (is_earned and vests_on > context.as_of_at::date)
        or (vesting_status = 'pending' and vests_on <= context.as_of_at::date)
        """,
        "A tranche is earned, pending or lapsed as a whole, and earned only once its day has come.",
        DEFECT,
        reads=("core.int_run_context",),
    )
    yield on.no_rows(
        "nobody_vests_after_leaving",
        """
        select checked.award_code, checked.tranche_number, checked.employee_number, checked.vests_on,
            employment.employed_to_on
        from checked join core.int_employment as employment
            on employment.employee_number = checked.employee_number and employment.is_primary
            and checked.granted_on >= employment.employed_from_on
            and checked.granted_on < coalesce(employment.employed_to_on, '9999-12-31')
        where checked.is_earned and employment.employed_to_on <= checked.vests_on and not exists (
            select 1 from reference.award_event as event
            where event.award_code = checked.award_code and event.event_type = 'good_leaver'
            and event.decided_on is not null
        )
        """,
        "Who left earns no tranche that had not vested, unless good terms were decided.",
        "record the decision in seeds/rewards/award_event.csv, or mend the rule of the schedule",
        reads=("core.int_employment", "reference.award_event"),
    )
