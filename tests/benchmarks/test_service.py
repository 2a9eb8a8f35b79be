"""The benchmark of the service works; its figures are not judged."""

from pathlib import Path

import pytest

from benchmarks import service


@pytest.mark.usefixtures("cosmos_endpoint", "azurite_connection")
def test_a_quick_run_measures_everything_and_writes_its_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "SERVICE.md"

    assert service.main(["--quick", "--to", str(page)]) == 0

    written = page.read_text("utf-8")
    assert capsys.readouterr().out == written
    assert written.count("| SQLite file |") == 2
    assert written.count("Cosmos DB server, answers 5 ms later") == 2
    assert "| 100 |" in written
