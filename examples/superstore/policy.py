"""Rules and strategies of the example: every kind of rule once at least, and two strategies that share the network."""

from datetime import date

from dom_core.domain.strategy import CostFactorRecord, RuleRecord, SolverLimits, Strategy

LIMITS = SolverLimits(solve_limit_s=15.0)


def rules() -> tuple[RuleRecord, ...]:
    """All rules, by id."""
    return tuple(sorted((*_shared_rules(), *_fast_rules(), *_standard_rules()), key=lambda rule: rule.id))


def cost_factors() -> tuple[CostFactorRecord, ...]:
    """None: both strategies look for the closest source."""
    return ()


def strategies() -> tuple[Strategy, ...]:
    """Fast delivery and standard delivery: each mode of delivery belongs to one of them."""
    shared = tuple(rule.id for rule in _shared_rules())
    return (
        Strategy(
            id="fast-delivery",
            name="Fast delivery",
            description="Same-day and first-class orders: complete, from close by, or not at all.",
            source_list_id="all",
            rule_ids=(*shared, *(rule.id for rule in _fast_rules())),
            process_empty_sales_origin=True,
            modes_of_delivery=("same-day", "first-class"),
            local_radius_km=80.0,
            max_attempts=5,
            limits=LIMITS,
        ),
        Strategy(
            id="standard-delivery",
            name="Standard delivery",
            description="All other orders: warehouses first, split when need be, within what each source can handle.",
            source_list_id="all",
            rule_ids=(*shared, *(rule.id for rule in _standard_rules())),
            process_empty_sales_origin=True,
            modes_of_delivery=("second-class", "standard-class"),
            max_attempts=5,
            limits=LIMITS,
        ),
    )


def _shared_rules() -> tuple[RuleRecord, ...]:
    return (
        RuleRecord(
            id="store-shelf-stock",
            kind="minimum_inventory",
            name="A unit stays on the shelf",
            description="Stores keep one unit of everything; of phones, two.",
            params={
                "lines": [
                    {"source_list_id": "stores", "units": 1},
                    {"source_list_id": "stores", "category": "Phones", "units": 2},
                ],
                "mode": "subtract",
            },
        ),
        RuleRecord(
            id="detroit-closed",
            kind="offline_location",
            name="Detroit is being rebuilt",
            description="The store keeps its stock but ships nothing until it opens again.",
            params={"places": [{"source_id": "st-detroit"}]},
        ),
        RuleRecord(
            id="two-refusals",
            kind="maximum_rejects",
            name="After two refusals a person decides",
            params={"threshold": 2},
        ),
        RuleRecord(
            id="bulky-goods-radius",
            kind="maximum_distance",
            name="Bulky goods travel 300 km at most",
            description="Tables, bookcases, copiers and machines go by lorry.",
            params={"lines": [{"supplementary_category": "bulky", "km": 300.0}]},
        ),
    )


def _fast_rules() -> tuple[RuleRecord, ...]:
    return (
        RuleRecord(
            id="fast-radius",
            kind="maximum_distance",
            name="Fast orders come from close by",
            description="Soft: what finds no source within 800 km may come from farther away in the second iteration.",
            hard=False,
            params={"lines": [{"km": 800.0}]},
        ),
        RuleRecord(
            id="fast-reach",
            kind="maximum_distance",
            name="Fast orders never cross the country",
            params={"lines": [{"km": 2500.0}]},
        ),
        RuleRecord(
            id="fast-complete",
            kind="partial_orders",
            name="Fast orders arrive complete",
            description="All lines in full, from two sources at most.",
            params={
                "max_sources": 2,
                "partial_orders": False,
                "partial_lines": False,
                "max_sources_per_line": 1,
                "never_split_below_cents": None,
                "never_split_products": [],
                "never_split_categories": [],
            },
        ),
        RuleRecord(
            id="fast-store-lines",
            kind="maximum_orders",
            name="A store picks six fast lines a day",
            params={"lines": [{"source_list_id": "stores", "limit": 6, "basis": "lines_per_day", "per": "each"}]},
        ),
        RuleRecord(
            id="before-cut-off",
            kind="working_hours",
            name="Today's orders before the cut-off",
            description="Stores with a cut-off take nothing more after it, nor on Sundays.",
            params={},
        ),
    )


def _standard_rules() -> tuple[RuleRecord, ...]:
    return (*_standard_preferences(), *_standard_capacities(), *_standard_reach())


def _standard_preferences() -> tuple[RuleRecord, ...]:
    return (
        RuleRecord(
            id="warehouses-first",
            kind="location_priority",
            name="Warehouses first, small parcels from stores",
            params={
                "lines": [
                    {"source_list_id": "warehouses", "priority": 1},
                    {"source_list_id": "stores", "priority": 3},
                    {"source_list_id": "warehouses", "supplementary_category": "small-parcel", "priority": 2},
                    {"source_list_id": "stores", "supplementary_category": "small-parcel", "priority": 1},
                ]
            },
        ),
        RuleRecord(
            id="standard-split",
            kind="partial_orders",
            name="Standard orders may be split",
            description="Three sources at most, two for a line; not below 25 dollars, and never around a table.",
            params={
                "max_sources": 3,
                "partial_orders": True,
                "partial_lines": True,
                "max_sources_per_line": 2,
                "never_split_below_cents": 2500,
                "never_split_products": [],
                "never_split_categories": ["Tables"],
            },
        ),
    )


def _standard_capacities() -> tuple[RuleRecord, ...]:
    return (
        RuleRecord(
            id="standard-capacity",
            kind="maximum_orders",
            name="What a source can handle",
            description="Open orders at each warehouse and each store.",
            params={
                "lines": [
                    {"source_list_id": "warehouses", "limit": 32, "basis": "open_orders", "per": "each"},
                    {"source_list_id": "stores", "limit": 8, "basis": "open_orders", "per": "each"},
                ]
            },
        ),
        RuleRecord(
            id="california-picking",
            kind="maximum_orders",
            name="The Californian stores share one picking team",
            params={
                "lines": [{"source_list_id": "california-stores", "limit": 10, "basis": "calendar_day", "per": "total"}]
            },
        ),
    )


def _standard_reach() -> tuple[RuleRecord, ...]:
    return (
        RuleRecord(
            id="standard-reach",
            kind="maximum_distance",
            name="Standard orders prefer their half of the country",
            description="Soft: the second iteration may ship from coast to coast.",
            hard=False,
            params={"lines": [{"km": 2200.0}]},
        ),
        RuleRecord(
            id="holiday-freeze-2017",
            kind="offline_location",
            name="Stocktaking at Christmas 2017",
            description="Still linked, long over: a rule outside its dates does nothing.",
            end_date=date(2017, 12, 31),
            params={"places": [{"source_list_id": "warehouses"}]},
        ),
    )
