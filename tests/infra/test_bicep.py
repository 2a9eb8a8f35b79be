"""The Bicep files are well-formed, every name leads somewhere, and every module gets what it asks for."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tree_sitter import Node

from tests.infra.bicep import INFRA, Declaration, File, Scope, Unknown, files, properties, read, walk

AVM: Mapping[str, Mapping[str, list[str]]] = json.loads((Path(__file__).parent / "avm_modules.json").read_text("utf-8"))
"""Azure Verified Modules at the versions that we use: parameters and outputs that their sources and users name."""

FUNCTIONS = frozenset({"concat", "empty", "environment", "guid", "map", "resourceGroup", "string", "subscription"}) | {
    "subscriptionResourceId",
    "tenant",
    "union",
    "uniqueString",
}
"""Functions of Bicep that our files call."""

NAMESPACES = frozenset({"az", "sys"})
PRIMITIVES: Mapping[str, type] = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}

every_file = pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
PARAMETER_LINE = re.compile(r"^param (\w+) = (.+)$")


@every_file
def test_a_file_is_well_formed(file: File) -> None:
    assert file.syntax_errors() == []


@every_file
def test_every_name_is_declared(file: File) -> None:
    declared = {declared.name for declared in file.declarations()}
    assert {name for name in _names_used(file.root) if name not in declared | NAMESPACES} == set()


@every_file
def test_every_function_is_one_of_bicep(file: File) -> None:
    assert set(_functions_called(file.root)) <= FUNCTIONS


@every_file
def test_nothing_is_declared_twice_or_for_nothing(file: File) -> None:
    names = [declared.name for declared in file.declarations("param", "var", "resource", "module")]
    assert len(names) == len(set(names))
    idle = {declared.name for declared in file.declarations("param", "var")} - set(_names_used(file.root))
    assert idle == set()


@every_file
def test_every_module_gets_the_parameters_that_it_has(file: File) -> None:
    for used in file.declarations("module"):
        required, allowed = _parameters(file, used)
        given = set(used.arguments)
        assert given <= allowed, f"{used.name}: no such parameter"
        assert required <= given, f"{used.name}: a parameter is missing"


@every_file
def test_every_argument_has_the_type_of_the_parameter(file: File) -> None:
    wrong = [
        f"{used.name}.{name}: {value!r} is no {declared.type}"
        for used in file.declarations("module")
        if not used.reference.startswith("br/")
        for name, declared in _own(file, used).declared("param").items()
        for value in [_typed(file, used.arguments[name])]
        if name in used.arguments and not _has_type(value, declared.type)
    ]
    assert wrong == []


@every_file
def test_every_output_that_is_read_exists(file: File) -> None:
    modules = file.declared("module")
    for owner, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", file.text):
        assert output in _outputs(file, modules[owner]), f"{owner} has no output {output}"


@every_file
def test_every_parameter_and_resource_lies_in_a_module_that_says_what_it_is(file: File) -> None:
    assert file.text.startswith("metadata description = '")


def test_verified_modules_have_an_exact_version() -> None:
    used = {declared.reference for file in files() for declared in file.declarations("module")}
    verified = {reference for reference in used if reference.startswith("br/")}
    assert verified == {f"br/public:avm/res/{name}" for name in AVM}
    assert all(re.search(r":\d+\.\d+\.\d+$", reference) for reference in verified)


def test_no_verified_module_reports_its_use_to_microsoft() -> None:
    for file in files():
        for used in file.declarations("module"):
            if used.reference.startswith("br/"):
                assert Scope(file, {}).evaluate(used.arguments["enableTelemetry"]) is False


def test_the_parameter_file_sets_every_parameter_with_the_same_default() -> None:
    main = read(INFRA / "main.bicep")
    given = dict(_parameter_lines())
    assert list(given) == list(main.declared("param"))
    for name, declared in main.declared("param").items():
        default = declared.value and Scope(main, {}).evaluate(declared.value)
        assert _environment_default(given[name]) == default, name


def test_whole_numbers_from_the_environment_are_read_as_numbers() -> None:
    main = read(INFRA / "main.bicep")
    for name, text in _parameter_lines():
        assert text.startswith("int(") == (main.declared("param")[name].type == "int"), name


def _parameter_lines() -> Iterator[tuple[str, str]]:
    for line in (INFRA / "main.bicepparam").read_text("utf-8").splitlines():
        if found := PARAMETER_LINE.match(line):
            assert File(INFRA / "line", f"var x = {found[2]}\n").syntax_errors() == []
            yield found[1], found[2]
        else:
            assert not line or line.startswith(("//", "using './main.bicep'")), line


def _environment_default(text: str) -> Any:
    found = re.search(r"readEnvironmentVariable\('\w+'(?:, '(.*)')?\)", text)
    assert found, text
    return int(found[1]) if text.startswith("int(") else found[1]


def _names_used(node: Node, local: frozenset[str] = frozenset()) -> Iterator[str]:
    """Names that expressions refer to; not those of functions, properties, types and local variables."""
    if node.type == "identifier":
        name = _text(node)
        if name not in local:
            yield name
        return
    children = node.named_children
    if node.type in ("decorators", "type", "metadata_declaration", "target_scope_assignment"):
        return
    if node.type in ("lambda_expression", "for_statement"):
        names = [child for child in children if child.type == "identifier"]
        # The last identifier of a loop may be what it runs over.
        bound = names[:1] if node.type == "for_statement" else names[: len(children) - 1]
        local = local | {_text(name) for name in bound}
        children = [child for child in children if child not in bound]
    elif node.type in ("object_property", "call_expression") and children[0].type in ("identifier", "string"):
        children = children[1:]
    elif node.type.endswith("_declaration"):
        children = children[1:] if children[0].type == "identifier" else children[2:]
    for child in children:
        yield from _names_used(child, local)


def _functions_called(node: Node) -> Iterator[str]:
    for found in walk(node):
        inside = found.parent is not None and found.parent.type == "decorator"
        if found.type == "call_expression" and not inside:
            yield _text(found.named_children[0]).removeprefix("az.")


def _own(file: File, used: Declaration) -> File:
    return read((file.path.parent / used.reference).resolve())


def _parameters(file: File, used: Declaration) -> tuple[set[str], set[str]]:
    """The parameters that a module requires, and all that it has."""
    if used.reference.startswith("br/"):
        known = AVM[used.reference.removeprefix("br/public:avm/res/")]
        return set(known["required"]), {*known["required"], *known["optional"]}
    declared = _own(file, used).declared("param")
    return {name for name, param in declared.items() if param.value is None}, set(declared)


def _outputs(file: File, used: Declaration) -> set[str]:
    if used.reference.startswith("br/"):
        return set(AVM[used.reference.removeprefix("br/public:avm/res/")]["outputs"])
    return set(_own(file, used).declared("output"))


def _typed(file: File, node: Node) -> Any:
    """The value of an argument; for a parameter without a default, its type."""
    value = Scope(file, {}).evaluate(node)
    declared = file.declared("param").get(_text(node))
    return PRIMITIVES[declared.type] if isinstance(value, Unknown) and declared else value


def _has_type(value: Any, declared: str) -> bool:
    expected = PRIMITIVES[declared]
    return isinstance(value, Unknown) or value is expected or type(value) is expected


def _text(node: Node) -> str:
    assert node.text is not None, "the tree was parsed from a text"
    return node.text.decode()


def test_the_reader_works_out_what_the_files_use() -> None:
    text = (
        "var a = ['x', 'y']\nvar b = map(concat(a, ['z']), n => { k: '${n}-p', w: 2 * 3 })\nvar c = empty('') ? b : a\n"
    )
    file = File(INFRA / "example.bicep", text)
    assert file.value("c") == [{"k": f"{name}-p", "w": 6} for name in "xyz"]
    assert properties(file.root) == {}
