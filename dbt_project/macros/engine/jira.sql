{#- What an item of a Jira changelog (JSON) changed, of the fields a clock needs; null for any other. The group is a
    field of the site's own, whose number differs from site to site: it goes by its name. -#}
{% macro jira_logged_field(item) -%}
    case
        when {{ json_text(item, '$.fieldId') }} in ('status', 'priority', 'assignee')
            then {{ json_text(item, '$.fieldId') }}
        when {{ json_text(item, '$.field') }} = 'Assigned group' then 'assignment_group'
    end
{%- endmacro %}

{#- Its value before ('from') or after ('to'): the id, of the group's option the name. -#}
{% macro jira_logged_value(item, side) -%}
    case
        when {{ json_text(item, '$.field') }} = 'Assigned group' then {{ json_text(item, '$.' ~ side ~ 'String') }}
        else {{ json_text(item, '$.' ~ side) }}
    end
{%- endmacro %}
