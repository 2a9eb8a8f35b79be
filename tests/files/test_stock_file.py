"""Stock read from CSV and from JSON lines."""

from dom_core.files.stock_file import Stock, read_stock


def read(text: str) -> tuple[Stock, list[str]]:
    stock, reading = read_stock("stock", text, frozenset({"P1"}), frozenset({"S1", "S2"}))
    return stock, [str(problem) for problem in reading.problems]


def test_csv_and_json_lines_say_the_same() -> None:
    expected: Stock = {("P1", "S1"): 3, ("P1", "S2"): 0}
    assert read("product_id,source_id,on_hand\nP1,S1,3\nP1,S2,0\n") == (expected, [])
    assert read(
        '{"product_id":"P1","source_id":"S1","on_hand":3}\n{"product_id":"P1","source_id":"S2","on_hand":0}'
    ) == (expected, [])


def test_every_problem_is_named_by_its_line() -> None:
    _, problems = read(
        "product_id,source_id,on_hand\nP1,S1,3\nP1,S1,4\nP9,S1,1\nP1,S9,1\nP1,S2,-1\nP1,S2,1.5\nP1,S2,\n"
    )
    assert problems[:3] == [
        "stock:3: stock of 'P1' at 'S1' already stands on line 2",
        "stock:4: product_id: there is no product 'P9'",
        "stock:5: source_id: there is no source 'S9'",
    ]
    assert [problem.rsplit(": ", 1)[0] for problem in problems[3:]] == [
        "stock:6: on_hand",
        "stock:7: on_hand",
        "stock:8: on_hand",
    ]
