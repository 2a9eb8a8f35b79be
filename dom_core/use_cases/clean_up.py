"""Remove what nobody needs any more: old plans, runs, dead letters and distances, and what the killed have left."""

from contextlib import suppress
from datetime import datetime, timedelta

from dom_core.domain.dead_letter import DeadLetter
from dom_core.domain.ids import PlanId
from dom_core.domain.plan import PlanState
from dom_core.domain.run import RunState
from dom_core.errors import InvalidInput, StoreConflict
from dom_core.messages.claim import Claim, claim_in
from dom_core.ports import DocumentStore
from dom_core.repositories.dead_letters import DeadLetters
from dom_core.repositories.measured_roads import remove_expired
from dom_core.repositories.orders import Orders
from dom_core.repositories.plan_tasks import PlanTasks
from dom_core.repositories.plans import Plans
from dom_core.repositories.runs import Runs
from dom_core.telemetry.events import CleanedUp
from dom_core.use_cases.claim_check import MESSAGE_LIFE_S
from dom_core.use_cases.close_plans import expire_overdue
from dom_core.use_cases.context import Ports
from dom_core.use_cases.end_run import end_run
from dom_core.use_cases.sweep_reservations import sweep_all, tell_oversold

FORGOTTEN_AFTER = timedelta(days=1)
"""No run takes so long, and none waits so long in its queue."""

BLOB_LIFE = timedelta(seconds=2 * MESSAGE_LIFE_S) + timedelta(days=1)
"""How long a blob is left alone: its message may wait once in its queue and once among the poison, and be in work."""


def clean_up(ports: Ports) -> CleanedUp:
    """How much was removed; it is told, too. Safe to repeat, and to be killed: what is left is found the next time."""
    now = ports.clock.now()
    tell_oversold(ports.telemetry, sweep_all(ports.store))
    _end_forgotten_runs(ports, now - FORGOTTEN_AFTER)
    plans_since = now - timedelta(days=ports.settings.plan_retention_days)
    letters_since = now - timedelta(days=ports.settings.dead_letter_retention_days)
    dead_letters, dead_letters_kept = _remove_dead_letters(ports.store, letters_since)
    done = CleanedUp(
        expired_plans=expire_overdue(ports),
        plans=_remove_plans(ports.store, plans_since),
        runs=_remove_runs(ports.store, plans_since),
        dead_letters=dead_letters,
        dead_letters_kept=dead_letters_kept,
        distances=remove_expired(ports.store, now.date()),
        blobs=_remove_blobs(ports, now - BLOB_LIFE),
        plan_tasks=_close_plan_tasks(ports, now - FORGOTTEN_AFTER),
    )
    ports.telemetry.tell(done)
    return done


def _end_forgotten_runs(ports: Ports, since: datetime) -> None:
    """Runs begun or asked for before then that never ended: somebody was killed, and no message brings them back.

    A message that comes all the same finds the run failed, and does it again.
    """
    for state in (RunState.QUEUED, RunState.RUNNING):
        for run in list(Runs(ports.store).in_state(state)):
            if (run.started_at or run.requested_at) < since:
                end_run(ports, run.id, "never ended; nobody works on it any more", (run.fence or 0) + 1)


def _remove_plans(store: DocumentStore, since: datetime) -> int:
    """Remove plans made before then, unless a line is assigned by them or somebody still has to decide about them."""
    plans = Plans(store)
    old = [header for header in plans.every() if header.planned_at < since and header.state is not PlanState.PROPOSED]
    needed = _plans_of_open_assignments(store) if old else frozenset()
    removable = [*plans.unfinished_removals(), *(header.id for header in old if header.id not in needed)]
    for plan_id in removable:
        plans.remove(plan_id)
    return len(removable)


def _plans_of_open_assignments(store: DocumentStore) -> frozenset[PlanId]:
    """The plans by which a line is assigned or picked; for safety also those of its order's shipped lines."""
    return frozenset(
        line.assignment.plan_id for order in Orders(store).in_work() for line in order.lines if line.assignment
    )


def _remove_runs(store: DocumentStore, since: datetime) -> int:
    """Remove runs asked for before then, each with what it left of a plan, unless its plan is still there."""
    runs, plans = Runs(store), Plans(store)
    removed = 0
    for run in list(runs.every()):
        if run.value.requested_at >= since or (run.value.plan_id and plans.state(run.value.plan_id)):
            continue
        if run.value.plan_id:
            plans.remove(run.value.plan_id)
        with suppress(StoreConflict):
            runs.delete(run)
            removed += 1
    return removed


def _close_plan_tasks(ports: Ports, since: datetime) -> int:
    """Close the plan tasks opened before then: whoever waited was killed."""
    tasks = PlanTasks(ports.store, ports.blobs)
    forgotten = [ticket.id for ticket in tasks.every() if ticket.opened_at < since]
    for ticket_id in forgotten:
        tasks.close(ticket_id)
    return len(forgotten)


def _remove_blobs(ports: Ports, since: datetime) -> int:
    """Remove blobs put before then: no message points to them any more. Those of dead letters stay with them."""
    old = [blob.name for blob in ports.blobs.every() if blob.stored_at < since]
    needed = _blobs_of_dead_letters(ports.store) if old else frozenset()
    leftovers = [name for name in old if name not in needed]
    for name in leftovers:
        ports.blobs.delete(name)
    return len(leftovers)


def _blobs_of_dead_letters(store: DocumentStore) -> frozenset[str]:
    claims = (_claim_of(letter.value) for letter in DeadLetters(store).every())
    return frozenset(claim.blob for claim in claims if claim)


def _claim_of(letter: DeadLetter) -> Claim | None:
    try:
        return claim_in(letter.raw)
    except InvalidInput:
        return None


def _remove_dead_letters(store: DocumentStore, since: datetime) -> tuple[int, int]:
    """Remove dead letters kept before then. How many, and how many stay that nobody has sent again."""
    letters = DeadLetters(store)
    removed = kept = 0
    for letter in list(letters.every()):
        if letter.value.recorded_at >= since:
            kept += letter.value.replayed_at is None
            continue
        with suppress(StoreConflict):
            letters.delete(letter)
            removed += 1
    return removed, kept
