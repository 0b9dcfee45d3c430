"""Outlines stand where the labels end, in the colour of their structure."""

import numpy as np
from scipy.ndimage import binary_dilation, binary_erosion

from echocardmae_mm.evaluation.segmentation_plot import (
    Segmented,
    draw_outlines,
    segmentation_plot,
)

FRAME = np.full((60, 80, 3), 40, np.uint8)


def labels() -> np.ndarray:
    y, x = np.mgrid[:60, :80]
    found = np.zeros((60, 80), np.uint8)
    found[np.hypot(y - 25, x - 30) < 15] = 1
    found[48:56, 40:70] = 2
    return found


def test_outlines_are_at_the_edge_and_nowhere_else():
    drawn = draw_outlines(FRAME, labels(), [(200, 0, 0), (0, 0, 200)])
    changed = (drawn != FRAME).any(-1)
    edges = np.zeros_like(changed)
    for label in (1, 2):
        mask = labels() == label
        edges |= binary_dilation(mask, iterations=2) & ~binary_erosion(mask, iterations=2)
        assert changed[mask & ~binary_erosion(mask)].all()
    assert not changed[~edges].any()
    assert drawn[25, 16].argmax() == 0
    assert drawn[48, 50].argmax() == 2
    assert (FRAME == 40).all()


def test_unlabelled_pixels_are_not_drawn():
    nothing = np.full((60, 80), 255, np.uint8)
    np.testing.assert_array_equal(draw_outlines(FRAME, nothing), FRAME)


def test_the_plot_has_a_frame_each_with_its_title_and_names_the_colours():
    frames = [
        Segmented(FRAME, labels(), labels() if index else None, f'frame {index}')
        for index in range(5)
    ]
    figure = segmentation_plot(frames, ('background', 'left ventricle', 'left atrium'))
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [f'frame {index}' for index in range(5)]
    assert figure.get_suptitle() == (
        'predicted: left ventricle red, left atrium blue; true: white, dotted'
    )
