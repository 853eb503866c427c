-- Raw records behind the claims of vendors, and whether an agreement lets them count.
with record as (
    select * from {{ ref('stg_vendor_performance__records') }}
),

permission as (
    select * from {{ ref('int_vendor_data_permission') }}
    where is_effective and data_kind = 'performance_drop'
),

-- several agreements may allow the same day
allowed as (
    select distinct
        record.vendor_code,
        record.record_id
    from record
    inner join permission
        on
            record.vendor_code = permission.vendor_code
            and cast(record.started_at as date) >= permission.valid_from_on
            and cast(record.started_at as date) <= permission.valid_to_on
),

final as (
    select
        record.vendor_code,
        record.record_id,
        record.service_code,
        record.record_kind,
        record.reference,
        record.started_at,
        record.ended_at,
        record.affected_share,
        record.counted_seconds,
        record.target_seconds,
        record.batch_id,
        allowed.vendor_code is not null as is_covered
    from record
    left join allowed
        on
            record.vendor_code = allowed.vendor_code
            and record.record_id = allowed.record_id
)

select * from final
