"""House rules: pure functions from the text of files to the offences in them."""

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import PurePosixPath
from typing import Final

VAGUE: Final = frozenset({"one", "found", "held", "given", "made", "told"})
MOST_LINES: Final = 300
MOST_FILES: Final = 14
# A command and a migration are a file each, however many there are.
MIGRATIONS: Final = "models/migrations/versions"
LONG_FOLDERS: Final = frozenset({"pacc/commands", MIGRATIONS})
_ENDING: Final = re.compile(r"(?:ies|es|s|ed|ing|y|e)$")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_OVERRULES: Final = re.compile(r"#\s*(fmt:\s*(?:skip|off)|yapf)", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_FILLER: Final = re.compile(
    r"an?|and|are|as|at|be|by|do|for|from|get|in|is|its?|of|on|or|our|returns?|set|that|the"
    r"|these|this|to|was|we|with|test|class|function|method|module|package"
)


@dataclass(frozen=True, slots=True)
class Offence:
    """A place that breaks a house rule, and what to do instead."""

    path: str
    line: int | None  # none for a folder
    advice: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.advice}"


Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[Mapping[str, str]], Iterator[Offence]]


def vague_names(files: Mapping[str, str]) -> Iterator[Offence]:
    """Yield locals and parameters whose names say nothing, outside a comprehension's target.

    Fields of classes are no offence: they may be keys of JSON or columns.
    """
    for path, tree in _trees(files):
        for line, name in sorted(set(_bindings(tree))):
            if name in VAGUE:
                yield Offence(
                    path,
                    line,
                    f"`{name}` says nothing: name what it is, such as `row`, `task`, `digest` or"
                    " `alerts_by_vin`",
                )


def formatter_overruled(files: Mapping[str, str]) -> Iterator[Offence]:
    """Yield comments that switch the formatter off."""
    for path, text in _python(files):
        for token in tokenize.generate_tokens(StringIO(text).readline):
            match = _OVERRULES.search(token.string) if token.type == tokenize.COMMENT else None
            if match:
                yield Offence(
                    path,
                    token.start[0],
                    f"`{match[0]}` overrules the formatter: delete it and run `ruff format`; a"
                    " table that is ugly then belongs into a list of tuples or a YAML file",
                )


def long_files(files: Mapping[str, str]) -> Iterator[Offence]:
    """Yield files that have too many lines, outside migrations."""
    for path, text in _of_today(files).items():
        lines = len(text.splitlines())
        if lines > MOST_LINES:
            yield Offence(
                path,
                MOST_LINES + 1,
                f"{lines} lines, {MOST_LINES} are allowed: find its second idea and give that a"
                " file named for it",
            )


def full_folders(files: Mapping[str, str]) -> Iterator[Offence]:
    """Yield folders that hold too many source files; an `__init__.py` is a sentence, not one."""
    sizes = Counter(
        str(PurePosixPath(path).parent) for path in files if not path.endswith("__init__.py")
    )
    for folder, size in sizes.items():
        if size > MOST_FILES and folder not in LONG_FOLDERS:
            yield Offence(
                folder,
                None,
                f"{size} source files, {MOST_FILES} are allowed: move those of one concept into a"
                " folder named for it; a package needs a place in the layers and `make map`",
            )


def empty_docstrings(files: Mapping[str, str]) -> Iterator[Offence]:
    """Yield docstrings whose every word stands in the name already, outside migrations."""
    for path, tree in _trees(_of_today(files)):
        name = PurePosixPath(path.removesuffix("/__init__.py")).stem
        for node, names in _documented(tree, name):
            text = ast.get_docstring(node)
            if text is not None and _words(text) <= _words(names):
                yield Offence(
                    path,
                    node.body[0].lineno,
                    f'"{text.splitlines()[0] if text else ""}" repeats the name `{names}`: say what'
                    " it promises (shape, unit, error) or why it is there, or delete it",
                )


RULES: Final[Mapping[str, Rule]] = {
    "vague names": vague_names,
    "formatter overruled": formatter_overruled,
    "long files": long_files,
    "full folders": full_folders,
    "empty docstrings": empty_docstrings,
}


def _of_today(files: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out migrations: they are history, and nobody rewrites them."""
    return {path: text for path, text in files.items() if not path.startswith(f"{MIGRATIONS}/")}


def _python(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in files.items() if path.endswith(".py"))


def _trees(files: Mapping[str, str]) -> Iterator[tuple[str, ast.Module]]:
    return ((path, ast.parse(text)) for path, text in _python(files))


def _bindings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    exempt = {id(name) for name in _comprehension_targets(tree)} | {
        id(name) for name in _class_fields(tree)
    }
    inner = {id(function) for function in _inner_functions(tree)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in exempt:
                yield node.lineno, name
            case (
                ast.arg(arg=name)
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if id(node) in inner:
                yield node.lineno, name


def _comprehension_targets(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension):
            yield from ast.walk(node.target)


def _class_fields(tree: ast.Module) -> Iterator[ast.AST]:
    for _, statement in _members(tree):
        match statement:
            case ast.AnnAssign(target=field):
                yield field
            case ast.Assign(targets=fields):
                yield from fields


def _inner_functions(tree: ast.Module) -> Iterator[ast.AST]:
    methods = {id(member) for _, member in _members(tree)}
    for outer in ast.walk(tree):
        if isinstance(outer, _FUNCTIONS):
            for node in ast.walk(outer):
                if node is not outer and isinstance(node, _FUNCTIONS) and id(node) not in methods:
                    yield node


def _documented(tree: ast.Module, name: str) -> Iterator[tuple[Documented, str]]:
    owners = {id(member): owner.name for owner, member in _members(tree)}
    yield tree, name
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, *_FUNCTIONS)):
            owner = owners.get(id(node))
            yield node, f"{owner}.{node.name}" if owner else node.name


def _members(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.stmt]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from ((node, statement) for statement in node.body)


def _words(text: str) -> set[str]:
    words = {word.lower() for word in _WORD.findall(text)}
    return {_ENDING.sub("", word) for word in words if not _FILLER.fullmatch(word)}
