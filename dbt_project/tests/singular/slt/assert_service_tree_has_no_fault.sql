-- A service tree with a circle, an unknown part or shares that do not sum to 1 gives figures nobody agreed to.
select * from {{ ref('int_service_tree_fault') }}
