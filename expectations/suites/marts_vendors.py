"""Gate marts, service trees and vendors: composites follow from their parts, credits stay below their caps, shares of
a whole sum to it.

Judged anew from the tables as they stand. `checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

COMPOSITES, COMPONENTS = "slt.fct_composite_slt", "slt.fct_composite_component"
CREDITS, PENALTIES = "slt.fct_service_credit", "slt.fct_penalty_share"
SCORECARDS, COVERAGE = "slt.mart_vendor_scorecard", "slt.rpt_supplier_coverage"
STATUSES = ("ok", "provisional", "insufficient_data")

# Money columns that must be DECIMAL(18,2), for the check of types.
MONEY_COLUMNS = {
    CREDITS: ("fee_amount", "uncapped_credit_amount", "credit_amount", "year_to_date_amount"),
    PENALTIES: ("penalty_amount", "shared_amount"),
    SCORECARDS: ("credit_amount", "subcontractor_credit_amount"),
}

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of service trees and vendors."""
    return [*_composites(), *_credits(), *_penalties(), *_vendors()]


def _on(table: str, *keys: str, requirements: tuple[str, ...]) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=requirements)


def _composites() -> Iterator[CheckSpec]:
    on = _on(COMPONENTS, "composite_key", "component_code", requirements=("OPS-6.1", "SLT-3.3"))
    yield on.unique(("composite_key", "component_code"), "A parent lists each component once a month.", DEFECT)
    yield on.no_rows(
        "shares_sum_to_the_whole",
        """
        select composite_key, shortfall_share, sum(owner_shortfall_share) as owner_shortfall_share,
            sum(owner_share) as owner_share
        from checked group by composite_key, shortfall_share
        having sum(owner_share) <> 1 or sum(owner_shortfall_share) is distinct from shortfall_share
        """,
        "Owner shares sum to 1, and the owners' parts to the shortfall.",
        "mend owner_share in seeds/services/service_component.csv for the rows in force that month",
    )
    yield on.no_rows(
        "composite_follows_from_its_parts",
        """
        select composite_key, any_value(structure) as structure, any_value(composite_adjusted_share) as composite,
            case any_value(structure)
                when 'series' then product(component_adjusted_share::double)
                when 'parallel' then 1 - product(1 - component_adjusted_share::double)
                else sum(weight * component_adjusted_share::double) / sum(weight)
            end as recalculated
        from checked group by composite_key
        having count(component_adjusted_share) < count(*) and composite is not null
        or count(component_adjusted_share) = count(*)
            and not coalesce(abs(composite - recalculated) <= 0.00000001, false)
        """,
        "A composite is the product, the parallel or the weighted mean of its parts, and unknown where one of them is.",
        DEFECT,
    )
    composites = _on(COMPOSITES, "composite_key", requirements=("SVC-1.5", "OPS-6.1"))
    yield composites.unique(("composite_key",), "A service is composed once a month.", DEFECT)
    yield composites.in_set("composite_status", STATUSES, DEFECT)
    yield composites.no_rows(
        "shortfall_is_against_the_target",
        """
        select composite_key, target_share, composite_adjusted_share, shortfall_share, internal_shortfall_share,
            external_shortfall_share, is_target_met
        from checked
        where shortfall_share is distinct from case
            when target_share is not null and composite_adjusted_share is not null
                then greatest(target_share - composite_adjusted_share, 0)
        end
        or shortfall_share is distinct from internal_shortfall_share + external_shortfall_share
        or is_target_met is distinct from (shortfall_share = 0)
        """,
        "The shortfall is target less composite, and own and external parts sum to it.",
        DEFECT,
    )


def _credits() -> Iterator[CheckSpec]:
    on = _on(CREDITS, "credit_key", "supplier_contract_code", "period_start_on", requirements=("SVC-2.5",))
    yield on.unique(("credit_key",), "A contract's period earns one credit.", DEFECT)
    yield on.no_rows(
        "stays_below_its_caps",
        """
        with summed as (
            select *, sum(credit_amount) over (
                partition by supplier_contract_code, contract_year_number order by period_start_on
            ) as summed_amount
            from checked
        )
        select credit_key, supplier_contract_code, period_start_on, uncapped_credit_amount, period_cap_amount,
            yearly_cap_amount, credit_amount, year_to_date_amount, summed_amount
        from summed
        where credit_amount < 0 or credit_amount > least(uncapped_credit_amount, period_cap_amount)
        or summed_amount > yearly_cap_amount or summed_amount <> year_to_date_amount
        """,
        "A credit is at most its band's, its period's cap and what the contract year's cap has left.",
        DEFECT,
    )
    yield on.no_rows(
        "is_owed_only_for_a_known_shortfall",
        """
        select credit_key, supplier_contract_code, period_start_on, credit_status, shortfall_share, credit_amount
        from checked
        where (credit_amount <> 0 and (credit_status <> 'ok' or shortfall_share is null or shortfall_share = 0))
        or shortfall_share is distinct from case
            when counted_share is not null then greatest(promised_share - counted_share, 0)
        end
        """,
        "Only a finished period with enough data and below its promise earns a credit.",
        DEFECT,
    )


def _penalties() -> Iterator[CheckSpec]:
    on = _on(PENALTIES, "penalty_code", "component_code", requirements=("OPS-6.1",))
    yield on.no_rows(
        "parts_sum_to_the_penalty",
        """
        with summed as (
            select penalty_code, sum(shared_amount) as shared_amount, min(shared_amount) as smallest_amount
            from checked group by penalty_code
        )
        select coalesce(penalty.penalty_code, summed.penalty_code) as penalty_code, penalty.penalty_amount,
            summed.shared_amount
        from reference.penalty_share as penalty
        full join summed on summed.penalty_code = penalty.penalty_code
        where penalty.penalty_amount is distinct from summed.shared_amount or summed.smallest_amount < 0
        """,
        "Every penalty is shared out, to the cent.",
        DEFECT,
        reads=("reference.penalty_share",),
    )


def _vendors() -> Iterator[CheckSpec]:
    on = _on(SCORECARDS, "scorecard_key", "vendor_code", "period_code", requirements=("LTI-6.6", "SVC-6.3"))
    yield on.unique(("scorecard_key",), "A vendor has one scorecard a quarter.", DEFECT)
    yield on.no_rows(
        "ties_to_the_credits",
        f"""
        with card as (
            select vendor_code, sum(credit_amount) as credit_amount, sum(judged_period_count) as judged_period_count
            from checked group by vendor_code
        ), owed as (
            select primary_vendor_code, sum(credit_amount) as credit_amount,
                count(*) filter (where credit_status = 'ok') as judged_period_count
            from {CREDITS} group by primary_vendor_code
        )
        select coalesce(card.vendor_code, owed.primary_vendor_code) as vendor_code, card.credit_amount,
            owed.credit_amount as owed_amount, card.judged_period_count, owed.judged_period_count as owed_period_count
        from card full join owed on owed.primary_vendor_code = card.vendor_code
        where coalesce(card.credit_amount, 0) <> coalesce(owed.credit_amount, 0)
        or coalesce(card.judged_period_count, 0) <> coalesce(owed.judged_period_count, 0)
        """,
        "What contracts earn, subcontractors' included, is on the primary vendor's cards.",
        DEFECT,
        reads=(CREDITS,),
    )
    coverage = _on(COVERAGE, "coverage_key", "service_code", "component_code", requirements=("SLT-7.1",))
    yield coverage.unique(("coverage_key",), "A finding is listed once.", DEFECT)
    yield coverage.known("reason", DEFECT)
