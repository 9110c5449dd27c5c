"""Change the code in small ways and see whether the tests notice.

    python tests/mutation/mutate.py --room stats --seed 1 --number 100 [--first 0 --last 20] [--report FILE]

A mutation is one operator, comparison, constant or condition of one function, drawn by the seed from all that
the room has. Each is tried in a copy of the project with those tests of its room that name the module, and
then with the walk of the embedded cohort, whose statistics must be those stored; it is killed if a test fails
or a number moves, survives otherwise, and is untried if that happens on the unchanged code. Survivors are
argued in survivors.md beside this file. Every room has its tests in ROOMS; a chunk of the sample (--first,
--last) serves several runs. The tests run in forks, so this needs Linux or macOS.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Loaded once; every trial is a fork of this process.
import lifelines  # noqa: F401
import pytest
import scipy.stats  # noqa: F401
import statsmodels.api  # noqa: F401

ROOT = Path(__file__).parents[2]
ROOMS = {
    "stats": ["tests/stats", "tests/oracle"],
    "clinical": ["tests/clinical"],
}
SECONDS = 900
COHORT = "rdmas_reconstructed"
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_WORDS = {"left": "right", "right": "left"}
_CALLS = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutation:
    """One change: the file, its line, what stood there and what stands there now."""

    path: str
    line: int
    before: str
    after: str
    source: str


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Nodes that can be changed and the name of the change; annotations and messages are left alone."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                yield from _below(statement)


def _below(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.FunctionDef | ast.JoinedStr):
        return
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in _SWAPS:
        yield node, "operator"
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
        yield node, "comparison"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield node, "sign"
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node, "condition"
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        yield node, "constant"
    if isinstance(node, ast.Constant) and node.value in _WORDS:
        yield node, "side"
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _CALLS:
            yield node, "call"
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _below(child)


def _not_copied(folder: str, names: list[str]) -> set[str]:
    """What of a folder a copy of the project does without."""
    everywhere = shutil.ignore_patterns("__pycache__", ".*_cache")(folder, names)
    return everywhere | ({".git", ".venv", "scratch"} & set(names) if Path(folder) == ROOT else set())


def _change(node: ast.AST, kind: str) -> None:
    """Change one node in place."""
    if kind == "operator":
        node.op = _SWAPS[type(node.op)]()  # type: ignore[attr-defined]
    elif kind == "comparison":
        node.ops[0] = _SWAPS[type(node.ops[0])]()  # type: ignore[attr-defined]
    elif kind == "sign":
        # The operand alone: a negation or a sign is dropped.
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else node.op  # type: ignore[attr-defined]
        if isinstance(node.op, ast.Not | ast.Invert):  # type: ignore[attr-defined]
            node.operand = ast.UnaryOp(node.op, node.operand)  # type: ignore[attr-defined]
    elif kind == "condition":
        node.test = ast.UnaryOp(ast.Not(), node.test)  # type: ignore[attr-defined]
    elif kind == "constant":
        node.value = _other(node.value)  # type: ignore[attr-defined]
    elif kind == "side":
        node.value = _WORDS[node.value]  # type: ignore[attr-defined]
    else:
        target = node.func  # type: ignore[attr-defined]
        name = "attr" if isinstance(target, ast.Attribute) else "id"
        setattr(target, name, _CALLS[getattr(target, name)])


def _other(value: float) -> float:
    """Another constant of the same type."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) or value == 0 else value * 2


def mutations(room: str, seed: int, number: int) -> list[Mutation]:
    """The sample: `number` mutations of a room, the same for the same seed and the same code."""
    places = []
    for path in sorted((ROOT / "src" / "helpers" / room).rglob("*.py")):
        count = sum(1 for _ in _places(ast.parse(path.read_text(encoding="utf-8"))))
        places += [(path, index) for index in range(count)]
    chosen = random.Random(seed).sample(places, min(number, len(places)))
    return [_mutated(path, index) for path, index in chosen]


