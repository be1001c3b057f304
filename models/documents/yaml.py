"""Reads YAML by the C library where it is there: ten times faster at every start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from models.errors import Mistake

# A subclass of what `safe_load` uses: plain values alone, never an object.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


def read_yaml(text: str) -> Any:
    """Read one document of plain values. Raises `yaml.YAMLError` where it is no YAML."""
    return yaml.load(text, Loader=_LOADER)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value stands: its file, the lines of all values, and the way to this one. `label`
    names what the first `labelled` steps lead to, as a rule's id does."""

    name: str
    lines: Mapping[Path, int]
    path: Path = ()
    label: str = ""
    labelled: int = 0

    def at(self, *steps: str | int) -> "Source":
        """Go on to a field or an item of a list."""
        return Source(self.name, self.lines, (*self.path, *steps), self.label, self.labelled)

    def called(self, label: str) -> "Source":
        """Name what stands here."""
        return Source(self.name, self.lines, self.path, label, len(self.path))

    @property
    def line(self) -> int:
        """The line of this value, or of what would hold it."""
        ends = range(len(self.path), -1, -1)
        return next(self.lines[self.path[:end]] for end in ends if self.path[:end] in self.lines)

    def mistake(self, what: str) -> Mistake:
        """Say what is wrong here: file, line, name, field."""
        field = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}"
            for step in self.path[self.labelled :]
        ).lstrip(".")
        return Mistake(": ".join(word for word in (str(self), self.label, field, what) if word))

    def __str__(self) -> str:
        """Spell file and line."""
        return f"{self.name}:{self.line}"


def read_with_lines(text: str, name: str) -> tuple[Any, Source]:
    """Read one document of plain values, and where each of them stands.

    Raises `Mistake` for what is no YAML and for a key that stands twice.
    """
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {(): 1}
        source = Source(name, lines)
        if node is None:
            raise source.mistake("the file is empty")
        _mark(node, source, lines)
        return loader.construct_document(node), source
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Mistake(f"{name}:{line}: is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise Mistake(f"{name}:1: is no YAML: {error}") from error
    finally:
        loader.dispose()


def _mark(node: Any, source: Source, lines: dict[Path, int]) -> None:
    lines[source.path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            _mark(item, source.at(place), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = source.at(str(key.value))
            if inner.path in lines:
                lines[inner.path] = key.start_mark.line + 1
                raise inner.mistake("stands twice")
            _mark(value, inner, lines)
            lines[inner.path] = key.start_mark.line + 1
