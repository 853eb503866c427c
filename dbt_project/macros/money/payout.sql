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

{#- A line's exact amount in cents is line_cent_numerator / line_cent_denominator. -#}
{% macro line_cent_numerator(payout_share) -%}
    {{ integer_units('target_amount', 2) }}
        * {{ exact_integer('segment_days') }}
        * {{ integer_units('weight', 4) }}
        * {{ integer_units(payout_share, 4) }}
{%- endmacro %}
{% macro line_cent_denominator() -%}
    {{ exact_integer('quarter_days') }} * 100000000
{%- endmacro %}
