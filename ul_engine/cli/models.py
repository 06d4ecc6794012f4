"""``ul-engine models``: what is on this machine. Nothing here loads torch or uses the network."""

import argparse
import json
import sys
from pathlib import Path

from ul_engine.errors import CheckpointError
from ul_engine.hub.download import Unfinished, forget_download, unfinished_downloads
from ul_engine.hub.figures import labelled_figures
from ul_engine.hub.importing import import_model
from ul_engine.hub.local import ModelFacts, facts_of, find_model, list_facts, removable, remove_model
from ul_engine.hub.verify import foreign_files, verify_model
from ul_engine.hub.wording import size_text
from ul_engine.model_folder import Manifest, ModelEntry, read_manifest, user_models_dir


def list_command(arguments: argparse.Namespace) -> int:
    """List the models; 1 if one of them cannot be used."""
    facts = list_facts()
    if arguments.json:
        print(json.dumps([model.model_dump(mode="json") for model in facts], indent=1))
    else:
        _print_list(facts, unfinished_downloads(user_models_dir()))
    return 1 if any(model.problem for model in facts) else 0


def _print_list(facts: tuple[ModelFacts, ...], unfinished: tuple[Unfinished, ...]) -> None:
    for model in facts:
        print(_line(model))
    if not facts:
        print("no models were found")
    for download in unfinished:
        print(
            f"unfinished: {download.repo}, {size_text(download.done_bytes)} so far; go on with "
            f"'ul-engine models download {download.repo}', or 'ul-engine models remove {download.repo}'"
        )


def _line(model: ModelFacts) -> str:
    if model.problem:
        return f"{model.folder}: cannot be used: {model.problem}"
    abilities = {"generate": model.can_generate, "reconstruct": model.can_reconstruct}
    can = " and ".join(word for word, is_able in abilities.items() if is_able) or "hold part of a model"
    source = "bundled" if model.is_bundled else model.origin.repo if model.origin and model.origin.repo else "yours"
    return (
        f"{model.folder}: {model.name}, {model.image_px} px, {model.conditioning} condition, can {can}, "
        f"{model.num_parameters / 1e6:.1f} M parameters, {size_text(model.size_bytes)}, {source}, {model.path}"
    )


def info_command(arguments: argparse.Namespace) -> int:
    """Print what a model says about itself."""
    folder = find_model(arguments.model)
    manifest = read_manifest(folder)
    facts = facts_of(ModelEntry(path=str(folder), name=manifest.model.name, manifest=manifest))
    if arguments.json:
        print(json.dumps(facts.model_dump(mode="json") | {"manifest": manifest.model_dump(mode="json")}, indent=1))
    else:
        print("\n".join(_info_lines(facts, manifest)))
    return 0


def _info_lines(facts: ModelFacts, manifest: Manifest) -> list[str]:
    model = manifest.model
    lines = [facts.name, *([manifest.description] if manifest.description else []), ""]
    lines += [f"folder       {facts.path}", f"from         {_origin_text(facts)}"]
    frames = f", clips of {model.num_frames} frames" if model.num_frames > 1 else ""
    lines += [f"pictures     {model.image_px} x {model.image_px} px{frames}"]
    lines += [
        f"latent       {model.latent.channels} channels at 1/{model.downsampling}, log-SNR {model.latent.logsnr_max:g}"
    ]
    lines += [f"condition    {model.conditioning.kind}"]
    lines += [f"can          generate: {_yes(facts.can_generate)}, reconstruct: {_yes(facts.can_reconstruct)}"]
    lines += [f"presets      {', '.join(manifest.sampling_presets())}", ""]
    for network in facts.networks:
        size = size_text(network.size_bytes) if network.size_bytes is not None else "missing"
        lines.append(f"{network.network:<12} {network.num_parameters:>14,} parameters  {size:>8}  {network.file}")
        lines.append(f"{'':<12} SHA-256 {network.sha256}")
    if manifest.calibration:
        lines += ["", "measured by whoever trained it:"]
        lines += [f"  {label}: {value}" for label, value in labelled_figures(manifest.calibration)]
    foreign = foreign_files(facts.path, manifest)
    return lines + (["", f"files that belong to no model, and are never read: {', '.join(foreign)}"] if foreign else [])


def _origin_text(facts: ModelFacts) -> str:
    origin = facts.origin
    if facts.is_bundled:
        return "comes with the program"
    if origin is None:
        return "this machine"
    if origin.repo:
        return f"{origin.repo} at {origin.revision}, commit {origin.commit}, fetched {origin.when}"
    return f"{origin.source}, imported {origin.when}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def verify_command(arguments: argparse.Namespace) -> int:
    """Read every weight file; 1 if one is not as published."""
    folder = find_model(arguments.model)
    found = verify_model(folder)
    for name in found.foreign:
        print(f"{folder}: {name} belongs to no model; it is never read")
    for problem in found.problems:
        print(f"ul-engine: {folder}: {problem}", file=sys.stderr)
    if found.is_intact:
        total = sum(network.num_parameters for network in found.manifest.networks.values())
        print(f"{folder}: {found.manifest.model.name}, {total:,} parameters, every file as published")
    return 0 if found.is_intact else 1


def import_command(arguments: argparse.Namespace) -> int:
    """Copy a model among the person's own."""
    found = import_model(arguments.path, name=arguments.name, replace=arguments.replace)
    print(f"{found.manifest.model.name} is now in {found.folder}")
    return 0


def remove_command(arguments: argparse.Namespace) -> int:
    """Remove a model or an unfinished download, after a question."""
    begun = [download for download in unfinished_downloads(user_models_dir()) if download.repo == arguments.model]
    if begun:
        if _is_agreed(f"Remove {size_text(begun[0].done_bytes)} of the unfinished {begun[0].repo}?", arguments):
            forget_download(begun[0])
            print(f"removed what was here of {begun[0].repo}")
        return 0
    folder = removable(arguments.model)
    if _is_agreed(f"Remove {folder}{_beside(folder)}, for good?", arguments):
        print(f"removed {remove_model(arguments.model)}")
    return 0


def _beside(folder: Path) -> str:
    """Warns of files in the folder that belong to no model."""
    try:
        foreign = foreign_files(folder, read_manifest(folder))
    except CheckpointError:
        return ""
    return f" with {len(foreign)} more of your files ({', '.join(foreign[:3])})" if foreign else ""


def _is_agreed(question: str, arguments: argparse.Namespace) -> bool:
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise CheckpointError("nobody is there to be asked; give --yes", path=arguments.model)
    if input(f"{question} [y/N] ").strip().lower() in ("y", "yes"):
        return True
    print("nothing was removed")
    return False
