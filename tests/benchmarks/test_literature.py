"""Instances of the literature, in small: each family's file is read, and its best value, known by hand, is found."""

from pathlib import Path

import pytest

from benchmarks.literature import instance_names, read
from benchmarks.literature_model import solve
from dom_core.domain.plan import Ending
from dom_core.optimizer.solving import CbcSolver

FILES = {
    # Three lines, three sources: 1 in the first row, 2 and 2 in the other columns of the second and third.
    "assign/assign100.txt": "4 1 3\n2 0 5\n3 2 2\n",
    # A path of four places, 2, 3 and 4 apart; the first edge comes twice, the last is meant. Medians at 2 and 4.
    "pmed/pmed1.txt": "4 4 2\n1 2 9\n2 3 3\n3 4 4\n1 2 2\n",
    # The first source costs 10 and its lines 1 and 2, the second 1 and its lines 5 and 6.5: all from the second.
    "uncap/cap71.txt": "2 2\ncapacity 10.\n58268 1.\n7\n1.0 5.0\n8\n2.0 6.5\n",
    # 4, 3 and 3 units, room for 7, 6 and 6 at 10 each: two lines from the first at 1 each, one from the third at 2.
    "sscflp/sscflp_or_p1.txt": "3 3\n7 6 6\n10 10 10\n4 3 3\n1 5 9\n1 5 9\n9 5 2\n",
    "uncap/uncapopt.txt": "cap71 12.5\n",
    "sscflp/optima.txt": "24\n",
}

BEST = {"assign/assign100": 5.0, "pmed/pmed1": 5.0, "uncap/cap71": 12.5, "sscflp/sscflp_or_p1": 24.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "ascii")
    return tmp_path


def test_a_folder_offers_every_instance_and_no_file_of_answers(folder: Path) -> None:
    assert list(instance_names(folder)) == list(BEST)


@pytest.mark.parametrize("name", BEST)
def test_the_best_value_is_found_and_proven(folder: Path, name: str) -> None:
    found = solve(read(folder, name), CbcSolver(), 20.0)
    assert (found.value, found.ending, found.complete) == (BEST[name], Ending.OPTIMAL, True)
    assert found.bound == found.value


@pytest.mark.parametrize("name", ["uncap/cap71", "sscflp/sscflp_or_p1"])
def test_the_known_optimum_comes_from_the_file_beside(folder: Path, name: str) -> None:
    assert read(folder, name).optimum == BEST[name]


def test_of_an_edge_given_twice_the_last_counts(folder: Path) -> None:
    assert read(folder, "pmed/pmed1").costs[0].tolist() == [0.0, 2.0, 5.0, 9.0]


def test_capacities_are_kept(folder: Path) -> None:
    """Without them all lines but the last would come from the first source, and the last as well where it is cheap."""
    file = folder / "sscflp" / "sscflp_or_p1.txt"
    file.write_text("2 2\n4 4\n1 1\n3 3\n1 9\n1 9\n", "ascii")
    assert solve(read(folder, "sscflp/sscflp_or_p1"), CbcSolver(), 20.0).value == 1 + 1 + 1 + 9
