-- Rewards for savings beside what the same savings earn the vendor: where they overlap, by how much, and what the
-- reward is once nothing is rewarded twice.
with saving_initiative as (
    select * from {{ ref('saving_initiative') }}
),

vendor_incentive as (
    select * from {{ ref('vendor_incentive') }}
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
),

service_credit as (
    select * from {{ ref('fct_service_credit') }}
    where credit_amount > 0
),

saving as (
    select
        saving_initiative.*,
        supplier_contract.vendor_code,
        {{ day_count('saving_initiative.starts_on', add_days('saving_initiative.ends_on', 1)) }} as saving_days,
        {{ integer_units('saving_initiative.saving_amount', 2) }} as saving_cents
    from saving_initiative
    inner join supplier_contract
        on saving_initiative.supplier_contract_code = supplier_contract.supplier_contract_code
),

-- the vendor keeps a share of what is saved while its incentive runs
with_incentive as (
    select
        saving.saving_code,
        'gain_shared_with_vendor' as overlap_kind,
        vendor_incentive.vendor_incentive_code as counterpart_code,
        {{ day_count(
            'greatest(saving.starts_on, vendor_incentive.starts_on)',
            add_days('least(saving.ends_on, vendor_incentive.ends_on)', 1)
        ) }} as overlap_days,
        saving.saving_days,
        saving.saving_cents,
        {{ integer_units('vendor_incentive.gain_share', 4) }} as overlap_units
    from saving
    inner join vendor_incentive
        on
            saving.supplier_contract_code = vendor_incentive.supplier_contract_code
            and saving.starts_on <= vendor_incentive.ends_on
            and saving.ends_on >= vendor_incentive.starts_on
),

-- two savings of ours under one contract at a time: the later one counts only what the earlier one left
with_saving as (
    select
        saving.saving_code,
        'saved_by_another_initiative' as overlap_kind,
        earlier.saving_code as counterpart_code,
        {{ day_count(
            'greatest(saving.starts_on, earlier.starts_on)', add_days('least(saving.ends_on, earlier.ends_on)', 1)
        ) }} as overlap_days,
        saving.saving_days,
        least(
            saving.saving_cents,
            {{ round_half_up_integer('earlier.saving_cents * saving.saving_days', 'earlier.saving_days') }}
        ) as saving_cents,
        10000 as overlap_units
    from saving
    inner join saving as earlier
        on
            saving.supplier_contract_code = earlier.supplier_contract_code
            and (
                earlier.starts_on < saving.starts_on
                or (earlier.starts_on = saving.starts_on and earlier.saving_code < saving.saving_code)
            )
            and earlier.ends_on >= saving.starts_on
            and earlier.approved_on is not null
            and earlier.currency_code = saving.currency_code
),

timed as (
    select * from with_incentive
    union all
    select * from with_saving
),

by_days as (
    select
        saving_code,
        overlap_kind,
        counterpart_code,
        overlap_days,
        {{ round_half_up_integer(
            'saving_cents * overlap_days * overlap_units', 'saving_days * ' ~ exact_integer(10000)
        ) }} as overlap_cents
    from timed
),

-- what the vendor owes for missed targets lowers its bill too, and nobody saved it
with_credit as (
    select
        saving.saving_code,
        case
            when service_credit.currency_code = saving.currency_code then 'credit_counted_as_saving'
            else 'credit_in_other_currency'
        end as overlap_kind,
        service_credit.credit_key as counterpart_code,
        {{ day_count(
            'greatest(saving.starts_on, service_credit.period_start_on)',
            'least(' ~ add_days('saving.ends_on', 1) ~ ', service_credit.period_end_on)'
        ) }} as overlap_days,
        case
            when service_credit.currency_code = saving.currency_code
                then {{ integer_units('service_credit.credit_amount', 2) }}
            else 0
        end as overlap_cents
    from saving
    inner join service_credit
        on
            saving.supplier_contract_code = service_credit.supplier_contract_code
            and saving.starts_on <= service_credit.period_start_on
            and saving.ends_on >= service_credit.period_start_on
    -- one credit lowers one saving: the approved one that began first
    qualify row_number() over (
            partition by service_credit.credit_key
            order by
                case when saving.approved_on is null then 1 else 0 end,
                saving.starts_on,
                saving.saving_code
        ) = 1
),

overlap as (
    select * from by_days
    union all
    select * from with_credit
),

summed as (
    select
        saving_code,
        sum(overlap_cents) as overlap_cents
    from overlap
    group by saving_code
),

settled as (
    select
        saving.*,
        case
            when saving.approved_on is null or saving.approved_on > saving.starts_on then 'not_approved'
            when coalesce(summed.overlap_cents, 0) = 0 then 'no_overlap'
            when summed.overlap_cents >= saving.saving_cents then 'nothing_left'
            else 'reduced'
        end as saving_status,
        greatest(saving.saving_cents - coalesce(summed.overlap_cents, 0), 0) as left_cents
    from saving
    left join summed on saving.saving_code = summed.saving_code
),

rewarded as (
    select
        *,
        {{ round_half_up_integer(
            'saving_cents * ' ~ integer_units('reward_share', 4), exact_integer(10000)
        ) }} as reward_cents,
        case
            when saving_status = 'not_approved' then 0
            else {{ round_half_up_integer(
                'left_cents * ' ~ integer_units('reward_share', 4), exact_integer(10000)
            ) }}
        end as coordinated_cents
    from settled
),

final as (
    select
        cast({{ md5_of(['rewarded.saving_code', 'overlap.overlap_kind', 'overlap.counterpart_code']) }} as varchar)
            as saving_overlap_key,
        cast(rewarded.saving_code as varchar) as saving_code,
        cast(rewarded.saving_name as varchar) as saving_name,
        cast(rewarded.supplier_contract_code as varchar) as supplier_contract_code,
        cast(rewarded.vendor_code as varchar) as vendor_code,
        cast(rewarded.team_code as varchar) as team_code,
        cast(rewarded.saving_status as varchar) as saving_status,
        cast(coalesce(overlap.overlap_kind, 'none') as varchar) as overlap_kind,
        cast(overlap.counterpart_code as varchar) as counterpart_code,
        cast(coalesce(overlap.overlap_days, 0) as bigint) as overlap_days,
        cast(coalesce({{ from_integer_units('overlap.overlap_cents', 2) }}, 0) as decimal(18, 2)) as overlap_amount,
        cast(rewarded.saving_amount as decimal(18, 2)) as saving_amount,
        cast(rewarded.reward_share as decimal(9, 4)) as reward_share,
        cast({{ from_integer_units('rewarded.reward_cents', 2) }} as decimal(18, 2)) as claimed_reward_amount,
        cast({{ from_integer_units('rewarded.coordinated_cents', 2) }} as decimal(18, 2))
            as coordinated_reward_amount,
        cast(rewarded.currency_code as varchar) as currency_code
    from rewarded
    left join overlap on rewarded.saving_code = overlap.saving_code
)

select * from final
