"""Code is read more often than written: functions stay short, and every module says what it is for."""

import ast
from statistics import median

import pytest

from tests.architecture.source_code import Module, modules

LONGEST = 60
NINE_IN_TEN = 30
MEDIAN = 10


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _lengths() -> list[int]:
    return sorted(_lines(function) for module in modules() for function in module.functions())


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{module.name}.{function.name}: {_lines(function)} lines"
        for module in modules()
        for function in module.functions()
        if _lines(function) > LONGEST
    ]
    assert long == []


def test_most_functions_are_short() -> None:
    lengths = _lengths()
    assert median(lengths) <= MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= NINE_IN_TEN


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_every_module_says_what_it_is_for(module: Module) -> None:
    assert ast.get_docstring(module.tree)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_no_module_is_named_after_nothing(module: Module) -> None:
    assert not {"utils", "util", "helpers", "helper", "manager", "common", "misc"} & set(module.name.split("."))
