-- Supplier terms that contradict each other would credit what was never agreed, or nothing at all.
select * from {{ ref('int_supplier_fault') }}
