"""Every request is charged once, to the use case that asked."""

from contextvars import copy_context
from threading import Thread

from dom_core.charges import NO_USE_CASE, charge, charged_to, current_use_case
from dom_core.ports import Container


def ask(request_units: float = 1.0) -> str:
    return charge(Container.ORDERS, "read", request_units).use_case


def test_an_account_adds_up_what_its_block_asks() -> None:
    with charged_to("take_order") as account:
        assert ask(1.0) == "take_order"
        ask(2.5)
    assert (account.use_case, account.requests, account.request_units) == ("take_order", 2, 3.5)


def test_a_use_case_inside_another_pays_for_itself_only() -> None:
    with charged_to("execute_run") as outer:
        ask()
        with charged_to("plan_batch") as inner:
            assert ask(5.0) == "plan_batch"
        assert current_use_case() == "execute_run"
    assert (outer.request_units, inner.request_units) == (1.0, 5.0)


def test_outside_of_every_use_case_nobody_pays() -> None:
    assert ask() == NO_USE_CASE


def test_threads_pay_from_the_account_whose_context_they_were_given() -> None:
    with charged_to("apply_plan") as account:
        threads = [Thread(target=copy_context().run, args=(ask,)) for _ in range(8)]
        stranger = Thread(target=ask)
        for thread in (*threads, stranger):
            thread.start()
        for thread in (*threads, stranger):
            thread.join()
    assert account.requests == 8
