"""The structure, proved over the syntax trees: layers, doors, sizes and words of the house."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("engine", "feeds", "shm", "gpu", "exec", "ops", "bench")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

# Each layer imports only what stands before it; workers never import one another.
LAYERS = (
    ("engine.model",),
    ("engine.config", "shm"),
    ("engine.market",),
    ("engine.runtime",),
    ("engine.control.protocol",),
    ("feeds", "engine.detect", "gpu", "exec", "engine.control"),
    ("ops",),
    ("bench",),
)
WORKERS = LAYERS[5]
# Packages with one door each: who else needs one asks the room that owns it.
DOORS = {
    "picows": {"feeds.net.connection", "exec.gateways.socket", "ops.sim", "bench"},
    "aiohttp": {"feeds.net.rest", "exec.gateways.rest", "ops.sim", "bench"},
    "zmq": {"engine.runtime.wire", "bench"},
    "numba": {"shm"},
    "llvmlite": {"shm"},
    "uvloop": {"engine.runtime.loop", "ops.sim", "bench"},
    "cupy": {"gpu"},
    "cryptography": {"exec.signing", "ops.sim"},
    "psycopg": {"exec.ledger.postgres"},
    "rich": {"ops.screen", "ops.status"},
}
LINES_MAX, FUNCTION_LINES_MAX = 400, 60
BANNED_FILE_WORDS = {"manager", "helper", "utils", "base", "enhanced", "data"}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            yield node.lineno, node.module or ""


def room_of(module: str) -> str | None:
    rooms = [room for layer in LAYERS for room in layer]
    owners = [room for room in rooms if module == room or module.startswith(room + ".")]
    return max(owners, key=len, default=None)


def layer_of(room: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if room in layer)


def protocol_only(path: Path, line: int) -> bool:
    statement = path.read_text().splitlines()[line - 1]
    return statement.startswith((
        "from engine.control.protocol import", "from engine.control import protocol",
    ))


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_a_module_imports_only_from_layers_before_its_own(path: Path) -> None:
    own = room_of(module_of(path))
    if own is None:
        return
    for line, name in imports_of(path):
        other = room_of(name)
        if other is None or other == own:
            continue
        where = f"{path.relative_to(ROOT)}:{line}: {own} imports {name}"
        assert layer_of(other) < layer_of(own), where
        if own == "ops":
            assert other not in WORKERS or protocol_only(path, line), where


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_an_outside_package_enters_by_its_own_door(path: Path) -> None:
    own = module_of(path)
    for line, name in imports_of(path):
        doors = DOORS.get(name.split(".")[0])
        if doors is not None:
            allowed = any(own == door or own.startswith(door + ".") for door in doors)
            assert allowed, f"{path.relative_to(ROOT)}:{line}: {name} has its door in {doors}"


def test_the_auditor_shares_no_code_with_what_it_audits() -> None:
    """Its modules, and all of ours that they reach, are no part of execution."""
    paths = {module_of(path): path for path in SOURCES}
    reached, waiting = set(), [each for each in paths if each.startswith("bench.auditor")]
    while waiting:
        module = waiting.pop()
        if module in reached or module not in paths:
            continue
        reached.add(module)
        for line, name in imports_of(paths[module]):
            assert name.split(".")[0] != "exec", f"{module}:{line}: imports {name}"
            waiting.append(name)
    assert "bench.auditor.fold" in reached


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_exec_and_shared_memory_are_imported_safely(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                shadows = alias.name.split(".")[0] == "exec" and not alias.asname
                assert not shadows, f"{path}:{node.lineno}: rebinds the builtin exec"
    assert "multiprocessing.shared_memory" not in {name for _, name in imports_of(path)}


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_files_and_functions_stay_small_and_speak(path: Path) -> None:
    where = path.relative_to(ROOT)
    assert ast.get_docstring(tree_of(path)), f"{where}: no docstring"
    lines = path.read_text().count("\n")
    assert lines <= LINES_MAX, f"{where}: {lines} lines"
    assert not BANNED_FILE_WORDS & set(path.stem.split("_")), f"{where}: a name without a meaning"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            assert size <= FUNCTION_LINES_MAX, f"{where}:{node.lineno} {node.name}: {size} lines"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_time_is_read_in_one_module(path: Path) -> None:
    if module_of(path) in ("engine.model.clock", "shm.system") or module_of(path)[:5] == "bench":
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            reads = node.value.id == "time" and node.attr.removesuffix("_ns") in {
                "time", "monotonic", "perf_counter", "clock_gettime",
            }
            calendar = node.value.id in {"datetime", "date"}
            reads |= calendar and node.attr in {"now", "utcnow", "today"}
            assert not reads, f"{path.relative_to(ROOT)}:{node.lineno}: reads the clock itself"


def test_no_source_names_a_path_of_a_machine() -> None:
    machine = re.compile(r"/(?:root|home|wor[k]|Users)/\w")
    for path in SOURCES:
        assert not machine.search(path.read_text()), path
