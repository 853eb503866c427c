-- Which vendor data count: every vendor and kind of data, the agreements on it, and what they let in and keep out.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

vendors as (
    select * from {{ ref('vendor') }}
),

kinds as (
    select * from {{ ref('vendor_data_kind') }}
),

permissions as (
    select * from {{ ref('int_vendor_data_permission') }}
),

reports as (
    select * from {{ ref('int_vendor_reported_performance') }}
),

claims as (
    select * from {{ ref('int_vendor_claim') }}
),

records as (
    select * from {{ ref('int_vendor_claim_record') }}
),

received as (
    select
        vendor_code,
        'component_report' as data_kind,
        period_month as data_on,
        is_covered
    from reports

    union all

    select
        vendor_code,
        'performance_drop' as data_kind,
        period_month as data_on,
        is_covered
    from claims

    union all

    select
        vendor_code,
        'performance_drop' as data_kind,
        cast(started_at as date) as data_on,
        is_covered
    from records
),

counted as (
    select
        vendor_code,
        data_kind,
        count(*) as received_count,
        sum(case when is_covered then 1 else 0 end) as counted_count,
        sum(case when is_covered then 0 else 1 end) as refused_count,
        min(case when not is_covered then data_on end) as refused_from_on
    from received
    group by vendor_code, data_kind
),

joined as (
    select
        vendors.vendor_code,
        vendors.vendor_name,
        kinds.data_kind,
        kinds.purpose_code as needed_purpose_code,
        kinds.used_by,
        permissions.agreement_code,
        permissions.agreed_purpose_code,
        permissions.signed_on,
        permissions.effective_from,
        permissions.valid_from_on,
        permissions.valid_to_on,
        permissions.owner_role_code,
        coalesce(permissions.agreement_status, 'no_agreement') as finding,
        coalesce(counted.received_count, 0) as received_count,
        coalesce(counted.counted_count, 0) as counted_count,
        coalesce(counted.refused_count, 0) as refused_count,
        counted.refused_from_on,
        cast(run_context.as_of_at as date) as as_of_on
    from vendors
    cross join kinds
    cross join run_context
    left join permissions
        on vendors.vendor_code = permissions.vendor_code and kinds.data_kind = permissions.data_kind
    left join counted on vendors.vendor_code = counted.vendor_code and kinds.data_kind = counted.data_kind
),

final as (
    select
        cast({{ md5_of(['vendor_code', 'data_kind', 'agreement_code']) }} as varchar) as vendor_data_key,
        cast(vendor_code as varchar) as vendor_code,
        cast(vendor_name as varchar) as vendor_name,
        cast(data_kind as varchar) as data_kind,
        cast(needed_purpose_code as varchar) as needed_purpose_code,
        cast(used_by as varchar) as used_by,
        cast(agreement_code as varchar) as agreement_code,
        cast(agreed_purpose_code as varchar) as agreed_purpose_code,
        cast(signed_on as date) as signed_on,
        cast(valid_from_on as date) as valid_from_on,
        cast(nullif(valid_to_on, date '9999-12-31') as date) as valid_to_on,
        cast(finding as varchar) as finding,
        cast(finding = 'in_force' as boolean) as is_in_force,
        cast(
            max(case when finding = 'in_force' then 1 else 0 end) over (partition by vendor_code, data_kind) = 1
            as boolean
        ) as is_vendor_data_allowed,
        cast(received_count as bigint) as received_count,
        cast(counted_count as bigint) as counted_count,
        cast(refused_count as bigint) as refused_count,
        cast(refused_from_on as date) as refused_from_on,
        cast(
            case
                when finding in ('expired', 'terminated') then {{ add_days('valid_to_on', 1) }}
                when finding in ('not_signed', 'purpose_not_covered', 'never_in_force') then effective_from
                when finding = 'no_agreement' then refused_from_on
            end as date
        ) as since_on,
        cast(
            case when finding <> 'in_force' then coalesce(owner_role_code, 'service_level_manager') end as varchar
        ) as act_role_code
    from joined
)

select * from final
