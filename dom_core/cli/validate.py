"""`dom validate`: every problem of a configuration at once."""

import sys
from argparse import Namespace

from dom_core.cli.terminal import Ending, list_problems, say
from dom_core.configuration import Configuration
from dom_core.files.configuration_folder import SHAPES, read_folder
from dom_core.report.wording import words


def run(options: Namespace) -> Ending:
    """Check the folder and list what was found."""
    folder = read_folder(options.config)
    if folder.warnings:
        list_problems(sys.stdout, folder.warnings, "warning")
    if folder.errors:
        list_problems(sys.stdout, folder.errors, "error")
        return Ending.PROBLEMS
    say(sys.stdout, f"valid: {_contents(folder.configuration)}")
    return Ending.DONE


def _contents(configuration: Configuration) -> str:
    return ", ".join(f"{words(name)} {len(getattr(configuration, name)):,}" for name in SHAPES)
