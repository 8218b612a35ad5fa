"""Small faults as programmers make them, one at a time: each is an edit of one place in a source file."""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parents[2]

_SWAPS: dict[type[ast.AST], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.FloorDiv: "*",
    ast.And: "or",
    ast.Or: "and",
}
_SKIPPED_FIELDS = ("annotation", "returns", "decorator_list", "bases", "type_params")
_CALL_SWAPS = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    """One fault: the file, the place in it, what stands there and what the mutant has instead."""

    file: str
    line: int
    start: int
    end: int
    before: str
    after: str
    function: str
    number: int = 1
    """Which of the mutants of a function that have the same edit this is."""

    @property
    def id(self) -> str:
        """What the mutant is called wherever lines have moved to: file, function and edit."""
        ordinal = f" ({self.number})" if self.number > 1 else ""
        return f"{self.file}::{self.function}: {self.before} => {self.after}{ordinal}"

    def source(self) -> str:
        """Return the text of the file with the mutation."""
        text = (ROOT / self.file).read_bytes()
        return (text[: self.start] + self.after.encode() + text[self.end :]).decode()


def create_mutants(file: Path) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    return _number(_MutantFinder(file, _MUTATIONS_BY_NODE).collect())


def create_decision_mutants(file: Path) -> list[Mutant]:
    """Every mutant of a file that decides something otherwise, in the order of its lines.

    Each comparison, membership and condition is turned into its opposite, limits are also moved by one; `and` and `or`
    change places; what raises doesn't.
    """
    return _number(_MutantFinder(file, _DECISIONS_BY_NODE).collect())


def _number(mutants: Iterable[Mutant]) -> list[Mutant]:
    counts: Counter[str] = Counter()
    numbered = []
    for mutant in sorted(set(mutants), key=lambda mutant: (mutant.start, mutant.after)):
        counts[mutant.id] += 1
        numbered.append(replace(mutant, number=counts[mutant.id]))
    return numbered


