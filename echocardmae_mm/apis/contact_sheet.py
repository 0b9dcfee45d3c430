"""Show de-identified recordings on one page, for the person who must check them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from jinja2 import Environment

from echocardmae_mm.apis.deidentify import WRITTEN, Copy

NOTICE = (
    'A person must look at every recording before anything is passed on: the contact sheet shows a '
    'few frames only, and text inside the sector may have been overlooked.'
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Contact sheet</title>
<style>
body { background: #222; color: #eee; font: 15px sans-serif; margin: 1em }
figure { margin: 0 0 1em }
img { width: 24%; border: 1px solid #555 }
strong { color: #fc6 }
</style>
<p><strong>{{ notice }}</strong></p>
<p>{{ written | length }} recordings written, {{ refused | length }} refused.
Each row shows the first, middle and last frame, and the darkest level of each pixel over time, in
which static text stands out.</p>
{% for copy in written %}
<figure>
{% for picture in copy.pictures -%}
<img alt="" src="data:image/jpeg;base64,{{ picture | base64 }}">
{% endfor -%}
<figcaption>{{ copy.file }}, {{ copy.frames }} frames, sector
{{ '%.0f' | format(100 * copy.sector_share) }} % of the frame</figcaption>
</figure>
{% endfor %}
{% for copy in refused %}
<p>{{ copy.recording }} refused: {{ copy.reason }}</p>
{% endfor %}
</html>
"""


def contact_sheet(copies: Sequence[Copy]) -> str:
    """Make the contact sheet of a run: HTML that needs no other file."""
    environment = Environment(autoescape=True, trim_blocks=True)
    environment.filters['base64'] = lambda content: b64encode(content).decode()
    written = [copy for copy in copies if copy.status == WRITTEN]
    refused = [copy for copy in copies if copy.status != WRITTEN]
    page = environment.from_string(_PAGE)
    return page.render(notice=NOTICE, written=written, refused=refused) + '\n'
