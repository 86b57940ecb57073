"""The seven steps as one piece of HTML, with every picture inside, so that nothing is loaded between them."""

import base64
from html import escape

from sneaker_core.evaluation.told_story import Story
from sneaker_core.inference.explanation.heat_maps import legend_stops
from sneaker_core.number_text import percent
from sneaker_core.records.model_records import ShareRecord
from sneaker_core.records.story_records import AnsweredRecord, StoryFile
from ui.story.story_text import StepText, named, story_text


def story_markup(story: Story) -> str:
    """The steps of the story, each a section with the class "step"."""
    bodies = (_guess(story), _answer(story), _heat(story), _fooled(story), _wrong_name(story), _mended(story))
    parts = zip(story_text(story.facts), (*bodies, _gain(story.facts)), strict=True)
    return "".join(_section(number, text, body) for number, (text, body) in enumerate(parts, start=1))


def _section(number: int, text: StepText, body: str) -> str:
    return (
        f'<section class="step" data-step="{number}" aria-labelledby="story-title-{number}" hidden>'
        f'<h1 id="story-title-{number}">{escape(text.title)}</h1>'
        f'<div class="body">{body}</div>'
        f'<p class="small">{escape(text.small_print)}</p>'
        f'<aside class="notes" aria-label="Speaker notes" hidden><b>Say:</b> {escape(text.notes)}</aside></section>'
    )


def _picture(story: Story, file: str, alt: str) -> str:
    data = base64.b64encode(story.pictures[file]).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="{escape(alt)}" draggable="false">'


def _figure(story: Story, file: str, alt: str, caption: str = "") -> str:
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{_picture(story, file, alt)}{below}</figure>"


def _guess(story: Story) -> str:
    buttons = "".join(
        f'<button class="vote" data-vote="{letter}"><span class="letter">{letter}</span>'
        f"<span>{escape(option)}</span></button>"
        for letter, option in zip("AB", story.facts.options, strict=True)
    )
    below = (
        '<p class="tally"><span data-total aria-live="polite"></span> '
        '<button class="quiet" data-clear hidden>Clear votes</button></p>'
    )
    photo = _figure(story, story.facts.photo.file, "A sneaker. Which one is it?")
    return f'<div class="split">{photo}<div class="side">{buttons}{below}</div></div>'


def _answer(story: Story) -> str:
    facts = story.facts
    model = "".join(_bar(one.label, one.probability, one.label == facts.truth) for one in facts.photo.top)
    room = "".join(
        f'<div class="bar{" right" if option == facts.truth else ""}" data-votes="{letter}"><span>{letter}: '
        f"{escape(option)}{_tick(option == facts.truth)}</span><b></b><i></i></div>"
        for letter, option in zip("AB", facts.options, strict=True)
    )
    photo = _figure(story, facts.photo.file, _alt(facts.truth))
    return (
        f'<div class="split">{photo}<div class="side"><h2>The model</h2>{model}'
        f"<div data-room hidden><h2>The room</h2>{room}</div></div></div>"
    )


def _bar(label: str, share: float, is_right: bool) -> str:
    return (
        f'<div class="bar{" right" if is_right else ""}"><span>{escape(label)}{_tick(is_right)}</span>'
        f'<b>{percent(share)}</b><i style="--share: {share:.4f}"></i></div>'
    )


def _tick(is_right: bool) -> str:
    return ' <em aria-label="right">✓</em>' if is_right else ""


def _heat(story: Story) -> str:
    facts = story.facts
    scale = ", ".join(color for _, color in legend_stops()[1:])
    caption = (
        f'<span class="legend"><span>a little</span><i style="background: linear-gradient(90deg, {scale})"></i>'
        "<span>most</span></span>"
    )
    photo = _figure(story, facts.photo.file, _alt(facts.truth), "What you see")
    heat = _figure(story, facts.heat.file, f"The photo under its heat map, strongest at the {facts.heat.area}", caption)
    return f'<div class="pair">{photo}{heat}</div>'


def _fooled(story: Story) -> str:
    facts, pair = story.facts, story.facts.look_alikes
    swapped = facts.swap.shown
    before = _figure(story, facts.photo.file, _alt(facts.truth), _said(facts.photo, is_right=True))
    after = _figure(story, swapped.file, "The same sneaker on another background", _said(swapped, is_right=False))
    twins = "".join(
        _figure(story, file, _alt(label), escape(label))
        for file, label in zip(pair.files, (pair.label, pair.other), strict=True)
    )
    return (
        f'<div class="fooled"><div class="pair">{before}{after}</div>'
        f'<div class="twins"><h2>Hardest to tell apart</h2>{twins}</div></div>'
    )


def _said(shown: AnsweredRecord, *, is_right: bool) -> str:
    mark = '<em class="good">✓</em>' if is_right else '<em class="bad">✗</em>'
    return f"{mark} {escape(shown.answer.label)}, {percent(shown.answer.probability)} sure"


def _wrong_name(story: Story) -> str:
    names = story.facts.names
    tiles = "".join(
        _figure(story, photo.file, f"Photo {place}", escape(names.filed_under))
        for place, photo in enumerate(names.photos, start=1)
    )
    return f'<div class="tiles">{tiles}</div>'


def _mended(story: Story) -> str:
    names = story.facts.names
    tiles = ""
    for place, photo in enumerate(names.photos):
        caption = escape(names.filed_under)
        if place == names.odd:
            caption = f"<s>{caption}</s> <strong>{escape(names.suggestion)}</strong>"
        figure = _figure(story, photo.file, _alt(photo.label), caption)
        tiles += figure.replace("<figure>", '<figure class="odd">') if place == names.odd else figure
    return f'<div class="tiles">{tiles}</div>'


def _gain(facts: StoryFile) -> str:
    gain = facts.gain
    rows = _result("Before", gain.before, "") + _result("After", gain.after, "right")
    before, after = (round(gain.n * (1 - (share.value or 0))) for share in (gain.before, gain.after))
    mistakes = f"Mistakes: {before:,} before, <strong>{after:,}</strong> after"
    return (
        f'<div class="results">{rows}<p class="better">{mistakes}</p>'
        '<p class="hint">The thin lines show how far chance alone could move each figure.</p></div>'
    )


def _result(name: str, share: ShareRecord, kind: str) -> str:
    value, low, high = share.value or 0, share.low or 0, share.high or 0
    return (
        f'<div class="result {kind}"><span>{name}</span><div class="track">'
        f'<i style="--share: {value:.4f}"></i><u style="--low: {low:.4f}; --high: {high:.4f}"></u></div>'
        f"<b>{percent(value)}</b></div>"
    )


def _alt(label: str) -> str:
    return f"Drawn photo of {named(label)}"
