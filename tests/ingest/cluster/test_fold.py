"""Folding: which faults another one explains, and a cause graph that cannot be meant."""

import pytest

from ingest.cluster.fold import fold, parse_causes
from models.words import Severity
from tests.support.faults import active_fault
from tests.worlds import policy


def test_the_cause_graph_is_large_enough_and_never_folds_a_stop() -> None:
    graph = policy().grouping.graph
    assert len(graph.causes) >= 12
    faults = {
        fault.code: fault
        for fault in (active_fault("dtc:P0562"), active_fault("dtc:U0100", Severity.STOP))
    }
    assert fold(faults, graph) == faults


def test_a_mistake_in_the_cause_graph_is_named() -> None:
    with pytest.raises(ValueError, match="causes: x"):
        parse_causes(
            '[{"id": "x", "cause": ["a"], "symptoms": ["b"], "window": "soon",'
            ' "sentence": {"zh": "一", "en": "one"}}]'
        )
