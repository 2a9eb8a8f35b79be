"""What the timers remember over a restart, in one small JSON file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime

from dom_core.messages.reading import read_json, write_value


@dataclass(frozen=True, slots=True)
class TimerState:
    """The last run (None before the first) and the tick that is due next, under a certain schedule."""

    schedule: str
    last: AwareDatetime | None
    next: AwareDatetime


class TimerStates:
    """The states of all timers of a host. A file that cannot be read is an error: delete it to start afresh."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._states = read_json(path.read_bytes(), dict[str, TimerState], str(path)) if path.exists() else {}

    def get(self, name: str) -> TimerState | None:
        """The state of a timer, None if it never ran here."""
        return self._states.get(name)

    def save(self, name: str, state: TimerState) -> None:
        """Remember a timer's state. The file is replaced as a whole: a crash leaves the old one or the new one."""
        self._states[name] = state
        plain: dict[str, Any] = write_value(self._states, dict[str, TimerState])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = self._path.with_name(self._path.name + ".new")
        written.write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        written.replace(self._path)
