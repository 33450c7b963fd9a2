"""engine.control.standing: what is saved comes back, and what is not ours is refused."""

from pathlib import Path

import pytest

from engine.control.protocol import STANDING_FILE
from engine.control.standing import Standing, save, saved
from engine.model.errors import SegmentInvalid
from shm.segment import RunFolder


def test_what_stands_comes_back_and_nothing_leaves_no_file(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert saved(run) == Standing()
    for standing in (
        Standing(paused=True, targets=["kraken", "BTC/USDT"]), Standing(halt_reason="exec: died"),
    ):
        save(run, standing)
        assert saved(run) == standing
        assert [each.name for each in tmp_path.iterdir()] == [STANDING_FILE]
    save(run, Standing())
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("content", [b"", b'{"paused": tr', b'{"paused": 1}', b'{"pause": true}'])
def test_a_file_that_is_not_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / STANDING_FILE).write_bytes(content)
    with pytest.raises(SegmentInvalid, match=STANDING_FILE):
        saved(RunFolder(tmp_path))
