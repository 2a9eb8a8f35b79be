"""Bicep files as declarations with values, as far as their text alone says.

There is no Bicep compiler for these tests: this reads the syntax tree, follows names, and works out the expressions
that our files use. What only Azure knows is an `Unknown`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep
from tree_sitter import Node

INFRA = Path(__file__).parents[2] / "infra"
LANGUAGE = tree_sitter.Language(tree_sitter_bicep.language())

UNIQUE = "abcdefghijklm"
"""What stands for `uniqueString(…)`: thirteen small letters and digits, of whatever it is given."""

KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


@dataclass(frozen=True)
class Unknown:
    """A value that only a deployment knows."""

    text: str


@dataclass(frozen=True)
class Declaration:
    """One `param`, `var`, `resource`, `module` or `output`."""

    kind: str
    name: str
    node: Node

    @property
    def type(self) -> str:
        """The declared type of a parameter or an output."""
        return next(_text(child) for child in self.node.named_children if child.type == "type")

    @property
    def value(self) -> Node | None:
        """Its expression: the default of a parameter, the value of a variable, the body of a resource or module."""
        last = self.node.named_children[-1]
        return None if last.type in ("type", "identifier") else last

    @property
    def reference(self) -> str:
        """What a module or a resource is: `modules/storage.bicep`, `br/public:avm/…:1.2`, `Microsoft.…@2024-11-15`."""
        return next(_text(child).strip("'") for child in self.node.named_children if child.type == "string")

    @property
    def body(self) -> Node:
        """The object that describes it, without `if` and `for` around it."""
        node = self.value
        while node is not None and node.type != "object":
            node = node.named_children[-1]
        assert node is not None, f"{self.name} has no body"
        return node

    @property
    def arguments(self) -> Mapping[str, Node]:
        """What a module is given."""
        given = properties(self.body).get("params")
        return properties(given) if given else {}

    @property
    def loop(self) -> tuple[str, Node] | None:
        """The variable of the loop around a module or a resource, and what it runs over."""
        found = next(_descendants(self.node, "for_statement"), None)
        if found is None or found.named_children[-1].type != "object":
            return None
        return _text(found.named_children[0]), found.named_children[1]


@dataclass(frozen=True)
class File:
    """A Bicep file."""

    path: Path
    text: str = field(repr=False)

    @cached_property
    def root(self) -> Node:
        """Its syntax tree."""
        return tree_sitter.Parser(LANGUAGE).parse(self.text.encode()).root_node

    @property
    def name(self) -> str:
        """Its path below `infra`."""
        return self.path.relative_to(INFRA).as_posix()

    def syntax_errors(self) -> list[str]:
        """Places that are no Bicep."""
        return [f"line {node.start_point.row + 1}: {_text(node)[:60]!r}" for node in walk(self.root) if _is_error(node)]

    def declarations(self, *kinds: str) -> list[Declaration]:
        """Its declarations of these kinds, in order; of all kinds if none is named."""
        found = [child for child in self.root.named_children if child.type in KINDS]
        every = [Declaration(KINDS[node.type], _name(node), node) for node in found]
        return [declared for declared in every if not kinds or declared.kind in kinds]

    def declared(self, kind: str) -> dict[str, Declaration]:
        """Its declarations of a kind, by name."""
        return {declared.name: declared for declared in self.declarations(kind)}

    def value(self, variable: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """The value of a variable."""
        return Scope(self, arguments or {}).value(variable)


def read(path: Path) -> File:
    """The file at this path."""
    return File(path, path.read_text(encoding="utf-8"))


def files() -> list[File]:
    """Every Bicep file."""
    return [read(path) for path in sorted(INFRA.rglob("*.bicep"))]


def module(name: str) -> File:
    """One of our modules."""
    return read(INFRA / "modules" / f"{name}.bicep")


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def properties(node: Node) -> dict[str, Node]:
    """The properties of an object, unevaluated."""
    pairs = [child.named_children for child in node.named_children if child.type == "object_property"]
    return {_text(pair[0]).strip("'"): pair[-1] for pair in pairs}


@dataclass(frozen=True)
class Scope:
    """What names mean in a file, given the arguments of its parameters."""

    file: File
    arguments: Mapping[str, Any]
    local: Mapping[str, Any] = field(default_factory=dict)

    def with_local(self, name: str, value: Any) -> "Scope":
        """The same, within a loop or a lambda."""
        return Scope(self.file, self.arguments, {**self.local, name: value})

    def value(self, name: str) -> Any:
        """The value of a name."""
        if name in self.local:
            return self.local[name]
        if name in self.arguments:
            return self.arguments[name]
        declared = self.file.declared("var").get(name) or self.file.declared("param").get(name)
        node = declared.value if declared else None
        return Unknown(name) if node is None else self.evaluate(node)

    def evaluate(self, node: Node) -> Any:
        """The value of an expression."""
        evaluate = _EVALUATORS.get(node.type)
        return evaluate(self, node) if evaluate else Unknown(_text(node))


def _string(scope: Scope, node: Node) -> Any:
    parts = []
    for child in node.named_children:
        value = scope.evaluate(child.named_children[0]) if child.type == "interpolation" else _unescaped(child)
        if isinstance(value, Unknown):
            return Unknown(_text(node))
        parts.append(str(value))
    return "".join(parts)


def _array(scope: Scope, node: Node) -> Any:
    return [scope.evaluate(child) for child in node.named_children if child.type != "comment"]


def _object(scope: Scope, node: Node) -> Any:
    return {name: scope.evaluate(value) for name, value in properties(node).items()}


def _member(scope: Scope, node: Node) -> Any:
    owner = scope.evaluate(node.named_children[0])
    name = _text(node.named_children[1])
    return owner[name] if isinstance(owner, dict) and name in owner else Unknown(_text(node))


def _ternary(scope: Scope, node: Node) -> Any:
    condition, yes, no = node.named_children
    decided = scope.evaluate(condition)
    return Unknown(_text(node)) if isinstance(decided, Unknown) else scope.evaluate(yes if decided else no)


def _binary(scope: Scope, node: Node) -> Any:
    left, right = (scope.evaluate(child) for child in node.named_children)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return Unknown(_text(node))
    match _text(node.children[1]):
        case "==":
            return left == right
        case "*":
            return left * right
        case "+":
            return left + right
    return Unknown(_text(node))


def _call(scope: Scope, node: Node) -> Any:
    function, arguments = node.named_children[0], node.named_children[1].named_children
    if _text(function) == "map":
        return _mapped(scope, *arguments)
    if _text(function) == "uniqueString":
        return UNIQUE
    values = [scope.evaluate(argument) for argument in arguments]
    call = _FUNCTIONS.get(_text(function))
    unknown = call is None or any(isinstance(value, Unknown) for value in values)
    return Unknown(_text(node)) if unknown or call is None else call(*values)


def _mapped(scope: Scope, array: Node, function: Node) -> Any:
    values = scope.evaluate(array)
    if isinstance(values, Unknown):
        return values
    parameter, body = _text(function.named_children[0]), function.named_children[-1]
    return [scope.with_local(parameter, value).evaluate(body) for value in values]


_EVALUATORS: Mapping[str, Callable[[Scope, Node], Any]] = {
    "string": _string,
    "number": lambda _, node: int(_text(node)),
    "boolean": lambda _, node: _text(node) == "true",
    "null": lambda *_: None,
    "identifier": lambda scope, node: scope.value(_text(node)),
    "parenthesized_expression": lambda scope, node: scope.evaluate(node.named_children[0]),
    "array": _array,
    "object": _object,
    "member_expression": _member,
    "ternary_expression": _ternary,
    "binary_expression": _binary,
    "call_expression": _call,
}

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "concat": lambda *arrays: [item for array in arrays for item in array],
    "union": lambda *objects: {name: value for one in objects for name, value in one.items()},
    "empty": lambda value: not value,
    "string": str,
}


def _descendants(node: Node, kind: str) -> Iterator[Node]:
    return (found for found in walk(node) if found.type == kind)


def _name(node: Node) -> str:
    return next(_text(child) for child in node.named_children if child.type == "identifier")


def _is_error(node: Node) -> bool:
    return node.type == "ERROR" or node.is_missing


def _unescaped(node: Node) -> str:
    return _text(node).replace("\\'", "'").replace("\\$", "$").replace("\\\\", "\\")


def _text(node: Node) -> str:
    assert node.text is not None, "the tree was parsed from a text"
    return node.text.decode()
