-- Every line of payout to payroll and payout to ledger that does not agree, with the acceptance that explains it or the
-- reasons why none does. An acceptance explains one difference: of its key, its status and its amount to the cent.
with rec_payout_to_payroll as (
    select * from {{ ref('rec_payout_to_payroll') }}
    where status <> 'matched'
),

rec_payout_to_gl as (
    select * from {{ ref('rec_payout_to_gl') }}
    where status <> 'matched'
),

acceptance as (
    select * from {{ ref('int_accepted_difference') }}
),

differing as (
    select
        'rec_payout_to_payroll' as rec_name,
        rec_key,
        employee_number as subject_code,
        earned_quarter,
        currency_code,
        status,
        difference_amount,
        age_days,
        explanation
    from rec_payout_to_payroll

    union all

    select
        'rec_payout_to_gl' as rec_name,
        rec_key,
        cost_centre_code as subject_code,
        earned_quarter,
        currency_code,
        status,
        difference_amount,
        age_days,
        explanation
    from rec_payout_to_gl
),

-- what has not come yet is waited for: nobody can accept it
held_against as (
    select
        differing.rec_name,
        differing.rec_key,
        acceptance.acceptance_id,
        acceptance.explanation as accepted_explanation,
        acceptance.accepted_by,
        acceptance.accepted_on,
        concat_ws(
            ', ',
            acceptance.refusal_reasons,
            case when differing.status in ('timing', 'source_absent') then 'not_told_yet' end,
            case when acceptance.status <> differing.status then 'status_differs' end,
            case when acceptance.difference_amount <> differing.difference_amount then 'amount_differs' end
        ) as faults
    from differing
    inner join acceptance
        on
            differing.rec_name = acceptance.rec_name
            and coalesce(differing.subject_code, '') = coalesce(acceptance.subject_code, '')
            and coalesce(differing.earned_quarter, '') = coalesce(acceptance.earned_quarter, '')
            and coalesce(differing.currency_code, '') = coalesce(acceptance.currency_code, '')
),

accepted as (
    select
        rec_name,
        rec_key,
        acceptance_id,
        accepted_explanation,
        accepted_by,
        accepted_on,
        row_number() over (partition by rec_name, rec_key order by accepted_on, acceptance_id) as acceptance_rank
    from held_against
    where faults = ''
),

refused as (
    select
        rec_name,
        rec_key,
        {{ string_list("acceptance_id || ': ' || faults", 'acceptance_id') }} as refused_acceptances
    from held_against
    where faults <> ''
    group by rec_name, rec_key
),

final as (
    select
        cast({{ md5_of(['differing.rec_name', 'differing.rec_key']) }} as varchar) as rec_difference_key,
        cast(differing.rec_name as varchar) as rec_name,
        cast(differing.rec_key as varchar) as rec_key,
        cast(differing.subject_code as varchar) as rec_subject_code,
        cast(differing.earned_quarter as varchar) as earned_quarter,
        cast(differing.currency_code as varchar) as currency_code,
        cast(differing.status as varchar) as status,
        cast(differing.difference_amount as decimal(18, 2)) as difference_amount,
        cast(differing.age_days as integer) as age_days,
        cast(differing.explanation as varchar) as rec_explanation,
        cast(
            case
                when differing.status in ('timing', 'source_absent') then 'not_told_yet'
                when accepted.acceptance_id is not null then 'accepted'
                else 'unexplained'
            end as varchar
        ) as finding,
        cast(accepted.acceptance_id is not null as boolean) as is_explained,
        cast(accepted.acceptance_id as varchar) as acceptance_id,
        cast(accepted.accepted_explanation as varchar) as accepted_explanation,
        cast(accepted.accepted_by as varchar) as accepted_by,
        cast(accepted.accepted_on as date) as accepted_on,
        cast(refused.refused_acceptances as varchar) as refused_acceptances
    from differing
    left join accepted
        on
            differing.rec_name = accepted.rec_name
            and differing.rec_key = accepted.rec_key
            and accepted.acceptance_rank = 1
    left join refused
        on differing.rec_name = refused.rec_name and differing.rec_key = refused.rec_key
)

select * from final
