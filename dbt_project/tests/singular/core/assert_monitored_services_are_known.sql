-- A monitor that names no known service: its time is measured and belongs to nobody. Warns only.
{{ config(meta={'dagster': {'ref': {'name': 'stg_datadog__monitors'}}}) }}
select
    monitors.monitor_id,
    monitors.service_code
from {{ ref('stg_datadog__monitors') }} as monitors
left join {{ ref('service') }} as services on monitors.service_code = services.service_code
where services.service_code is null
