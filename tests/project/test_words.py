"""Words and sizes: the project breaks no house rule, and each rule refuses what it is about."""

from collections.abc import Mapping

import pytest

from deploy.house_map import BESIDE, PACKAGES, ROOT
from tests.project.house_rules import MOST_FILES, MOST_LINES, RULES, Offence

CONSOLE = ROOT / "dispatch" / "console"
FETCHED = {"node_modules", "vendor"}  # brought by a build, not written by us
STATEMENT = "x = 1\n"

# rule, source that breaks it, words of the advice
BAD_SOURCES = [
    ("vague names", "def f(held): ...", "`held`"),
    ("vague names", "def f(*made): ...", "`made`"),
    ("vague names", "def f(*, told=1): ...", "`told`"),
    ("vague names", "def f(**given): ...", "`given`"),
    ("vague names", "f = lambda one: 1", "`one`"),
    ("vague names", "found = 1", "`found`"),
    ("vague names", "found: int = 1", "`found`"),
    ("vague names", "found += 1", "`found`"),
    ("vague names", "a, (b, *made) = c", "`made`"),
    ("vague names", "for i, (one, j) in c: ...", "`one`"),
    ("vague names", "with a as b, c as held: ...", "`held`"),
    ("vague names", "try: ...\nexcept E as told: ...", "`told`"),
    ("vague names", "if (found := f()): ...", "`found`"),
    ("vague names", "[a for a in b if (found := a)]", "`found`"),
    ("vague names", "match a:\n case [one, b]: ...", "`one`"),
    ("vague names", "match a:\n case [b, *made]: ...", "`made`"),
    ("vague names", "match a:\n case {'b': c, **given}: ...", "`given`"),
    ("vague names", "match a:\n case B(c=int() as held): ...", "`held`"),
    ("vague names", "def f():\n def told(): ...", "`told`"),
    ("vague names", "def f():\n if a:\n  async def made(): ...", "`made`"),
    ("vague names", "class A:\n def f(self):\n  held = 1", "`held`"),
    ("formatter overruled", "x = 1  # fmt: skip", "`# fmt: skip`"),
    ("formatter overruled", "x = 1  # noqa: E501 # fmt:skip", "`# fmt:skip`"),
    ("formatter overruled", "# fmt: off\nx = 1\n# fmt: on", "`# fmt: off`"),
    ("formatter overruled", "x = 1  # yapf: disable", "`# yapf`"),
    ("long files", STATEMENT * (MOST_LINES + 1), f"{MOST_LINES + 1} lines"),
    ("empty docstrings", '"""The module born."""', "`born`"),
    ("empty docstrings", 'def fold_faults():\n """Fold the faults."""', "`fold_faults`"),
    ("empty docstrings", 'async def route():\n """Returns a route."""', "`route`"),
    ("empty docstrings", 'class OpenCase:\n """An open case."""', "`OpenCase`"),
    ("empty docstrings", 'class Lease:\n def end(self):\n  """End this lease."""', "`Lease.end`"),
    ("empty docstrings", 'def f():\n """"""', "`f`"),
]

GOOD_SOURCES = [
    "[one for one in a for b, *made in one]",
    "{held: 1 for held in a}",
    "class A:\n held: int\n found = 1",  # a field may be a column or a key of JSON
    "class A:\n def told(self): ...",
    "def found(): ...",
    "from hypothesis import given",
    "a.held = f(given=1)",
    "match a:\n case _: ...",
    "x = '# fmt: skip'",
    "# how `fmt` skips a file",
    STATEMENT * MOST_LINES,
    'def fold_faults():\n """Return the faults that no other one explains."""',
    'class Lease:\n """How long a task stays claimed."""',
]


def project() -> Mapping[str, str]:
    """Read every source file that we wrote: path from the root, text."""
    paths = [path for top in (*PACKAGES, *BESIDE) for path in (ROOT / top).rglob("*.py")]
    shown = [path for kind in ("html", "css", "js") for path in CONSOLE.rglob(f"*.{kind}")]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in sorted((*paths, *shown))
        if not FETCHED & set(path.relative_to(ROOT).parts)
    }


@pytest.mark.parametrize("name", RULES)
def test_the_project_keeps_the_rule(name: str) -> None:
    offences = [str(offence) for offence in RULES[name](project())]
    assert not offences, "\n".join([f"{len(offences)} offences: {name}", *offences])


def test_every_kind_of_source_is_read() -> None:
    assert {
        "tests/project/test_words.py",
        "pacc/cli.py",
        "models/migrations/env.py",
        "dispatch/console/templates/base.html",
        "dispatch/console/static/console.css",
        "dispatch/console/static/console.js",
    } <= project().keys()


@pytest.mark.parametrize(("name", "source", "named"), BAD_SOURCES)
def test_a_bad_source_is_refused_by_its_rule_alone(name: str, source: str, named: str) -> None:
    advice = {
        rule: [offence.advice for offence in find({"pacc/born.py": source})]
        for rule, find in RULES.items()
    }
    assert [rule for rule, sentences in advice.items() if sentences] == [name]
    (sentence,) = advice[name]
    assert named in sentence


@pytest.mark.parametrize("source", GOOD_SOURCES)
def test_a_good_source_is_refused_by_no_rule(source: str) -> None:
    assert [*map(str, refused({"pacc/born.py": source}))] == []


@pytest.mark.parametrize("kind", ["html", "css", "js"])
def test_a_long_template_is_refused_and_is_not_read_as_python(kind: str) -> None:
    (offence,) = refused({f"dispatch/console/born.{kind}": "<br>\n" * (MOST_LINES + 1)})
    assert str(offence).startswith(f"dispatch/console/born.{kind}:{MOST_LINES + 1}: ")


@pytest.mark.parametrize("kind", ["py", "html"])
def test_a_folder_takes_so_many_files_and_no_more(kind: str) -> None:
    files = {f"pacc/attic/born_{number}.{kind}": "" for number in range(MOST_FILES)}
    assert refused(files) == []
    (offence,) = refused({**files, f"pacc/attic/last.{kind}": ""})
    assert offence.path == "pacc/attic"
    assert "15 source files" in offence.advice


@pytest.mark.parametrize("folder", ["pacc/commands", "models/migrations/versions"])
def test_commands_and_migrations_may_be_many(folder: str) -> None:
    assert refused({f"{folder}/born_{number}.py": "" for number in range(MOST_FILES + 1)}) == []


def test_a_migration_is_not_rewritten() -> None:
    text = '"""The first schema."""\n' + STATEMENT * MOST_LINES
    assert refused({"models/migrations/versions/0001_the_first_schema.py": text}) == []


def test_a_package_is_named_for_its_folder() -> None:
    (offence,) = refused({"pacc/attic/__init__.py": '"""The attic."""'})
    assert "`attic`" in offence.advice


def refused(files: Mapping[str, str]) -> list[Offence]:
    """Return the offences against all rules."""
    return [offence for find in RULES.values() for offence in find(files)]
