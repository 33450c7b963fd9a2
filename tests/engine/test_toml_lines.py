"""engine.toml_lines: the line of a key."""

import pytest

from engine.toml_lines import line_of

TEXT = '''\
top = 1
a.b = 2
[t]
x = [1,
  2,  # not this, [nor] "that"

  "three, four",
  [5, 6]]
y = "q = 1"
[t.'BTC/USDT']
"k e y" = 3
[[list]]
z = 4
'''


@pytest.mark.parametrize(("path", "line"), [
    (("top",), 1), (("a", "b"), 2), (("a",), 2), (("t",), 3), (("t", "x"), 4), (("t", "x", 0), 4),
    (("t", "x", 1), 5), (("t", "x", 2), 7), (("t", "y"), 9), (("t", "BTC/USDT"), 10),
    (("t", "BTC/USDT", "k e y"), 11), (("list",), 12), (("t", "BTC/USDT", "absent"), 10),
    (("absent",), 1), ((), 1), (("t", "x", 99), 4), (("top", 0), 1),
])
def test_a_key_is_found_at_its_line_and_else_its_nearest_table(
    path: tuple[str | int, ...], line: int
) -> None:
    assert line_of(TEXT, path) == line
