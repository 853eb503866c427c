-- Each vendor's primary vendor, the one we have the relation with: what a subcontractor does counts for it.
with recursive
vendor as (
    select * from {{ ref('vendor') }}
),

climb as (
    select
        vendor_code,
        vendor_code as ancestor_code,
        parent_vendor_code as next_code,
        0 as level_number
    from vendor

    union all

    select
        climb.vendor_code,
        vendor.vendor_code as ancestor_code,
        vendor.parent_vendor_code as next_code,
        climb.level_number + 1 as level_number
    from climb
    inner join vendor on climb.next_code = vendor.vendor_code
    -- a chain that bites its own tail ends here; int_supplier_fault refuses it
    where climb.level_number < 9
),

final as (
    select
        climb.vendor_code,
        own.vendor_name,
        climb.ancestor_code as primary_vendor_code,
        top_vendor.vendor_name as primary_vendor_name,
        climb.level_number as subcontract_level_number
    from climb
    inner join vendor as own on climb.vendor_code = own.vendor_code
    inner join vendor as top_vendor on climb.ancestor_code = top_vendor.vendor_code
    where climb.next_code is null
)

select * from final
