"""Route templates as Azure writes them: `orders/{id:int}/lines/{line?}`, `files/{*path}`.

The rules are those of ASP.NET Core routing, which the Functions host uses: literals match in any case, a parameter
takes one whole segment, an optional parameter or a catch-all comes last, and of two routes that both match the more
exact one wins, segment by segment: literal, then constrained parameter, then parameter, then catch-all.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import unquote

Check = Callable[[str], bool]
"""Whether a segment's value satisfies a constraint."""


class Exactness(IntEnum):
    """How much a segment says about the path; the lower wins."""

    LITERAL = 0
    CONSTRAINED = 1
    PARAMETER = 2
    CATCH_ALL = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a template between two slashes: a literal in lower case, or a parameter's name."""

    text: str
    exactness: Exactness
    constraints: str = ""
    checks: tuple[Check, ...] = ()
    optional: bool = False

    def accepts(self, part: str) -> bool:
        """Whether this part of a path fits here."""
        if self.exactness is Exactness.LITERAL:
            return part.lower() == self.text
        return part != "" and all(check(part) for check in self.checks)


@dataclass(frozen=True, slots=True)
class Route:
    """A template, ready to be matched."""

    template: str
    segments: tuple[Segment, ...]

    @property
    def precedence(self) -> tuple[Exactness, ...]:
        """Sorts the more exact route first."""
        return tuple(segment.exactness for segment in self.segments)

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for two routes that no path can tell apart, whatever their parameters are called."""
        return tuple(
            segment.text if segment.exactness is Exactness.LITERAL else (segment.exactness, segment.constraints)
            for segment in self.segments
        )

    def match(self, parts: Sequence[str]) -> dict[str, str] | None:
        """The parameters that these path segments give, or None if they do not match."""
        values: dict[str, str] = {}
        for position, segment in enumerate(self.segments):
            if segment.exactness is Exactness.CATCH_ALL:
                rest = "/".join(parts[position:])
                return values | ({segment.text: rest} if rest else {})
            if position >= len(parts):
                return values if segment.optional else None
            if not segment.accepts(parts[position]):
                return None
            if segment.exactness is not Exactness.LITERAL:
                values[segment.text] = parts[position]
        return values if len(parts) <= len(self.segments) else None


def path_parts(raw_path: str) -> list[str]:
    """The decoded segments of a raw URL path. Raises ValueError for bytes that are not UTF-8.

    An encoded slash stays `%2F`, as the cloud's web server leaves it: it never splits a segment.
    """
    parts = raw_path.removeprefix("/").removesuffix("/").split("/")
    return [_decoded(part) for part in parts] if parts != [""] else []


def parse_route(template: str) -> Route:
    """Read a template. Raises ValueError for what Azure refuses, and for what this host does not know."""
    if template.startswith(("/", "~")):
        raise ValueError("must not begin with '/' or '~'")
    segments = tuple(_segment(part) for part in template.split("/")) if template else ()
    names = [segment.text.lower() for segment in segments if segment.exactness is not Exactness.LITERAL]
    if len(set(names)) < len(names):
        raise ValueError("names a parameter twice")
    if any(segment.optional or segment.exactness is Exactness.CATCH_ALL for segment in segments[:-1]):
        raise ValueError("may have an optional parameter or a catch-all only at its end")
    if segments and segments[0].text in {"admin", "runtime"}:
        raise ValueError("begins with 'admin' or 'runtime', which belong to the host")
    return Route(template, segments)


_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::[A-Za-z]+(?:\([^(){}]*\))?)*)(\??)\}", re.ASCII)
_CONSTRAINT = re.compile(r":([A-Za-z]+)(?:\(([^)]*)\))?")
_GUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def _decoded(part: str) -> str:
    return "%2F".join(unquote(piece, errors="strict") for piece in re.split("%2F", part, flags=re.IGNORECASE))


def _segment(part: str) -> Segment:
    if not part:
        raise ValueError("has an empty segment")
    if "{" not in part and "}" not in part:
        return Segment(part.lower(), Exactness.LITERAL)
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise ValueError(f"has the segment '{part}': write {{name}}, {{name:int}}, {{name?}} or {{*name}}")
    stars, name, constraints, optional = match.groups()
    checks = tuple(_check(kind, arguments) for kind, arguments in _CONSTRAINT.findall(constraints))
    if stars:
        return _catch_all(part, name, plain=not checks and not optional)
    exactness = Exactness.CONSTRAINED if checks else Exactness.PARAMETER
    return Segment(name, exactness, constraints, checks, optional=bool(optional))


def _catch_all(part: str, name: str, *, plain: bool) -> Segment:
    if not plain:
        raise ValueError(f"has the segment '{part}': a catch-all takes no constraint and no '?'")
    return Segment(name, Exactness.CATCH_ALL)


def _check(kind: str, arguments: str) -> Check:
    if kind not in _CONSTRAINTS:
        raise ValueError(f"has the constraint '{kind}'; known here are {', '.join(sorted(_CONSTRAINTS))}")
    wanted, build = _CONSTRAINTS[kind]
    numbers = [text.strip() for text in arguments.split(",")] if arguments else []
    if len(numbers) not in wanted or not all(_WHOLE.fullmatch(number) for number in numbers):
        counts = " or ".join(str(count) for count in wanted)
        raise ValueError(f"has the constraint '{kind}', which takes {counts} whole numbers")
    return build(*(int(number) for number in numbers))


def _is_whole(least: int, most: int) -> Check:
    return lambda value: _WHOLE.fullmatch(value) is not None and least <= int(value) <= most


def _has_length(least: int, most: int | None = None) -> Check:
    return lambda value: least <= len(value) <= (least if most is None else most)


_LONG = 2**63
_CONSTRAINTS: Mapping[str, tuple[tuple[int, ...], Callable[..., Check]]] = {
    "int": ((0,), lambda: _is_whole(-(2**31), 2**31 - 1)),
    "long": ((0,), lambda: _is_whole(-_LONG, _LONG - 1)),
    "min": ((1,), lambda least: _is_whole(least, _LONG - 1)),
    "max": ((1,), lambda most: _is_whole(-_LONG, most)),
    "range": ((2,), _is_whole),
    "bool": ((0,), lambda: lambda value: value.lower() in {"true", "false"}),
    "alpha": ((0,), lambda: lambda value: value.isascii() and value.isalpha()),
    "guid": ((0,), lambda: lambda value: _GUID.fullmatch(value) is not None),
    "length": ((1, 2), _has_length),
    "minlength": ((1,), lambda least: lambda value: len(value) >= least),
    "maxlength": ((1,), lambda most: lambda value: len(value) <= most),
}
"""Constraint -> how many numbers it takes, and the check that they give."""
