"""What the host finds in a function app."""

from collections.abc import Callable
from pathlib import Path

import azure.functions as func
import pytest

from dom_core.errors import InvalidInput
from local.indexing import HttpFunction, QueueFunction, TimerFunction, index, load_app
from local.keys import Level
from local.variables import app_settings


def refusals(app: func.FunctionApp) -> str:
    with pytest.raises(InvalidInput) as refused:
        index(app, {})
    return str(refused.value)


def test_functions_come_with_their_triggers_sorted_by_name() -> None:
    app = func.FunctionApp()
    blueprint = func.Blueprint()

    @blueprint.route("orders/{id:int}", methods=["GET", "post"], auth_level=func.AuthLevel.ADMIN)
    def show(req: func.HttpRequest) -> str:
        return ""

    @blueprint.queue_trigger(arg_name="message", queue_name="orders", connection="AzureWebJobsStorage")
    def collect(message: func.QueueMessage) -> None: ...

    @blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=True, use_monitor=False)
    def plan(timer: func.TimerRequest) -> None: ...

    app.register_functions(blueprint)
    collecting, planning, showing = index(app, {})
    assert isinstance(collecting, QueueFunction)
    assert (collecting.name, collecting.queue, collecting.argument) == ("collect", "orders", "message")
    assert isinstance(planning, TimerFunction)
    assert (planning.schedule.expression, planning.run_on_startup, planning.use_monitor) == (
        "0 */5 * * * *",
        True,
        False,
    )
    assert isinstance(showing, HttpFunction)
    assert (showing.route.template, showing.methods, showing.level) == (
        "orders/{id:int}",
        frozenset({"GET", "POST"}),
        Level.ADMIN,
    )


def test_an_http_function_defaults_to_its_name_every_method_and_the_apps_level() -> None:
    app = func.FunctionApp()

    @app.function_name("hello")
    @app.route()
    def anything(req: func.HttpRequest) -> str:
        return ""

    (function,) = index(app, {})
    assert isinstance(function, HttpFunction)
    assert (function.route.template, function.methods, function.level) == ("hello", frozenset(), Level.FUNCTION)


def test_names_in_percent_signs_are_taken_from_the_environment_then_from_our_defaults() -> None:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="%DOM_ORDERS_QUEUE%", connection="")
    def collect(message: func.QueueMessage) -> None: ...

    @app.timer_trigger(arg_name="timer", schedule="%DOM_PLAN_SCHEDULE%")
    def plan(timer: func.TimerRequest) -> None: ...

    collecting, planning = index(app, app_settings({"DOM_ORDERS_QUEUE": "urgent-orders"}))
    assert isinstance(collecting, QueueFunction)
    assert isinstance(planning, TimerFunction)
    assert collecting.queue == "urgent-orders"
    assert planning.schedule.expression == "0 */15 * * * *"


def _unset_setting(app: func.FunctionApp) -> None:
    @app.queue_trigger(arg_name="message", queue_name="%NOWHERE%", connection="")
    def collect(message: func.QueueMessage) -> None: ...


def _bad_queue_name(app: func.FunctionApp) -> None:
    @app.queue_trigger(arg_name="message", queue_name="Orders", connection="")
    def collect(message: func.QueueMessage) -> None: ...


def _poison_name_too_long(app: func.FunctionApp) -> None:
    @app.queue_trigger(arg_name="message", queue_name="o" * 57, connection="")
    def collect(message: func.QueueMessage) -> None: ...


def _bad_schedule(app: func.FunctionApp) -> None:
    @app.timer_trigger(arg_name="timer", schedule="* * * * *")
    def plan(timer: func.TimerRequest) -> None: ...


def _bad_route(app: func.FunctionApp) -> None:
    @app.route("/orders")
    def show(req: func.HttpRequest) -> str:
        return ""


def _other_trigger(app: func.FunctionApp) -> None:
    @app.blob_trigger(arg_name="blob", path="x/y", connection="")
    def read(blob: func.InputStream) -> None: ...


def _second_binding(app: func.FunctionApp) -> None:
    @app.queue_output(arg_name="out", queue_name="outbox", connection="")
    @app.queue_trigger(arg_name="message", queue_name="orders", connection="")
    def collect(message: func.QueueMessage, out: func.Out[str]) -> None: ...


def _unknown_parameter(app: func.FunctionApp) -> None:
    @app.queue_trigger(arg_name="message", queue_name="orders", connection="")
    def collect(message: func.QueueMessage, context: func.Context) -> None: ...


def _same_route_and_method(app: func.FunctionApp) -> None:
    @app.route("orders/{id}", methods=["GET"])
    def one(req: func.HttpRequest) -> str:
        return ""

    @app.route("Orders/{number}", methods=["GET", "PUT"])
    def two(req: func.HttpRequest) -> str:
        return ""


def _same_name(app: func.FunctionApp) -> None:
    for route in ("a", "b"):

        @app.route(route)
        def same(req: func.HttpRequest) -> str:
            return ""


@pytest.mark.parametrize(
    ("declare", "reason"),
    [
        (_unset_setting, "collect: refers to the setting 'NOWHERE'"),
        (_bad_queue_name, "collect: the queue name 'Orders'"),
        (_poison_name_too_long, "collect: the queue name"),
        (_bad_schedule, "plan: the schedule"),
        (_bad_route, "show: the route '/orders' must not begin"),
        (_other_trigger, "read: has a blobTrigger"),
        (_second_binding, "collect: has the binding queue"),
        (_unknown_parameter, "collect: must have exactly the parameter 'message', not (message, context)"),
        (_same_route_and_method, "two: has the route and a method of 'one'"),
        (_same_name, "does not have a unique function name"),
    ],
)
def test_a_function_that_cannot_run_here_is_refused_with_the_reason(
    declare: Callable[[func.FunctionApp], None], reason: str
) -> None:
    app = func.FunctionApp()
    declare(app)
    assert reason in refusals(app)


def test_every_bad_function_is_reported_at_once() -> None:
    app = func.FunctionApp()
    _bad_queue_name(app)
    _bad_schedule(app)
    found = refusals(app)
    assert "collect:" in found
    assert "plan:" in found


def test_the_same_route_with_another_method_is_another_function() -> None:
    app = func.FunctionApp()

    @app.route("orders/{id}", methods=["GET"])
    def read(req: func.HttpRequest) -> str:
        return ""

    @app.route("orders/{id}", methods=["PUT"])
    def write(req: func.HttpRequest) -> str:
        return ""

    assert [function.name for function in index(app, {})] == ["read", "write"]


def test_an_app_is_loaded_from_its_file_and_imports_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "toy_neighbour.py").write_text("NAME = 'hello'\n")
    (tmp_path / "toy_loaded_app.py").write_text(
        "import azure.functions as func\nfrom toy_neighbour import NAME\n"
        "app = also = func.FunctionApp()\n"
        "@app.function_name(NAME)\n@app.route()\ndef handler(req):\n    return NAME\n"
    )
    assert [function.name for function in index(load_app(tmp_path / "toy_loaded_app.py"), {})] == ["hello"]


def test_a_file_without_an_app_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "toy_empty_app.py").write_text("")
    with pytest.raises(InvalidInput, match="exactly one FunctionApp"):
        load_app(tmp_path / "toy_empty_app.py")
    with pytest.raises(InvalidInput, match="not a Python file"):
        load_app(tmp_path / "toy_missing_app.py")
