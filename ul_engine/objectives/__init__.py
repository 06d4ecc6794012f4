"""Where networks and diffusion meet: clean estimates from the networks, and the losses of Stage 1 and Stage 2."""

from ul_engine.objectives.curves import WeightingCurves, weighting_curves
from ul_engine.objectives.estimates import (
    estimate_with_base,
    estimate_with_decoder,
    estimate_with_prior,
    latent_schedule_of,
    picture_schedule_of,
    regress_with_decoder,
)
from ul_engine.objectives.stage1 import (
    Networks,
    Stage1Noise,
    Stage1Terms,
    draw_stage1_noise,
    scale_gradient,
    stage1_terms,
)
from ul_engine.objectives.stage2 import stage2_nats

__all__ = [
    "Networks",
    "Stage1Noise",
    "Stage1Terms",
    "WeightingCurves",
    "draw_stage1_noise",
    "estimate_with_base",
    "estimate_with_decoder",
    "estimate_with_prior",
    "latent_schedule_of",
    "picture_schedule_of",
    "regress_with_decoder",
    "scale_gradient",
    "stage1_terms",
    "stage2_nats",
    "weighting_curves",
]
