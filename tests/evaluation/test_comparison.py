"""Paired comparison of two models on simulated predictions."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from echocardmae_mm.evaluation import Interval
from echocardmae_mm.evaluation.comparison import (
    compare,
    detectable_difference,
    paired,
    read_predictions,
    summarise_runs,
)
from echocardmae_mm.utils.errors import UserError


def predictions(seed: int, noise: float, n: int = 200, recordings: int = 1) -> pd.DataFrame:
    """Recordings of n patients; the truth does not depend on the seed."""
    truth = np.random.default_rng(0).normal(55, 12, n)
    ef = np.repeat(truth, recordings)
    error = np.random.default_rng(seed).normal(0, noise, len(ef))
    return pd.DataFrame(
        {
            'video': [f'{i}.avi' for i in range(len(ef))],
            'patient': np.repeat(np.arange(n), recordings).astype(str),
            'ef': ef,
            'prediction': ef + error,
        }
    )


def test_a_better_model_is_detected_and_the_difference_matches_the_errors():
    first, second = predictions(1, 8), predictions(2, 5)
    difference = compare([(first, second)], n_resamples=500)['mae']
    errors = [np.abs(t['prediction'] - t['ef']).mean() for t in (first, second)]
    assert (difference.first, difference.second) == pytest.approx(tuple(errors))
    assert difference.difference.estimate == pytest.approx(errors[1] - errors[0])
    assert difference.difference.high < 0


def test_equal_models_give_nominal_coverage():
    inside = 0
    for trial in range(100):
        first, second = predictions(2 * trial + 1, 6, 60), predictions(2 * trial + 2, 6, 60)
        interval = compare([(first, second)], n_resamples=200, seed=trial)['mae'].difference
        inside += interval.low <= 0 <= interval.high
    assert 87 <= inside <= 100


@pytest.mark.parametrize('count', [2, 3])
def test_the_interval_covers_the_variation_of_few_runs(count):
    """Runs differ by much more than patients do, and the models by 1 in truth."""
    inside, trials = 0, 60
    for trial in range(trials):
        generator = np.random.default_rng([count, trial])
        ef = generator.normal(55, 12, 40)
        runs = []
        for _ in range(count):
            biases = 20 + generator.normal(0, 1, 2) + (0, 1)
            tables = [predictions(1, 0.1, 40) for _ in biases]
            runs.append(
                tuple(t.assign(ef=ef, prediction=ef + bias) for t, bias in zip(tables, biases))
            )
        interval = compare(runs, n_resamples=200, seed=trial)['mae'].difference
        inside += interval.low <= 1 <= interval.high
    assert 0.88 * trials <= inside


def test_pairing_is_by_recording_and_not_by_row():
    first = predictions(1, 5)
    shuffled = predictions(1, 5).sample(frac=1, random_state=3)
    for row in compare([(first, shuffled)], n_resamples=100).values():
        assert row.difference == pytest.approx((0, 0, 0))


def test_the_detectable_difference_is_detected_in_four_of_five_tests():
    """Paired differences with a known standard error, shifted by the detectable difference."""
    generator = np.random.default_rng(5)
    n, sd = 80, 3.0
    error = sd / np.sqrt(n)
    shift = detectable_difference(Interval(0, -1.96 * error, 1.96 * error))
    assert shift == pytest.approx(2.8 * error, rel=0.01)
    means = generator.normal(shift, sd, (4000, n)).mean(1)
    assert (means > 1.96 * error).mean() == pytest.approx(0.8, abs=0.03)


def test_recordings_of_a_patient_widen_the_interval():
    """Ten recordings of a patient with a common error hold little more than one."""
    first, second = predictions(1, 5, 40, 10), predictions(2, 5, 40, 10)
    for table, seed in ((first, 3), (second, 4)):
        common = np.random.default_rng(seed).normal(0, 6, 40)
        table['prediction'] += np.repeat(common, 10)
    by_patient = compare([(first, second)], n_resamples=400)['mae'].difference
    alone = first.assign(patient=first['video']), second.assign(patient=second['video'])
    naive = compare([alone], n_resamples=400)['mae'].difference
    assert by_patient.high - by_patient.low > 1.5 * (naive.high - naive.low)


def test_several_runs_are_averaged_and_their_spread_counts():
    """Runs that differ much widen the interval; equal ones leave it as it is."""
    pair = predictions(1, 6), predictions(2, 6)
    one, equal = (compare([pair] * count, n_resamples=400)['mae'] for count in (1, 3))
    assert (equal.first, equal.second) == pytest.approx((one.first, one.second))
    assert equal.difference == pytest.approx(one.difference)
    runs = [(pair[0], predictions(10 + i, noise)) for i, noise in enumerate((3, 6, 12))]
    spread = compare(runs, n_resamples=400)['mae']
    each = [compare([run], n_resamples=0)['mae'].difference.estimate for run in runs]
    assert spread.difference.estimate == pytest.approx(np.mean(each))
    width = [d.difference.high - d.difference.low for d in (one, spread)]
    assert width[1] > 1.5 * width[0]


def test_runs_of_one_model_are_averaged_and_their_spread_counts():
    tables = [predictions(seed, noise) for seed, noise in ((1, 3), (2, 6), (3, 12))]
    together = summarise_runs(tables, n_resamples=400)['mae']
    errors = [np.abs(t['prediction'] - t['ef']).mean() for t in tables]
    assert together.estimate == pytest.approx(np.mean(errors))
    # Student's interval of three runs alone, to which the patients add little.
    reach = 4.30 * np.std(errors, ddof=1) / np.sqrt(3)
    assert together.high - together.low == pytest.approx(2 * reach, rel=0.15)
    alone = summarise_runs(tables[:1], n_resamples=400)['mae']
    assert alone.high - alone.low < 1


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda t: t.iloc[:150], '150 in both, 50 only in the first, 0 only in the second'),
        (lambda t: t.assign(ef=t['ef'] - 7.7), r'true EF of 200 recordings differs .*same release'),
    ],
)
def test_different_recordings_or_truth_are_refused(spoil, message):
    with pytest.raises(UserError, match=f'(?s){message}'):
        paired([(predictions(1, 5), spoil(predictions(2, 5)))])


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no such file; expected the predictions.csv'),
        ('video,ef\na,1\n', 'missing column patient, prediction; found video, ef'),
        ('patient,video,ef,prediction\na,x,1,2\na,x,1,3\n', 'contains recording x twice'),
        ('', 'not a CSV file'),
    ],
)
def test_errors_name_the_fault_in_a_file(tmp_path, text, message):
    path = tmp_path / 'predictions.csv'
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_predictions(path)


def test_patients_may_have_any_name(tmp_path):
    path = tmp_path / 'predictions.csv'
    path.write_text('patient,video,ef,prediction\nNA,None,50,52\nnull,nan,60,57\n')
    table = read_predictions(path)
    assert table[['patient', 'video']].values.tolist() == [['NA', 'None'], ['null', 'nan']]


def segmented(seed, quality, patients=20):
    """Two images a patient, whose predicted masks miss a share of the true ones."""
    generator = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for instant, size in (('ED', 1500 + patient), ('ES', 800 + patient)):
            overlap = round(size * np.clip(generator.normal(quality, 0.03), 0, 1))
            dice = 2 * overlap / (size + overlap)
            rows.append(
                {
                    'patient': f'p{patient}', 'video': f'{patient}.avi', 'instant': instant,
                    'left_ventricle/overlap': overlap, 'left_ventricle/predicted': overlap,
                    'left_ventricle/true': size, 'left_ventricle/dice': dice,
                    'left_ventricle/iou': dice / (2 - dice),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_segmentations_are_compared_by_their_overlap(tmp_path):
    for name, quality in (('a', 0.85), ('b', 0.95)):
        segmented(len(name) + ord(name), quality).to_csv(tmp_path / f'{name}.csv', index=False)
    first, second = (read_predictions(tmp_path / f'{name}.csv') for name in 'ab')
    result = compare([(first, second)], n_resamples=300)
    assert set(result) == {'dice_pooled', 'iou_pooled', 'dice_mean', 'iou_mean'}
    means = [table['left_ventricle/dice'].mean() for table in (first, second)]
    assert (result['dice_mean'].first, result['dice_mean'].second) == pytest.approx(tuple(means))
    assert result['dice_pooled'].difference.low > 0
    with pytest.raises(UserError, match='true left_ventricle/true of 40 recordings differs'):
        paired([(first, second.assign(**{'left_ventricle/true': 1}))])


def diagnosed(seed: int, distance: float) -> pd.DataFrame:
    """Recordings of 80 patients; the scores of the classes lie ``distance`` apart."""
    label = np.arange(80) % 3 > 0
    logits = np.random.default_rng(seed).normal(distance * (label - 0.5), 1)
    return pd.DataFrame(
        {
            'patient': [f'p{i}' for i in range(80)],
            'video': [f'{i}.avi' for i in range(80)],
            'label': label.astype(int),
            'score': 1 / (1 + np.exp(-logits)),
        }
    )


def test_diagnoses_are_compared_by_recording(tmp_path):
    for name, distance in (('a', 1.0), ('b', 4.0)):
        table = diagnosed(ord(name), distance).sample(frac=1, random_state=ord(name))
        table.to_csv(tmp_path / f'{name}.csv', index=False)
    first, second = (read_predictions(tmp_path / f'{name}.csv') for name in 'ab')
    result = compare([(first, second)], n_resamples=300)
    assert set(result) == {
        'auroc', 'accuracy', 'sensitivity', 'specificity', 'precision', 'f1',
    }  # fmt: skip
    for number, table in enumerate((first, second)):
        assert result['auroc'][number] == pytest.approx(
            roc_auc_score(table['label'], table['score'])
        )
        right = (table['score'] >= 0.5) == table['label']
        assert result['accuracy'][number] == pytest.approx(100 * right.mean())
    assert result['auroc'].difference.low > 0
    with pytest.raises(UserError, match='true label of 80 recordings differs'):
        paired([(first, second.assign(label=1 - second['label']))])
