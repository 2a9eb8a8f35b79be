"""A shell script in the place of CBC: for what the real one does too seldom, or only elsewhere."""

from pathlib import Path

import pytest

from dom_core.optimizer import solving


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    """Let CBC be a shell script of these lines."""
    script = folder / "stand-in"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setattr(solving, "cbc_executable", lambda: script)


def says(head: str) -> str:
    """It takes a fifth of a second, and writes an answer that begins like this."""
    return f'sleep 0.2\nfor last; do :; done\necho "{head} - objective value -7" > "$last"'
