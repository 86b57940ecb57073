"""A model's card: what it knows, how it was made, how good it is and where it fails, as Markdown."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.calibration import FALSE_REJECTION_RATE, KNOWN_ACCURACY
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.training.recipe_fields import current_fields
from sneaker_core.training.training_notes import finite, percent

# Below so many training photos a class can hardly be learned; below so many test photos hardly be measured.
FEW_TRAINING, FEW_TEST = 20, 5
_SHOWN = 5
# A figure that rests on fewer photos than this is called rough.
_ROUGH = 200
_FIGURES = {
    "top1": "top-1 accuracy (the first answer is right)",
    "top3": "top-3 accuracy (one of the first three is right)",
    "ece": "calibration error (how far its probabilities are from the truth)",
    "macro_f1": "macro F1 (every class counts the same)",
    "refused": "sneakers refused (“not a sneaker I know”)",
}
_PARTS = {
    "head": "Only its head (the last layers) was trained, on what the rest of the network made of each photo.",
    "last_stage": "Its last stage and its head (the last layers) were trained; the rest stayed as it was.",
    "all": "Every layer was trained.",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#!])")


def model_card(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    """Describe a trained model from what is kept of it.

    Parameters
    ----------
    spec : ModelSpec
        Any of its recipe, metrics, data and versions may be empty.
    run : mapping
        The values of ``run.json``, and "note" if there is one; what is missing is left out.

    Returns
    -------
    str
        Markdown; names and notes are shown as they were written, never read as markup.
    """
    sections = {
        f"# Model card: {escaped(spec.name)}": _what(spec, run),
        "## Data": _data(spec, run),
        "## How it was made": _making(spec, run),
        "## Results": _results(spec),
        "## What its answers mean": _answers(spec),
        "## Limits": _bullets(_limits(spec, run)),
    }
    return "\n\n".join(f"{title}\n\n{text}" for title, text in sections.items()) + "\n"


def escaped(text: object) -> str:
    """The text on one line, with everything that Markdown would read as markup marked as plain."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _part(values: object, *keys: str) -> dict[str, Any]:
    """What lies under these keys where it is a mapping, else an empty one."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return dict(values) if isinstance(values, Mapping) else {}


def _count(value: object) -> int:
    """The value where it is a number, else 0."""
    number = finite(value)
    return 0 if math.isnan(number) else round(number)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(head), *([str(cell) for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _named(labels: list[str]) -> str:
    """The first few names and how many more there are."""
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(map(escaped, labels[:_SHOWN])) + more


def _photos(count: int) -> str:
    return f"{count} photo{'' if count == 1 else 's'}"


def _what(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    refuses = " and says when a photo shows none of them" if math.isfinite(spec.decision.ood_threshold) else ""
    text = f"A {escaped(spec.network)} that tells {len(spec.classes)} kinds of sneakers apart{refuses}."
    if run.get("dataset"):
        text += f" Trained on the photos of {escaped(run['dataset'])}"
        created = finite(run.get("created"))
        text += f", started on {datetime.fromtimestamp(created, UTC):%Y-%m-%d}." if 0 < created < 1e11 else "."
    if run.get("state") in ("running", "stopped", "failed"):
        text += f" The training is not done: it is {escaped(run['state'])}."
    return text + (f"\n\nNote: {escaped(run['note'])}" if run.get("note") else "")


def _split_counts(spec: ModelSpec, label: str) -> dict[Split, int]:
    counts = _part(spec.data, "classes", label)
    return {split: _count(counts.get(split.value)) for split in Split}


def _data(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    if not _part(spec.data, "classes"):
        return "It knows: " + ", ".join(map(escaped, spec.classes)) + ".\n\nThe counts of photos were not kept."
    rows = [[escaped(label), *_split_counts(spec, label).values()] for label in spec.classes]
    others = _part(spec.data, "others")
    if others:
        rows.append(["photos of other things", *(_count(others.get(split.value)) or "" for split in Split)])
    text = _table(["class", "training", "validation", "test"], rows)
    facts = [f"{_photos(_count(spec.data.get('photos')))} of sneakers"]
    if spec.data.get("fingerprint"):
        facts[0] += f" (fingerprint {escaped(spec.data['fingerprint'])})"
    rejected = max(_count(spec.data.get("rejected")), len(_part(run, "rejected")))
    if rejected:
        facts.append(f"{rejected} could not be read")
    if copies := _count(spec.data.get("in_duplicate_groups")):
        facts.append(f"{copies} are in groups of copies, which are never divided between training and test")
    return f"{text}\n\n{'; '.join(facts)}."


def _making(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    recipe = {**current_fields(_part(run, "recipe")), **current_fields(spec.recipe)}
    if "init" in recipe:
        # A card travels; the path of a file on the machine that trained it does not.
        recipe["init"] = PurePath(str(recipe["init"])).name
    lines = list(_recipe_words(recipe, run))
    seen = spec.preprocessing.height
    if _count(recipe.get("size")) not in (0, seen):
        lines.append(f"The finished model sees photos of {seen} × {spec.preprocessing.width} pixels.")
    lines.append(_origin(recipe))
    if spec.versions:
        versions = ", ".join(f"{escaped(name)} {escaped(version)}" for name, version in spec.versions.items())
        lines.append(f"Made with {versions}.")
    settings = ", ".join(f"{escaped(name)} {escaped(value)}" for name, value in recipe.items())
    return _bullets(lines) + (f"\n\nAll settings: {settings}." if settings else "")


def _recipe_words(recipe: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[str]:
    if not recipe:
        yield "How it was trained was not kept."
        return
    part = "head" if recipe.get("freeze") else str(recipe.get("trainable", "all"))
    named = f"Recipe “{escaped(run['recipe_name'])}”. " if run.get("recipe_name") else ""
    yield named + _PARTS.get(part, f"What was trained: {escaped(part)}.")
    if _count(recipe.get("epochs")):
        yield _duration(recipe, finite(run.get("seconds")))
    if _count(recipe.get("size")):
        yield _sizes(recipe)
    yield f"Training photos were changed at random: {_changes(recipe) or 'not at all'}."
    if 0 <= finite(recipe.get("class_balance_exponent")) < 1:
        yield "Classes with few photos were drawn more often than their share."


def _duration(recipe: Mapping[str, Any], seconds: float) -> str:
    epochs, patience = _count(recipe["epochs"]), _count(recipe.get("patience"))
    text = f"{epochs} epochs (passes over the training photos)" if epochs > 1 else "One pass over the training photos"
    if patience:
        text = f"At most {text}, ended early when validation had not improved for {patience}"
    if seconds > 0:
        text += f", in {seconds / 60:.0f} minutes" if seconds >= 90 else f", in {seconds:.0f} seconds"
    return text + "."


def _sizes(recipe: Mapping[str, Any]) -> str:
    size, small, share = _count(recipe["size"]), _count(recipe.get("small_size")), finite(recipe.get("small_share"))
    if small and small != size and share > 0:
        return f"Photos of {small} × {small} pixels for the first {percent(share)} of the epochs, then {size} × {size}."
    return f"Photos of {size} × {size} pixels."


def _changes(recipe: Mapping[str, Any]) -> str:
    words = {
        "crop": f"cropped to {percent(finite(recipe.get('crop')))} of their area at the least",
        "horizontal_flip": "mirrored",
        "rotation": f"turned by up to {finite(recipe.get('rotation')):g}°",
        "color_jitter": "brightness and colours",
        "trivial_augment": "one stronger change (TrivialAugment)",
        "random_erasing": "a rectangle blanked",
        "mixup": "two photos mixed (CutMix or mixup)",
    }
    # Recipes from before there was a setting for it mirrored half of the photos.
    used = {"horizontal_flip": 0.5, **recipe}
    changed = (name for name in words if _changes_photos(name, finite(used.get(name))))
    return ", ".join(words[name] for name in changed)


def _changes_photos(name: str, value: float) -> bool:
    return value < 1 if name == "crop" else value > 0


def _origin(recipe: Mapping[str, Any]) -> str:
    init = recipe.get("init")
    if init is None:
        return "What its weights started from was not kept."
    if init == "none":
        return "Its weights started from random numbers, from nothing learned before."
    if init == "imagenet":
        return "Its weights started from torchvision's, learned on the photos of ImageNet."
    kind = "file" if str(init).endswith(".safetensors") else "model"
    return f"Its weights started from the {kind} {escaped(init)}."


def _results(spec: ModelSpec) -> str:
    test, validation, others = (_part(spec.metrics, name) for name in ("test", "val", "others"))
    if not test and not validation:
        return "It was not measured."
    tested, checked = _count(test.get("n")), _count(validation.get("n"))
    rows = [
        [title, *(_figure(figures.get(name)) for figures in (test, validation))]
        for name, title in _FIGURES.items()
        if name in test or name in validation
    ]
    parts = [_table(["", f"test ({_photos(tested)})", f"validation ({_photos(checked)})"], rows)]
    parts.append(
        "Test photos had no part in making it. Validation photos set its temperature and thresholds, so their figures "
        "flatter it."
    )
    top1 = finite(test.get("top1"))
    if tested and 0 <= top1 <= 1:
        low, high = _interval(top1, tested)
        parts.append(f"By chance alone top-1 on {_photos(tested)} would vary from {low:.2f} to {high:.2f} (95 %).")
    if others:
        parts.append(
            f"Of {_photos(_count(others.get('n')))} of other things, kept from training, it refused "
            f"{_figure(others.get('found'))}."
        )
    return "\n\n".join([*parts, *_weaknesses(test)])


def _figure(value: object) -> str:
    number = finite(value)
    return "" if math.isnan(number) else f"{number:.3f}"


def _interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z = 1.96
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (centre - spread) / (1 + z * z / count), (centre + spread) / (1 + z * z / count)


def _weaknesses(test: Mapping[str, Any]) -> Iterator[str]:
    per_class = _part(test, "per_class")
    # By recall; of equal ones the class with more photos is the surer weakness.
    order = sorted(per_class, key=lambda label: (_recall(per_class, label), -_count(_part(per_class, label).get("n"))))
    weak = [label for label in order if _recall(per_class, label) < 1][:_SHOWN]
    if weak:
        rows = [
            [
                escaped(label),
                _count(figures.get("n")),
                *(_figure(figures.get(name)) for name in ("recall", "precision")),
            ]
            for label, figures in ((label, _part(per_class, label)) for label in weak)
        ]
        head = ["weakest classes", "test photos", "found (recall)", "right when named (precision)"]
        yield _table(head, rows)
    listed = test.get("confusions")
    pairs = [pair for pair in listed if isinstance(pair, Mapping)][:_SHOWN] if isinstance(listed, list) else []
    if pairs:
        yield "Most often taken for another:\n\n" + _bullets(
            f"{escaped(pair.get('label'))} for {escaped(pair.get('predicted'))}: {_count(pair.get('count'))} of "
            f"{_count(pair.get('of'))}"
            for pair in pairs
        )


def _recall(per_class: Mapping[str, Any], label: str) -> float:
    recall = finite(_part(per_class, label).get("recall"))
    return 1.0 if math.isnan(recall) else recall


def _answers(spec: ModelSpec) -> str:
    decision = spec.decision
    lines = [
        f"**The name of a class**: its probability is {decision.confidence_threshold:.2f} or more. The threshold is "
        f"set so that such answers are right {percent(KNOWN_ACCURACY)} of the time on validation photos, "
        "as far as they allow.",
        "**Not sure**: the most probable class stays below that; the first three are worth a look.",
    ]
    if math.isfinite(decision.ood_threshold):
        odds = " and what the network itself says of “something else”" if spec.has_negatives_class else ""
        lines.append(
            f"**Not a sneaker I know**: the unknown score is above {decision.ood_threshold:.2f}. It adds up how "
            f"far the photo lies from all sneakers of the training{odds}; the threshold is set so that about "
            f"{percent(FALSE_REJECTION_RATE)} of the validation sneakers are above it."
        )
    else:
        lines.append("**Not a sneaker I know** is never its answer: it has no threshold for it.")
    return _bullets(lines) + (
        f"\n\nProbabilities are calibrated by a temperature of {decision.temperature:.2f}: of the answers with a "
        "probability of 0.8 about 80 in 100 should be right."
    )


def _limits(spec: ModelSpec, run: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"It can only name its {len(spec.classes)} classes: a sneaker of another model may get the name of the class "
        "it is most like."
    )
    if not spec.has_negatives_class:
        yield (
            "It was trained without photos of other things, so “not a sneaker I know” rests on distance from the known "
            "sneakers alone."
        )
    if not _part(spec.metrics, "others"):
        yield "How well it refuses photos of other things was not measured."
    yield from _thin_data(spec)
    if mixed := _count(spec.data.get("under_two_labels")):
        yield (
            f"Some labels contradict each other: {mixed} of its photos are in groups of copies that are filed under "
            "two classes."
        )
    if run.get("only"):
        yield "It was trained on chosen classes of its dataset, not on all of them."


def _thin_data(spec: ModelSpec) -> Iterator[str]:
    tested = _count(_part(spec.metrics, "test").get("n"))
    if not tested:
        yield "It was not measured on test photos, so how good it is on new photos is not known."
    elif tested < _ROUGH:
        yield f"Its figures rest on {_photos(tested)} only: one more or less moves top-1 by {100 / tested:.1f} points."
    if not _part(spec.data, "classes"):
        return
    counts = {label: _split_counts(spec, label) for label in spec.classes}
    thin = [label for label in spec.classes if counts[label][Split.TRAIN] < FEW_TRAINING]
    if thin:
        yield f"What it knows of classes with fewer than {FEW_TRAINING} training photos is thin: {_named(thin)}."
    unmeasured = [label for label in spec.classes if counts[label][Split.TEST] < FEW_TEST]
    if unmeasured and tested:
        yield (
            f"Classes with fewer than {FEW_TEST} test photos are hardly measured, whatever their figures: "
            f"{_named(unmeasured)}."
        )
