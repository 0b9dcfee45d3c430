"""Overlap against MONAI, pooled and as means; groups, clips, ignored pixels."""

import numpy as np
import pandas as pd
import pytest
import torch
from monai.metrics import compute_dice, compute_iou

from echocardmae_mm.evaluation import EchoSegMetric, PredictionMetric
from echocardmae_mm.evaluation.seg_statistics import seg_statistics, structures_of

CLASSES = ('background', 'left ventricle', 'left atrium')


def blob(generator, size=40):
    y, x = np.mgrid[:size, :size]
    cy, cx = generator.uniform(14, 26, 2)
    labels = np.zeros((size, size), np.int64)
    labels[np.hypot(y - cy, x - cx) < generator.uniform(5, 11)] = 1
    labels[(y > 32) & (x > 10) & (x < generator.uniform(14, 30))] = 2
    return labels


def samples(count=12, seed=0):
    generator = np.random.default_rng(seed)
    for index in range(count):
        true, predicted = blob(generator), blob(generator)
        yield {
            'filename': f'videos/{index // 2}.avi',
            'patient': f'p{index // 4}',
            'instant': ('ED', 'ES')[index % 2],
            'frame': index,
            'spacing': (0.5, 0.25),
            'gt_sem_seg': {'data': torch.from_numpy(true[None])},
            'pred_sem_seg': {'data': torch.from_numpy(predicted[None])},
        }


def evaluated(data, classes=CLASSES, **options):
    metric = EchoSegMetric(**{'n_resamples': 30, **options})
    metric.dataset_meta = dict(classes=classes)
    data = list(data)
    metric.process(None, data)
    return metric, metric.evaluate(len(data))


def test_agrees_with_monai_by_image():
    data = list(samples())
    metric, metrics = evaluated(data)
    onehot = [
        torch.nn.functional.one_hot(
            torch.cat([d[name]['data'] for d in data]), 3
        ).movedim(-1, 1)
        for name in ('pred_sem_seg', 'gt_sem_seg')
    ]  # fmt: skip
    dice = compute_dice(*onehot, include_background=False).numpy()
    iou = compute_iou(*onehot, include_background=False).numpy()
    for column, name in enumerate(('left_ventricle', 'left_atrium')):
        np.testing.assert_allclose(metric.predictions[f'{name}/dice'], dice[:, column], rtol=1e-6)
        np.testing.assert_allclose(metric.predictions[f'{name}/iou'], iou[:, column], rtol=1e-6)
        assert metrics[f'seg/{name}/dice_mean'] == pytest.approx(dice[:, column].mean())
    assert metrics['seg/dice_mean'] == pytest.approx(dice.mean(0).mean())


def test_pooled_metrics_use_all_pixels():
    data = list(samples())
    _, metrics = evaluated(data)
    predicted, true = (
        torch.cat([d[name]['data'] for d in data]) == 1 for name in ('pred_sem_seg', 'gt_sem_seg')
    )
    overlap, total = int((predicted & true).sum()), int(predicted.sum() + true.sum())
    dice, iou = metrics['seg/left_ventricle/dice_pooled'], metrics['seg/left_ventricle/iou_pooled']
    assert dice == pytest.approx(2 * overlap / total)
    assert dice == pytest.approx(2 * iou / (1 + iou))
    assert metrics['seg/left_ventricle/dice_mean'] != pytest.approx(dice)


def test_distances_in_pixels_and_in_mm():
    metric, metrics = evaluated(samples())
    row = metric.predictions.iloc[0]
    assert 0 < row['left_ventricle/hd95_mm'] < row['left_ventricle/hd95_px']
    assert metrics['seg/left_ventricle/assd_mm_low'] < metrics['seg/left_ventricle/assd_mm_high']
    without, _ = evaluated([{**s, 'spacing': None} for s in samples()])
    assert without.predictions['left_ventricle/hd95_mm'].isna().all()
    assert not any('hd95' in name for name in evaluated(samples(), distances=False)[1])


def test_empty_masks():
    nothing = torch.zeros(1, 40, 40, dtype=torch.int64)
    there = nothing.clone()
    there[:, 10:20, 10:20] = 1
    cases = [(nothing, nothing), (there, nothing), (nothing, there), (there, there)]
    data = [
        {**sample, 'pred_sem_seg': {'data': predicted}, 'gt_sem_seg': {'data': true}}
        for sample, (predicted, true) in zip(samples(), cases)
    ]
    metric, metrics = evaluated(data, CLASSES[:2])
    dice = metric.predictions['left_ventricle/dice'].tolist()
    assert np.isnan(dice[0])
    assert dice[1:] == [0, 0, 1]
    assert metrics['seg/dice_mean'] == pytest.approx(1 / 3)
    assert metrics['seg/dice_pooled'] == pytest.approx(2 * 100 / 400)
    assert metric.predictions['left_ventricle/hd95_px'].isna().tolist() == [True] * 3 + [False]
    assert metrics['seg/left_ventricle/false_positives'] == 1
    assert metrics['seg/left_ventricle/false_negatives'] == 1


