"""The project's own source code as syntax trees, and the texts that git keeps."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("dom_core", "functions", "local")
"""What is deployed or run; tests, examples and documents are not held to its layers."""


@dataclass(frozen=True)
class Module:
    """One file of the project."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        """The part of the house it belongs to: `domain`, `use_cases`, `functions`, …"""
        return room_of(self.name) or "dom_core"

    def imports(self) -> Iterator[str]:
        """Every module that it imports, wherever in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path} imports relatively"
                # `from package import name` may name a module or a value: both readings are looked at.
                yield node.module or ""
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def room_of(module_name: str) -> str | None:
    """The room of one of our modules; None for `dom_core` itself and for anything that is not ours."""
    first, _, rest = module_name.partition(".")
    if first in ("functions", "local", "function_app"):
        return first
    return rest.partition(".")[0] or None if first == "dom_core" else None


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the packages, and function_app.py."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(map(_module, [ROOT / "function_app.py", *paths]))


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    return Module(name, path, ast.parse(path.read_text(encoding="utf-8"), str(path)))


BINARY = frozenset({".npz"})
"""Arrays that tests keep: no text to read."""


@cache
def tracked_texts() -> tuple[tuple[Path, str], ...]:
    """Every text file that is, or is about to be, under version control."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in names.split("\0") if name]
    texts = (path for path in paths if path.is_file() and path.suffix not in BINARY)
    return tuple((path, path.read_text(encoding="utf-8")) for path in texts)


def names_used(tree: ast.AST) -> Iterator[str]:
    """Dotted names as they are written: `time.monotonic`, `os.environ.get`, `open`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            yield _dotted(node)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return "?"