def _mutated(path: Path, index: int) -> Mutation:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node, kind = list(_places(tree))[index]
    shown = node.test if kind == "condition" else node  # type: ignore[attr-defined]
    before = ast.unparse(shown)
    _change(node, kind)
    after = ast.unparse(node.test if kind == "condition" else node)  # type: ignore[attr-defined]
    ast.fix_missing_locations(tree)
    relative = path.relative_to(ROOT).as_posix()
    return Mutation(relative, node.lineno, before, after, ast.unparse(tree) + "\n")  # type: ignore[attr-defined]


def tests_of(mutation: Mutation, room: str) -> list[str]:
    """The room's tests that name the module, those that name it most often first; all where none does."""
    module = Path(mutation.path).stem
    files = [file for folder in ROOMS[room] for file in sorted((ROOT / folder).glob("test_*.py"))]
    named = {file: file.read_text(encoding="utf-8").count(module) for file in files}
    near = [file for file in files if named[file]] or files
    return [str(file.relative_to(ROOT)) for file in sorted(near, key=lambda file: -named[file])]


def passes(tests: list[str], copy: Path) -> bool | None:
    """Whether the tests pass in a copy of the project; None if they do not end in time.

    They run in a fork of this process, which has loaded the libraries and nothing of the project.
    """
    arguments = ["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    return _in_fork(lambda: pytest.main(arguments) == 0, copy)


def walks(copy: Path) -> bool | None:
    """Whether the walk of the embedded cohort gives the stored statistics in a copy of the project."""
    return _in_fork(lambda: _same_statistics(copy), copy)


def _same_statistics(copy: Path) -> bool:
    sys.path.insert(0, str(copy / "tests" / "shapes"))
    from running import faults_of

    with tempfile.TemporaryDirectory() as folder:
        if faults_of(copy / "data" / "cohorts" / COHORT, Path(folder), draw=False):
            return False
        new, stored = (at / "results" / COHORT / "statistics" for at in (Path(folder), copy))
        return all((new / one.name).read_bytes() == one.read_bytes() for one in stored.glob("*.csv"))


def _in_fork(check: Callable[[], bool], copy: Path) -> bool | None:
    """Whether a check holds in a fork of this process that sees the copy; None if it does not end in time."""
    child = os.fork()
    if not child:
        status = 1
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            # The processor's time, so that a busy machine is no endless loop.
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            os.chdir(copy)
            sys.path.insert(0, str(copy / "src"))
            status = int(not check())
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else status == 0


def tried(mutation: Mutation, tests: list[str], copy: Path) -> str:
    """What became of one mutation in a copy of the project: killed, survived, or slow."""
    target = copy / mutation.path
    kept = target.read_text(encoding="utf-8")
    target.write_text(mutation.source, encoding="utf-8")
    try:
        passed = passes(tests, copy)
        if passed:
            passed = walks(copy)
    finally:
        target.write_text(kept, encoding="utf-8")
    return "slow" if passed is None else "survived" if passed else "killed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--room", choices=sorted(ROOMS), default="stats")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int)
    parser.add_argument("--report", type=Path, help="append one JSON line a mutation")
    parser.add_argument("--list", action="store_true", help="print the sample and try nothing")
    options = parser.parse_args()
    sample = mutations(options.room, options.seed, options.number)[options.first : options.last]
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        if not options.list:
            shutil.copytree(ROOT, copy, ignore=_not_copied)
            sys.dont_write_bytecode = True
        unchanged: dict[tuple[str, ...], bool] = {}
        walked = not options.list and walks(copy)
        for index, mutation in enumerate(sample, start=options.first):
            tests = tests_of(mutation, options.room)
            if options.list:
                verdict = "listed"
            else:  # tests that fail on the unchanged code say nothing
                if tuple(tests) not in unchanged:
                    unchanged[tuple(tests)] = bool(walked and passes(tests, copy))
                verdict = tried(mutation, tests, copy) if unchanged[tuple(tests)] else "untried"
            verdicts.append(verdict)
            said = (
                f"{index} {verdict}: {mutation.path}:{mutation.line}: {mutation.before} -> {mutation.after}"
            )
            print(said, flush=True)
            if options.report and not options.list:
                row = {"room": options.room, "seed": options.seed, "index": index, "verdict": verdict}
                row |= {"path": mutation.path, "line": mutation.line}
                row |= {"before": mutation.before, "after": mutation.after}
                with options.report.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    print(f"{len(verdicts)} mutations: {verdicts.count('survived')} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
