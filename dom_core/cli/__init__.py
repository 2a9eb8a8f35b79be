"""`dom`: plan, explain and validate on files, without a server.

Errors are plain sentences; the environment variable DOM_DEBUG shows the traceback instead.
"""

import sys
from collections.abc import Sequence
from typing import TextIO

from dom_core.cli import parser, terminal
from dom_core.cli.terminal import Ending
from dom_core.errors import Conflict, DomError, InvalidInput, NotFound
from dom_core.settings import debugging


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Raises SystemExit(2) for a command line that is not understood."""
    options = parser.build().parse_args(arguments)
    try:
        ending: Ending = options.command(options)
    except Exception as error:
        if debugging():
            raise
        ending = _report(error, sys.stderr)
    except KeyboardInterrupt:
        terminal.say(sys.stderr, "dom: stopped")
        ending = Ending.STOPPED
    return int(ending)


def _report(error: Exception, stream: TextIO) -> Ending:
    match error:
        case InvalidInput():
            terminal.list_problems(stream, error.problems, "problem")
            return Ending.PROBLEMS
        case NotFound() | Conflict():
            terminal.say(stream, f"dom: {error}")
            return Ending.PROBLEMS
        case DomError() | OSError():
            terminal.say(stream, f"dom: {error}")
        case _:
            terminal.say(stream, f"dom: unexpected {type(error).__name__}: {error} (DOM_DEBUG=1 shows where)")
    return Ending.FAILED
