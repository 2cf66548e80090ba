"""docs/recurrent-nets.md shows the code that is generated today."""

import linecache
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "recurrent-nets.md"


def test_the_loop_backwards_is_the_generated_one():
    text = PAGE.read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [shown] = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    space: dict[str, object] = {}
    path = PAGE.with_suffix(".py")  # the loop is found in the source of the function
    code = compile(blocks[0], str(path), "exec")
    _remember(str(path), blocks[0])
    exec(code, space)
    source = [re.sub(r"  # \S+\.py:\d+$", "", line.strip()) for line in space["model"].source.split("\n")]
    for line in filter(None, (line.strip() for line in shown.split("\n"))):
        assert line in source, line


def _remember(path: str, text: str) -> None:

    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
