import cv2
import numpy as np
import pytest

from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.phantom.naive_baselines import dark_blob, dice, mean_mask_dice, threshold_dice


def test_dice_equals_its_definition():
    first, second = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    first[0, :3], second[0, 1:] = True, True
    assert dice(first, second) == pytest.approx(2 * 2 / 6)
    assert dice(first & False, second & False) == 1.0


def test_a_dark_disk_on_grey_is_found_by_its_brightness():
    y, x = np.mgrid[:112, :112]
    disk = np.hypot(x - 60, y - 50) < 20
    found = dark_blob(np.where(disk, 5, 120).astype(np.uint8), disk | True, 40, (58.0, 52.0))
    assert dice(found, disk) > 0.97


def test_brightness_and_position_do_not_solve_phantoms():
    images, sectors, truths = [], [], []
    for seed in range(24):
        phantom = make_phantom([15, seed], num_frames=40, heart_rate=100.0)
        for frame in (phantom.ed, phantom.es):
            images.append(cv2.cvtColor(phantom.frames[frame], cv2.COLOR_RGB2GRAY))
            sectors.append(phantom.sector_mask)
            truths.append(phantom.lv_masks[frame])
    train = np.arange(len(truths)) < 24
    assert threshold_dice(images, sectors, truths, train)[0] < 0.7
    assert mean_mask_dice(truths, train) < 0.82
