"""What people call the samplers."""

from ul_engine.requests import SamplerName

SAMPLER_TITLES = {
    SamplerName.DPMPP_2M_SDE: "DPM++ 2M SDE",
    SamplerName.DPMPP_2M: "DPM++ 2M",
    SamplerName.DDIM: "DDIM",
    SamplerName.DDPM: "DDPM",
}
