"""Everything the core can raise. Business outcomes (no stock, too far, offline) are values in a plan, not errors.

DomError
├── InvalidInput         the caller's data is wrong: every problem with its path     never retried
│   └── Unreadable       the bytes are not UTF-8 text, or the text is not JSON       never retried
├── NotFound             the thing named does not exist                              never retried
├── Conflict             the request contradicts what is stored                      never retried
│   ├── DifferentContent a stored order's id and revision with other content; says how a change is sent
│   ├── IllegalTransition the state of the line or order does not allow this; says what it allows
│   └── ContentLost      what a message points to is gone, or is not what was sent
├── Forbidden            the key or role does not allow this                         never retried
├── StoreConflict        somebody else wrote first: read and decide again            retried by the caller
│   └── AlreadyExists    a create found a document with that id
├── LeaseLost            the lease is gone, or the fence is old                      the run stops
├── Busy                 somebody else plans or applies just now                     retried later
├── Unavailable          a service did not answer: geocoder, store, queue            retried by the host
├── StoreUnusable        the store cannot be opened or is damaged; says the way out  never retried
├── DamagedDocument      a stored document is not in the form in which it was stored  never retried
├── SolverFailed         the solver crashed or answered nonsense                     retried by the next run
│   ├── SolverNotStarted it is missing, or cannot be started on this machine
│   └── NoTemporarySpace the temporary folder is full or cannot be written
└── PlanRejected         the audit found a plan that breaks a rule: our defect       never retried, never applied
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where (`lines[0].units`), and what to do about it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DomError(Exception):
    """Base of all errors of this project."""

    retryable = False


class InvalidInput(DomError):
    """The input breaks its format or refers to what does not exist. Carries every problem, not the first."""

    def __init__(self, problems: Sequence[Problem], subject: str = "input") -> None:
        self.problems = tuple(problems)
        self.subject = subject
        listed = "; ".join(str(problem) for problem in self.problems)
        super().__init__(f"invalid {subject}: {listed}")


class Unreadable(InvalidInput):
    """The bytes are not UTF-8 text, or the text is not JSON: there is nothing to validate."""


class NotFound(DomError):
    """Nothing is stored under this name. Says which names there are, where they are few."""

    def __init__(self, kind: str, id: str, known: Sequence[str] = ()) -> None:
        self.kind = kind
        self.id = id
        super().__init__(f"no {kind} '{id}'" + (f"; known: {', '.join(known)}" if known else ""))


class Conflict(DomError):
    """The request contradicts what is stored."""


class DifferentContent(Conflict):
    """An order arrived under a stored id and revision, with other content. Says how a change is sent."""

    def __init__(self, order_id: str, revision: int) -> None:
        self.order_id = order_id
        self.revision = revision
        super().__init__(
            f"order '{order_id}' revision {revision} is already stored with other content; "
            f"to change the order, send it with a 'revision' above {revision}"
        )


class IllegalTransition(Conflict):
    """The state of the line, or of the order, does not allow the event. Says what is possible instead."""

    def __init__(self, event: str, state: str, allowed: Sequence[str], subject: str = "line") -> None:
        self.event = event
        self.state = state
        self.allowed = tuple(allowed)
        choices = ", ".join(self.allowed) or "nothing"
        super().__init__(f"'{event}' is not possible while the {subject} is '{state}'; possible now: {choices}")


class ContentLost(Conflict):
    """The content to which a message points is gone, or is not what was sent."""


class Forbidden(DomError):
    """The caller may not do this."""


class StoreConflict(DomError):
    """The document changed since it was read (ETag), or vanished."""

    retryable = True


class AlreadyExists(StoreConflict):
    """A create found a document with that id in that partition."""


class LeaseLost(DomError):
    """Another run holds the lease, or has taken a higher fence."""


class Cancelled(DomError):
    """Somebody asked to stop what was being done."""


class Busy(DomError):
    """Somebody else plans, or applies a plan, at this moment; the same call may work later."""

    retryable = True


class Unavailable(DomError):
    """A service did not answer; the same call may work later."""

    retryable = True


class StoreUnusable(DomError):
    """The store cannot be opened, or is damaged: a person must act. Says where it is, and what to do."""

    def __init__(self, location: str, fault: str, way_out: str) -> None:
        self.location = location
        self.fault = fault
        self.way_out = way_out
        super().__init__(f"the store '{location}' cannot be used: {fault}. {way_out}")


class DamagedDocument(DomError):
    """A stored document is not in the form in which it was stored: a person must act. Says which, and what is wrong."""


class SolverFailed(DomError):
    """The solver could not be run, crashed, or answered with something that is not a solution."""

    retryable = True


class SolverNotStarted(SolverFailed):
    """The solver's executable is missing, or not for this machine: a person must act. Says which, and the way out."""

    def __init__(self, executable: str, fault: str) -> None:
        self.executable = executable
        self.fault = fault
        way_out = (
            "Deploy what 'python -m infra.package' builds, or install PuLP again on a machine of this kind: "
            "pip install --force-reinstall 'pulp>=3.3.2,<4'"
        )
        super().__init__(f"the solver '{executable}' cannot be started here: {fault}. {way_out}")


class NoTemporarySpace(SolverFailed):
    """The folder for temporary files is full, or cannot be written. Says which, and the way out."""

    def __init__(self, folder: str, fault: str) -> None:
        self.folder = folder
        self.fault = fault
        way_out = "Make room there, or let the environment variable TMPDIR name a folder that can be written"
        super().__init__(f"the temporary folder '{folder}' cannot be used: {fault}. {way_out}")


class PlanRejected(DomError):
    """The audit found that a plan breaks a rule. The plan is not applied."""

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        super().__init__("the audit refused the plan: " + "; ".join(self.findings))
