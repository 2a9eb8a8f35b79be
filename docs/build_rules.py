"""Write the references of the rule kinds and of the cost-factor kinds from the docstrings that define them.

python -m docs.build_rules            write docs/rules.md and docs/cost-factors.md
python -m docs.build_rules --check    fail when a page is not current
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType

from dom_core import costs, rules
from dom_core.costs import base
from dom_core.rules import scope

FOLDER = Path(__file__).parent

RULES = """\
<!-- Written by `python -m docs.build_rules` from the docstrings in dom_core/rules. Change those, not this page. -->

# Rules

A rule is stored as an envelope and parameters:

```json
{"id": "not-too-far", "kind": "maximum_distance", "params": {"lines": [{"km": 800.0}]}, "hard": true}
```

It does nothing until a strategy links it. `enabled` switches it off; `start_date` and `end_date` (both inclusive, on
the source's calendar for rules about sources, UTC otherwise) limit it in time; a rule that is not `hard` is dropped
in iteration 2. Unknown parameters are refused, and every problem is listed at once with its path
(`params.lines[0].units`).
"""

COST_FACTORS = """\
<!-- Written by `python -m docs.build_rules` from the docstrings in dom_core/costs. Change those, not this page. -->

# Cost factors

A cost factor is stored as an envelope and parameters:

```json
{"id": "parcel", "kind": "shipping", "params": {"lines": [{"basis": "fixed", "cents": 795}]}, "active": true}
```

It costs nothing until a strategy links it. `active` switches it off; `start_date` and `end_date` (both inclusive, in
UTC) limit it in time. Unknown parameters are refused, and every problem is listed at once with its path
(`params.lines[0].bands[2]`).
"""


def rules_page() -> str:
    """The whole reference of the rules."""
    return "\n".join([RULES, _section("Scopes", _text(scope)), *_kinds(rules.kinds())])


def cost_factors_page() -> str:
    """The whole reference of the cost factors."""
    return "\n".join([COST_FACTORS, _section("Legs, shipments and parts", _text(base)), *_kinds(costs.kinds())])


PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"rules.md": rules_page, "cost-factors.md": cost_factors_page}
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; the exit code is 1 when the check fails."""
    parser = argparse.ArgumentParser(prog="python -m docs.build_rules", description="Write the references of kinds.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is not current")
    if parser.parse_args(arguments).check:
        return _check()
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
    return 0


def _check() -> int:
    old = [name for name, page in PAGES.items() if not _is_current(FOLDER / name, page())]
    for name in old:
        sys.stderr.write(f"docs/{name} is not current: run `python -m docs.build_rules`\n")
    return 1 if old else 0


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _kinds(kinds: Mapping[str, type]) -> list[str]:
    return [_section(f"`{name}`", _text(sys.modules[kind.__module__])) for name, kind in kinds.items()]


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}\n"


def _text(module: ModuleType) -> str:
    return inspect.cleandoc(module.__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
