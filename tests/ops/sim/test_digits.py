"""Fast decimal text: the same as the exact slow one, and never remembered without end."""

from random import Random

from engine.model.quanta import from_quanta, plain
from ops.sim.digits import KEPT_MAX, Texts, written


def test_numbers_are_written_as_the_exact_writer_does() -> None:
    random = Random(1)
    for _ in range(2000):
        number, decimals = random.getrandbits(random.randint(0, 60)), random.randint(0, 18)
        number *= random.choice((1, 1, -1))
        exact = from_quanta(number, decimals)
        assert written(number, decimals, "00") == exact + "00"
        assert Texts(decimals, "0")[number] == exact + "0"
        assert Texts(decimals, is_plain=True)[number] == plain(exact)


def test_texts_are_remembered_up_to_a_bound() -> None:
    texts = Texts(2)
    assert texts[5] is texts[5]
    for number in range(3 * KEPT_MAX):
        assert texts[number] == written(number, 2)
        assert len(texts) <= KEPT_MAX
