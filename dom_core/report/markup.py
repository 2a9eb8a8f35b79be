"""HTML that is safe by construction: text is escaped unless it was made here."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

_VOID = frozenset({"input", "meta", "path", "circle", "rect", "line", "polygon"})
"""Elements without content: closed at once, which HTML and SVG both understand."""


class Html(str):
    """Markup that needs no escaping. Only this module and the page's own files make it."""

    __slots__ = ()


Content: TypeAlias = "Html | str | int | Iterable[Content] | None"
Attribute: TypeAlias = str | int | float | bool | None


def tag(name: str, /, *content: Content, **attributes: Attribute) -> Html:
    """One element. `class_` and `data_line` become `class` and `data-line`; None and False leave an attribute out."""
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID and not content:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(content)}</{name}>")


def join(content: Content) -> Html:
    """The contents one after the other, texts escaped."""
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    if isinstance(content, str | int):
        return Html(escape(_visible(str(content))))
    return Html("".join(join(part) for part in content))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(_visible(_text(value)))}"'


def _text(value: str | float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _visible(text: str) -> str:
    """The text without characters that HTML forbids: a name may hold any."""
    return "".join(letter if letter >= " " or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text)
