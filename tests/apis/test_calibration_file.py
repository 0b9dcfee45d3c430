"""A calibration that cannot be meant as it stands is refused when a bundle is loaded."""

import json
import shutil

import pytest

from echocardmae_mm.apis import Bundle
from echocardmae_mm.apis.calibration_file import THRESHOLDS, strictest
from echocardmae_mm.apis.example import BUNDLES
from echocardmae_mm.utils.errors import UserError

INTERVAL = {'level': 0.9, 'edges': [50, 60.5], 'below': [9, 8, 7.5], 'above': [5, 8, 9], 'n': 100}
LISTS = 'expected numbers from 0, one more than edges'


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        ({'gate': {'min_secondz': 9}}, "gate: 'min_secondz' is unknown; did you mean min_seconds?"),
        ({'gate': {'min_seconds': '9'}}, "gate: min_seconds is '9'; expected a number"),
        ({'gate': {'min_seconds': None}}, 'gate: min_seconds is None; expected a number'),
        ({'gate': {'min_seconds': float('nan')}}, 'gate: min_seconds is nan; expected a number'),
        ({'gate': 9}, 'gate is 9; expected min_seconds, '),
        ({'gates': {}}, "'gates' is unknown; did you mean gate?"),
        ({'interval': {**INTERVAL, 'width': 1}}, "interval: 'width' is unknown; expected level, "),
        ({'interval': {'level': 0.9}}, 'interval: edges is missing'),
        ({'interval': {**INTERVAL, 'level': 90}}, 'level is 90; expected a number between 0 and 1'),
        ({'interval': {**INTERVAL, 'n': True}}, 'interval: n is True; expected a count'),
        (
            {'interval': {**INTERVAL, 'edges': [6, 5]}},
            'edges is [6, 5]; expected ascending numbers',
        ),
        ({'interval': {**INTERVAL, 'edges': 50}}, 'edges is 50; expected ascending numbers'),
        ({'interval': {**INTERVAL, 'below': [1, -1, 1]}}, f'below is [1, -1, 1]; {LISTS}'),
        ({'interval': {**INTERVAL, 'above': [1, 2]}}, f'above is [1, 2]; {LISTS}'),
        ({'interval': {**INTERVAL, 'above': [1, 2, 'a']}}, f"above is [1, 2, 'a']; {LISTS}"),
        ({'features': {'sha256': 'a', 'unit': 'b', 'level': 0.9, 'n': 9}}, "unit is 'b'"),
    ],
)
def test_a_wrong_entry_is_named(bundles, tmp_path, part, message):
    bundle = shutil.copytree(bundles['ef'], tmp_path / 'ef')
    path = bundle / 'calibration.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **part}))
    with pytest.raises(UserError) as refused:
        Bundle(bundle, 'cpu')
    assert str(refused.value).startswith(f'{path}: ')
    assert message in str(refused.value)
    assert '\n' not in str(refused.value)


def test_of_several_bundles_the_strictest_thresholds_hold():
    assert strictest([]) == THRESHOLDS
    loose = {'min_seconds': 0.1, 'max_area_jump': 0.5}
    assert strictest([loose]) == {**THRESHOLDS, **loose}
    assert strictest([loose, {}]) == THRESHOLDS
    strict = {'min_seconds': 2.0, 'max_area_jump': 0.05}
    assert strictest([THRESHOLDS, strict]) == {**THRESHOLDS, **strict}


def test_the_examples_hold_all_thresholds():
    for folder in BUNDLES:
        assert json.loads((folder / 'calibration.json').read_text())['gate'] == THRESHOLDS
