with source as (
    select * from {{ source('bamboohr', 'employee') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
    where source = 'bamboohr' and entity = 'employee'
),

standing as (
    select source.id
    from source
    inner join extract_state on source._batch_id = extract_state.current_batch_id
),

-- every list there has been, with the one that followed it
listed as (
    select
        _batch_id,
        min(_extracted_at) as extracted_at
    from source
    group by _batch_id
),

followed as (
    select
        _batch_id,
        lead(extracted_at) over (order by extracted_at, _batch_id) as next_extracted_at
    from listed
),

last_seen as (
    select *
    from source
    where id not in (select standing.id from standing)
    qualify row_number() over (partition by id order by _extracted_at desc, _batch_id desc, _row_number desc) = 1
),

renamed as (
    select
        last_seen.id as employee_id,
        nullif(last_seen.{{ adapter.quote('employeeNumber') }}, '') as employee_number,
        nullif(last_seen.{{ adapter.quote('displayName') }}, '') as display_name,
        nullif(last_seen.{{ adapter.quote('workEmail') }}, '') as work_email,
        {{ to_date('last_seen.' ~ adapter.quote('hireDate')) }} as hired_on,
        {{ to_date('last_seen.' ~ adapter.quote('terminationDate')) }} as terminated_on,
        last_seen._extracted_at as last_seen_at,
        followed.next_extracted_at as delisted_at,
        last_seen._batch_id as batch_id
    from last_seen
    inner join followed on last_seen._batch_id = followed._batch_id
)

select * from renamed