class _MutantFinder:
    def __init__(self, file: Path, mutations: "_Mutations") -> None:
        self._mutations = mutations
        self._file = str(file.relative_to(ROOT))
        self._source = file.read_bytes()
        self._tree = ast.parse(self._source)
        lines = self._source.splitlines(keepends=True)
        self._starts = [sum(map(len, lines[:number])) for number in range(len(lines))]

    def collect(self) -> Iterator[Mutant]:
        yield from self._walk(self._tree, "module")

    def _walk(self, node: ast.AST, function: str) -> Iterator[Mutant]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            function = node.name
        for start, end, after in self._edits(node):
            before = self._source[start:end].decode()
            line = self._source[:start].count(b"\n") + 1
            yield Mutant(self._file, line, start, end, before, after, function)
        for name, value in ast.iter_fields(node):
            # Annotations decide nothing, decorators and bases are declarations. Python 3.11 does not know where the
            # parts of an f-string stand.
            if isinstance(node, ast.JoinedStr) or name in _SKIPPED_FIELDS:
                continue
            # `strict=True` of a zip is an assertion: it decides nothing as long as it holds.
            if isinstance(node, ast.keyword) and node.arg == "strict":
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from self._walk(child, function)

    def _edits(self, node: ast.AST) -> Iterator[tuple[int, int, str]]:
        for kind, edits in self._mutations.items():
            if isinstance(node, kind):
                yield from edits(self, node)

    def get_span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node begins and ends, in bytes."""
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)

    def get_text(self, node: ast.expr | ast.stmt) -> str:
        """Return the source text of a node."""
        start, end = self.get_span(node)
        return self._source[start:end].decode()

    def replace_operator(self, left: ast.expr, right: ast.expr, operator: str) -> tuple[int, int, str]:
        """Return the edit that replaces the operator between two operands, keeping brackets."""
        start, end = self.get_span(left)[1], self.get_span(right)[0]
        gap = self._source[start:end].decode()
        head = gap[: len(gap) - len(gap.lstrip(") \n"))]
        tail = gap[len(gap.rstrip("( \n")) :]
        return start, end, f"{head or ' '}{operator}{tail or ' '}"


def _mutate_comparison(finder: _MutantFinder, node: ast.Compare) -> Iterator[tuple[int, int, str]]:
    operands = [node.left, *node.comparators]
    for number, operator in enumerate(node.ops):
        yield finder.replace_operator(operands[number], operands[number + 1], _SWAPS[type(operator)])


def _mutate_boolean_operator(finder: _MutantFinder, node: ast.BoolOp) -> Iterator[tuple[int, int, str]]:
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield finder.replace_operator(left, right, _SWAPS[type(node.op)])


def _mutate_binary_operator(finder: _MutantFinder, node: ast.BinOp) -> Iterator[tuple[int, int, str]]:
    is_text = any(
        isinstance(side, ast.Constant | ast.JoinedStr) and not _is_number(side) for side in (node.left, node.right)
    )
    if type(node.op) in _SWAPS and not is_text:
        yield finder.replace_operator(node.left, node.right, _SWAPS[type(node.op)])


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _mutate_constant(finder: _MutantFinder, node: ast.Constant) -> Iterator[tuple[int, int, str]]:
    if type(node.value) is bool:
        yield (*finder.get_span(node), str(not node.value))
    elif type(node.value) is int:
        yield (*finder.get_span(node), str(node.value + 1))


def _mutate_negation(finder: _MutantFinder, node: ast.UnaryOp) -> Iterator[tuple[int, int, str]]:
    if isinstance(node.op, ast.Not):
        yield (*finder.get_span(node), finder.get_text(node.operand))


def _mutate_condition(finder: _MutantFinder, node: ast.If | ast.IfExp | ast.While) -> Iterator[tuple[int, int, str]]:
    # A comparison and a negation are mutated by themselves.
    if not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield (*finder.get_span(node.test), f"(not ({finder.get_text(node.test)}))")


def _mutate_statement(finder: _MutantFinder, node: ast.Raise | ast.Expr) -> Iterator[tuple[int, int, str]]:
    if isinstance(node, ast.Raise) or isinstance(node.value, ast.Call):
        yield (*finder.get_span(node), "pass")


def _mutate_call(finder: _MutantFinder, node: ast.Call) -> Iterator[tuple[int, int, str]]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALL_SWAPS:
        yield (*finder.get_span(node.func), _CALL_SWAPS[node.func.id])


def _negate(finder: _MutantFinder, node: ast.expr) -> tuple[int, int, str]:
    return (*finder.get_span(node), f"(not ({finder.get_text(node)}))")


def _negate_comparison(finder: _MutantFinder, node: ast.Compare) -> Iterator[tuple[int, int, str]]:
    yield from _mutate_comparison(finder, node)
    if any(isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for operator in node.ops):
        # Moving a limit by one is another fault than turning it round.
        yield _negate(finder, node)


def _negate_operands(finder: _MutantFinder, node: ast.BoolOp) -> Iterator[tuple[int, int, str]]:
    yield from _mutate_boolean_operator(finder, node)
    # A constant is a default, and no decision.
    yield from (
        _negate(finder, value) for value in node.values if not isinstance(value, (*_NEGATED_ELSEWHERE, ast.Constant))
    )


def _negate_filters(finder: _MutantFinder, node: ast.comprehension) -> Iterator[tuple[int, int, str]]:
    yield from (_negate(finder, test) for test in node.ifs if not isinstance(test, _NEGATED_ELSEWHERE))


def _negate_claim(finder: _MutantFinder, node: ast.FunctionDef) -> Iterator[tuple[int, int, str]]:
    if isinstance(node.returns, ast.Name) and node.returns.id == "bool":
        for statement in ast.walk(node):
            value = statement.value if isinstance(statement, ast.Return) else None
            if value is not None and not isinstance(value, (*_NEGATED_ELSEWHERE, ast.Constant)):
                yield _negate(finder, value)


def _mutate_boolean(finder: _MutantFinder, node: ast.Constant) -> Iterator[tuple[int, int, str]]:
    if type(node.value) is bool:
        yield (*finder.get_span(node), str(not node.value))


_NEGATED_ELSEWHERE = (ast.Compare, ast.UnaryOp, ast.BoolOp)

_Mutations = Mapping[type[ast.AST], Callable[..., Iterator[tuple[int, int, str]]]]
"""The edits of each kind of node."""

_MUTATIONS_BY_NODE: _Mutations = {
    ast.Compare: _mutate_comparison,
    ast.BoolOp: _mutate_boolean_operator,
    ast.BinOp: _mutate_binary_operator,
    ast.Constant: _mutate_constant,
    ast.UnaryOp: _mutate_negation,
    ast.If: _mutate_condition,
    ast.IfExp: _mutate_condition,
    ast.While: _mutate_condition,
    ast.Raise: _mutate_statement,
    ast.Expr: _mutate_statement,
    ast.Call: _mutate_call,
}

_DECISIONS_BY_NODE: _Mutations = {
    ast.Compare: _negate_comparison,
    ast.BoolOp: _negate_operands,
    ast.Constant: _mutate_boolean,
    ast.UnaryOp: _mutate_negation,
    ast.If: _mutate_condition,
    ast.IfExp: _mutate_condition,
    ast.While: _mutate_condition,
    ast.Raise: _mutate_statement,
    ast.Expr: _mutate_statement,
    ast.Call: _mutate_call,
    ast.comprehension: _negate_filters,
    ast.FunctionDef: _negate_claim,
}
