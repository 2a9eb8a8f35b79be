"""From a function app to the functions that it declares, checked against what this host can run.

The description read here (`Function.get_function_json`) is the one that the cloud's host reads. It is the same in
azure-functions 1.x and 2.x.
"""

import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from dom_core.errors import InvalidInput, Problem
from local.keys import Level
from local.ncrontab import Schedule, parse_schedule
from local.routes import Route, parse_route
from local.variables import expand

_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")
POISON_SUFFIX = "-poison"


@dataclass(frozen=True, slots=True)
class Function:
    """A handler, its name, and the parameter that takes the trigger's value."""

    name: str
    handler: Callable[..., Any]
    argument: str


@dataclass(frozen=True, slots=True)
class HttpFunction(Function):
    """Answers HTTP requests. No methods means every method."""

    route: Route
    methods: frozenset[str]
    level: Level

    def takes(self, method: str) -> bool:
        """Whether the function answers this method."""
        return not self.methods or method in self.methods


@dataclass(frozen=True, slots=True)
class QueueFunction(Function):
    """Takes the messages of a queue."""

    queue: str


@dataclass(frozen=True, slots=True)
class TimerFunction(Function):
    """Runs on a schedule. A timer without monitor does not catch up on what it missed while the host was down."""

    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


def load_app(path: Path) -> func.FunctionApp:
    """Import the file, as the module of its name, and find the one FunctionApp in it.

    Raises InvalidInput if there is no such file, or not exactly one app; an error inside the file comes through.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InvalidInput([Problem("", "is not a Python file")], str(path))
    sys.path.insert(0, str(path.parent.resolve()))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    # One app under two names is still one app.
    apps = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionApp)}
    if len(apps) != 1:
        raise InvalidInput(
            [Problem("", f"needs exactly one FunctionApp at module level; it has {len(apps)}")], str(path)
        )
    return next(iter(apps.values()))


def index(app: func.FunctionApp, variables: Mapping[str, str]) -> tuple[Function, ...]:
    """The app's functions, by name. Call it once per app object: the SDK refuses a second time.

    Raises InvalidInput with every function that this host cannot run, and why.
    """
    try:
        declared = app.get_functions()
    except ValueError as error:
        raise InvalidInput([Problem("", str(error))], "function app") from error
    problems: list[Problem] = []
    functions: list[Function] = []
    for item in declared:
        name = str(item.get_function_name())
        try:
            functions.append(_function(name, item, variables))
        except ValueError as error:
            problems.append(Problem(name, str(error)))
    problems.extend(_ambiguous([function for function in functions if isinstance(function, HttpFunction)]))
    if problems:
        raise InvalidInput(problems, "function app")
    return tuple(sorted(functions, key=lambda function: function.name))


def _function(name: str, item: Any, variables: Mapping[str, str]) -> Function:
    bindings = json.loads(item.get_function_json())["bindings"]
    trigger = next(binding for binding in bindings if binding["type"].lower().endswith("trigger"))
    others = [binding["type"] for binding in bindings if binding is not trigger and binding["type"] != "http"]
    if others:
        raise ValueError(f"has the binding {', '.join(others)}; this host gives a function its trigger only")
    if trigger["type"] not in _BUILDERS:
        raise ValueError(f"has a {trigger['type']}; this host knows {', '.join(sorted(_BUILDERS))}")
    handler = item.get_user_function()
    parameters = list(inspect.signature(handler).parameters)
    if parameters != [trigger["name"]]:
        raise ValueError(f"must have exactly the parameter '{trigger['name']}', not ({', '.join(parameters)})")
    return _BUILDERS[trigger["type"]]((name, handler, trigger["name"]), trigger, variables)


_Basics = tuple[str, Callable[..., Any], str]


def _http(basics: _Basics, trigger: Mapping[str, Any], _variables: Mapping[str, str]) -> HttpFunction:
    try:
        route = parse_route(trigger["route"])
    except ValueError as error:
        raise ValueError(f"the route '{trigger['route']}' {error}") from error
    methods = frozenset(str(method).upper() for method in trigger.get("methods", ()))
    return HttpFunction(*basics, route, methods, Level(str(trigger["authLevel"]).lower()))


def _queue(basics: _Basics, trigger: Mapping[str, Any], variables: Mapping[str, str]) -> QueueFunction:
    queue = expand(trigger["queueName"], variables)
    if not _QUEUE_NAME.fullmatch(queue + POISON_SUFFIX) or not _QUEUE_NAME.fullmatch(queue):
        raise ValueError(
            f"the queue name '{queue}' must have 3 to {63 - len(POISON_SUFFIX)} lower-case letters, digits "
            "and single hyphens between them"
        )
    return QueueFunction(*basics, queue)


def _timer(basics: _Basics, trigger: Mapping[str, Any], variables: Mapping[str, str]) -> TimerFunction:
    schedule = parse_schedule(expand(trigger["schedule"], variables))
    return TimerFunction(*basics, schedule, trigger.get("runOnStartup", False), trigger.get("useMonitor", True))


_BUILDERS: Mapping[str, Callable[[_Basics, Mapping[str, Any], Mapping[str, str]], Function]] = {
    "httpTrigger": _http,
    "queueTrigger": _queue,
    "timerTrigger": _timer,
}


def _ambiguous(functions: Sequence[HttpFunction]) -> list[Problem]:
    """Two functions that would answer the same request."""
    return [
        Problem(later.name, f"has the route and a method of '{earlier.name}'")
        for position, later in enumerate(functions)
        for earlier in functions[:position]
        if earlier.route.shape == later.route.shape and _share_a_method(earlier, later)
    ]


def _share_a_method(one: HttpFunction, other: HttpFunction) -> bool:
    return not one.methods or not other.methods or bool(one.methods & other.methods)
