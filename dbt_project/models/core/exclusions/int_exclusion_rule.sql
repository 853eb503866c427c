{%- set parts = ['FREQ', 'INTERVAL', 'BYDAY', 'BYMONTHDAY', 'COUNT', 'UNTIL', 'WKST'] -%}
{%- set weekday = '([+-]?[1-5])?(' ~ rule_weekdays() | join('|') ~ ')' -%}
{%- set month_day = '[+-]?(0?[1-9]|[12][0-9]|3[01])' -%}
{%- set reading = '[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]' -%}
with requests as (
    select * from {{ ref('exclusion_request') }}
),

calendars as (
    select * from {{ ref('calendar') }}
),

known_zones as (
    select distinct time_zone from calendars
),

texts as (
    select
        requests.*,
        nullif(upper(replace(requests.recurrence, ' ', '')), '') as rule_text,
        nullif(replace(trim(requests.excluded_starts), 'T', ' '), '') as excluded_text,
        -- an engine stops at a zone it does not know: such a request has no instants
        case when requests.time_zone is null then 'Etc/UTC' else known_zones.time_zone end as rule_zone
    from requests
    left join known_zones on requests.time_zone = known_zones.time_zone
),

cut as (
    select
        {% for part in parts -%}
        {{ rule_part('rule_text', part) }} as {{ part | lower }}_text,
        {% endfor -%}
        texts.*
    from texts
),

parsed as (
    select
        *,
        freq_text as frequency,
        coalesce(try_cast(interval_text as integer), case when interval_text is null then 1 end) as interval_number,
        {{ rule_weekday_number("coalesce(wkst_text, 'MO')") }} as week_start_number,
        {{ rule_list('byday_text') }} as weekday_list,
        {{ rule_list('bymonthday_text') }} as month_day_list,
        try_cast(count_text as integer) as limit_count,
        try_cast(
            substr(until_text, 1, 4) || '-' || substr(until_text, 5, 2) || '-' || substr(until_text, 7, 2) || ' '
            || substr(until_text, 10, 2) || ':' || substr(until_text, 12, 2) || ':' || substr(until_text, 14, 2)
            as timestamp
        ) as until_at,
        cast(starts_at as date) as first_on
    from cut
),

judged as (
    select
        *,
        nullif(concat_ws(
            ', ',
            case when rule_zone is null then 'time_zone_unknown' end,
            case
                when not {{ regex_matches('rule_text', '[A-Z]+=[^;=]+(;[A-Z]+=[^;=]+)*') }}
                    then 'recurrence_unreadable'
            end,
            case
                when not {{ regex_matches('rule_text', '((' ~ parts | join('|') ~ ')=[^;]*(;|$))*') }}
                    then 'recurrence_part_not_supported'
            end,
            case
                when {{ rule_repeats_a_part('rule_text', parts) }} then 'recurrence_part_repeated'
            end,
            case
                when
                    rule_text is not null
                    and coalesce(frequency, '') not in ('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY')
                    then 'recurrence_frequency_not_supported'
            end,
            case
                when not {{ regex_matches('interval_text', '^[1-9][0-9]{0,2}$') }} then 'recurrence_interval_invalid'
            end,
            case when not {{ regex_matches('count_text', '^[1-9][0-9]{0,4}$') }} then 'recurrence_count_invalid' end,
            case
                when
                    until_text is not null
                    and (not {{ regex_matches('until_text', '^[0-9]{8}T[0-9]{6}Z$') }} or until_at is null)
                    then 'recurrence_until_is_not_a_utc_instant'
            end,
            case
                when count_text is not null and until_text is not null then 'recurrence_has_count_and_until'
            end,
            case
                when
                    not {{ regex_matches('byday_text', weekday ~ '(,' ~ weekday ~ ')*') }}
                    then 'recurrence_weekday_invalid'
            end,
            case
                when
                    frequency <> 'MONTHLY'
                    and {{ regex_matches('byday_text', '.*[1-5].*') }}
                    then 'recurrence_weekday_number_outside_a_month'
            end,
            case
                when
                    not {{ regex_matches('bymonthday_text', month_day ~ '(,' ~ month_day ~ ')*') }}
                    or (frequency = 'WEEKLY' and bymonthday_text is not null)
                    then 'recurrence_month_day_invalid'
            end,
            case when week_start_number is null then 'recurrence_week_start_invalid' end,
            case
                when not {{ regex_matches('excluded_text', reading ~ '(;' ~ reading ~ ')*') }}
                    then 'excluded_starts_unreadable'
            end,
            case
                when rule_text is null and excluded_text is not null then 'excluded_starts_without_recurrence'
            end
        ), '') as form_fault
    from parsed
),

final as (
    select
        judged.exclusion_id,
        judged.category,
        judged.approved_at,
        judged.rule_zone as time_zone,
        judged.starts_at as first_starts_local,
        judged.ends_at as first_ends_local,
        judged.first_on,
        judged.rule_text as recurrence,
        judged.frequency,
        judged.interval_number,
        judged.week_start_number,
        judged.weekday_list,
        judged.month_day_list,
        judged.limit_count,
        judged.until_at,
        judged.excluded_text as excluded_starts,
        -- what comes before the first occurrence would be neither in the rule nor out of it
        coalesce(
            judged.form_fault,
            case
                when judged.rule_text is not null and not coalesce({{ recurs_on('judged', 'judged.first_on') }}, false)
                    then 'first_occurrence_not_in_recurrence'
            end
        ) as recurrence_fault
    from judged
)

select * from final
