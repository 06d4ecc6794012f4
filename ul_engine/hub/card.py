"""The model card for the Hub: made from the manifest, and the front matter that makes a model found there."""

from collections.abc import Mapping
from typing import Any

import yaml

from ul_engine.hub.figures import labelled_figures
from ul_engine.hub.remote import SEARCH_TAG
from ul_engine.model_folder import MANIFEST_NAME, Manifest

LIBRARY_NAME = "ul-studio"
PAPER = "arxiv:2602.17270"
MARK = "<!-- Made by UL Studio from config.json. Remove this line to keep what you write here. -->"
_FENCE = "---"


def front_matter(manifest: Manifest, *, license_id: str = "") -> dict[str, Any]:
    """What the Hub files a model under; without `license_id` no licence is claimed."""
    licence = {"license": license_id} if license_id else {}
    return {
        **licence,
        "library_name": LIBRARY_NAME,
        "pipeline_tag": _task(manifest),
        "tags": [SEARCH_TAG, "diffusion", PAPER],
    }


def _task(manifest: Manifest) -> str:
    kind = manifest.model.conditioning.kind
    medium = "video" if manifest.model.num_frames > 1 else "image"
    if not manifest.can_generate:
        return "image-to-image"
    if kind == "text":
        return f"text-to-{medium}"
    return "unconditional-image-generation" if medium == "image" else "text-to-video"


def make_card(manifest: Manifest, repo: str, *, license_id: str = "") -> str:
    """A whole card: what it is, figures with honest labels, what it understands, how to use it, limits, hashes."""
    parts = [
        MARK,
        f"# {manifest.model.name}",
        manifest.description,
        _what_it_is(manifest),
        *_figures(manifest),
        *_understands(manifest),
        *_use(manifest, repo),
        *_limits(manifest),
        *_files(manifest),
    ]
    body = "\n\n".join(part for part in parts if part)
    return _joined(front_matter(manifest, license_id=license_id), f"\n{body}\n")


def is_made_here(card: str) -> bool:
    """Whether a card is one of `make_card` that nobody claimed as their own."""
    return MARK in card


def completed_card(card: str, manifest: Manifest, *, license_id: str = "") -> tuple[str, tuple[str, ...]]:
    """A person's own card with the front matter that it lacks, and the names of what was added.

    Their text and every value of theirs stay as they are; `license_id`, given explicitly, replaces theirs. A front
    matter that cannot be read is left alone.
    """
    own, body = _split(card)
    if own is None:
        return card, ()
    wanted = front_matter(manifest, license_id=license_id)
    merged = {**own, **{key: value for key, value in wanted.items() if key not in own}}
    tags = own.get("tags")
    theirs = [tags] if isinstance(tags, str) else list(tags or [])
    merged["tags"] = theirs + [tag for tag in wanted["tags"] if tag not in theirs]
    if license_id:
        merged["license"] = license_id
    changed = tuple(key for key, value in merged.items() if own.get(key) != value)
    return (_joined(merged, body), changed) if changed else (card, ())


def licence_of(card: str) -> str:
    """The licence that a card states; empty where it states none."""
    own, _ = _split(card)
    return str((own or {}).get("license") or "")


def _split(card: str) -> tuple[dict[str, Any] | None, str]:
    """(front matter, rest); ({}, card) where there is none, (None, card) where it cannot be read."""
    text = card.replace("\r\n", "\n").removeprefix("\ufeff")
    if not text.startswith(f"{_FENCE}\n"):
        return {}, f"\n{card}" if card else ""
    head, fence, body = text[len(_FENCE) + 1 :].partition(f"\n{_FENCE}")
    try:
        data = yaml.safe_load(head) if fence else None
    except yaml.YAMLError:
        data = None
    return (dict(data), body.removeprefix("\n")) if isinstance(data, Mapping) else (None, card)


def _joined(matter: Mapping[str, Any], body: str) -> str:
    head = yaml.safe_dump(dict(matter), sort_keys=False, allow_unicode=True).strip()
    return f"{_FENCE}\n{head}\n{_FENCE}\n{body}"


