"""What a model costs: parameters, multiply-adds and memory, counted on the real networks without allocating them."""

from ul_engine.accounting.memory import (
    DEVICE_SHARE,
    InferenceMemory,
    TrainingMemory,
    inference_memory,
    stage1_memory,
    stage2_memory,
)
from ul_engine.accounting.networks import meta_model, num_parameters
from ul_engine.accounting.operations import FLOPS_PER_MULTIPLY_ADD, TRAINING_PASSES, Operations, forward_operations
from ul_engine.accounting.report import LatentFacts, ModelCost, NetworkCost, StageCost, latent_facts, model_cost
from ul_engine.accounting.sampling import SamplingCost, sampling_cost

__all__ = [
    "DEVICE_SHARE",
    "FLOPS_PER_MULTIPLY_ADD",
    "TRAINING_PASSES",
    "InferenceMemory",
    "LatentFacts",
    "ModelCost",
    "NetworkCost",
    "Operations",
    "SamplingCost",
    "StageCost",
    "TrainingMemory",
    "forward_operations",
    "inference_memory",
    "latent_facts",
    "meta_model",
    "model_cost",
    "num_parameters",
    "sampling_cost",
    "stage1_memory",
    "stage2_memory",
]
