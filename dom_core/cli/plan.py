"""`dom plan`: from files to a plan, a page and a summary, without a server or a network."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dom_core.adapters.clock import SystemClock
from dom_core.adapters.geocoding.offline import OfflineGeocoder
from dom_core.cli.summary import summary
from dom_core.cli.terminal import Ending, list_problems, progress_bar, say
from dom_core.configuration import Configuration, RunFacts, request_for
from dom_core.domain.order import Line, Order
from dom_core.domain.request import PlanRequest
from dom_core.errors import InvalidInput, Problem
from dom_core.files.configuration_folder import ConfigurationFolder, read_folder
from dom_core.files.order_file import read_orders
from dom_core.files.places import decode, read_bytes
from dom_core.files.stock_file import Stock, read_stock
from dom_core.messages.orders import IntakeOrder
from dom_core.messages.plan_request import document_of
from dom_core.messages.reading import write_value
from dom_core.optimizer.pipeline import plan_once
from dom_core.optimizer.solvers import solver_named
from dom_core.ports import Geocoder
from dom_core.report import page
from dom_core.report.view import PlanView, view_of
from dom_core.use_cases.view_plan import spelt_out

WHO = "dom plan"


def run(options: Namespace) -> Ending:
    """Plan, write the files, print the summary."""
    request, warnings = _read(options)
    with progress_bar(quiet=options.quiet) as watch:
        plan = plan_once(request, solver_named(options.solver), watch)
    view = view_of(plan, request.sources, request.orders, request.products, request.strategy.name)
    view = replace(view, request=document_of(request))
    _write(options, view, request)
    if not options.quiet:
        _tell(options, view, warnings)
    return Ending.DONE


def _read(options: Namespace) -> tuple[PlanRequest, list[Problem]]:
    """The request that the files make, and the warnings. Raises InvalidInput with every problem of every file."""
    now = options.now or SystemClock().now()
    folder = read_folder(options.config)
    problems = list(folder.errors) + _missing_strategy(folder, options.strategy)
    orders = _orders(options.orders, folder.configuration, problems)
    stock = _stock(options.stock, folder.configuration, problems)
    if problems:
        raise InvalidInput(problems, "input")
    request = _request(options, folder.configuration, _located(orders, now, OfflineGeocoder()), stock, now)
    return request, [*folder.warnings, *_inactive(request)]


def _missing_strategy(folder: ConfigurationFolder, strategy_id: str) -> list[Problem]:
    known = [strategy.id for strategy in folder.configuration.strategies]
    if strategy_id in known:
        return []
    return [Problem("--strategy", f"there is no strategy '{strategy_id}'; known: {', '.join(known) or 'none'}")]


def _orders(name: str, configuration: Configuration, problems: list[Problem]) -> list[IntakeOrder]:
    file, text = _text_of(name, problems)
    orders, reading = read_orders(file, text, frozenset(product.id for product in configuration.products))
    problems += reading.problems
    return orders


def _stock(path: Path, configuration: Configuration, problems: list[Problem]) -> Stock:
    file, text = _text_of(str(path), problems)
    products = frozenset(product.id for product in configuration.products)
    sources = frozenset(source.id for source in configuration.sources)
    stock, reading = read_stock(file, text, products, sources)
    problems += reading.problems
    return stock


def _text_of(name: str, problems: list[Problem]) -> tuple[str, str]:
    """What people call the file, and its text: empty, with a problem noted, when it cannot be read."""
    file = "standard input" if name == "-" else name
    try:
        return file, decode(file, sys.stdin.buffer.read() if name == "-" else read_bytes(Path(name)))
    except InvalidInput as error:
        problems += error.problems
        return file, ""


def _located(orders: Iterable[IntakeOrder], now: datetime, geocoder: Geocoder) -> list[Order]:
    """The orders with coordinates; lines that nobody can find keep none, and the plan says so."""

    def with_place(line: Line) -> Line:
        return line if line.location else replace(line, location=geocoder.locate(line.ship_to))

    received = (order.to_order(now, WHO) for order in orders)
    return [replace(order, lines=tuple(with_place(line) for line in order.lines)) for order in received]


def _request(
    options: Namespace, configuration: Configuration, orders: Sequence[Order], stock: Stock, now: datetime
) -> PlanRequest:
    name = f"{options.strategy}-{now:%Y%m%dT%H%M%SZ}"
    facts = RunFacts(plan_id=name, run_id=name, now=now, orders=orders, available=stock, loads={})
    request = request_for(configuration, options.strategy, facts)
    if options.solve_limit_s is None:
        return request
    limits = replace(request.strategy.limits, solve_limit_s=options.solve_limit_s)
    return replace(request, strategy=replace(request.strategy, limits=limits))


def _inactive(request: PlanRequest) -> list[Problem]:
    """A strategy that would not run by itself is planned all the same: trying it out is what files are for."""
    path = f"strategies[{request.strategy.id}]"
    if not request.strategy.enabled:
        return [Problem(path, "is not enabled; planned all the same")]
    if not request.strategy.in_date(request.now.date()):
        return [Problem(path, f"is not in date on {request.now.date()}; planned all the same")]
    return []


def _write(options: Namespace, view: PlanView, request: PlanRequest) -> None:
    """Both files, as UTF-8."""
    content = json.dumps(write_value(view, PlanView), ensure_ascii=False, separators=(",", ":"))
    options.out.write_text(content + "\n", encoding="utf-8")
    if options.report:
        shown = replace(view, plan=spelt_out(view.plan, request))
        options.report.write_text(page.render(shown), encoding="utf-8")


def _tell(options: Namespace, view: PlanView, warnings: Sequence[Problem]) -> None:
    if warnings:
        list_problems(sys.stderr, warnings, "warning")
    say(sys.stdout, summary(view))
    written = [str(path) for path in (options.out, options.report) if path]
    say(sys.stdout, f"\nWritten: {', '.join(written)}")
