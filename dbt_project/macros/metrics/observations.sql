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
                'raw_met_count': none,
                'adjusted_met_count': none,
                'ticket_count': none,
                'net_seconds': 'ticket_count',
                'business_seconds': 'ticket_count',
            },
        },
        'availability': {
            'model': 'int_observation_availability',
            'measures': {
                'raw_up_seconds': 'raw_measured_seconds',
                'raw_measured_seconds': 'raw_measured_seconds',
                'adjusted_up_seconds': 'adjusted_measured_seconds',
                'adjusted_measured_seconds': 'adjusted_measured_seconds',
            },
        },
        'ticket': {
            'model': 'int_observation_ticket',
            'measures': {
                'ticket_count': none,
                'first_contact_resolved_count': none,
                'escalated_count': none,
                'reopened_count': none,
                'handover_count': 'ticket_count',
                'resolution_seconds': 'ticket_count',
                'responded_count': none,
                'first_response_seconds': 'responded_count',
                'business_responded_count': none,
                'business_response_seconds': 'business_responded_count',
                'complexity_points': 'ticket_count',
                'order_count': none,
                'order_cycle_seconds': 'order_count',
            },
        },
        'ticket_intake': {
            'model': 'int_observation_ticket_intake',
            'measures': {
                'intake_count': none,
                'first_contact_resolved_count': none,
                'escalatable_count': none,
                'escalated_count': none,
                'contained_count': none,
            },
        },
        'change': {
            'model': 'int_observation_change',
            'measures': {
                'change_count': none,
                'failed_count': none,
                'defect_count': 'change_count',
                'defective_count': none,
            },
        },
        'survey': {
            'model': 'int_observation_survey',
            'measures': {
                'response_count': none,
                'score_basis_points': 'response_count',
                'satisfied_count': none,
                'adjusted_response_count': none,
                'adjusted_score_basis_points': 'adjusted_response_count',
                'adjusted_satisfied_count': none,
            },
        },
        'page_view': {
            'model': 'int_observation_page_view',
            'measures': {
                'view_count': none,
                'timed_view_count': none,
                'response_milliseconds': 'timed_view_count',
                'limited_view_count': none,
                'slow_count': none,
                'error_count': 'view_count',
                'failed_view_count': none,
            },
        },
        'article': {
            'model': 'int_observation_article',
            'measures': {
                'published_count': none,
                'retired_count': none,
                'view_count': none,
                'use_count': none,
                'useful_count': none,
            },
        },
        'service_month': {
            'model': 'int_observation_service_month',
            'is_monthly': true,
            'measures': {
                'incident_count': none,
                'major_incident_count': none,
                'exposed_incident_count': 'exposure_user_days',
                'exposure_user_days': none,
                'exposed_day_count': none,
            },
        },
    }) }}
{%- endmacro %}

{#- First day of what a freeze can take out of an observation's measurement: its slice of time, or, of a row that stands
    for a whole month, its month. -#}
{% macro metric_freezable_from(observation_kind, slice_from_on) -%}
    {%- set monthly = [] -%}
    {%- for kind, observation in metric_observations().items() if observation.get('is_monthly') -%}
        {%- do monthly.append("'" ~ kind ~ "'") -%}
    {%- endfor -%}
    case
        when {{ observation_kind }} in ({{ monthly | join(', ') }}) then {{ month_start(slice_from_on) }}
        else {{ slice_from_on }}
    end
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

{#- A number for a combination of dimension values, quick to group by. Good within one statement alone: it is the engine's
    own hash. With `usage`, the combination as the definitions of an entity type see it. -#}
{% macro metric_combination_number(relation, usage=none, entity_type=none) -%}
    {%- set values = [] -%}
    {%- for dimension in metric_dimensions() -%}
        {%- set value = relation ~ '.' ~ dimension -%}
        {%- if usage is not none -%}
            {%- set flag = usage ~ '.is_' ~ dimension ~ '_used_of_' ~ entity_type -%}
            {%- set value = 'case when ' ~ flag ~ ' then ' ~ value ~ ' end' -%}
        {%- endif -%}
        {%- do values.append(value) -%}
    {%- endfor -%}
    {{ hash_number_of(values) }}
{%- endmacro %}
