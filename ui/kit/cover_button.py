"""A button that lies over its picture, so that a click or a tap on the picture counts."""


def cover_style(container: str) -> str:
    """Style rules that lay the button in a container over all of it, and show on the picture that it can be clicked.

    Parameters
    ----------
    container : str
        CSS selector of the containers, each with one button and its picture.
    """
    return f"""
{container} {{position: relative;}}
{container} .stElementContainer:has([data-testid=stButton]) {{position: static;}}
{container} [data-testid=stButton] button::after
  {{content: ""; position: absolute; inset: 0; border-radius: 0.75rem;}}
{container} [data-testid=stButton] button:focus-visible::after {{outline: 2px solid;}}
{container}:hover img {{filter: brightness(1.06);}}"""
