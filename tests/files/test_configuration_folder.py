"""A configuration read from a folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from dom_core.errors import InvalidInput
from dom_core.files.configuration_folder import read_folder

SOUND: dict[str, list[dict[str, Any]]] = {
    "sources": [{"id": "S1", "type": "store"}],
    "source_lists": [{"id": "all", "source_ids": ["S1"]}],
    "products": [{"id": "P1"}],
    "strategies": [{"id": "standard", "source_list_id": "all"}],
}


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return folder


def errors(folder: Path) -> list[str]:
    return [str(problem) for problem in read_folder(folder).errors]


def test_a_missing_file_holds_nothing(tmp_path: Path) -> None:
    folder = read_folder(write(tmp_path, SOUND))
    assert (folder.errors, folder.warnings) == ((), ())
    assert folder.configuration.rules == ()
    assert folder.configuration.strategy("standard").source_list_id == "all"


def test_a_folder_without_any_configuration_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no configuration"):
        read_folder(tmp_path)
    with pytest.raises(InvalidInput, match="is not a folder"):
        read_folder(tmp_path / "absent")


def test_problems_of_all_files_come_at_once_with_file_and_line(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        SOUND
        | {
            "products": '[\n {"id": "P1"},\n {"id": "P2", "colour": "red"},\n {"name": 3}\n]',
            "strategies": '[\n {"id": "standard",\n  "source_list_id": "nowhere"}\n]',
        },
    )
    assert errors(folder) == [
        "products.json:3: colour: there is no such field; correct its name or leave it out",
        "products.json:4: id: is required",
        "products.json:4: name: must be a text",
        "strategies.json:2: strategies[standard].source_list_id: there is no source list 'nowhere'",
    ]


def test_what_names_an_unreadable_object_is_not_blamed_too(tmp_path: Path) -> None:
    folder = write(tmp_path, SOUND | {"sources": [{"id": "S1", "type": "shop"}]})
    assert len(errors(folder)) == 1
    assert errors(folder)[0].startswith("sources.json:2: type: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "products.json:1: must hold a JSON array: [ … ]"),
        ('{"id": "P1"}', "products.json:1: must hold a JSON array: [ … ]"),
        ('[\n {"id": "P1"}\n {"id": "P2"}]', "products.json:3: expected ',' or ']' after an item"),
        ('[{"id": "P1"}]\n\nmore', "products.json:3: nothing may follow the array"),
        ('[{"id": "P1"},\n]', "products.json:2: is not valid JSON: Expecting value (column 1)"),
        ('[\n{"id": NaN}]', "products.json:2: is not valid JSON: NaN is not a JSON number"),
        ("[" * 100_000, "products.json:1: is not valid JSON"),
    ],
    ids=["empty", "object", "comma", "more", "trailing", "nan", "deep"],
)
def test_text_that_is_not_an_array_is_reported_at_its_line(tmp_path: Path, text: str, problem: str) -> None:
    found = errors(write(tmp_path, SOUND | {"products": text}))
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_bytes_that_are_not_utf_8_are_reported_at_their_line(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    (tmp_path / "products.json").write_bytes(b'[\n{"id": "P1",\n"name": "\xff"}]')
    assert errors(tmp_path) == ["products.json:3: is not UTF-8 text"]


def test_an_empty_array_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    write(tmp_path, SOUND | {"products": " [ ] \n"})
    (tmp_path / "rules.json").write_bytes(b"\xef\xbb\xbf[]")
    assert errors(tmp_path) == []


def test_ten_mistakes_are_ten_problems_of_one_reading(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "sources": [
                {"id": "S1", "type": "store", "cut_off": "17:00Z", "time_zone": "Mars/Olympus"},
                {"id": "S2", "type": "castle"},
            ],
            "source_lists": [{"id": "all", "source_ids": ["S1", "S2", "S3"]}],
            "products": [{"id": "P1", "parent_id": "P0"}],
            "rules": [
                {"id": "far", "kind": "maximum_distance", "colour": 1, "params": {"lines": [{"km": -1}]}},
                {"id": "moon", "kind": "phase_of_moon", "params": {}},
            ],
            "strategies": [
                {
                    "id": "standard",
                    "source_list_id": "all",
                    "rule_ids": ["far", "none"],
                    "limits": {"solve_limit_s": 900},
                }
            ],
        },
    )
    assert sorted(error.split(": ")[1] for error in errors(folder)) == sorted(
        [
            "cut_off",
            "sources[S1].time_zone",
            "type",
            "source_lists[all].source_ids[2]",
            "products[P1].parent_id",
            "colour",
            "rules[far].params.lines[0].km",
            "rules[moon].kind",
            "limits.solve_limit_s",
            "strategies[standard].rule_ids[1]",
        ]
    )
    assert all(error.split(":")[1].isdigit() for error in errors(folder)), "each with its line"
