"""The report in a real browser: sort, filter, open, play."""

import json
import re
import shutil
import subprocess

import pytest

from echocardmae_mm.apis import EchoInferencer
from echocardmae_mm.apis.outputs import write_outputs
from echocardmae_mm.apis.report import write_report

BROWSER = next(filter(None, map(shutil.which, ('chromium', 'google-chrome', 'chrome'))), None)
SCRIPT = """
<script>
const seen = {}, texts = column =>
  [...document.querySelectorAll('#table tbody tr')].map(row => row.children[column].textContent);
const header = name =>
  [...document.querySelectorAll('th button')].find(button => button.textContent === name);
seen.all = texts(1);
header('EF, %').click();
seen.ascending = texts(1);
header('EF, %').click();
seen.descending = texts(1);
const status_box = document.querySelector('#status');
status_box.value = 'refused';
status_box.dispatchEvent(new Event('input'));
seen.refused = texts(1);
status_box.value = '';
const search_box = document.querySelector('#search');
search_box.value = 'RECORD_B';
search_box.dispatchEvent(new Event('input'));
seen.found = texts(1);
document.querySelector('#table tbody tr').click();
seen.open = document.querySelector('dialog').open;
seen.detail = document.querySelector('dialog').textContent;
const video = document.querySelector('dialog video');
const finish = () => {
  seen.duration = video.duration;
  seen.error = video.error && video.error.message;
  const out = document.createElement('pre');
  out.id = 'seen';
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
};
if (video.readyState >= 2) finish(); else video.onloadeddata = video.onerror = finish;
</script>
"""


@pytest.fixture
def report(bundles, recordings, tmp_path):
    """A page of two measured recordings and one refused."""
    measure = EchoInferencer([bundles['ef']], 'cpu')
    rows = []
    for name, source in (
        ('record_a', recordings['echonet']),
        ('record_b', recordings['clip']),
        ('record_c', tmp_path / 'missing.avi'),
    ):
        result = measure(source)
        folder = tmp_path / 'recordings' / name
        folder.mkdir(parents=True)
        if result.framed is not None:
            write_outputs(folder, result)
        about = {'recording': name, 'patient': 'p', 'study': 's', 'remarks': ['<b>a remark</b>']}
        rows.append({**about, **result.values})
    write_report(tmp_path, rows, [], measure)
    return tmp_path / 'report.html', rows


def test_needs_nothing_beside_it(report):
    text = report[0].read_text()
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert 'http' not in re.sub(r'http://www.w3.org/2000/svg', '', text)
    assert '<b>a remark' not in text


@pytest.mark.skipif(BROWSER is None, reason='no Chromium')
def test_sorts_filters_opens_and_plays(report, tmp_path):
    page, rows = report
    page.write_text(page.read_text().replace('</body>', SCRIPT + '</body>'))
    options = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=8000']
    options.append(f'--user-data-dir={tmp_path / "browser"}')
    dom = subprocess.run(
        [BROWSER, *options, '--dump-dom', f'file://{page}'],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    seen = json.loads(re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)[1])
    by_ef = sorted(rows[:2], key=lambda row: row['ef_percent'])
    ascending = [row['recording'] for row in by_ef]
    assert seen['all'] == ['record_a', 'record_b', 'record_c']
    assert seen['ascending'] == [*ascending, 'record_c']
    assert seen['descending'] == [*ascending[::-1], 'record_c']
    assert seen['refused'] == ['record_c']
    assert seen['found'] == ['record_b']
    assert seen['open'] is True
    assert f'{rows[1]["ef_percent"]:.1f} %' in seen['detail']
    assert seen['error'] is None
    assert seen['duration'] == pytest.approx(70 / 50, abs=0.05)
