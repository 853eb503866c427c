with register as (
    select * from {{ ref('monitor_register') }}
),

samples as (
    select * from {{ ref('int_monitor_sample') }}
),

outcomes as (
    select * from {{ ref('monitor_outcome') }}
),

clocks as (
    select * from {{ ref('int_sample_clock') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

-- a status of its own goes before its class; the outcome as a number: 1 good, 2 bad, 3 unknown
verdicts as (
    select
        found.source_outcome,
        case coalesce(exact.outcome, class.outcome) when 'good' then 1 when 'bad' then 2 else 3 end as outcome
    from (select distinct source_outcome from samples) as found
    left join outcomes as exact on found.source_outcome = exact.source_outcome
    left join outcomes as class
        on length(found.source_outcome) = 3 and concat(left(found.source_outcome, 1), 'xx') = class.source_outcome
),

corrected as (
    select
        samples.monitor_id,
        samples.probe_location,
        verdicts.outcome,
        {{ epoch_seconds('samples.sampled_at') }} + clocks.correction_seconds as sampled_second
    from samples
    inner join clocks
        on
            samples.monitor_id = clocks.monitor_id
            and samples.probe_location = clocks.probe_location
            and cast(samples.sampled_at as date) = clocks.sampled_on
    inner join verdicts on samples.source_outcome = verdicts.source_outcome
),

expected as (
    select
        register.*,
        {{ epoch_seconds('register.effective_from') }} as from_second,
        {{ epoch_seconds('least(coalesce(register.effective_to, run_context.as_of_at), run_context.as_of_at)') }}
            as to_second,
        {{ int_div('3600', 'register.expected_interval_seconds') }} - 1 as last_slot,
        -- which verdict of two places stands: every bit where it is bad's, or good's
        case when register.location_rule = 'all' then 0 else -1 end as bad_stands,
        case when register.location_rule = 'all' then -1 else 0 end as good_stands
    from register
    cross join run_context
),

placed as (
    select
        corrected.monitor_id,
        corrected.probe_location,
        corrected.outcome,
        {{ int_div('corrected.sampled_second', '3600') }} as hour_number,
        {{ int_div('mod(corrected.sampled_second, 3600)', 'expected.expected_interval_seconds') }} as slot_number
    from corrected
    inner join expected
        on
            corrected.monitor_id = expected.monitor_id
            and corrected.sampled_second >= expected.from_second
            and corrected.sampled_second < expected.to_second
),

-- a sample that came twice sets its bit twice, which is once: duplicates need no step of their own
outcome_hours as (
    select
        monitor_id,
        probe_location,
        hour_number,
        outcome,
        {{ bits_at_any('slot_number') }} as bits
    from placed
    group by monitor_id, probe_location, hour_number, outcome
),

-- of several verdicts of one place in one interval the worst stands: bad, then unknown, then good
probe_hours as (
    select
        monitor_id,
        probe_location,
        hour_number,
        {{ bits_of_any('bits') }} as sample_bits,
        {{ bits_without(
            bits_of_any('case when outcome = 1 then bits else 0 end'),
            bits_of_any('case when outcome = 1 then 0 else bits end')
        ) }} as good_bits,
        {{ bits_of_any('case when outcome = 2 then bits else 0 end') }} as bad_bits
    from outcome_hours
    group by monitor_id, probe_location, hour_number
),

-- each hour is told to itself and to the one after it, which is cheaper than a join of the hours with themselves
told_hours as (
    select
        *,
        {{ number_spine('0', '1') }} as hours_later
    from probe_hours
),

sampled_hours as (
    select
        monitor_id,
        case when hours_later = 0 then hour_number else hour_number + 1 end as hour_number,
        count(case when hours_later = 0 then probe_location end) as location_count,
        {{ bits_of_any('case when hours_later = 0 then sample_bits else 0 end') }} as sample_bits,
        {{ bits_of_any('case when hours_later = 0 then good_bits else 0 end') }} as good_bits,
        {{ bits_of_any('case when hours_later = 0 then bad_bits else 0 end') }} as bad_bits,
        {{ bits_of_any('case when hours_later = 1 then good_bits else 0 end') }} as before_good_bits,
        {{ bits_of_any('case when hours_later = 1 then bad_bits else 0 end') }} as before_bad_bits
    from told_hours
    group by monitor_id, case when hours_later = 0 then hour_number else hour_number + 1 end
),

expected_hours as (
    select
        expected.*,
        {{ number_spine(int_div('from_second', '3600'), int_div('(to_second - 1)', '3600')) }} as hour_number
    from expected
    where from_second < to_second
),

-- the hour before tells whether a state or a gap goes on; the register's first hour has none
joined as (
    select
        expected_hours.*,
        least(expected_hours.to_second - expected_hours.hour_number * 3600, 3600) as expected_seconds,
        expected_hours.hour_number * 3600 > expected_hours.from_second as has_hour_before,
        coalesce(sampled_hours.location_count, 0) as location_count,
        coalesce(sampled_hours.sample_bits, 0) as sample_bits,
        coalesce(sampled_hours.good_bits, 0) as good_bits,
        coalesce(sampled_hours.bad_bits, 0) as bad_bits,
        coalesce(sampled_hours.before_good_bits, 0) as before_good_bits,
        coalesce(sampled_hours.before_bad_bits, 0) as before_bad_bits
    from expected_hours
    left join sampled_hours
        on
            expected_hours.monitor_id = sampled_hours.monitor_id
            and expected_hours.hour_number = sampled_hours.hour_number
),

ruled as (
    select
        *,
        {{ int_div('expected_seconds + expected_interval_seconds - 1', 'expected_interval_seconds') }}
            as expected_count,
        {{ bits_without('good_bits', bits_in_both('bad_bits', 'bad_stands')) }} as up_bits,
        {{ bits_without('bad_bits', bits_in_both('good_bits', 'good_stands')) }} as down_bits,
        {{ bit_value(bits_without('before_good_bits', bits_in_both('before_bad_bits', 'bad_stands')), 'last_slot') }}
            as before_up,
        {{ bit_value(bits_without('before_bad_bits', bits_in_both('before_good_bits', 'good_stands')), 'last_slot') }}
            as before_down
    from joined
),

final as (
    select
        monitor_id,
        service_code,
        sample_kind,
        is_required,
        cast(expected_interval_seconds as bigint) as expected_interval_seconds,
        cast(missing_after_seconds as bigint) as missing_after_seconds,
        hour_number,
        {{ from_epoch_seconds('hour_number * 3600') }} as hour_at,
        expected_seconds,
        expected_count,
        location_count,
        sample_bits,
        up_bits,
        down_bits,
        {{ bits_in_both('good_bits', 'bad_bits') }} as disputed_bits,
        {{ state_changes('up_bits', 'down_bits') }} + case
            when
                has_hour_before
                and (
                    (before_up = 1 and {{ bit_value('down_bits', '0') }} = 1)
                    or (before_down = 1 and {{ bit_value('up_bits', '0') }} = 1)
                )
                then 1
            else 0
        end as state_change_count,
        {{ gap_starts('up_bits', 'down_bits', 'expected_count') }} - case
            when
                has_hour_before
                and before_up + before_down = 0
                and {{ bit_value(bits_in_either('up_bits', 'down_bits'), '0') }} = 0
                then 1
            else 0
        end as gap_count
    from ruled
)

select * from final
