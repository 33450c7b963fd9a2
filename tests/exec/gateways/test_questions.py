"""exec.gateways.questions: no more is asked than a venue can answer, and nothing twice at once."""

from exec.gateways.pending import Group
from exec.gateways.questions import Questions

SECOND = 10**9


def test_the_same_question_begins_no_sooner_than_its_gap_and_holds_no_other_up() -> None:
    begun: list[str] = []
    questions = Questions(
        lambda group: begun.append(group.client_id), per_s=100.0, burst=100, gap_ns=3 * SECOND)
    for second, wanted in enumerate((["a"], [], ["b"], ["a"], [], [])):
        del begun[:]
        questions.ask(Group("query", lambda _: (), "a"))
        if second == 2:
            questions.ask(Group("query", lambda _: (), "b"))
        questions.turn((second + 1) * SECOND, barred=False)
        assert begun == wanted


def test_questions_begin_as_credit_comes_and_the_same_one_only_once_at_a_time() -> None:
    begun: list[Group] = []

    def begin(group: Group) -> None:
        begun.append(group)
        group.waiting = 1
        questions.spend(2)

    questions = Questions(begin, per_s=0.5, burst=4)
    questions.turn(1, barred=False)
    for name in ("a", "b", "c", "a", "c"):
        questions.ask(Group("query", lambda _: (), name))
    questions.turn(1, barred=True)
    assert begun == []
    questions.turn(1, barred=False)
    assert [each.client_id for each in begun] == ["a", "b"]  # the burst is spent
    questions.turn(SECOND, barred=False)
    questions.turn(3 * SECOND, barred=False)
    assert [each.client_id for each in begun] == ["a", "b", "c"]
    questions.ask(Group("query", lambda _: (), "a"))
    questions.turn(60 * SECOND, barred=False)
    assert len(begun) == 3  # its first asking is not answered yet
    begun[0].waiting = 0
    questions.ask(Group("query", lambda _: (), "a"))
    questions.turn(61 * SECOND, barred=False)
    assert len(begun) == 4
