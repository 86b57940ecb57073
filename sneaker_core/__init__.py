"""The core of SoleScope: everything but the pages.

Nothing here imports streamlit, prints, or raises anything but the `SneakerError` family on bad input.
"""

__version__ = "0.1.0"
