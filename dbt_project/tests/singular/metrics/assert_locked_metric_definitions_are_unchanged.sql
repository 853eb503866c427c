-- A definition changed under its old version number would move what past periods say, and pay, without a trace.
{{ config(meta={'requirements': ['OPS-4.6'], 'dagster': {'ref': {'name': 'metric_definition_lock'}}}) }}
with failure as (
    select
        coalesce(definition.metric_code, locked.metric_code) as metric_code,
        coalesce(definition.metric_version, locked.metric_version) as metric_version,
        locked.definition_hash as locked_hash,
        definition.definition_hash as computed_hash,
        case
            when locked.metric_code is null
                then 'new version: lock it with python -m dagster_project.lib.metric_lock --write'
            when definition.metric_code is null
                then 'locked version is gone: put its rows back, old versions stay'
            else 'changed under its old number: put the seeds or macros/metrics back, or define a new version'
        end as what_to_do
    from {{ ref('int_metric_definition') }} as definition
    full join {{ ref('metric_definition_lock') }} as locked
        on
            definition.metric_code = locked.metric_code
            and definition.metric_version = locked.metric_version
    where
        definition.metric_code is null
        or locked.metric_code is null
        or definition.definition_hash <> locked.definition_hash
)

select * from failure
