"""README.md as a shell script: its blocks, and what each is expected to print.

```sh            run, in the order of the page, all in one shell; each must succeed
```text          right after an sh block: what that block prints (times in seconds may differ)
```sh server     run in the background until the end; the next block waits until the host answers
```sh setup      for the reader's machine (installs, `make`): not run
```csv PATH      the file of that path in this repository
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK = "==== block "
PORT_IN_README = "7071"

WAIT_FOR_HOST = """\
for attempt in $(seq 150); do
    curl --silent --fail --output /dev/null http://127.0.0.1:7071/api/health && break
    kill -0 $SERVER || exit 1
    sleep 0.2
done
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, its text, and the line where it begins."""

    words: tuple[str, ...]
    text: str
    line: int


@dataclass(frozen=True)
class Step:
    """A block that is run, and what it must print; None where the page does not say."""

    block: Block
    output: str | None


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page."""
    return [
        Block(tuple(match[1].split()), match[2], page[: match.start()].count("\n") + 1)
        for match in BLOCK.finditer(page)
    ]


def steps(page: str) -> list[Step]:
    """The blocks to run, in order."""
    found = blocks(page)
    after = [*found[1:], Block((), "", 0)]
    return [
        Step(block, following.text if following.words == ("text",) else None)
        for block, following in zip(found, after, strict=True)
        if block.words in (("sh",), ("sh", "server"))
    ]


def script(wanted: Sequence[Step], port: int) -> str:
    """One script that runs the steps and marks where each begins."""
    parts = ["set -euo pipefail\n"]
    for number, step in enumerate(wanted):
        parts.append(f"echo '{MARK}{number}'\n")
        if step.block.words == ("sh", "server"):
            parts.append(f"{{\n{step.block.text}}} > server.log 2>&1 &\nSERVER=$!\n{WAIT_FOR_HOST}")
        else:
            parts.append(step.block.text)
    return "".join(parts).replace(PORT_IN_README, str(port))


def outputs(printed: str) -> list[str]:
    """What each step printed."""
    return [part.partition("\n")[2] for part in printed.split(MARK)[1:]]


def without_times(text: str) -> str:
    """The text with every number of seconds replaced: machines differ."""
    return re.sub(r"\d+\.\d+ s\b", "… s", text)


def with_outputs(page: str, wanted: Sequence[Step], printed: Sequence[str]) -> str:
    """The page with what the steps printed now, where that differs by more than times."""
    for step, output in zip(wanted, printed, strict=True):
        if step.output is not None and without_times(output) != without_times(step.output):
            page = page.replace(f"```text\n{step.output}```", f"```text\n{output}```", 1)
    return page
