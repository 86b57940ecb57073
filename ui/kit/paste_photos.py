"""Pictures that are pasted, or dropped anywhere on a page, go to its drop zone as if they were chosen there."""

import json

from ui.kit.page_script import draw_script

# Listens once; which drop zones there are changes from page to page. Of several, the one under the mouse counts.
_SCRIPT = """
window.solescopeDrops = %s;
if (window.solescopePaste) return;
window.solescopePaste = true;
const zone = () => {
  const zones = Array.from(document.querySelectorAll(window.solescopeDrops));
  return zones.find(one => one.matches(':hover')) ?? zones[0];
};
const give = (event, data) => {
  const input = zone()?.querySelector('input[type=file]');
  const files = Array.from(data?.files ?? []);
  if (!input || !files.length || event.target.closest?.('section')?.closest(window.solescopeDrops)) return;
  event.preventDefault();
  const chosen = new DataTransfer();
  files.forEach(file => chosen.items.add(file));
  input.files = chosen.files;
  input.dispatchEvent(new Event('change', {bubbles: true}));
};
document.addEventListener('paste', event => give(event, event.clipboardData));
document.addEventListener('dragover', event => { if (zone()) event.preventDefault(); });
document.addEventListener('drop', event => give(event, event.dataTransfer));
"""


def accept_pasted_photos(*keys: str) -> None:
    """Give what is pasted or dropped to a drop zone.

    Parameters
    ----------
    *keys : str
        Of the containers with a file uploader, at least one.
    """
    draw_script("paste", _SCRIPT % json.dumps(", ".join(f".st-key-{key}" for key in keys)))
