{#- How a result becomes pay, for what pays and for what asks what would be paid. -#}

{#- Query: the achievement bands with the bound and share of the next one. A band reaches up to the next band's lower
    bound; the top band has no upper bound. -#}
{% macro bounded_bands(relation) -%}
    select
        plan_code,
        plan_version,
        component_code,
        lower_bound,
        payout_share,
        lead(lower_bound) over (
            partition by plan_code, plan_version, component_code order by lower_bound
        ) as upper_bound,
        lead(payout_share) over (
            partition by plan_code, plan_version, component_code order by lower_bound
        ) as upper_payout_share
    from {{ relation }}
{%- endmacro %}

{#- Share of the target a value earns in the band it lies in, DECIMAL(18, 4): the band's own, or between it and the next
    one. A result that is not ok, or lies below the first band, earns nothing. band: alias of a row of bounded_bands. -#}
{% macro earned_share(value, result_status, band_method, band) -%}
case
            when {{ result_status }} <> 'ok' or {{ band }}.lower_bound is null then 0
            when {{ band_method }} = 'flat' or {{ band }}.upper_bound is null then {{ band }}.payout_share
            else {{ round_half_up_ratio(
                integer_units(band ~ '.payout_share', 4)
                    ~ ' * (' ~ integer_units(band ~ '.upper_bound', 6) ~ ' - ' ~ integer_units(band ~ '.lower_bound', 6) ~ ')'
                    ~ ' + (' ~ integer_units(band ~ '.upper_payout_share', 4) ~ ' - ' ~ integer_units(band ~ '.payout_share', 4) ~ ')'
                    ~ ' * (' ~ integer_units(value, 6) ~ ' - ' ~ integer_units(band ~ '.lower_bound', 6) ~ ')',
                '10000 * (' ~ integer_units(band ~ '.upper_bound', 6) ~ ' - ' ~ integer_units(band ~ '.lower_bound', 6) ~ ')',
                4
            ) }}
        end
{%- endmacro %}

{#- Units of 10^-10 that one band adds to what stepped bands pay on a value counted from zero: the part of the value
    inside the band, at the band's rate (its payout_share, per unit of the metric). -#}
{% macro step_units(value, band) -%}
    greatest(
        0,
        {{ integer_units(
            'case when ' ~ band ~ '.upper_bound < ' ~ value ~ ' then ' ~ band ~ '.upper_bound else ' ~ value ~ ' end', 6
        ) }} - {{ integer_units(band ~ '.lower_bound', 6) }}
    ) * {{ integer_units(band ~ '.payout_share', 4) }}
{%- endmacro %}

{#- Query: each row of a relation with value_key (unique) and running_before_value, what stepped bands were climbed by
    before: of a cumulative component what its earlier quarters counted, else 0. Nothing is counted without enough data
    or below the threshold. The relation has plan_code, plan_version, tier, component_code, team_code, period_start_on,
    processing_grain, threshold_value, value and result_status, one row each per period and `keys`. -#}
{% macro running_value(relation, keys) -%}
    {%- set run = keys + ['plan_code', 'plan_version', 'tier', 'component_code', 'team_code'] -%}
    select
        counted.*,
        {{ md5_of(run + ['period_start_on']) }} as value_key,
        cast(
            case
                when counted.processing_grain = 'cumulative'
                    then coalesce(
                        sum(counted.counted_value) over (
                            partition by {{ run | join(', ') }}
                            order by counted.period_start_on
                            rows between unbounded preceding and 1 preceding
                        ),
                        0
                    )
                else 0
            end as decimal(18, 6)
        ) as running_before_value
    from (
        select
            *,
            case
                when coalesce(result_status, '') <> 'ok' or value is null or value < threshold_value then 0
                else value
            end as counted_value
        from {{ relation }}
    ) as counted
{%- endmacro %}

{#- Share of the target a value earns that lies in a band of the share given, DECIMAL(18, 4): nothing below the
    threshold, and from where the accelerator runs the band's share times its factor, half up. -#}
{% macro accelerated_share(value, banded_share, threshold_value, accelerator_from_value, accelerator_factor) -%}
case
                when {{ value }} < {{ threshold_value }} then cast(0 as decimal(18, 4))
                when {{ value }} >= {{ accelerator_from_value }}
                    then {{ round_half_up_ratio(
                        integer_units(banded_share, 4) ~ ' * ' ~ integer_units(accelerator_factor, 4), '100000000', 4
                    ) }}
                else {{ banded_share }}
            end
{%- endmacro %}

{#- Query: each row of a relation with the share of the target its value earns by its component's bands, threshold and
    accelerator, as payout_share. The relation has value_key (unique), plan_code, plan_version, component_code,
    band_method, threshold_value, accelerator_from_value, accelerator_factor, value, result_status and
    running_before_value, what stepped bands were climbed by before (0 where each quarter begins at the bottom).

    flat and interpolated: the band the value lies in. stepped: what the bands pay on the running total with the value
    less what they pay on the running total before it, each rounded half up to 4 places, so that the quarters of a
    period add up to what the bands pay on its total. A value below the threshold earns nothing; one from which the
    accelerator runs earns its share times the factor, half up to 4 places. -#}
{% macro valued_share(relation, band) -%}
    select
        valued.*,
        case
            when coalesce(valued.result_status, '') <> 'ok' or valued.value is null then cast(0 as decimal(18, 4))
            else {{ accelerated_share(
                'valued.value',
                'shared.banded_share',
                'valued.threshold_value',
                'valued.accelerator_from_value',
                'valued.accelerator_factor'
            ) }}
        end as payout_share
    from {{ relation }} as valued
    left join (
        select
            banded.value_key,
            case
                when max(banded.band_method) = 'stepped'
                    then {{ from_integer_units(
                        round_half_up_integer('sum(banded.after_units)', '1000000')
                            ~ ' - ' ~ round_half_up_integer('sum(banded.before_units)', '1000000'),
                        4
                    ) }}
                else cast(coalesce(max(banded.reached_share), 0) as decimal(18, 4))
            end as banded_share
        from (
            select
                offered.value_key,
                offered.band_method,
                case
                    when
                        offered.value >= band.lower_bound
                        and (band.upper_bound is null or offered.value < band.upper_bound)
                        then {{ earned_share('offered.value', 'offered.result_status', 'offered.band_method', 'band') }}
                end as reached_share,
                {{ step_units('(offered.running_before_value + offered.value)', 'band') }} as after_units,
                {{ step_units('offered.running_before_value', 'band') }} as before_units
            from {{ relation }} as offered
            left join {{ band }} as band
                on
                    offered.plan_code = band.plan_code
                    and offered.plan_version = band.plan_version
                    and offered.component_code = band.component_code
            where offered.result_status = 'ok' and offered.value is not null
        ) as banded
        group by banded.value_key
    ) as shared on valued.value_key = shared.value_key
{%- endmacro %}

{#- Query: what counter-metrics leave of each component, as gate_share with gate_reason, one row per component that has
    gates, team and quarter. component_result: plan_code, plan_version, tier, component_code, team_code,
    period_start_on (unique); paid_result: the teams' results with the value pay uses. A result of too little data says
    nothing, so it takes nothing away. -#}
{% macro gated_share(component_result, counter_gate, paid_result) -%}
    select
        {{ component_result }}.plan_code,
        {{ component_result }}.plan_version,
        {{ component_result }}.tier,
        {{ component_result }}.component_code,
        {{ component_result }}.team_code,
        {{ component_result }}.period_start_on,
        min(
            case
                when
                    counter.result_status = 'ok'
                    and (
                        counter.paid_value < counter_gate.least_value
                        or counter.paid_value > counter_gate.most_value
                    )
                    then counter_gate.share_kept
                else 1
            end
        ) as gate_share,
        {{ string_list(
            "case
                when coalesce(counter.result_status, '') <> 'ok' then counter_gate.counter_metric_code || ' no_data'
                when counter.paid_value < counter_gate.least_value
                    then counter_gate.counter_metric_code || ' below ' || cast(counter_gate.least_value as varchar)
                when counter.paid_value > counter_gate.most_value
                    then counter_gate.counter_metric_code || ' above ' || cast(counter_gate.most_value as varchar)
            end",
            'counter_gate.counter_metric_code'
        ) }} as gate_reason
    from {{ component_result }}
    inner join {{ counter_gate }} as counter_gate
        on
            {{ component_result }}.plan_code = counter_gate.plan_code
            and {{ component_result }}.plan_version = counter_gate.plan_version
            and {{ component_result }}.tier = counter_gate.tier
            and {{ component_result }}.component_code = counter_gate.component_code
    left join {{ paid_result }} as counter
        on
            counter_gate.counter_metric_code = counter.metric_code
            and {{ component_result }}.team_code = counter.entity_code
            and {{ component_result }}.period_start_on = counter.period_start_on
    group by
        {{ component_result }}.plan_code,
        {{ component_result }}.plan_version,
        {{ component_result }}.tier,
        {{ component_result }}.component_code,
        {{ component_result }}.team_code,
        {{ component_result }}.period_start_on
{%- endmacro %}

{#- A line's exact amount in cents is line_cent_numerator / line_cent_denominator: target x paid days / days of the
    quarter x weight x share of the bands x what gates leave x what eligibility leaves. -#}
{% macro line_cent_numerator(payout_share) -%}
    {{ integer_units('target_amount', 2) }}
        * {{ integer_units('paid_days_value', 4) }}
        * {{ integer_units('weight', 4) }}
        * {{ integer_units(payout_share, 4) }}
        * {{ integer_units('gate_share', 4) }}
        * {{ integer_units('eligible_share', 4) }}
{%- endmacro %}
{% macro line_cent_denominator() -%}
    {{ exact_integer('quarter_days') }} * {{ exact_integer('100000000') }} * {{ exact_integer('1000000000000') }}
{%- endmacro %}
