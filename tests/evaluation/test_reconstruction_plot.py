import numpy as np
import torch

from echocardmae_mm.evaluation.reconstruction_plot import reconstruction_plot


def drawn(figure) -> dict[str, list[np.ndarray]]:
    rows: dict[str, list[np.ndarray]] = {}
    name = ''
    for axis in figure.axes:
        name = axis.get_ylabel() or name
        rows.setdefault(name, []).append(np.asarray(axis.images[0].get_array()))
    return rows


def test_rows_show_input_mask_prediction_and_target():
    clips = torch.full((3, 4, 32, 32), 100.0)
    masked = torch.zeros(8, dtype=torch.bool)
    masked[1] = True  # slot 0, upper right patch
    figure = reconstruction_plot(
        clips, clips + 50, clips + 20, masked, token_size=(2, 16), columns=2
    )
    rows = drawn(figure)
    assert list(rows) == ['input', 'visible to the encoder', 'prediction', 'target']
    assert all(len(frames) == 2 for frames in rows.values())
    assert (rows['input'][0] == 100).all()
    assert (rows['prediction'][0] == 120).all()
    assert (rows['target'][0] == 150).all()
    hidden = rows['visible to the encoder'][0] != 100
    assert hidden[:16, 16:].all()
    assert hidden.sum() == 16 * 16 * 3
    assert (rows['visible to the encoder'][1] == 100).all()
