import json
from pathlib import Path

from mmengine.config import Config

from echocardmae_mm.engine.training_curves_hook import read_scalars, training_curves
from echocardmae_mm.models import EFHead
from echocardmae_mm.registry import MODELS

CONFIGS = Path(__file__).parents[2] / 'configs' / 'phantom'


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
        'total loss',
        'reconstruction loss',
        'learning rate',
    ]
    assert figure.axes[0].lines[0].get_ydata().tolist() == scalars['loss'].tolist()


def test_only_pixels_and_alignment_are_eq_1(tmp_path):
    pixels, latents = (
        MODELS.build(Config.fromfile(CONFIGS / name).model)
        for name in ('pretrain_phantom.py', 'pretrain_phantom_latent.py')
    )
    write(tmp_path / '20260101_000000' / 'vis_data', rows(1, 4, 3.0))
    alone = read_scalars(tmp_path)
    both = alone.assign(loss_align=1.0)
    for scalars, model, title in (
        (both, pixels, 'total loss (Eq. 1)'),
        (both, latents, 'total loss'),
        (both, EFHead(8), 'total loss'),
        (alone, pixels, 'total loss'),
    ):
        assert training_curves(scalars, model=model).axes[0].get_title() == title


def test_a_cut_line_is_left_out(tmp_path):
    log = tmp_path / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"loss": 2.0, "lr": 0.1, "step": 1}\n{"loss": 1.0, "l')
    assert read_scalars(tmp_path)['loss'].tolist() == [2.0]


def test_no_log_gives_no_rows(tmp_path):
    assert len(read_scalars(tmp_path)) == 0


def test_validation_is_drawn_beside_its_baseline_and_a_single_loss_once(tmp_path):
    training = [{'step': i, 'loss': 9.0 / i, 'loss_ef': 9.0 / i, 'lr': 1e-4} for i in range(1, 9)]
    validation = [{'step': e, 'ef/mae': 9.0 - e, 'ef/mae_of_median': 8.5} for e in (1, 2, 3)]
    write(tmp_path / '20260101_000000' / 'vis_data', [*training[:4], validation[0], *training[4:]])
    write(tmp_path / '20260102_000000' / 'vis_data', validation[1:])
    validations = read_scalars(tmp_path, of_validation=True)
    assert validations['step'].tolist() == [1, 2, 3]
    figure = training_curves(read_scalars(tmp_path), validations)
    assert [axis.get_title() for axis in figure.axes] == [
        'ejection-fraction loss',
        'learning rate',
        'validation error (points of EF)',
    ]
    model, constant = figure.axes[-1].lines
    assert model.get_ydata().tolist() == [8.0, 7.0, 6.0]
    assert constant.get_ydata().tolist() == [8.5] * 3


def test_a_run_that_was_not_validated_yet(tmp_path):
    write(tmp_path / '20260101_000000' / 'vis_data', rows(1, 4, 3.0))
    assert read_scalars(tmp_path, of_validation=True)['step'].tolist() == []
