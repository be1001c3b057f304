"""What the console says when something cannot be done: wholly in the reader's language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatch.console.show import languages
from dispatch.console.show.refusals import explain
from dispatch.rules.lifecycle import after, endings, require_ending
from models.case import Text
from models.errors import Conflict, NotAllowed, NotThere, PaccError, Unusable
from models.words import Disposition, Queue, Role, Step, TaskState

DISPATCH = Path(__file__).parents[3] / "dispatch"
KINDS: dict[str, type[PaccError]] = {
    one.__name__: one for one in (Conflict, NotAllowed, NotThere, Unusable)
}
# Values as they come, and names and ids, which stay as they are.
VALUES: dict[str, Any] = {
    "queue": Queue.ROADSIDE,
    "state": TaskState.QUEUED,
    "step": Step.CONTACT,
    "role": Role.DEALER,
    "disposition": Disposition.TOWED,
    "possible": ["towed", "declined"],
    "roles": [Role.DEALER, Role.OPERATOR],
    "because": Text("在修理厂", "in the workshop"),
    "name": "7",
    "id": "7",
    "desk": "7",
    "vin": "7",
    "login": "7",
    "language": "7",
    "known": "7",
    "version": "7",
    "most": 7,
    "least": 7,
    "days": 7,
}


def raised() -> Iterator[tuple[str, str, ast.expr]]:
    """Every call in `dispatch` that makes a refusal: where, of which kind, with what sentence."""
    for path in sorted(DISPATCH.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in KINDS:
                yield f"{path.name}:{node.lineno}", node.func.id, node.args[0]


def test_every_refusal_is_a_literal_that_babel_finds() -> None:
    sites = list(raised())
    assert len(sites) > 60
    for where, _, sentence in sites:
        assert isinstance(sentence, ast.Constant), (
            f"{where}: write the sentence as a literal with %(name)s and give the values beside "
            "it, so that it can be said in Chinese"
        )


def test_a_refusal_in_chinese_is_wholly_chinese() -> None:
    for where, kind, sentence in raised():
        assert isinstance(sentence, ast.Constant)
        text = str(sentence.value)
        values = {name: VALUES[name] for name in re.findall(r"%\((\w+)\)", text)}
        chinese = explain("zh", KINDS[kind](text, values))
        assert re.search(r"[\u4e00-\u9fff]", chinese), where
        foreign = re.findall(r"[A-Za-z]+", re.sub(r"`[^`]*`", "", chinese))
        assert not foreign, (where, chinese)


@pytest.mark.parametrize("queue", Queue)
@pytest.mark.parametrize("state", TaskState)
def test_what_is_possible_instead_is_said_by_its_labels(queue: Queue, state: TaskState) -> None:
    for step in Step:
        try:
            after(queue, state, step)
        except Conflict as refused:
            chinese = explain("zh", refused)
            assert languages.catalogue("zh").ugettext(languages.STEPS[step]) in chinese
            assert not re.search(r"[A-Za-z]", chinese), chinese
    for disposition in set(Disposition) - endings(queue, state):
        with pytest.raises(Unusable) as caught:
            require_ending(queue, state, disposition)
        chinese = explain("zh", caught.value)
        assert not re.search(r"[A-Za-z]", chinese), chinese
        for ending in endings(queue, state):
            assert languages.catalogue("zh").ugettext(languages.DISPOSITIONS[ending]) in chinese


def test_a_program_still_reads_the_same_english() -> None:
    with pytest.raises(Conflict) as caught:
        after(Queue.ROADSIDE, TaskState.QUEUED, Step.CONTACT)
    assert str(caught.value) == "A roadside task that is queued cannot contact."
    conflict = Conflict("%(because)s", {"because": Text("在修理厂", "in the workshop")}, held=True)
    assert str(conflict) == "in the workshop"
    assert conflict.facts == {"held": True}
