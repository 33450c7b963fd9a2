"""Paper trading as real processes: detector and execution upon books that the test writes."""

from engine.model.errors import JournalCorrupt
from engine.runtime import books_folder, machine
from exec.core.recovery import replay
from exec.journal.reader import read
from exec.state.state import State
from shm.layout import Fate
from tests.engine.detect.stage import Decided, Stage, staged, until


def sent(stage: Stage) -> Decided:
    """Cross the books until execution is ready and sends."""
    decided = 0
    while True:
        stage.cross()
        decided += 1
        found = stage.decided(decided)
        if found.fate is Fate.SENT:
            return found
        stage.calm()


def journal(stage: Stage) -> State:
    folder = books_folder.of_run(stage.run)
    assert folder is not None
    assert (folder.mode, folder.account) == ("paper", "books")
    return replay(read(folder.journal, boot=machine.boot_id()))


def closed(stage: Stage) -> bool:
    """Return whether a plan has closed; a record that is being written is no record yet."""
    try:
        return any(each.closed for each in journal(stage).plans.values())
    except JournalCorrupt:
        return False


def test_a_cross_in_shared_memory_becomes_two_paper_fills_in_the_journal() -> None:
    with staged(mode="paper") as stage:
        stage.start("detector")
        stage.start("exec")
        sent(stage)
        until("a plan closed", lambda: closed(stage))
        assert stage.leave("exec") == 0
        state = journal(stage)
        outcomes = [each.closed.outcome for each in state.plans.values() if each.closed]
        assert outcomes == ["done"]
        assert {each.state.name for each in state.orders.values()} == {"FILLED"}
        assert state.holdings["a", "BTC"] == -state.holdings["b", "BTC"] > 0
        assert not state.live
        assert state.trading <= 1
