"""Evaluation of a model on pictures or clips: distortion, bits, codecs at equal bits, distances between sets."""

from ul_engine.evaluation.catalogue import DEFAULT, GROUPS, METRICS, Choice, parse_metrics
from ul_engine.evaluation.results import Evaluation
from ul_engine.evaluation.run import Task, evaluate
from ul_engine.evaluation.settings import EvaluationSettings

__all__ = [
    "DEFAULT",
    "GROUPS",
    "METRICS",
    "Choice",
    "Evaluation",
    "EvaluationSettings",
    "Task",
    "evaluate",
    "parse_metrics",
]
