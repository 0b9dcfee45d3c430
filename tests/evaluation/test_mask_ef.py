"""Ejection fraction from pairs of masks."""

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.evaluation.mask_ef import ef_by_disks, volume_row


def table() -> pd.DataFrame:
    rows = []
    for index, (predicted, true, ef) in enumerate(((40, 50, 52.0), (60, 60, 59.0), (30, 35, 33.0))):
        for instant in ('ES', 'ED'):
            share = 1.0 if instant == 'ED' else None
            rows.append(
                {
                    'patient': f'p{index}',
                    'instant': instant,
                    'ef': ef,
                    'volume_predicted': 80 * (share or 1 - predicted / 100),
                    'volume_true': 90 * (share or 1 - true / 100),
                }
            )
    return pd.DataFrame(rows)


def test_pairs_are_compared_with_the_stated_ejection_fraction():
    statistics = ef_by_disks(table())(np.arange(6))
    errors = np.array([40 - 52, 60 - 59, 30 - 33])
    assert statistics['ef_by_disks/mae'] == pytest.approx(np.abs(errors).mean())
    assert statistics['ef_by_disks/bias'] == pytest.approx(errors.mean())
    assert statistics['ef_by_disks/r'] == pytest.approx(
        np.corrcoef([40, 60, 30], [52, 59, 33])[0, 1]
    )
    assert statistics['ef_by_disks/mae_of_true_masks'] == pytest.approx(5 / 3)
    # A patient that is drawn twice counts twice.
    twice = ef_by_disks(table())(np.array([0, 1, 0, 1, 2, 3]))
    assert twice['ef_by_disks/bias'] == pytest.approx((2 * -12 + 1) / 3)


def test_without_a_stated_one_the_true_masks_are_the_truth():
    statistics = ef_by_disks(table().drop(columns='ef'))(np.arange(6))
    assert statistics['ef_by_disks/mae_of_true_masks'] == 0
    assert statistics['ef_by_disks/bias'] == pytest.approx((-10 + 0 - 5) / 3)


def test_what_is_no_pair_is_left_out():
    alone = table().iloc[[0, 2, 3]]
    assert ef_by_disks(alone)(np.arange(3))['ef_by_disks/bias'] == pytest.approx(1)
    assert ef_by_disks(alone.iloc[:1])(np.arange(1)) == {}


def test_specks_have_no_volume():
    mask = np.zeros((60, 60), bool)
    mask[10:50, 20:40] = True
    specks = mask.copy()
    specks[:2, :2] = True
    volumes = volume_row(specks, mask, (0.5, 0.5))
    assert volumes['volume_predicted'] == volumes['volume_true'] > 0
