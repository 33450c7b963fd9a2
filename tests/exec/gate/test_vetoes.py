"""Every refusal of the gate has a reason code, and every reason code a counter."""

import ast
from pathlib import Path

import pytest

from exec.core import core
from exec.gate import checks
from exec.gate.checks import Refusal
from exec.gate.vetoes import BOOK, VETOES, veto_of
from shm.counters import EXEC_VETOES, ExecCounter
from shm.layout import Veto


def names_of_refusals() -> set[str]:
    """Return the names that gate and core give refusals: literally, or by a table of names."""
    found: set[str] = set()
    trees = [ast.parse(Path(str(each.__file__)).read_text()) for each in (checks, core)]
    for node in (node for tree in trees for node in ast.walk(tree)):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (
            node.func.id == "Refusal")
        if called or isinstance(node, ast.For):
            assert isinstance(node, ast.Call | ast.For)
            first = node.args[:1] if isinstance(node, ast.Call) else (
                [row.elts[0] for row in node.iter.elts if isinstance(row, ast.Tuple)]
                if isinstance(node.iter, ast.Tuple) else [])
            found |= {each.value for each in first
                      if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


def test_every_name_that_the_gate_refuses_by_has_a_reason_code() -> None:
    assert names_of_refusals() == {*VETOES, BOOK}


def test_a_refusal_for_its_book_carries_the_books_own_reason() -> None:
    assert veto_of(Refusal("book", Veto.FEED_SILENT)) is Veto.FEED_SILENT
    assert veto_of(Refusal("loss_hour", 7, 5)) is Veto.LOSS
    with pytest.raises(KeyError):
        veto_of(Refusal("a check that nobody wrote"))


@pytest.mark.parametrize("veto", [veto for veto in Veto if veto])
def test_every_reason_is_counted_by_the_counter_of_its_name(veto: Veto) -> None:
    assert EXEC_VETOES[veto].name == f"VETO_{veto.name}"
    assert Veto.NONE not in EXEC_VETOES


def test_no_two_reasons_share_a_counter_and_none_stays_unused() -> None:
    counters = {each for each in ExecCounter if each.name.startswith("VETO_")}
    assert set(EXEC_VETOES.values()) == counters
    assert len(counters) == len(EXEC_VETOES)
