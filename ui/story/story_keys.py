"""Keys of the story."""

from ui.kit.state_keys import StateKey


class Key(StateKey):
    """The step is in the address, which only the browser reads."""

    STAGE = "story_stage"
