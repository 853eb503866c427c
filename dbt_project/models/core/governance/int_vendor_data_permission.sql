-- Each data-sharing agreement: whether it lets its data count, for which days, and why not.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

agreements as (
    select * from {{ ref('data_sharing_agreement') }}
),

kinds as (
    select * from {{ ref('vendor_data_kind') }}
),

joined as (
    select
        agreements.agreement_code,
        agreements.vendor_code,
        agreements.data_kind,
        agreements.purpose_code as agreed_purpose_code,
        kinds.purpose_code as needed_purpose_code,
        agreements.signed_on,
        agreements.owner_role_code,
        agreements.effective_from,
        agreements.effective_to,
        agreements.terminated_on,
        cast(run_context.as_of_at as date) as as_of_on,
        -- what was shared before both had signed was shared without an agreement
        greatest(agreements.effective_from, coalesce(agreements.signed_on, agreements.effective_from)) as valid_from_on,
        least(
            coalesce(agreements.effective_to, date '9999-12-31'),
            coalesce({{ add_days('agreements.terminated_on', -1) }}, date '9999-12-31')
        ) as valid_to_on
    from agreements
    cross join run_context
    inner join kinds on agreements.data_kind = kinds.data_kind
),

judged as (
    select
        *,
        signed_on is not null and signed_on <= as_of_on as is_signed,
        agreed_purpose_code = needed_purpose_code as is_purpose_covered,
        valid_from_on <= valid_to_on as has_days
    from joined
),

final as (
    select
        agreement_code,
        vendor_code,
        data_kind,
        agreed_purpose_code,
        needed_purpose_code,
        signed_on,
        owner_role_code,
        effective_from,
        effective_to,
        terminated_on,
        valid_from_on,
        valid_to_on,
        is_signed and is_purpose_covered and has_days as is_effective,
        case
            when not is_signed then 'not_signed'
            when not is_purpose_covered then 'purpose_not_covered'
            when not has_days then 'never_in_force'
            when as_of_on < valid_from_on then 'not_yet_in_force'
            when as_of_on > valid_to_on and terminated_on is not null and terminated_on <= as_of_on then 'terminated'
            when as_of_on > valid_to_on then 'expired'
            else 'in_force'
        end as agreement_status
    from judged
)

select * from final
