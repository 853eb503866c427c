{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- Every result that was ever in force, appended when a run finds it different from what it last said. Nothing in it is
-- ever changed: until when an entry was believed follows from the one after it (fct_metric_result_history).
with metric_result as (
    select * from {{ ref('int_metric_result') }}
    where is_in_force
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

extract_batch as (
    select * from {{ ref('int_extract_batch') }}
),

found as (
    select
        {{ (result_log_key() + result_log_content()) | join(',\n        ') }},
        {{ md5_of(result_log_key() + result_log_content()) }} as content_hash
    from metric_result
),

{{ appended_entries('found', result_log_key(), result_log_content(), 'withdrawn', is_incremental(), this) }}

select * from final
