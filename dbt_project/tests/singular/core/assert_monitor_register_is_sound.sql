-- A monitor in two versions at once would count its seconds twice, and one that begins within an hour would be
-- expected before it exists: the register's ends stand on whole hours and its versions do not overlap.
{{ config(meta={'dagster': {'ref': {'name': 'monitor_register'}}}) }}
with register as (
    select * from {{ ref('monitor_register') }}
),

requirement as (
    select * from {{ ref('monitoring_requirement') }}
),

ends as (
    select
        monitor_id as entry,
        effective_from as from_at,
        effective_to as to_at
    from register
    union all
    select
        concat(service_code, ' ', sample_kind) as entry,
        required_from as from_at,
        required_to as to_at
    from requirement
)

select
    ends.entry,
    ends.from_at,
    ends.to_at,
    'ends on whole hours, the last one later than the first' as broken_rule
from ends
where
    mod({{ epoch_seconds('ends.from_at') }}, 3600) <> 0
    or mod(coalesce({{ epoch_seconds('ends.to_at') }}, 0), 3600) <> 0
    or ends.to_at <= ends.from_at
union all
select
    register.monitor_id as entry,
    register.effective_from as from_at,
    later.effective_from as to_at,
    'versions of a monitor do not overlap' as broken_rule
from register
inner join register as later on register.monitor_id = later.monitor_id
where
    register.effective_from < later.effective_from
    and coalesce(register.effective_to, timestamp '9999-12-31') > later.effective_from
