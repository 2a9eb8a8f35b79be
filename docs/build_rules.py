"""Write docs/rules.md, the reference of the rule kinds, from the docstrings of dom_core/rules.

python -m docs.build_rules            write the page
python -m docs.build_rules --check    fail when the page is not current
"""

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from dom_core.rules import kinds, scope

PAGE = Path(__file__).with_name("rules.md")

INTRODUCTION = """\
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


def page() -> str:
    """The whole reference."""
    sections = [INTRODUCTION, _section("Scopes", _text(scope))]
    for name, rule in kinds().items():
        sections.append(_section(f"`{name}`", _text(sys.modules[rule.__module__])))
    return "\n".join(sections)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; the exit code is 1 when the check fails."""
    parser = argparse.ArgumentParser(prog="python -m docs.build_rules", description="Write docs/rules.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is not current")
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
    if not current:
        sys.stderr.write("docs/rules.md is not current: run `python -m docs.build_rules`\n")
    return 0 if current else 1


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}\n"


def _text(module: ModuleType) -> str:
    return inspect.cleandoc(module.__doc__ or "")


if __name__ == "__main__":
    sys.exit(main())