def test_few_patients_with_ventricles_do_not_fail_the_test():
    """Most resamples hold no pair of masks of which neither is empty."""
    data = list(samples(40))
    for index, sample in enumerate(data):
        sample['patient'] = f'p{index // 2}'
        if index not in (0, 1):
            guess = sample['pred_sem_seg']['data']
            sample['pred_sem_seg'] = {'data': torch.zeros_like(guess)}
    _, metrics = evaluated(data, CLASSES[:2], n_resamples=200)
    assert metrics['seg/simpson_ef/patients'] == 1
    assert 'seg/simpson_ef/mae_low' not in metrics


def test_instants_are_reported_separately_and_patients_resampled():
    metric, metrics = evaluated(samples(24))
    table = metric.predictions
    for instant in ('ED', 'ES'):
        rows = table[table['instant'] == instant]
        assert metrics[f'seg/{instant}/left_ventricle/dice_mean'] == pytest.approx(
            rows['left_ventricle/dice'].mean()
        )
    assert (metrics['seg/n'], metrics['seg/patients']) == (24, 6)
    assert (
        metrics['seg/dice_pooled_low']
        < metrics['seg/dice_pooled']
        < metrics['seg/dice_pooled_high']
    )


def test_ignored_pixels_do_not_count():
    data = list(samples())
    expected = evaluated(data)[1]
    for sample in data:
        truth = sample['gt_sem_seg']['data'].clone()
        truth = torch.cat([truth, torch.full_like(truth, 255)], 1)
        guess = sample['pred_sem_seg']['data']
        sample['gt_sem_seg'] = {'data': truth}
        sample['pred_sem_seg'] = {'data': torch.cat([guess, torch.ones_like(guess)], 1)}
    assert evaluated(data)[1]['seg/dice_pooled'] == pytest.approx(expected['seg/dice_pooled'])


def test_only_the_labelled_frame_of_a_clip_counts():
    data = list(samples())
    expected = evaluated(data)[1]
    for index, sample in enumerate(data):
        place = index % 3
        sample['frame_inds'] = [100 + i for i in range(3)]
        sample['frame_inds'][place] = sample['frame']
        for name, other in (('gt_sem_seg', 255), ('pred_sem_seg', 1)):
            frames = torch.full((3, 40, 40), other)
            frames[place] = sample[name]['data'][0]
            sample[name] = {'data': frames}
    assert evaluated(data)[1] == pytest.approx(expected, nan_ok=True)


def test_both_masks_are_sampled_at_network_size():
    _, metrics = evaluated(samples(), network_size=(20, 20))
    data = list(samples())
    for sample in data:
        for name in ('gt_sem_seg', 'pred_sem_seg'):
            sample[name] = {'data': sample[name]['data'][:, 1::2, 1::2]}
    small = evaluated(data)[1]
    assert metrics['seg/network/dice_pooled'] == pytest.approx(small['seg/dice_pooled'], abs=0.02)
    assert metrics['seg/network/dice_pooled'] != metrics['seg/dice_pooled']


def test_the_report_names_both_kinds_of_dice_and_the_plots_are_drawn():
    metric, _ = evaluated(samples())
    assert isinstance(metric, PredictionMetric)
    text = metric.report()
    assert 'Dice, all pixels pooled' in text
    assert 'Dice, mean over images' in text
    assert '| ED, left atrium' in text
    assert set(metric.plots(metric.predictions)) == {'dice', 'area'}


def test_a_test_with_clicks_says_that_it_saw_the_truth():
    metric, metrics = evaluated(samples())
    assert 'seg/clicked' not in metrics
    assert 'click' not in metric.report()
    metric, metrics = evaluated({**sample, 'clicks': [(3, 4)]} for sample in samples())
    assert metrics['seg/clicked'] == metrics['seg/n'] == 12
    assert 'saw a click inside the true mask' in metric.report()


def test_statistics_of_a_table_that_was_read_again(tmp_path):
    metric, metrics = evaluated(samples(), n_resamples=0)
    metric.predictions.to_csv(tmp_path / 'a.csv', index=False)
    table = pd.read_csv(tmp_path / 'a.csv')
    assert structures_of(table) == ['left_ventricle', 'left_atrium']
    columns = {name: table[name].to_numpy(np.float64) for name in table if '/' in name}
    again = seg_statistics(columns, structures_of(table), np.arange(len(table)))
    assert again['dice_pooled'] == pytest.approx(metrics['seg/dice_pooled'])
