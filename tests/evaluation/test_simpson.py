"""Ejection fraction from pairs of masks."""

import numpy as np
import pandas as pd
import pytest

from echocardmae_mm.evaluation.simpson import simpson_ef, simpson_row


def disks(volume: float) -> str:
    """A cylinder of this volume and a length of 10."""
    return ' '.join(map(str, (10, *[np.sqrt(volume / 10 * 4 / np.pi)] * 20)))


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
                    'disks_predicted': disks(80 * (share or 1 - predicted / 100)),
                    'disks_true': disks(90 * (share or 1 - true / 100)),
                }
            )
    return pd.DataFrame(rows)


def test_pairs_are_compared_with_the_stated_ejection_fraction():
    statistics = simpson_ef(table())(np.arange(6))
    errors = np.array([40 - 52, 60 - 59, 30 - 33])
    assert statistics['simpson_ef/mae'] == pytest.approx(np.abs(errors).mean())
    assert statistics['simpson_ef/bias'] == pytest.approx(errors.mean())
    assert statistics['simpson_ef/r'] == pytest.approx(
        np.corrcoef([40, 60, 30], [52, 59, 33])[0, 1]
    )
    assert statistics['simpson_ef/mae_of_true_masks'] == pytest.approx(5 / 3)
    # A patient that is drawn twice counts twice.
    twice = simpson_ef(table())(np.array([0, 1, 0, 1, 2, 3]))
    assert twice['simpson_ef/bias'] == pytest.approx((2 * -12 + 1) / 3)


def test_without_a_stated_one_the_true_masks_are_the_truth():
    statistics = simpson_ef(table().drop(columns='ef'))(np.arange(6))
    assert statistics['simpson_ef/mae_of_true_masks'] == 0
    assert statistics['simpson_ef/bias'] == pytest.approx((-10 + 0 - 5) / 3)


def test_incomplete_pairs_are_omitted():
    alone = table().iloc[[0, 2, 3]]
    assert simpson_ef(alone)(np.arange(3))['simpson_ef/bias'] == pytest.approx(1)
    assert simpson_ef(alone)(np.arange(3))['simpson_ef/patients'] == 1
    assert all(np.isnan(list(simpson_ef(alone.iloc[:1])(np.arange(1)).values())))


def test_two_views_give_biplane_volumes():
    def row(view, instant, length, width):
        text = ' '.join(map(str, (length, *[width] * 20)))
        return {
            'patient': 'p', 'view': view, 'instant': instant, 'disks_predicted': text,
            'disks_true': text,
        }  # fmt: skip

    views = pd.DataFrame(
        [
            row('2CH', 'ED', 10, 4), row('2CH', 'ES', 8, 3),
            row('4CH', 'ED', 9, 5), row('4CH', 'ES', 8.5, 2),
        ]
    )  # fmt: skip
    views['ef'] = 0.0
    expected = 100 * (1 - (8.5 * 3 * 2) / (10 * 4 * 5))
    assert simpson_ef(views)(np.arange(4))['simpson_ef/bias'] == pytest.approx(expected)
    one_view = views[views['view'] == '4CH']
    expected = 100 * (1 - (8.5 * 2 * 2) / (9 * 5 * 5))
    assert simpson_ef(one_view)(np.arange(2))['simpson_ef/bias'] == pytest.approx(expected)
    without_one = views.drop(index=1)
    assert all(np.isnan(list(simpson_ef(without_one)(np.arange(3)).values())))


def test_disks_of_masks_survive_a_file_and_specks_do_not_count(tmp_path):
    mask = np.zeros((60, 60), bool)
    mask[10:50, 20:40] = True
    specks = mask.copy()
    specks[:2, :2] = True
    rows = [
        {'patient': 'p', 'instant': instant, 'ef': 50.0, **simpson_row(*masks, (0.5, 0.5))}
        for instant, masks in (('ED', (specks, mask)), ('ES', (mask & ~mask, mask)))
    ]
    assert rows[0]['disks_predicted'] == rows[0]['disks_true']
    length, *widths = map(float, rows[0]['disks_true'].split())
    assert length == pytest.approx(20)
    assert widths == pytest.approx([10] * 20)
    pd.DataFrame(rows).to_csv(tmp_path / 'a.csv', index=False)
    again = simpson_ef(pd.read_csv(tmp_path / 'a.csv'))(np.arange(2))
    assert again == pytest.approx(simpson_ef(pd.DataFrame(rows))(np.arange(2)), nan_ok=True)
    assert np.isnan(again['simpson_ef/bias'])  # the predicted ventricle was lost
