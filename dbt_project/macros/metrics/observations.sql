{#- The observation kinds: the one list the metric layer is written from. A kind names its table (one row per thing
    observed, columns as int_observation_ticket_slt has them) and its measures, whole numbers, one column each. Of a
    measure that a mean, ratio or time share divides, `whole` names the measure it is divided by: the cells then carry
    the sums of squares and products its interval needs. seeds/metrics/metric_measure.csv says the same in words, and
    a test holds the two together. -#}
{% macro metric_observations() -%}
    {{ return({
        'ticket_slt': {
            'model': 'int_observation_ticket_slt',
            'measures': {
                'raw_met_count': none, 'adjusted_met_count': none, 'ticket_count': none,
                'net_seconds': 'ticket_count', 'business_seconds': 'ticket_count',
            },
        },
        'availability': {
            'model': 'int_observation_availability',
            'measures': {
                'raw_up_seconds': 'raw_measured_seconds', 'raw_measured_seconds': 'raw_measured_seconds',
                'adjusted_up_seconds': 'adjusted_measured_seconds',
                'adjusted_measured_seconds': 'adjusted_measured_seconds',
            },
        },
    }) }}
{%- endmacro %}

{#- Columns of every observation table that a definition can filter, weigh, standardise or count apart by. -#}
{% macro metric_dimensions() -%}
    {{ return(['slt_code', 'priority', 'channel', 'category', 'risk_code', 'complexity_code', 'question_code']) }}
{%- endmacro %}

{#- Entity types and the column of an observation that names the entity. -#}
{% macro metric_entities() -%}
    {{ return({
        'person': 'employee_number', 'team': 'team_code', 'service': 'service_code',
        'business_unit': 'business_unit_code', 'vendor': 'vendor_code',
    }) }}
{%- endmacro %}

{#- Key of a combination of dimension values: what a definition takes or leaves as one. -#}
{% macro metric_dimension_key(observation_kind, relation) -%}
    {%- set parts = [observation_kind] -%}
    {%- for dimension in metric_dimensions() -%}
        {%- do parts.append(relation ~ '.' ~ dimension) -%}
    {%- endfor -%}
    {{ md5_of(parts) }}
{%- endmacro %}

{#- Columns for a select list: each dimension, null where no definition asks for it, so that cells stay few. -#}
{% macro metric_dimension_columns(observation, usage) -%}
    {%- for dimension in metric_dimensions() %}
        case when {{ usage }}.is_{{ dimension }}_used then {{ observation }}.{{ dimension }} end as {{ dimension }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
