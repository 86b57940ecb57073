"""What the story says: a title, speaker notes and small print for each step, all from its record."""

from dataclasses import dataclass

from sneaker_core.evaluation.metric_text import p_text
from sneaker_core.networks.sneaker_groups import with_article
from sneaker_core.number_text import counted, percent
from sneaker_core.records.story_records import StoryFile

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# From this share of a heat map on, its strongest area of nine stands for the whole map.
_MOSTLY = 0.33


@dataclass(frozen=True)
class StepText:
    """The words of a step.

    Attributes
    ----------
    title : str
        What it shows, in one sentence.
    notes : str
        What to say, in two or three sentences.
    small_print : str
        What was measured on what.
    """

    title: str
    notes: str
    small_print: str


def story_text(story: StoryFile) -> tuple[StepText, ...]:
    """The words of all steps, in order."""
    steps = (_guess, _answer, _heat, _fooled, _wrong_name, _mended, _gain)
    return tuple(step(story) for step in steps)


def named(label: str) -> str:
    """A sneaker in a sentence: "an Air Runner One"."""
    return with_article(label, inside=True)


def _guess(story: StoryFile) -> StepText:
    first, second = story.options
    return StepText(
        "You go first: which sneaker is this?",
        f"Before the computer answers, you do. Who says {first}? And who says {second}? Tap a button once for each "
        "hand that goes up; we will compare in a moment.",
        f"A drawn sneaker, number {story.made.photo_number:,} from seed {story.made.photo_seed}. "
        "The model has never seen it.",
    )


def _answer(story: StoryFile) -> StepText:
    best = story.photo.answer
    return StepText(
        f"The model says {best.label}, it is {percent(best.probability)} sure, and it is right.",
        f"Here is what the model says: {best.label}. It never gives just a name; it also says how sure it is. "
        "Keep that number in mind: sure and right are not the same thing, as you will see.",
        f"The answer of {story.model} to this photo, with its three most probable names.",
    )


def _heat(story: StoryFile) -> StepText:
    how = "mostly" if story.heat.share >= _MOSTLY else "hardest"
    return StepText(
        f"It looked {how} at the {story.heat.area} of the picture.",
        "The glow shows what the answer rests on: yellow counts most, purple a little, the rest not at all. Nobody "
        f"told the model where to look. The {story.heat.area} of the picture alone holds "
        f"{percent(story.heat.share)} of the glow.",
        f"Grad-CAM of {story.model} for {story.photo.answer.label}. The map shows where the evidence is, not how "
        "strong it is.",
    )


def _fooled(story: StoryFile) -> StepText:
    swap, pair = story.swap, story.look_alikes
    guess = swap.shown.answer
    return StepText(
        f"On another background, the model takes the same shoe for {named(guess.label)}.",
        f"The shoe is the same, only what is behind it has changed, and now the model says {guess.label}. Most photos "
        f"stand this test: {swap.flipped:,} of {swap.tried:,} failed it. Look-alikes are the other trap, and this is "
        f"the closest call: {percent(pair.nearest)} for the wrong one of the two.",
        f"{counted(swap.tried, 'drawn photo')} that {story.model} answered rightly, each on {swap.backgrounds} random "
        f"backgrounds; the answer changed for {swap.flipped:,}, and this other answer is the surest. Look-alikes: over "
        f"{counted(pair.photos, 'test photo')}, {pair.label} gets {percent(pair.doubt)} for {pair.other} on average, "
        "the most of all pairs.",
    )


def _wrong_name(story: StoryFile) -> StepText:
    names, made = story.names, story.made
    return StepText(
        f"One of these {_number(len(names.photos))} is not {named(names.filed_under)}, but is filed as one.",
        f"A model learns from examples, and these all have the name {names.filed_under}. Can you spot the one that is "
        "wrong? In real collections, some names are always wrong; here we swapped "
        f"{names.planted:,} of {names.learned:,} on purpose.",
        f"{counted(names.learned, 'drawn photo')} to learn from, seed {made.names_seed}; {percent(made.wrong_share)} "
        "of them were filed under a wrong name at random.",
    )


def _mended(story: StoryFile) -> StepText:
    names = story.names
    alarms = names.found - names.hits
    doubted = f"doubted {counted(alarms, 'right one')}" if alarms else "never doubted a right one"
    return StepText(
        f"A check found {names.hits:,} of the {names.planted:,} wrong names and replaced them.",
        f"The app compares every photo with its name. It caught this one, and says it is {named(names.suggestion)}. "
        f"It is not perfect: it missed {names.planted - names.hits:,} wrong names, but it {doubted}.",
        f"Confident learning with the embeddings of {story.model}, which learned from other drawings of these "
        f"sneakers: {names.found:,} names doubted, {names.hits:,} of "
        f"them wrong; for {names.right:,} the suggested name was the true one. All suggestions were taken.",
    )


def _gain(story: StoryFile) -> StepText:
    gain, made = story.gain, story.made
    before, after = percent(gain.before.value or 0), percent(gain.after.value or 0)
    return StepText(
        f"With better names, the same training gets {after} right instead of {before}.",
        f"Same photos, same training, same test; only the names are better. {gain.fixed:,} photos that were wrong are "
        f"now right, and {gain.broken:,} went the other way. The lesson: look at your examples before you blame the "
        "model.",
        f"Two trainings (recipe {made.recipe}, starting from {made.init}, seed {made.names_seed}), tested on the same "
        f"{counted(gain.n, 'drawn photo')} with true names. {points(gain.low, gain.high)}; McNemar's test: "
        f"{p_text(gain.p_value)}.",
    )


def points(low: float, high: float) -> str:
    """The interval of a difference: "95% interval of the gain: 9 to 17 percentage points"."""
    return f"95% interval of the gain: {100 * low:.0f} to {100 * high:.0f} percentage points"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else f"{count:,}"
