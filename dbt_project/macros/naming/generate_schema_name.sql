{#- A model's schema is exactly the one its folder configures (staging, core, slt, ...), without the
    target schema as a prefix: the schema names are a contract with every reader of the warehouse. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
