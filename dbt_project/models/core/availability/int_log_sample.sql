-- What the lines of a log say of its monitor, a minute at a time: the first rule that fits a line judges it.
with lines as (
    select * from {{ ref('stg_legacy_log__lines') }}
),

rules as (
    select * from {{ ref('log_outcome_rule') }}
),

bindings as (
    select * from {{ ref('monitor_binding') }}
    where record_kind = 'log'
),

judged as (
    select
        lines.log_name,
        lines.logged_at,
        lines.response_ms,
        lines.batch_id,
        rules.outcome
    from lines
    inner join rules
        on
            lines.log_name = rules.log_name
            and lines.line_kind = rules.line_kind
            and {{ follows_pattern(
                "case rules.matched_field when 'status' then lines.status_code when 'path' then lines.request_path"
                ~ " when 'level' then lines.log_level else lines.log_message end",
                'rules.pattern'
            ) }}
    qualify row_number() over (
            partition by lines.log_name, lines.log_file, lines.line_number
            order by rules.rule_number
        ) = 1
),

weighed as (
    select
        bindings.monitor_id,
        judged.log_name,
        date_trunc('minute', judged.logged_at) as sampled_at,
        judged.response_ms,
        bindings.bad_share,
        judged.batch_id,
        judged.outcome = 'bad' or coalesce(judged.response_ms > bindings.slow_after_ms, false) as is_bad
    from judged
    inner join bindings on judged.log_name = bindings.record_key
    where judged.outcome <> 'ignored'
),

minutes as (
    select
        monitor_id,
        log_name,
        sampled_at,
        count(*) as line_count,
        sum(case when is_bad then 1 else 0 end) as bad_count,
        max(bad_share) as bad_share,
        max(response_ms) as response_ms,
        max(batch_id) as batch_id
    from weighed
    group by monitor_id, log_name, sampled_at
),

final as (
    select
        monitor_id,
        log_name,
        sampled_at,
        cast(line_count as bigint) as line_count,
        cast(bad_count as bigint) as bad_count,
        case when bad_count > 0 and bad_count >= bad_share * line_count then 'bad' else 'good' end as source_outcome,
        cast(response_ms as integer) as response_ms,
        batch_id
    from minutes
)

select * from final
