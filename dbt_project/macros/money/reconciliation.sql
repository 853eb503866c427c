{#- Query: the one row a reconciliation of calculated pay stands on: as_of_at, and of the source held against it (payroll
    or ledger) and of the HRIS, which pay is calculated from, whether it is absent and why. run_context, pay_source:
    relations of these models. -#}
{% macro pay_run_state(run_context, pay_source, source_name) -%}
    select
        {{ run_context }}.as_of_at,
        held_source.is_absent as is_{{ source_name }}_absent,
        held_source.status_reason as {{ source_name }}_status_reason,
        hris_source.is_absent as is_hris_absent,
        hris_source.status_reason as hris_status_reason
    from {{ run_context }}
    inner join {{ pay_source }} as held_source on held_source.source_name = '{{ source_name }}'
    inner join {{ pay_source }} as hris_source on hris_source.source_name = 'bamboohr'
{%- endmacro %}
