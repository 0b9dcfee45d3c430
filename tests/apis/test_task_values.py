"""The columns that are made of the predictions of all clips."""

from types import SimpleNamespace

import numpy as np
import pytest

from echocardmae_mm.apis.task_values import TASK_VALUES

INTERVAL = {'level': 0.9, 'edges': [50.0], 'below': [20.0, 5.0], 'above': [4.0, 3.0], 'n': 60}


def bundle(calibration, classes=()):
    return SimpleNamespace(
        name='model-12345678', calibration=calibration, config=SimpleNamespace(classes=classes)
    )


@pytest.mark.parametrize(
    ('ef', 'low', 'high'),
    [
        (40.0, 20.0, 44.0),
        (50.0, 45.0, 53.0),
        (10.0, 0.0, 14.0),
        (98.0, 93.0, 100.0),
        (108.0, 100.0, 100.0),  # a regression is not bounded
        (-10.0, 0.0, 0.0),
    ],
)
def test_the_interval_stays_within_0_and_100_and_its_ends_never_cross(ef, low, high):
    clips = np.array([ef - 2, ef + 2])
    values = TASK_VALUES['ejection_fraction'](bundle({'interval': INTERVAL}), clips)
    assert values['ef_percent'] == ef
    assert values['ef_clip_sd_percent'] == pytest.approx(8**0.5)
    assert (values['ef_low_percent'], values['ef_high_percent']) == (low, high)
    assert values['ef_model'] == 'model-12345678'


def test_without_calibration_there_is_no_interval():
    values = TASK_VALUES['ejection_fraction'](bundle({}), np.array([40.0]))
    assert values == {'ef_percent': 40, 'ef_clip_sd_percent': 0, 'ef_model': 'model-12345678'}


def test_of_two_diagnoses_the_second_is_shown_and_of_three_all():
    clips = np.array([[0.2, 0.8], [0.4, 0.6]])
    values = TASK_VALUES['diagnosis'](bundle({}, ('normal', 'old scar')), clips)
    assert values['old_scar_probability'] == pytest.approx(0.7)
    assert 'normal_probability' not in values
    assert values['diagnosis_calibrated'] is False
    clips = np.array([[0.2, 0.5, 0.3]])
    values = TASK_VALUES['diagnosis'](bundle({}, ('a', 'b', 'c')), clips)
    assert [values[f'{name}_probability'] for name in 'abc'] == pytest.approx([0.2, 0.5, 0.3])


def test_the_view_is_the_most_probable_one_over_all_clips():
    clips = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    values = TASK_VALUES['view'](bundle({}, ('2CH', '4CH')), clips)
    assert (values['view'], values['view_source']) == ('4CH', 'predicted')
    assert values['view_probability'] == pytest.approx(1.6 / 3)
