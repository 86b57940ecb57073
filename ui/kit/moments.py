"""Old name of `ui.kit.text.timestamp_text`, until every page uses the new one."""

from ui.kit.text import timestamp_text as moment

__all__ = ["moment"]
