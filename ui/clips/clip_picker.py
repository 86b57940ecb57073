"""Which clip the page shows."""

import streamlit as st

from sneaker_core.number_text import counted
from sneaker_core.video.clip_collection import Clip, clips_of
from ui.clips.clips_keys import Key
from ui.kit.address import choose_item, choose_none
from ui.kit.damaged_items import draw_unread_items
from ui.kit.item_dialogs import Action, ItemKind, draw_dialogs, draw_item_menu


def _about(clip: Clip) -> str:
    return "Not finished" if clip.found is None else counted(len(clip.found.tracks), "sneaker")


CLIPS = ItemKind(Key.CLIP, "clip", clips_of, _about, "its video and what was found in it")


def choose_clip(clips: list[Clip]) -> Clip | None:
    """Draw the choice of a clip, with what can be done with it; None if there is none, or none is chosen.

    Parameters
    ----------
    clips : list of Clip
        All of them.
    """
    draw_unread_items(CLIPS)
    chosen = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if clips:
            by_name = {clip.name: clip for clip in clips}
            name = choose_item(Key.CLIP, list(by_name), noun="clip")
            chosen = by_name[name] if name is not None else None
        else:
            choose_none(Key.CLIP, noun="clip")
        can_change = chosen is not None and not chosen.is_running
        draw_item_menu(CLIPS, chosen if can_change else None, (Action.RENAME, Action.DELETE, Action.RESTORE))
    draw_dialogs(CLIPS)
    return chosen
