import json

from echocardmae_mm.visualization import read_scalars, training_curves


def write(folder, rows):
    folder.mkdir(parents=True)
    text = '\n'.join(json.dumps(row) for row in rows)
    (folder / 'scalars.json').write_text(text)


def rows(first, last, loss):
    return [{'step': i, 'loss': loss, 'loss_rec': loss / 2, 'lr': 1e-4} for i in range(first, last)]


def test_a_resumed_run_is_one_curve_and_validation_rows_are_left_out(tmp_path):
    write(tmp_path / '20260101_000000' / 'vis_data', [*rows(1, 6, 3.0), {'step': 5, 'val/mse': 1}])
    write(tmp_path / '20260102_000000' / 'vis_data', rows(4, 9, 2.0))
    scalars = read_scalars(tmp_path)
    assert scalars['step'].tolist() == list(range(1, 9))
    assert scalars['loss'].tolist() == [3.0] * 3 + [2.0] * 5
    figure = training_curves(scalars)
    assert [axis.get_title() for axis in figure.axes] == [
        'total loss (Eq. 1)',
        'reconstruction loss',
        'learning rate',
    ]
    assert figure.axes[0].lines[0].get_ydata().tolist() == scalars['loss'].tolist()


def test_no_log_gives_no_rows(tmp_path):
    assert len(read_scalars(tmp_path)) == 0
