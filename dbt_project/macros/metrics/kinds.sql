{#- The arithmetic of metrics: one value and one interval per aggregation kind, then what all kinds share. All of it is
    part of definition_hash through metric_kind_fingerprint, so that a change here is a change of every definition
    of the kind. Values are whole numbers of 10^-12 until the one rounding to six places; DOUBLE appears in
    intervals alone, which pay nothing.

    Columns read (of int_metric_result's ctes): numerator, denominator, value_multiplier, value_divisor, and for intervals
    critical_value (DOUBLE, normal quantile), observation_count, plain_numerator, and the sums numerator_square_sum,
    denominator_square_sum, product_sum, weighted_numerator_sum (weight^2 x numerator),
    weighted_denominator_sum (weight^2 x denominator). -#}

{% macro metric_kinds() -%}
    {{ return(['share', 'weighted_share', 'ratio', 'mean', 'rate', 'sum', 'time_share']) }}
{%- endmacro %}

{#- Whole number nearest to value x 10^12. -#}
{% macro metric_units(numerator, denominator) -%}
    {{ round_half_up_integer(exact_integer(numerator) ~ ' * value_multiplier * 1000000000000', exact_integer(denominator) ~ ' * value_divisor') }}
{%- endmacro %}

{#- 10^-12 units to DECIMAL(18, 6), half away from zero. -#}
{% macro metric_decimal(units) -%}
    {{ from_integer_units(round_half_up_integer(units, '1000000'), 6) }}
{%- endmacro %}

{#- Per kind: value in 10^-12. -#}
{% macro metric_value_of(kind) -%}
    {%- if kind == 'sum' -%}
    {{ metric_units('numerator', '1') }}
    {%- else -%}
    {{ metric_units('numerator', 'denominator') }}
    {%- endif -%}
{%- endmacro %}

{#- Per kind: lower (-1) or upper (1) bound of the value's confidence interval as DOUBLE; null where the observations
    are too few to have a spread. -#}
{% macro metric_bound_of(kind, side) -%}
    {%- if kind == 'share' -%}
    {{ wilson_bound('numerator', 'denominator', float_of('denominator'), 'critical_value', side) }}
    {%- elif kind == 'weighted_share' -%}
    {{ wilson_bound(
        'numerator', 'denominator',
        float_ratio(float_of('denominator') ~ ' * ' ~ float_of('denominator'), 'weighted_denominator_sum'),
        'critical_value', side
    ) }}
    {%- elif kind == 'rate' -%}
    {{ float_ratio(byar_bound(float_of('numerator'), 'critical_value', side) ~ ' * value_multiplier', float_of('denominator') ~ ' * value_divisor') }}
    {%- elif kind == 'sum' -%}
    {{ float_ratio(dobson_bound('numerator', 'plain_numerator', 'weighted_numerator_sum', 'critical_value', side) ~ ' * value_multiplier', 'value_divisor') }}
    {%- elif kind == 'mean' -%}
    {{ ratio_bound('critical_value', side) }}
    {%- elif kind == 'ratio' -%}
    {{ ratio_bound('critical_value', side) }}
    {%- elif kind == 'time_share' -%}
    (case when observation_count > 1 then least(greatest({{ ratio_bound('critical_value', side) }}, 0), 1) end)
    {%- else -%}
    {{ exceptions.raise_compiler_error("metric_bound_of: unknown aggregation kind '" ~ kind ~ "'; one of " ~ metric_kinds() | join(', ')) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether the interval of a kind reads the sums of squares and products of its numerator. -#}
{% macro metric_interval_reads_squares(aggregation_kind) -%}
    {{ aggregation_kind }} in ('ratio', 'mean', 'time_share')
{%- endmacro %}

{#- Wilson (1927), score interval of a share; `trials` may be the effective number of a weighted share, (sum w)^2 /
    sum w^2 (Kish 1965). Never leaves [0, 1], right for few trials and shares near 1 (Brown, Cai, DasGupta 2001). -#}
{% macro wilson_bound(numerator, denominator, trials, critical, side) -%}
    {%- set share = float_ratio(numerator, denominator) -%}
    {%- set sign = '-' if side < 0 else '+' -%}
    {{ float_ratio(
        share ~ ' + ' ~ float_ratio(critical ~ ' * ' ~ critical, '2 * ' ~ trials)
            ~ ' ' ~ sign ~ ' ' ~ critical ~ ' * ' ~ square_root(
                float_ratio(share ~ ' * (1 - ' ~ share ~ ')', trials)
                ~ ' + ' ~ float_ratio(critical ~ ' * ' ~ critical, '4 * ' ~ trials ~ ' * ' ~ trials)
            ),
        '1 + ' ~ float_ratio(critical ~ ' * ' ~ critical, trials)
    ) }}
{%- endmacro %}

{#- Byar's approximation of the exact Poisson interval of a count (Breslow and Day 1987, volume II, formula 2.10). -#}
{% macro byar_bound(count_value, critical, side) -%}
    {%- set events = count_value if side < 0 else '(' ~ count_value ~ ' + 1)' -%}
    {%- set root = '(1 - ' ~ float_ratio('1', '9 * ' ~ events) ~ (' - ' if side < 0 else ' + ')
        ~ float_ratio(critical, '3 * ' ~ square_root(events)) ~ ')' -%}
    (case when {{ events }} > 0 then {{ events }} * {{ root }} * {{ root }} * {{ root }} else 0 end)
{%- endmacro %}

{#- Interval of a weighted sum of counts: Byar's bounds of the plain count, stretched by the weights (Dobson, Kuulasmaa,
    Eberle and Scherer 1991). With all weights 1 it is Byar's own. -#}
{% macro dobson_bound(weighted, plain, square_weighted, critical, side) -%}
    ({{ float_of(weighted) }} + {{ square_root('coalesce(' ~ float_ratio(square_weighted, plain) ~ ', 1)') }}
        * ({{ byar_bound(float_of(plain), critical, side) }} - {{ float_of(plain) }}))
{%- endmacro %}

{#- Normal interval of a ratio of two sums over n observations, by linearisation (Cochran 1977, section 6.3): residuals
    numerator - ratio x denominator. Where every denominator is 1 this is the interval of a mean. -#}
{% macro ratio_bound(critical, side) -%}
    {%- set ratio = float_ratio('numerator', 'denominator') -%}
    {%- set squares = '(' ~ float_of('numerator_square_sum') ~ ' - 2 * ' ~ ratio ~ ' * ' ~ float_of('product_sum')
        ~ ' + ' ~ ratio ~ ' * ' ~ ratio ~ ' * ' ~ float_of('denominator_square_sum') ~ ')' -%}
    (case
        when observation_count > 1 then
            ({{ ratio }} {{ '-' if side < 0 else '+' }} {{ critical }} * {{ float_ratio(
                square_root(float_ratio(
                    'observation_count * greatest(' ~ squares ~ ', 0)', 'observation_count - 1'
                )), 'abs(denominator)'
            ) }}) * {{ float_ratio('value_multiplier', 'value_divisor') }}
    end)
{%- endmacro %}

{#- Indirect standardisation (Breslow and Day 1987, volume II, section 2.3): observed / expected x the rate of the reference,
    where expected is what the entity's own mix would have given at the reference's rate of each stratum. Rates in
    10^-12 of the unscaled ratio, expected in 10^-12 of the numerator's unit. -#}
{% macro metric_standardised(numerator, expected_units, reference_units) -%}
    {{ round_half_up_integer(
        exact_integer(numerator) ~ ' * ' ~ reference_units ~ ' * value_multiplier * 1000000',
        expected_units ~ ' * value_divisor'
    ) }} * 1000000
{%- endmacro %}

{#- Credibility (Buehlmann 1967): Z x own value + (1 - Z) x mean of the entity type, Z = n / (n + k). -#}
{% macro metric_shrunk(own_units, mean_units, sample_count, prior_sample_count) -%}
    {{ round_half_up_integer(
        exact_integer(sample_count) ~ ' * ' ~ own_units ~ ' + ' ~ exact_integer(prior_sample_count) ~ ' * ' ~ mean_units,
        sample_count ~ ' + ' ~ prior_sample_count
    ) }}
{%- endmacro %}

{#- Quantile of the normal distribution for a two-sided confidence level; null for a level that is not listed, which
    a test of the definitions refuses. -#}
{% macro metric_critical_value(confidence_level) -%}
    {{ float_of(
        'case ' ~ confidence_level ~ ' when 0.80 then 1.2815515655446004 when 0.90 then 1.6448536269514722'
        ~ ' when 0.95 then 1.959963984540054 when 0.99 then 2.5758293035489004 end'
    ) }}
{%- endmacro %}

{#- md5 of the code that computes a kind, rendered, blanks aside. -#}
{% macro metric_kind_fingerprint(kind) -%}
    {%- set code = [
        metric_value_of(kind), metric_bound_of(kind, -1), metric_bound_of(kind, 1),
        metric_standardised('numerator', 'expected_units', 'reference_units'),
        metric_shrunk('own_units', 'mean_units', 'sample_count', 'prior_sample_count'),
        metric_critical_value('confidence_level'), metric_decimal('units'),
    ] | join(' ; ') -%}
    {{- local_md5(code.split() | join(' ')) -}}
{%- endmacro %}