def _what_it_is(manifest: Manifest) -> str:
    model = manifest.model
    medium = f"clips of {model.num_frames} frames," if model.num_frames > 1 else "pictures of"
    abilities = {"generates": manifest.can_generate, "encodes and decodes": manifest.can_reconstruct}
    does = " and ".join(word for word, is_able in abilities.items() if is_able) or "holds a part for"
    parameters = sum(network.num_parameters for network in manifest.networks.values()) / 1e6
    return (
        f"A [Unified Latents](https://arxiv.org/abs/2602.17270) model that {does} {medium} "
        f"{model.image_px} x {model.image_px} pixels: {', '.join(manifest.networks)}, {parameters:.1f} M parameters "
        f"together; latents of {model.latent.channels} channels at 1/{model.downsampling} of the picture's side. The "
        f"latent carries fixed noise at log-SNR {model.latent.logsnr_max:g}, which bounds what it can hold."
    )


def _figures(manifest: Manifest) -> list[str]:
    if not manifest.calibration:
        return ["## Measured", "Nothing was measured, or nobody recorded it."]
    rows = "\n".join(f"| {label} | {value} |" for label, value in labelled_figures(manifest.calibration))
    return [
        "## Measured",
        "By the program that trained the model, on its own held-out data; nobody else has checked these figures.",
        f"| figure | value |\n|---|---|\n{rows}",
    ]


def _understands(manifest: Manifest) -> list[str]:
    condition = manifest.model.conditioning
    if not manifest.can_generate or condition.kind == "none":
        return []
    if condition.kind == "class":
        names = ", ".join(manifest.class_names) or f"0 to {condition.num_classes - 1}"
        return ["## Classes", names]
    words = ", ".join(condition.text.vocabulary) if condition.text is not None else ""
    parts = ["## Prompts", f"It knows these words and no others: {words}."]
    grammar = manifest.prompt_grammar
    if grammar is not None:
        parts += ["\n".join(f"- `{template}`" for template in grammar.templates)]
        parts += ["\n".join(f"- {slot.name}: {', '.join(slot.words)}" for slot in grammar.slots)]
        parts += (
            ["For example:\n\n" + "\n".join(f"- {example}" for example in grammar.examples)] if grammar.examples else []
        )
    return parts


def _use(manifest: Manifest, repo: str) -> list[str]:
    name = repo.rpartition("/")[2]
    lines = [f"ul-engine models download {repo}", f"ul-engine models info {name}"]
    example = (
        manifest.prompt_grammar.examples[0] if manifest.prompt_grammar and manifest.prompt_grammar.examples else ""
    )
    if manifest.can_generate:
        lines.append(f'ul-engine generate "{example}" --model FOLDER   # the folder that the download printed')
    return [
        "## Use",
        "With UL Studio, whose window lists the model once it is downloaded, or from a terminal:",
        "```sh\n" + "\n".join(lines) + "\n```",
        "From Python:",
        "```python\nfrom ul_engine.checkpoint import load_model\n\nmodel, manifest = load_model(FOLDER)\n```",
        "Weights are safetensors; nothing in this repository is executed.",
    ]


def _limits(manifest: Manifest) -> list[str]:
    model = manifest.model
    lines = [f"- Made for {model.image_px} x {model.image_px} pixels; other sizes are untrained."]
    if manifest.can_generate and model.conditioning.kind == "text":
        lines.append("- Words outside its vocabulary are ignored; sentences unlike its training captions are untried.")
    if manifest.can_generate and model.conditioning.kind == "none":
        lines.append("- It takes no prompt: what it draws cannot be chosen.")
    if not manifest.can_reconstruct:
        lines.append("- Without an encoder it cannot take pictures in.")
    if not manifest.can_generate:
        lines.append("- Without a base model it makes no pictures of its own.")
    lines.append("- Bits are upper bounds on what the latent holds; no entropy coder comes with the model.")
    return ["## Limits", "\n".join(lines)]


def _files(manifest: Manifest) -> list[str]:
    rows = "\n".join(
        f"| {network.file} | {name} | {network.num_parameters:,} | `{network.sha256}` |"
        for name, network in manifest.networks.items()
    )
    return [
        "## Files",
        f"The same hashes stand in `{MANIFEST_NAME}` and are checked by `ul-engine models verify`.",
        f"| file | network | parameters | SHA-256 |\n|---|---|---|---|\n{rows}",
    ]
