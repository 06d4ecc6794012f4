"""Model cards: front matter that the Hub reads, figures that say what they are, and a person's own text untouched."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.tiny import class_conditioning, text_conditioning, tiny_config
from ul_engine.assets import assets_dir
from ul_engine.hub.card import completed_card, front_matter, is_made_here, licence_of, make_card
from ul_engine.hub.figures import labelled_figures
from ul_engine.hub.publish import plan_publication
from ul_engine.model_folder import Manifest, NetworkFile, NetworkName, PromptGrammar, PromptSlot, read_manifest

HASH = "ab" * 32
ALL: tuple[NetworkName, ...] = ("encoder", "prior", "decoder", "base")


def manifest(networks: tuple[NetworkName, ...] = ALL, **fields: Any) -> Manifest:
    files = {name: NetworkFile(file=f"{name}.safetensors", sha256=HASH, num_parameters=1000) for name in networks}
    config = tiny_config(conditioning=fields.pop("conditioning", text_conditioning()))
    return Manifest(model=config, networks=files, **fields)


def matter_of(card: str) -> dict[str, Any]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def test_front_matter() -> None:
    matter = matter_of(make_card(manifest(), "me/tiny", license_id="apache-2.0"))
    assert matter == {
        "license": "apache-2.0",
        "library_name": "ul-studio",
        "pipeline_tag": "text-to-image",
        "tags": ["unified-latents", "diffusion", "arxiv:2602.17270"],
    }
    assert "license" not in matter_of(make_card(manifest(), "me/tiny"))


def test_tasks() -> None:
    assert front_matter(manifest(conditioning=class_conditioning()))["pipeline_tag"] == "unconditional-image-generation"
    assert front_matter(manifest(("encoder", "decoder")))["pipeline_tag"] == "image-to-image"


def test_a_whole_card() -> None:
    grammar = PromptGrammar(
        templates=("a {color} cube",),
        slots=(PromptSlot(name="color", words=("red", "blue")),),
        examples=("a red cube",),
    )
    figures = {"bits_per_pixel": 0.07617, "psnr_db": 27.5926, "prompt_accuracy_all": 0.826, "strange": 3.14159}
    card = make_card(manifest(prompt_grammar=grammar, calibration=figures, description="Tiny things."), "me/tiny")
    for words in (
        "# Tiny",
        "Tiny things.",
        "| latent bits per pixel (upper bound, not a file size) | 0.0762 |",
        "| PSNR of reconstructions | 27.59 dB |",
        "| prompts: all words at once (judged by a classifier) | 82.6% |",
        "| strange (as recorded) | 3.142 |",
        "nobody else has checked",
        "- color: red, blue",
        "`a {color} cube`",
        "ul-engine models download me/tiny",
        'ul-engine generate "a red cube"',
        f"| base.safetensors | base | 1,000 | `{HASH}` |",
        "Made for 16 x 16 pixels",
    ):
        assert words in card
    assert is_made_here(card)


def test_cards_of_other_models() -> None:
    classes = make_card(manifest(conditioning=class_conditioning(), class_names=("cat", "dog", "bird")), "me/tiny")
    assert "## Classes\n\ncat, dog, bird" in classes
    assert "0 to 2" in make_card(manifest(conditioning=class_conditioning()), "me/tiny")
    encoder = make_card(manifest(("encoder", "decoder")), "me/tiny")
    assert "makes no pictures of its own" in encoder
    assert "ul-engine generate" not in encoder
    assert "Nothing was measured" in encoder
    assert "cannot take pictures in" in make_card(manifest(("decoder", "base")), "me/tiny")


def test_every_figure_the_bundled_model_states_has_a_meaning() -> None:
    calibration = read_manifest(assets_dir() / "models" / "scenes").calibration
    labels = [label for label, _ in labelled_figures(calibration)]
    assert len(set(labels)) == len(calibration)
    assert not [label for label in labels if "as recorded" in label]


@pytest.mark.parametrize(
    ("own", "body"),
    [
        ("# Mine\n\nText.\n", "\n# Mine\n\nText.\n"),
        ("---\ntags: mine\n---\n# Mine\n---\nrule above\n", "# Mine\n---\nrule above\n"),
        ("---\r\nlicense: mit\r\n---\r\n# Mine\r\n", "# Mine\n"),
        ("---\npipeline_tag: other\n---\n", ""),
    ],
)
def test_a_persons_card_gets_what_it_lacks(own: str, body: str) -> None:
    card, added = completed_card(own, manifest())
    before = yaml.safe_load(own.split("---")[1]) if own.startswith("---") else {}
    after = matter_of(card)
    assert card.endswith(f"---\n{body}")
    assert {key: value for key, value in after.items() if key != "tags"}.items() >= {
        key: value for key, value in before.items() if key != "tags"
    }.items()
    assert {"unified-latents", "arxiv:2602.17270"} <= set(after["tags"])
    assert ("mine" in after["tags"]) == ("tags" in before)
    assert set(added) >= {"library_name", "tags"}
    again, nothing = completed_card(card, manifest())
    assert (again, nothing) == (card, ())


@pytest.mark.parametrize("own", ["---\n: {[\n---\ntext", "---\nnever closed\n", "---\n- a list\n---\ntext"])
def test_front_matter_that_cannot_be_read_is_left_alone(own: str) -> None:
    assert completed_card(own, manifest(), license_id="mit") == (own, ())
    assert licence_of(own) == ""


def test_an_explicit_licence_replaces_the_stated_one() -> None:
    own = "---\nlicense: mit\n---\ntext"
    assert licence_of(completed_card(own, manifest(), license_id="apache-2.0")[0]) == "apache-2.0"
    assert licence_of(completed_card(own, manifest())[0]) == "mit"


def test_a_generated_card_is_made_anew_and_keeps_its_licence(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(tiny_folder, folder)
    (folder / "README.md").write_text(plan_publication(folder, "me/a", license_id="mit", is_new_card=True).card)
    plan = plan_publication(folder, "me/b")
    assert plan.card_note == "generated from the manifest"
    assert (plan.licence, "me/b" in plan.card, "me/a" in plan.card) == ("mit", True, False)
