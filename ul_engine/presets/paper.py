"""The models of the paper (arXiv 2602.17270, section 4): its published numbers, and ours where it is silent."""

from ul_engine.config import (
    BaseConfig,
    ConditioningConfig,
    DecoderConfig,
    DecoderLossConfig,
    EncoderConfig,
    LatentConfig,
    ModelConfig,
    PriorConfig,
    TextConfig,
    VideoConfig,
)
from ul_engine.presets.base_sizes import BASE_SIZES
from ul_engine.presets.words import SCENE_WORDS

NUM_IMAGENET_CLASSES = 1000


def imagenet_512(name: str = "ImageNet 512", base: BaseConfig = BASE_SIZES["small"]) -> ModelConfig:
    """512-pixel pictures of 1000 classes, latents of 32 channels at 32x32, loss factor 1.5.

    All numbers are the paper's, written out rather than left to the defaults. The class condition's kind follows from
    the data set; the base model's widths and blocks are the published ones (see `base_sizes` for which size they are).
    """
    return ModelConfig(
        name=name,
        image_px=512,
        patch_px=2,
        latent=LatentConfig(channels=32, logsnr_max=5.0),
        encoder=EncoderConfig(channels=(128, 256, 512, 512), blocks_per_stage=2, blocks_last_stage=3),
        prior=PriorConfig(width=1024, num_blocks=8),
        base=base,
        decoder=DecoderConfig(channels=(128, 256, 512), width=1024, num_blocks=8, dropout=0.1),
        decoder_loss=DecoderLossConfig(loss_factor=1.5),
        conditioning=ConditioningConfig(kind="class", num_classes=NUM_IMAGENET_CLASSES),
    )


def kinetics_600() -> ModelConfig:
    """Clips of 16 frames of 128x128 that continue 5 frames, down-sampled 4x8x8 to latents of 4x16x16.

    Published: frames, sizes, factors, context. Ours: the networks, which the paper does not describe for clips. Patches
    of 2 and two halvings give 8x, hence three encoder stages and two decoder stages: those of the pictures with the
    halving of the last one left out, which keeps 512 channels at the latent. The frames are halved with the picture's
    last two halvings. Transformers stay as they are: 4x16x16 cells are as many tokens as 32x32. Loss factor and
    channels are those of the pictures; 25 frames per second are the data set's own.
    """
    return ModelConfig(
        name="Kinetics 600",
        image_px=128,
        patch_px=2,
        video=VideoConfig(num_frames=16, temporal_downsampling=4, context_frames=5, fps=25.0),
        latent=LatentConfig(channels=32, logsnr_max=5.0),
        encoder=EncoderConfig(channels=(128, 256, 512), blocks_per_stage=2, blocks_last_stage=3),
        prior=PriorConfig(width=1024, num_blocks=8),
        base=BASE_SIZES["small"],
        decoder=DecoderConfig(channels=(128, 256), width=1024, num_blocks=8, dropout=0.1),
        decoder_loss=DecoderLossConfig(loss_factor=1.5),
        conditioning=ConditioningConfig(kind="none"),
    )


def text_to_image_512() -> ModelConfig:
    """The pictures' networks with a text condition, of our own making: the paper trains on text but names no encoder.

    Its limits: words come from a closed vocabulary, each is a token, and the text encoder learns them from the
    captions alone. It knows nothing that they do not show: no spelling, no synonym, no unseen word. As it stands it
    reads the captions of the program's scenes; for other captions give it their words (`with_vocabulary`; 30 000
    words add 23 M parameters). A text encoder trained on a large corpus, as in the paper's Table 1, follows free
    prompts far better.
    """
    text = TextConfig(vocabulary=SCENE_WORDS, max_tokens=64, width=768, num_blocks=6, head_channels=64)
    pictures = imagenet_512("Text to image 512")
    return pictures.model_copy(update={"conditioning": ConditioningConfig(kind="text", text=text)})
