"""Plain functions behind the definitions. Only translator, resources, dbt_layer and gates know Dagster."""
